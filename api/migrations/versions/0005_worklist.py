"""the work list: which revision of a session was reviewed last, and indices by which what waits is found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TO_REVIEW = sa.text("revision > reviewed")
REVIEWED = sa.text("revision <= reviewed AND revision > 0")
IRREGULAR = sa.text("measure = 'irregular_rhythm' AND value > 0.5")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reviewed", sa.Integer(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE sessions SET reviewed = COALESCE((SELECT MAX(reviews.revision) FROM reviews"
        " WHERE reviews.session_id = sessions.id), 0)"
    )
    op.create_index(
        "sessions_to_review",
        "sessions",
        ["clinic_id", "outcome", "first_seen_ns", "id"],
        sqlite_where=TO_REVIEW,
        postgresql_where=TO_REVIEW,
    )
    op.create_index(
        "sessions_reviewed",
        "sessions",
        ["clinic_id", "first_seen_ns", "id"],
        sqlite_where=REVIEWED,
        postgresql_where=REVIEWED,
    )
    op.create_index(
        "readings_irregular", "readings", ["measure", "session_id"], sqlite_where=IRREGULAR, postgresql_where=IRREGULAR
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("readings_irregular", table_name="readings")
    op.drop_index("sessions_reviewed", table_name="sessions")
    op.drop_index("sessions_to_review", table_name="sessions")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_column("reviewed")

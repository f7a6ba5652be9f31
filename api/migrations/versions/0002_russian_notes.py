"""what drove a reading, in Russian too."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("readings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("note_ru", sa.String(length=1000), nullable=False, server_default=""))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("readings", schema=None) as batch_op:
        batch_op.drop_column("note_ru")

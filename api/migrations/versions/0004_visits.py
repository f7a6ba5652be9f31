"""what a visit leaves: what the visitor told, the talk with the assistant, links to results; courses, how numbers went;
the consent text that asks about the talk."""

import sqlalchemy as sa
from alembic import op

from kiosk import consent

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.String(length=40), nullable=True))

    op.create_table(
        "courses",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("measure", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("points", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"]),
        sa.PrimaryKeyConstraint("session_id", "revision", "measure", "source"),
    )
    op.create_table(
        "dialogues",
        sa.Column("stream_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("who", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"]),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"]),
        sa.PrimaryKeyConstraint("stream_id", "seq"),
    )
    with op.batch_alter_table("dialogues", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dialogues_session_id"), ["session_id"], unique=False)

    op.create_table(
        "entries",
        sa.Column("stream_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("of", sa.String(length=16), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("heard_ns", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"]),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"]),
        sa.PrimaryKeyConstraint("stream_id", "seq"),
    )
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_entries_session_id"), ["session_id"], unique=False)

    op.add_column("sessions", sa.Column("fleeting", sa.Boolean(), server_default=sa.false(), nullable=False))
    texts = sa.table("consent_texts", *map(sa.column, ("version", "language", "text", "created_ns")))
    op.bulk_insert(texts, [dict(text) for text in consent.SECOND])

    op.create_table(
        "links",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("until_ns", sa.BigInteger(), nullable=False),
        sa.Column("opened", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"]),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_links_session_id"), ["session_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_links_until_ns"), ["until_ns"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_column("version")

    texts = sa.table("consent_texts", sa.column("version"))
    op.execute(texts.delete().where(texts.c.version == consent.VERSION))
    op.drop_column("sessions", "fleeting")
    op.drop_table("entries")
    op.drop_table("links")
    op.drop_table("dialogues")
    op.drop_table("courses")

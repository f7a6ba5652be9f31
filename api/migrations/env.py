"""Alembic's entry: runs the migrations on the connection that `Database.migrate` opened."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import api.tables  # noqa: F401 - registers the tables


def _plain_string(kind: str, item: object, _: AutogenContext) -> str | Literal[False]:
    """A migration must not depend on what sqlmodel calls its string type one day."""
    return f"sa.String(length={item.length})" if kind == "type" and isinstance(item, AutoString) else False


connection = context.config.attributes["connection"]
# SQLite cannot alter columns in place: batch mode copies the table
context.configure(
    connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, render_item=_plain_string
)
with context.begin_transaction():
    context.run_migrations()
connection.commit()

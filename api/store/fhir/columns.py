"""The columns that every kind of resource has in the statement that lists what there is."""

from typing import Any
from typing import cast as typed

from sqlalchemy import BigInteger, ColumnElement, Select, String, cast, null, select
from sqlalchemy.sql.elements import SQLCoreOperations

Condition = ColumnElement[bool]
Arm = Select[*tuple[Any, ...]]
Value = SQLCoreOperations[Any]
NONE = cast(null(), BigInteger)


def as_text(value: Value) -> ColumnElement[str]:
    """A number as it stands in a key."""
    return cast(value, String)


def places(
    *,
    key: Value,
    session: Value,
    patient: Value,
    at: Value,
    updated: Value,
    until: Value | None = None,
    row: Value = NONE,
    part: Value = NONE,
    **columns: Value,
) -> Arm:
    """The columns that every kind of resource has, always in this order, and its own after them."""
    named = {"key": key, "row": row, "part": part, "session": session, "patient": patient, "at": at}
    named |= {"until": at if until is None else until, "updated": updated, **columns}
    made: Arm = select(*(typed("ColumnElement[Any]", value).label(name) for name, value in named.items()))
    return made

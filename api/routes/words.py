"""Words that several routes speak: ids in paths, moments, cursors."""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import msgspec
from fastapi import Depends, Path
from pydantic import Field

from api import errors
from api.dependencies import Reader
from api.errors import Failed
from api.store import sessions
from api.tables import SessionRow
from kiosk import messages
from kiosk.messages import SECOND
from kiosk.topics import NAME

PATTERN = f"^{NAME.pattern}$"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Name = Annotated[str, Field(pattern=PATTERN, max_length=64)]

SessionId = Annotated[
    str, Path(description="The session's id.", pattern=PATTERN, max_length=64, examples=["s-20250102-0001"])
]
PatientId = Annotated[
    str, Path(description="The patient's id.", pattern=PATTERN, max_length=64, examples=["p-3f9a61c04d7be258"])
]
KioskName = Annotated[str, Path(description="The kiosk's name.", pattern=PATTERN, max_length=64, examples=["kiosk-1"])]
Limit = Annotated[int, Field(ge=1, le=200, description="How many to answer at most.")]
Cursor = Annotated[
    str | None,
    Field(max_length=400, pattern="^[A-Za-z0-9_-]+$", description="`next` of the page before; absent for the first."),
]
Next = Annotated[str | None, Field(description="The cursor of the next page; null on the last.")]
Place = TypeVar("Place")
# places in lists come back from outside: no larger than a column is, no other characters than an id has
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
BY_TIME: msgspec.json.Decoder[tuple[int, str]] = msgspec.json.Decoder(tuple[Whole, messages.Name])


def moment(nanoseconds: int) -> datetime:
    """A UTC time from nanoseconds since 1970."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)


def moment_or_none(nanoseconds: int | None) -> datetime | None:
    """The same, where it may be unknown."""
    return None if nanoseconds is None else moment(nanoseconds)


def seconds(nanoseconds: int) -> float:
    """Seconds from nanoseconds."""
    return nanoseconds / SECOND


def seconds_or_none(nanoseconds: int | None) -> float | None:
    """The same, where it may be unknown."""
    return None if nanoseconds is None else seconds(nanoseconds)


def cursor_after(*place: int | str) -> str:
    """A place in an ordered list, as text that nobody takes apart."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(cursor: str | None, shape: msgspec.json.Decoder[Place]) -> Place | None:
    """The place that a cursor names."""
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return shape.decode(raw)
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        fault = {"where": "query.cursor", "what": "not a cursor of this list"}
        raise Failed(errors.INVALID, "The cursor is not of this list.", errors=[fault]) from None


def _found(session: SessionId, db: Reader) -> SessionRow:
    row = sessions.get(db, session)
    if row is None:
        raise Failed(errors.NO_SESSION)
    return row


TheSession = Annotated[SessionRow, Depends(_found, scope="function")]

"""Words that several routes speak: ids in paths, moments, cursors."""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import msgspec
from fastapi import Depends, Header, Path
from pydantic import Field
from starlette.responses import Response

from api import errors
from api.dependencies import Reader, TheIdentity
from api.errors import Failed
from api.security import Identity
from api.store import Transaction, sessions
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
ConsentId = Annotated[
    str, Path(description="The consent's id.", pattern=PATTERN, max_length=64, examples=["c-5b0c7e1f2a9d4836"])
]
NoteId = Annotated[
    str, Path(description="The note's id.", pattern=PATTERN, max_length=64, examples=["n-91d2c40f6e7ab358"])
]
RuleId = Annotated[
    str, Path(description="The rule's id.", pattern=PATTERN, max_length=64, examples=["r-0c6f1be29a3d7548"])
]
AlertId = Annotated[
    str, Path(description="The alert's id.", pattern=PATTERN, max_length=64, examples=["a-7e41f08bd2c95a36"])
]
AnalysisId = Annotated[
    str, Path(description="The analysis's id.", pattern=PATTERN, max_length=64, examples=["x-2f8a90c3d51e7b64"])
]
CorrectionId = Annotated[
    str, Path(description="The correction's id.", pattern=PATTERN, max_length=64, examples=["b-c3e0971a4fd286b5"])
]
UserId = Annotated[
    str, Path(description="The user's id.", pattern=PATTERN, max_length=64, examples=["u-48b1d9e70f36a2c5"])
]
KeyId = Annotated[
    str, Path(description="The API key's id.", pattern=PATTERN, max_length=64, examples=["k-a60f25c8b71d943e"])
]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=400,
        description="The ETag that the change is meant for, as it was answered; absent: whatever there is now.",
        examples=['"3"'],
    ),
]
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


def nanoseconds_or_none(when: datetime | None) -> int | None:
    """Nanoseconds since 1970 from a moment that knows its zone; as far as a column reaches."""
    if when is None:
        return None
    exact = (when - EPOCH) // timedelta(microseconds=1) * 1000
    return max(-(2**63), min(exact, 2**63 - 1))


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


def etag(version: int) -> str:
    """The strong entity tag of a row's version."""
    return f'"{version}"'


def check_version(version: int, if_match: str | None) -> None:
    """Go on where the header is absent, `*`, or names this version among others; else Failed(CHANGED)."""
    if if_match is None or if_match.strip() == "*":
        return
    # RFC 9110, 13.1.1: strong comparison, so that a weak tag never matches
    if etag(version) not in (each.strip() for each in if_match.split(",")):
        raise Failed(errors.CHANGED)


def set_etag(response: Response, version: int) -> None:
    """Say with a row which version of it this is."""
    response.headers["ETag"] = etag(version)


def session_seen_by(who: Identity, session: str, db: Transaction, *, held: bool = False) -> SessionRow:
    """A session, which for whoever belongs to another clinic is not there. `held`: until this transaction ends."""
    row = sessions.hold(db, session) if held else sessions.get(db, session)
    if row is None or not who.sees(row.clinic_id):
        raise Failed(errors.NO_SESSION)
    return row


def _found(session: SessionId, who: TheIdentity, db: Reader) -> SessionRow:
    return session_seen_by(who, session, db)


TheSession = Annotated[SessionRow, Depends(_found, scope="function")]

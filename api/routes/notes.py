"""Notes of staff on a patient or a session. Their text is sealed under that one's key."""

import secrets
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict
from starlette.responses import Response

from api import errors
from api.dependencies import Reader, Writer, may
from api.errors import Failed, documented
from api.routes.patients import patient_seen
from api.routes.words import (
    BY_TIME,
    Cursor,
    IfMatch,
    Limit,
    Next,
    NoteId,
    PatientId,
    SessionId,
    check_version,
    cursor_after,
    moment,
    moment_or_none,
    place_of,
    session_seen_by,
    set_etag,
)
from api.security import Action, Identity
from api.store import Transaction, notes, patients, sessions, utc_now
from api.tables import NoteRow

router = APIRouter(prefix="/api/v1", tags=["notes"])
PLAIN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
"""Line breaks and tabs, and no other control character."""
TOLD = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\x9f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
"""The same, and something that is no blank."""
Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4000, pattern=TOLD),
    Field(description="Plain text, shown as such. No control characters but line breaks and tabs."),
]
_NOTE: JsonDict = {
    "id": "n-91d2c40f6e7ab358",
    "patient_id": None,
    "session_id": "s-20250102-0001",
    "author_id": "u-48b1d9e70f36a2c5",
    "text": "Had climbed stairs just before.",
    "version": 1,
    "created": "2026-01-02T10:05:00Z",
    "edited": None,
}


class NoteText(BaseModel):
    """A note's text."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "Had climbed stairs just before."}]}
    )

    text: Text


class NoteShape(BaseModel):
    """A note. Of patient and session one is set."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NOTE]})

    id: str
    patient_id: str | None
    session_id: str | None
    author_id: str
    text: str
    version: int
    created: datetime
    edited: datetime | None


class NotePage(BaseModel):
    """A part of the notes, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_NOTE], "next": None}]})

    items: list[NoteShape]
    next: Next


class WantedNotes(BaseModel):
    """Which part of the list."""

    model_config = ConfigDict(extra="forbid")

    limit: Limit = 50
    cursor: Cursor = None


@router.get(
    "/sessions/{session}/notes",
    responses=documented(errors.NO_SESSION, errors.ERASED, errors.INVALID, errors.NO_DATABASE),
)
def list_session_notes(
    who: Annotated[Identity, may(Action.READ_NOTES)],
    session: SessionId,
    wanted: Annotated[WantedNotes, Query()],
    db: Reader,
) -> NotePage:
    """Notes on a session, newest first."""
    session_seen_by(who, session, db)
    return _page(db, wanted, session=session)


@router.post(
    "/sessions/{session}/notes",
    status_code=201,
    responses=documented(
        errors.NO_SESSION, errors.ERASED, errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE
    ),
)
def add_session_note(
    who: Annotated[Identity, may(Action.WRITE_NOTES)],
    session: SessionId,
    new: NoteText,
    db: Writer,
    response: Response,
) -> NoteShape:
    """Write a note on a session."""
    session_seen_by(who, session, db, held=True)
    return _add(db, who, new.text, response, session=session)


@router.get(
    "/patients/{patient}/notes",
    responses=documented(errors.NO_PATIENT, errors.MERGED, errors.ERASED, errors.INVALID, errors.NO_DATABASE),
)
def list_patient_notes(
    who: Annotated[Identity, may(Action.READ_NOTES)],
    patient: PatientId,
    wanted: Annotated[WantedNotes, Query()],
    db: Reader,
) -> NotePage:
    """Notes on a patient, newest first; those on sessions are with the sessions."""
    patient_seen(db, patient, who)
    return _page(db, wanted, patient=patient)


@router.post(
    "/patients/{patient}/notes",
    status_code=201,
    responses=documented(
        errors.NO_PATIENT,
        errors.MERGED,
        errors.ERASED,
        errors.TOO_LARGE,
        errors.UNPARSABLE,
        errors.INVALID,
        errors.NO_DATABASE,
    ),
)
def add_patient_note(
    who: Annotated[Identity, may(Action.WRITE_NOTES)],
    patient: PatientId,
    new: NoteText,
    db: Writer,
    response: Response,
) -> NoteShape:
    """Write a note on a patient."""
    patient_seen(db, patient, who, held=True)
    return _add(db, who, new.text, response, patient=patient)


@router.get("/notes/{note}", responses=documented(errors.NO_NOTE, errors.ERASED, errors.INVALID, errors.NO_DATABASE))
def get_note(
    who: Annotated[Identity, may(Action.READ_NOTES)], note: NoteId, db: Reader, response: Response
) -> NoteShape:
    """One note."""
    row = _seen(db, who, note)
    set_etag(response, row.version)
    return _shape(db, row)


@router.put(
    "/notes/{note}",
    responses=documented(
        errors.NO_NOTE,
        errors.NOT_YOURS,
        errors.CHANGED,
        errors.ERASED,
        errors.TOO_LARGE,
        errors.UNPARSABLE,
        errors.INVALID,
        errors.NO_DATABASE,
    ),
)
def edit_note(
    who: Annotated[Identity, may(Action.WRITE_NOTES)],
    note: NoteId,
    new: NoteText,
    db: Writer,
    response: Response,
    if_match: IfMatch = None,
) -> NoteShape:
    """Write a note of one's own anew. The text before it is gone."""
    row = _own(db, who, note, if_match)
    row.version, row.edited_ns = row.version + 1, utc_now()
    notes.write(db, row, new.text)
    set_etag(response, row.version)
    return _shape(db, row)


@router.delete(
    "/notes/{note}",
    status_code=204,
    responses=documented(errors.NO_NOTE, errors.NOT_YOURS, errors.CHANGED, errors.INVALID, errors.NO_DATABASE),
)
def delete_note(
    who: Annotated[Identity, may(Action.WRITE_NOTES)], note: NoteId, db: Writer, if_match: IfMatch = None
) -> None:
    """Delete a note of one's own."""
    notes.remove(db, _own(db, who, note, if_match).id)


def _add(
    db: Transaction,
    who: Identity,
    text: str,
    response: Response,
    *,
    patient: str | None = None,
    session: str | None = None,
) -> NoteShape:
    row = NoteRow(
        id=f"n-{secrets.token_hex(8)}",
        patient_id=patient,
        session_id=session,
        author_id=who.id,
        text=b"",
        created_ns=utc_now(),
    )
    notes.write(db, row, text)
    set_etag(response, row.version)
    response.headers["Location"] = f"{router.prefix}/notes/{row.id}"
    return _shape(db, row)


def _seen(db: Transaction, who: Identity, note: str, *, hold: bool = False) -> NoteRow:
    """A note, which for whoever belongs to another clinic is not there."""
    row = notes.get(db, note, hold=hold)
    if row is None:
        raise Failed(errors.NO_NOTE)
    owner = sessions.get(db, row.session_id) if row.session_id else patients.get(db, row.patient_id or "")
    if owner is None or not who.sees(owner.clinic_id):
        raise Failed(errors.NO_NOTE)
    return row


def _own(db: Transaction, who: Identity, note: str, if_match: str | None) -> NoteRow:
    row = _seen(db, who, note, hold=True)
    if row.author_id != who.id:
        raise Failed(errors.NOT_YOURS)
    check_version(row.version, if_match)
    return row


def _page(db: Transaction, wanted: WantedNotes, *, patient: str | None = None, session: str | None = None) -> NotePage:
    before = place_of(wanted.cursor, BY_TIME)
    rows = notes.newest(db, limit=wanted.limit + 1, patient=patient, session=session, before=before)
    shown = rows[: wanted.limit]
    following = cursor_after(shown[-1].created_ns, shown[-1].id) if len(rows) > len(shown) else None
    return NotePage(items=[_shape(db, row) for row in shown], next=following)


def _shape(db: Transaction, row: NoteRow) -> NoteShape:
    return NoteShape(
        id=row.id,
        patient_id=row.patient_id,
        session_id=row.session_id,
        author_id=row.author_id,
        text=notes.read(db, row),
        version=row.version,
        created=moment(row.created_ns),
        edited=moment_or_none(row.edited_ns),
    )

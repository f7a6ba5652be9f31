"""Sessions: the list, one of them with its streams, and whose it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from starlette.responses import Response

from api import errors
from api.dependencies import Reader, Writer, may
from api.errors import Failed, documented
from api.routes.words import (
    BY_TIME,
    Cursor,
    IfMatch,
    Limit,
    Name,
    Next,
    SessionId,
    TheSession,
    check_version,
    cursor_after,
    moment,
    moment_or_none,
    nanoseconds_or_none,
    place_of,
    seconds,
    seconds_or_none,
    session_seen_by,
    set_etag,
)
from api.security import Action, Identity, Role
from api.store import Transaction, patients, readings, sessions, streams
from api.store.streams import Extent
from api.tables import LossRow, SessionRow, StreamRow
from kiosk.signals import SIGNALS

router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])
State = Literal["open", "ended", "closed"]

_SUMMARY: JsonDict = {
    "id": "s-20250102-0001",
    "kiosk": "kiosk-1",
    "patient_id": "p-3f9a61c04d7be258",
    "pseudonym": "K7QF-9M2X-TR4D",
    "state": "closed",
    "outcome": "complete",
    "revision": 1,
    "changed": False,
    "simulated": False,
    "orphan": False,
    "started": "2025-01-02T09:00:00Z",
    "duration": 180.0,
    "first_seen": "2025-01-02T09:00:00.210000Z",
    "last_seen": "2025-01-02T09:03:00.480000Z",
    "closed": "2025-01-02T09:03:02Z",
    "operator_id": "u-7be2583f9a61c04d",
    "protocol": "quick",
    "quality": 0.93,
    "heart_rate": 72.4,
}
_ECG: JsonDict = {
    "device": "chest-strap",
    "signal": "ecg",
    "run": "r1",
    "title": "Electrocardiogram",
    "unit": "mV",
    "channels": ["I"],
    "rate": 250.0,
    "samples": 45000,
    "seconds": 180.0,
    "start": 0.0,
    "end": 180.0,
    "delivered": 1800,
    "expected": 1800,
    "complete": True,
    "losses": [],
}


class SessionSummary(BaseModel):
    """A session in a list. Times are UTC, durations seconds."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SUMMARY]})

    id: str
    kiosk: str
    patient_id: str | None = Field(description="Whose session it is, once somebody said so.")
    pseudonym: str | None = Field(description="What that person is called here.")
    state: State = Field(description="open: measuring. ended: waiting for the rest. closed: analysed.")
    outcome: Literal["complete", "partial"] | None = Field(description="Once closed: whether everything was delivered.")
    revision: int = Field(description="The number of the newest analysis; 0 where there is none yet.")
    changed: bool = Field(description="Something arrived that the newest analysis does not know: another one follows.")
    simulated: bool = Field(description="No person sat there.")
    orphan: bool = Field(description="Samples came, and the kiosk's word about the session has not.")
    started: datetime | None = Field(description="The session's time zero, by the kiosk's clock; null for an orphan.")
    duration: float | None = Field(description="Until it ended, in seconds; null where only silence ended it.")
    first_seen: datetime = Field(description="When the first of it arrived here. The list is in this order.")
    last_seen: datetime
    closed: datetime | None
    operator_id: str | None = Field(description="The member of staff who ran it, where one did.")
    protocol: str | None = Field(description="By which protocol it was run.")
    quality: float | None = Field(
        description="0..1, the middle one of its newest results'; null where there is none, or your role reads none."
    )
    heart_rate: float | None = Field(
        description="Beats per minute over the whole recording, of the preferred source and the newest revision;"
        " null where there is none: the session's readings say why."
    )


class SessionPage(BaseModel):
    """A part of the list, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_SUMMARY], "next": None}]})

    items: list[SessionSummary]
    next: Next


class Loss(BaseModel):
    """A range of a stream that will never come."""

    first: int = Field(description="The first seq of the range.")
    last: int = Field(description="The last one.")
    reason: str = Field(description="Why, in one word.", examples=["outbox_full"])


class StreamShape(BaseModel):
    """What one device delivered of one signal, in one run."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ECG]})

    device: str
    signal: str = Field(description="A waveform's name; or readings, events, session.")
    run: str = Field(description="One start of the device.")
    title: str | None
    unit: str | None = Field(description="UCUM; null where the stream carries no waveform.")
    channels: list[str] | None = Field(description="Null until its first samples are here.")
    rate: float | None = Field(description="Nominal hertz; null where samples have times of their own.")
    samples: int
    seconds: float = Field(description="How much is stored: samples by rate, or the span of their times.")
    start: float | None = Field(description="The first sample's time, in seconds since the session's start.")
    end: float | None
    delivered: int = Field(description="How many of its messages are committed, or known to be lost, in a row.")
    expected: int | None = Field(description="How many there are; null until its end is here.")
    complete: bool
    losses: list[Loss]


class Delivery(BaseModel):
    """How much of a session is here."""

    delivered: int
    expected: int | None = Field(description="Null while any stream's end is unknown.")
    lost: int = Field(description="Messages that will never come.")
    complete: bool = Field(description="Every known stream has its end, and all before it.")


class SessionDetail(SessionSummary):
    """A session with its streams."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_SUMMARY,
                    "delivery": {"delivered": 1800, "expected": 1800, "lost": 0, "complete": True},
                    "streams": [_ECG],
                }
            ]
        }
    )

    delivery: Delivery
    streams: list[StreamShape]


class Assignment(BaseModel):
    """Whose session it is, and by which protocol. What is absent stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"patient_id": "p-3f9a61c04d7be258"}], "minProperties": 1}
    )

    patient_id: Name | None = Field(None, description="A patient's id; null takes an assignment back.")
    protocol: Name | None = Field(None, description="By which protocol it was run.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("nothing to change")
        return self


class Wanted(BaseModel):
    """Which sessions."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = Field(None, description="Only these.")
    kiosk: Name | None = Field(None, description="Only of this kiosk.")
    patient: Name | None = Field(None, description="Only of this patient, by id.")
    pseudonym: Name | None = Field(None, description="Only of patients whose pseudonym begins like this.")
    protocol: Name | None = Field(None, description="Only those run by this protocol.")
    since: AwareDatetime | None = Field(None, description="Only those first heard of then or later.")
    until: AwareDatetime | None = Field(None, description="Only those first heard of before then.")
    reviewed: bool | None = Field(None, description="Only those whose newest revision somebody has reviewed, or not.")
    limit: Limit = 50
    cursor: Cursor = None


@router.get("", responses=documented(errors.INVALID, errors.NO_DATABASE))
def list_sessions(
    wanted: Annotated[Wanted, Query()], who: Annotated[Identity, may(Action.READ_SESSIONS)], db: Reader
) -> SessionPage:
    """Sessions, newest first, a page at a time."""
    if wanted.pseudonym is not None and not who.may(Action.READ_PATIENTS):
        raise Failed(errors.FORBIDDEN)
    rows = sessions.newest(
        db,
        clinic=who.clinic,
        limit=wanted.limit + 1,
        before=place_of(wanted.cursor, BY_TIME),
        state=wanted.state,
        kiosk=wanted.kiosk,
        patient=wanted.patient,
        pseudonym=wanted.pseudonym,
        protocol=wanted.protocol,
        since=nanoseconds_or_none(wanted.since),
        until=nanoseconds_or_none(wanted.until),
        reviewed=wanted.reviewed,
    )
    shown = rows[: wanted.limit]
    following = cursor_after(shown[-1].first_seen_ns, shown[-1].id) if len(rows) > len(shown) else None
    return SessionPage(items=summaries(db, shown, who), next=following)


@router.get("/{session}", responses=documented(errors.NO_SESSION, errors.INVALID, errors.NO_DATABASE))
def get_session(
    who: Annotated[Identity, may(Action.READ_SESSIONS)],
    session: TheSession,
    db: Reader,
    response: Response,
) -> SessionDetail:
    """One session with what every device delivered."""
    set_etag(response, session.version)
    return _detail(db, session, who)


@router.patch(
    "/{session}",
    responses=documented(
        errors.NO_SESSION,
        errors.NOBODY,
        errors.MERGED,
        errors.CHANGED,
        errors.TOO_LARGE,
        errors.UNPARSABLE,
        errors.INVALID,
        errors.NO_DATABASE,
    ),
)
def assign_session(
    who: Annotated[Identity, may(Action.ASSIGN_SESSIONS)],
    session: SessionId,
    assignment: Assignment,
    db: Writer,
    response: Response,
    if_match: IfMatch = None,
) -> SessionDetail:
    """Say whose session it is. Age, sex and baseline enter the analysis, so a closed session gets a new revision."""
    if assignment.patient_id is not None:
        # the patient first, then the session: so do merging and erasing, and nobody waits for each other for ever
        patients.get(db, assignment.patient_id, held=True)
    row = session_seen_by(who, session, db, held=True)
    check_version(row.version, if_match)
    if assignment.patient_id is not None:
        person = patients.get(db, assignment.patient_id, held=True)
        # a session and its patient are of one clinic, also for whoever sees several
        if person is None or person.clinic_id != row.clinic_id:
            raise Failed(errors.NOBODY)
        if person.merged_into is not None:
            raise Failed(errors.MERGED, patient=person.merged_into)
    given = assignment.model_fields_set
    if "patient_id" in given and row.patient_id != assignment.patient_id:
        sessions.assign(db, session, assignment.patient_id)
    if "protocol" in given:
        sessions.describe(db, session, protocol=assignment.protocol)
    if who.role is Role.OPERATOR:
        sessions.describe(db, session, operator_id=who.id)
    db.refresh(row)
    set_etag(response, row.version)
    return _detail(db, row, who)


def summaries(db: Transaction, rows: Sequence[SessionRow], who: Identity) -> list[SessionSummary]:
    """From their rows, with two more queries however many there are. A rate is a result, which not everybody reads."""
    names = patients.pseudonyms(db, {row.patient_id for row in rows if row.patient_id is not None})
    wanted = [row.id for row in rows] if who.may(Action.READ_RESULTS) else []
    rates = readings.results(db, wanted, "heart_rate")
    results = who.may(Action.READ_RESULTS)
    return [
        _summary(row, names.get(row.patient_id or ""), row.quality if results else None, rates.get(row.id))
        for row in rows
    ]


def _summary(row: SessionRow, pseudonym: str | None, quality: float | None, heart_rate: float | None) -> SessionSummary:
    return SessionSummary.model_validate(
        {
            "id": row.id,
            "kiosk": row.kiosk,
            "patient_id": row.patient_id,
            "pseudonym": pseudonym,
            "state": row.state,
            "outcome": row.outcome,
            "revision": row.revision,
            # who waits for the next revision waits while it is made, too
            "changed": row.changed or (row.state == "closed" and row.claimed_by is not None),
            "simulated": row.simulated,
            "orphan": row.orphan,
            "started": moment_or_none(row.origin_utc_ns),
            "duration": seconds_or_none(row.ended_ns),
            "first_seen": moment(row.first_seen_ns),
            "last_seen": moment(row.last_seen_ns),
            "closed": moment_or_none(row.closed_ns),
            "operator_id": row.operator_id,
            "protocol": row.protocol,
            "quality": quality,
            "heart_rate": heart_rate,
        }
    )


def _detail(db: Transaction, row: SessionRow, who: Identity) -> SessionDetail:
    extents = streams.extents(db, row.id)
    losses: dict[int | None, list[LossRow]] = {}
    for stream, loss in streams.losses_of_session(db, row.id):
        losses.setdefault(stream.id, []).append(loss)
    shapes = [
        _stream(stream, extents.get(stream.id or 0), losses.get(stream.id, []))
        for stream in streams.of_session(db, row.id)
    ]
    known = [shape.expected for shape in shapes if shape.expected is not None]
    delivery = Delivery(
        delivered=sum(shape.delivered for shape in shapes),
        expected=sum(known) if shapes and len(known) == len(shapes) else None,
        lost=sum(loss.last - loss.first + 1 for shape in shapes for loss in shape.losses),
        complete=bool(shapes) and all(shape.complete for shape in shapes),
    )
    (summary,) = summaries(db, [row], who)
    return SessionDetail(**summary.model_dump(), delivery=delivery, streams=shapes)


def _stream(row: StreamRow, extent: Extent | None, losses: list[LossRow]) -> StreamShape:
    signal = SIGNALS.get(row.signal)
    length = 0.0
    if extent is not None:
        length = extent.samples / row.rate if row.rate is not None else seconds(extent.end - extent.start)
    return StreamShape(
        device=row.device,
        signal=row.signal,
        run=row.run,
        title=signal.title if signal else None,
        unit=signal.unit if signal else None,
        channels=row.channels,
        rate=row.rate,
        samples=extent.samples if extent else 0,
        seconds=length,
        start=seconds(extent.start) if extent else None,
        end=seconds(extent.end) if extent else None,
        delivered=row.upto + 1,
        expected=None if row.last is None else row.last + 1,
        complete=row.last is not None and row.upto >= row.last,
        losses=[Loss(first=loss.first, last=loss.last, reason=loss.reason) for loss in losses],
    )

"""A session's numbers: readings, the revisions that made them, and events."""

from datetime import datetime
from typing import Annotated, Any, Self

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.config import JsonDict

from api import errors
from api.dependencies import Reader, may
from api.errors import Failed, documented
from api.routes.words import Cursor, Name, Next, TheSession, Whole, cursor_after, moment, place_of, seconds
from api.security import Action, Identity
from api.store import events, readings, revisions
from api.tables import ReadingRow
from kiosk.measures import MEASURES, OWN

router = APIRouter(prefix="/api/v1/sessions/{session}", tags=["readings"])
_BY_TIME: msgspec.json.Decoder[tuple[int, int, int]] = msgspec.json.Decoder(tuple[Whole, Whole, Whole])
_ORDER = {name: place for place, name in enumerate(MEASURES)}


class Code(BaseModel):
    """A code and the system that it is of."""

    system: str = Field(examples=["http://loinc.org"])
    code: str = Field(examples=["8867-4"])


_READING: JsonDict = {
    "measure": "heart_rate",
    "title": "Heart rate",
    "value": 72.4,
    "unit": "/min",
    "decimals": 0,
    "low": 71.6,
    "high": 73.1,
    "quality": 0.94,
    "absent": None,
    "source": "chest-strap",
    "scope": "recording",
    "method": "pan-tompkins-1985",
    "version": "0.1.0",
    "model": None,
    "revision": 1,
    "start": 0.0,
    "end": 180.0,
    "preferred": True,
    "note": "",
    "note_ru": "",
    "code": {"system": "http://loinc.org", "code": "8867-4"},
}
_ABSENT: JsonDict = {
    **_READING,
    "measure": "lf_power",
    "title": "Low-frequency power",
    "value": None,
    "unit": "ms2",
    "low": None,
    "high": None,
    "quality": None,
    "absent": "too_short",
    "code": {"system": OWN, "code": "lf_power"},
}


class ReadingShape(BaseModel):
    """A number with its doubt, method and window - or its absence, with the reason."""

    model_config = ConfigDict(json_schema_extra={"examples": [_READING, _ABSENT]})

    measure: str
    title: str
    value: float | None
    unit: str = Field(description="UCUM.")
    decimals: int = Field(description="How many a person should see.")
    low: float | None = Field(description="The lower end of a validated 95 % interval; null where none was validated.")
    high: float | None
    quality: float | None = Field(description="0..1.")
    absent: str | None = Field(description="Why there is no value, in one word.")
    source: str = Field(description="Which device or signal it is of.")
    scope: str = Field(description="What it is about: spot for a device's own, or a part or the whole of a session.")
    method: str
    version: str = Field(description="Of the software that made it.")
    model: str | None = Field(description="SHA-256 of the network that took part, where one did.")
    revision: int = Field(description="Of the analysis that made it; 0 for what a device measured itself.")
    start: float = Field(description="Of its window, in seconds since the session's start.")
    end: float
    preferred: bool = Field(description="Where several sources give the measure: this is the one to show.")
    note: str = Field(description="What drove it, in plain words, where the method can say so.")
    note_ru: str = Field(description="The note in Russian, where the method speaks it.")
    code: Code

    @classmethod
    def of(cls, row: ReadingRow) -> Self:
        """From its row."""
        measure = MEASURES.get(row.measure)
        system, code = measure.code if measure else (OWN, row.measure)
        return cls(
            measure=row.measure,
            title=measure.title if measure else row.measure,
            value=row.value,
            unit=measure.unit if measure else "1",
            decimals=measure.decimals if measure else 2,
            low=row.low,
            high=row.high,
            quality=row.quality,
            absent=row.absent,
            source=row.source,
            scope=row.scope,
            method=row.method,
            version=row.version,
            model=row.model,
            revision=row.revision,
            start=seconds(row.start_ns),
            end=seconds(row.end_ns),
            preferred=row.preferred,
            note=row.note,
            note_ru=row.note_ru,
            code=Code(system=system, code=code),
        )


class ReadingList(BaseModel):
    """Readings in the order of the catalogue of measures, the preferred one of a measure first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"revision": 1, "items": [_READING, _ABSENT]}]})

    revision: int = Field(description="The analysis that these are of; 0 where there is none yet.")
    items: list[ReadingShape]


class WantedReadings(BaseModel):
    """Which readings."""

    model_config = ConfigDict(extra="forbid")

    measure: str | None = Field(None, description="Only of this one.", json_schema_extra={"enum": [*MEASURES, None]})
    scope: Name | None = Field(None, description="Only of this one.", examples=["recording"])
    revision: int | None = Field(
        None, ge=0, le=2**31 - 1, description="Exactly this one; absent: the newest, and what devices measured."
    )

    @field_validator("measure")
    @classmethod
    def _is_in_the_catalogue(cls, value: str | None) -> str | None:
        if value is not None and value not in MEASURES:
            raise ValueError("not a measure of the catalogue")
        return value


@router.get(
    "/readings",
    responses=documented(errors.NO_SESSION, errors.NO_REVISION, errors.INVALID, errors.NO_DATABASE),
)
def list_readings(
    who: Annotated[Identity, may(Action.READ_RESULTS)],
    session: TheSession,
    wanted: Annotated[WantedReadings, Query()],
    db: Reader,
) -> ReadingList:
    """A session's numbers."""
    if wanted.revision is not None and wanted.revision > session.revision:
        raise Failed(errors.NO_REVISION, f"The session's newest revision is {session.revision}.")
    chosen = (wanted.revision,) if wanted.revision is not None else (session.revision, readings.SPOT)
    rows = readings.of_session(db, session.id, chosen, measure=wanted.measure, scope=wanted.scope)
    rows.sort(key=lambda row: (_ORDER.get(row.measure, len(_ORDER)), not row.preferred, row.start_ns))
    return ReadingList(revision=chosen[0], items=[ReadingShape.of(row) for row in rows])


_REVISION: JsonDict = {
    "number": 1,
    "outcome": "complete",
    "reason": "closed",
    "requested_by": None,
    "created": "2025-01-02T09:03:02Z",
    "version": "0.1.0",
    "context": {"age": 44, "sex": "female"},
    "beats": 217,
}


class Revision(BaseModel):
    """One analysis of a session. It is never overwritten: what arrives later makes another one."""

    model_config = ConfigDict(json_schema_extra={"examples": [_REVISION]})

    number: int
    outcome: str = Field(description="complete, or partial where something was not delivered.")
    reason: str = Field(description="What called for it: closed, late, assigned, corrected or reanalysed.")
    requested_by: str | None = Field(description="The member of staff behind it, where there is one.")
    created: datetime
    version: str = Field(description="Of the software that made it.")
    context: dict[str, Any] = Field(description="What was known beside the signals: age, sex, baseline, corrections.")
    beats: int | None = Field(description="How many heartbeats it found.")


class RevisionList(BaseModel):
    """All analyses of a session, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_REVISION]}]})

    items: list[Revision]


@router.get("/revisions", responses=documented(errors.NO_SESSION, errors.INVALID, errors.NO_DATABASE))
def list_revisions(
    who: Annotated[Identity, may(Action.READ_RESULTS)],
    session: TheSession,
    db: Reader,
) -> RevisionList:
    """The analyses that a session has had."""
    return RevisionList(
        items=[
            Revision(
                number=row.number,
                outcome=row.outcome,
                reason=row.reason,
                requested_by=row.requested_by,
                created=moment(row.created_ns),
                version=row.version,
                context=row.context,
                beats=None if row.beats is None else len(row.beats) // 8,
            )
            for row in revisions.of_session(db, session.id)
        ]
    )


_EVENT: JsonDict = {"event": "step_began", "time": 12.0, "device": "station", "detail": "sit still"}


class EventShape(BaseModel):
    """A mark in a session."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EVENT]})

    event: str
    time: float = Field(description="Seconds since the session's start.")
    device: str
    detail: str

    @classmethod
    def of(cls, row: events.Marked, device: str) -> Self:
        """From its row."""
        return cls(event=row.event, time=seconds(row.time_ns), device=device, detail=row.detail)


class EventPage(BaseModel):
    """A part of a session's events, in the order of their times."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_EVENT], "next": None}]})

    items: list[EventShape]
    next: Next


class WantedEvents(BaseModel):
    """Which events."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(1000, ge=1, le=5000, description="How many to answer at most.")
    cursor: Cursor = None


@router.get("/events", responses=documented(errors.NO_SESSION, errors.ERASED, errors.INVALID, errors.NO_DATABASE))
def list_events(
    who: Annotated[Identity, may(Action.READ_SESSIONS)],
    session: TheSession,
    wanted: Annotated[WantedEvents, Query()],
    db: Reader,
) -> EventPage:
    """The marks in a session, a page at a time."""
    after = place_of(wanted.cursor, _BY_TIME)
    rows = events.of_session(db, session.id, limit=wanted.limit + 1, after=after)
    shown = rows[: wanted.limit]
    last = shown[-1][0] if len(rows) > len(shown) else None
    following = cursor_after(last.time_ns, last.stream_id, last.seq) if last else None
    return EventPage(items=[EventShape.of(row, device) for row, device in shown], next=following)

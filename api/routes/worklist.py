"""The work list: what waits for a clinician, the most pressing first, with why it is there."""

from datetime import datetime
from typing import Annotated, Literal, Self

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api import errors
from api.dependencies import Reader, may
from api.errors import Failed, documented
from api.routes.alerts import AlertShape
from api.routes.sessions import SessionSummary, summaries
from api.routes.words import Cursor, Limit, Name, Next, Whole, cursor_after, moment, place_of
from api.security import Action, Identity
from api.store import worklist
from api.store.worklist import MOST_COUNTED, WHYS, Why
from api.tables import ReadingRow, ReviewRow
from kiosk import messages

router = APIRouter(prefix="/api/v1/worklist", tags=["worklist"])
NUMBERS = (
    *("heart_rate", "rmssd", "respiration_rate", "stress", "irregular_rhythm"),
    *("systolic", "diastolic", "spo2", "temperature", "phq2", "phq9", "who5", "cbi_personal", "cbi_work", "findrisc"),
)
"""Measures of which a row tells, where the session has them."""
_BY_PLACE: msgspec.json.Decoder[tuple[int, int, str]] = msgspec.json.Decoder(
    tuple[Annotated[int, msgspec.Meta(ge=0, lt=len(WHYS))], Whole, messages.Name]
)
_NUMBER: JsonDict = {
    "measure": "heart_rate",
    "value": 72.4,
    "low": 71.2,
    "high": 73.6,
    "quality": 0.94,
    "absent": None,
    "source": "ecg",
}
_ROW: JsonDict = {
    "why": "urgent",
    "since": "2026-01-02T09:03:02Z",
    "session": {
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
    },
    "alerts": [],
    "numbers": [_NUMBER],
    "verdict": None,
}


class NumberShape(BaseModel):
    """A number of a session, or why there is none: of its newest revision, or of a device or questionnaire."""

    measure: str
    value: float | None
    low: float | None = Field(description="Of a validated 95 % interval; null where none was validated.")
    high: float | None
    quality: float | None
    absent: str | None
    source: str

    @classmethod
    def of(cls, row: ReadingRow) -> Self:
        """From its row."""
        return cls.model_validate(row.model_dump(include=set(cls.model_fields)))


class VerdictShape(BaseModel):
    """What somebody made of the newest revision."""

    verdict: Literal["accepted", "repeat", "unusable"]
    reviewer_id: str
    created: datetime

    @classmethod
    def of(cls, row: ReviewRow) -> Self:
        """From its row."""
        return cls.model_validate(
            {"verdict": row.verdict, "reviewer_id": row.reviewer_id, "created": moment(row.created_ns)}
        )


class WaitingShape(BaseModel):
    """A session in the work list."""

    why: Why = Field(
        description="urgent, warning, notice: an open alert, of this severity or less. rhythm: irregular, and not yet"
        " reviewed. review: not yet reviewed. partial: not yet reviewed, and not all was delivered. done: reviewed."
    )
    since: datetime = Field(description="When the alert was raised, or the session first heard of. The list's order.")
    session: SessionSummary
    alerts: list[AlertShape] = Field(description="Open ones, the most pressing first.")
    numbers: list[NumberShape]
    verdict: VerdictShape | None = Field(description="The newest review; null where there is none, or not for you.")


class Counts(BaseModel):
    """How many sessions wait for each reason; not more than are counted."""

    urgent: int
    warning: int
    notice: int
    rhythm: int
    review: int
    partial: int


class Worklist(BaseModel):
    """A part of the list."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [_ROW],
                    "counts": {"urgent": 1, "warning": 0, "notice": 2, "rhythm": 0, "review": 14, "partial": 1},
                    "next": None,
                }
            ]
        }
    )

    items: list[WaitingShape]
    counts: Counts | None = Field(
        description=f"Of all that the filters but `why` let through, {MOST_COUNTED} at most; on the first page alone."
    )
    next: Next


class WantedWork(BaseModel):
    """Which part of the list."""

    model_config = ConfigDict(extra="forbid")

    why: Why | None = Field(None, description="Only what is in the list for this.")
    kiosk: Name | None = Field(None, description="Only of this kiosk.")
    limit: Limit = 50
    cursor: Cursor = None


@router.get("", responses=documented(errors.INVALID, errors.NO_DATABASE))
def list_work(
    who: Annotated[Identity, may(Action.READ_RESULTS)], wanted: Annotated[WantedWork, Query()], db: Reader
) -> Worklist:
    """What waits, red flags first: alerts by severity, irregular rhythms, sessions to review, and what was reviewed."""
    if not who.may(Action.READ_ALERTS):
        # a key that is narrower than its role: without the alerts, what presses most would be missing
        raise Failed(errors.FORBIDDEN)
    found = worklist.waiting(
        db,
        limit=wanted.limit + 1,
        clinic=who.clinic,
        kiosk=wanted.kiosk,
        whys=WHYS if wanted.why is None else (wanted.why,),
        after=place_of(wanted.cursor, _BY_PLACE),
    )
    shown = found[: wanted.limit]
    rows = [each.session for each in shown]
    ids = [row.id for row in rows]
    alerts = worklist.open_alerts(db, ids)
    numbers = worklist.numbers(db, ids, NUMBERS)
    verdicts = worklist.verdicts(db, ids) if who.may(Action.READ_NOTES) else {}
    items = [
        WaitingShape(
            why=each.why,
            since=moment(each.since_ns),
            session=summary,
            alerts=[AlertShape.of(row, each.session) for row in alerts.get(summary.id, [])],
            numbers=[
                NumberShape.of(said[name])
                for said in (numbers.get(summary.id, {}),)
                for name in NUMBERS
                if name in said
            ],
            verdict=VerdictShape.of(verdicts[summary.id]) if summary.id in verdicts else None,
        )
        for each, summary in zip(shown, summaries(db, rows, who), strict=True)
    ]
    counted = None
    if wanted.cursor is None:
        counted = Counts.model_validate(worklist.counts(db, clinic=who.clinic, kiosk=wanted.kiosk))
    return Worklist(
        items=items, counts=counted, next=cursor_after(*shown[-1].place) if len(found) > len(shown) else None
    )

"""Alerts: readings that a rule spoke about, until somebody has seen to them."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api import errors
from api.dependencies import Reader, Writer, may
from api.errors import Failed, documented
from api.routes.words import BY_TIME, AlertId, Cursor, Limit, Name, Next, cursor_after, moment, moment_or_none, place_of
from api.security import Action, Identity
from api.store import alerts, utc_now
from api.tables import AlertRow, SessionRow

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])
State = Literal["open", "acknowledged", "withdrawn"]
Severity = Literal["notice", "warning", "urgent"]
_ALERT: JsonDict = {
    "id": "a-7e41f08bd2c95a36",
    "rule_id": "r-0c6f1be29a3d7548",
    "session_id": "s-20250102-0001",
    "patient_id": "p-3f9a61c04d7be258",
    "simulated": False,
    "revision": 1,
    "measure": "systolic",
    "value": 186.0,
    "severity": "urgent",
    "state": "open",
    "raised": "2026-01-02T09:03:02Z",
    "acknowledged": None,
    "acknowledged_by": None,
}


class AlertShape(BaseModel):
    """A reading that a rule spoke about. One per rule and session."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ALERT]})

    id: str
    rule_id: str
    session_id: str
    patient_id: str | None
    simulated: bool = Field(description="No person sat there.")
    revision: int = Field(description="Of the session, that said it last.")
    measure: str
    value: float
    severity: Severity
    state: State = Field(description="withdrawn: a newer revision no longer says it, and nobody had seen to it yet.")
    raised: datetime
    acknowledged: datetime | None
    acknowledged_by: str | None

    @classmethod
    def of(cls, row: AlertRow, session: SessionRow) -> Self:
        """From its row and its session's."""
        return cls.model_validate(
            {
                **row.model_dump(include={"id", "rule_id", "session_id", "revision", "measure", "value"}),
                **row.model_dump(include={"severity", "state", "acknowledged_by"}),
                "patient_id": session.patient_id,
                "simulated": session.simulated,
                "raised": moment(row.raised_ns),
                "acknowledged": moment_or_none(row.acknowledged_ns),
            }
        )


class AlertPage(BaseModel):
    """A part of the list, the last raised first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_ALERT], "next": None}]})

    items: list[AlertShape]
    next: Next


class WantedAlerts(BaseModel):
    """Which part of the list."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = Field(None, description="Only in this one.")
    severity: Severity | None = Field(None, description="Only of this one.")
    session_id: Name | None = Field(None, description="Only of this session.")
    patient_id: Name | None = Field(None, description="Only of this patient.")
    limit: Limit = 50
    cursor: Cursor = None


@router.get("", responses=documented(errors.INVALID, errors.NO_DATABASE))
def list_alerts(
    who: Annotated[Identity, may(Action.READ_ALERTS)], wanted: Annotated[WantedAlerts, Query()], db: Reader
) -> AlertPage:
    """Alerts of a clinic, the last raised first."""
    rows = alerts.newest(
        db,
        limit=wanted.limit + 1,
        clinic=who.clinic,
        state=wanted.state,
        severity=wanted.severity,
        session=wanted.session_id,
        patient=wanted.patient_id,
        before=place_of(wanted.cursor, BY_TIME),
    )
    shown = rows[: wanted.limit]
    last = shown[-1][0] if len(rows) > len(shown) else None
    following = cursor_after(last.raised_ns, last.id) if last is not None else None
    return AlertPage(items=[AlertShape.of(*row) for row in shown], next=following)


@router.get("/{alert}", responses=documented(errors.NO_ALERT, errors.INVALID, errors.NO_DATABASE))
def get_alert(who: Annotated[Identity, may(Action.READ_ALERTS)], alert: AlertId, db: Reader) -> AlertShape:
    """One alert."""
    found = alerts.get(db, alert)
    if found is None or not who.sees(found[0].clinic_id):
        raise Failed(errors.NO_ALERT)
    return AlertShape.of(*found)


@router.post(
    "/{alert}/acknowledge",
    responses=documented(errors.NO_ALERT, errors.WITHDRAWN, errors.INVALID, errors.NO_DATABASE),
)
def acknowledge_alert(who: Annotated[Identity, may(Action.HANDLE_ALERTS)], alert: AlertId, db: Writer) -> AlertShape:
    """Say that one has seen to it. The first who says so is remembered; no later revision takes that back."""
    found = alerts.get(db, alert, hold=True)
    if found is None or not who.sees(found[0].clinic_id):
        raise Failed(errors.NO_ALERT)
    row = found[0]
    if row.state == "withdrawn":
        raise Failed(errors.WITHDRAWN)
    if row.state == "open":
        row.state, row.acknowledged_ns, row.acknowledged_by = "acknowledged", utc_now(), who.id
        db.flush()
    return AlertShape.of(*found)

"""Alert rules: when a reading shall be brought to somebody's attention, for a clinic or for one patient of it."""

import secrets
from datetime import datetime
from typing import Annotated, Literal, Self

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.config import JsonDict
from starlette.responses import Response

from api import errors
from api.alerts import SELF_HARM, SUGGESTIONS
from api.dependencies import Reader, Writer, may
from api.errors import Failed, documented
from api.routes.patients import patient_seen
from api.routes.words import (
    Cursor,
    IfMatch,
    Limit,
    Name,
    Next,
    RuleId,
    check_version,
    cursor_after,
    moment,
    place_of,
    set_etag,
)
from api.security import Action, Identity
from api.store import Transaction, rules, utc_now
from api.tables import MAIN, RuleRow
from kiosk.measures import MEASURES
from kiosk.messages import Name as PlainName

router = APIRouter(prefix="/api/v1/rules", tags=["alerts"])
Severity = Literal["notice", "warning", "urgent"]
Bound = Annotated[float, Field(strict=True, ge=-1e9, le=1e9, allow_inf_nan=False)]
_BY_ID: msgspec.json.Decoder[tuple[PlainName]] = msgspec.json.Decoder(tuple[PlainName])
_RULE: JsonDict = {
    "id": "r-0c6f1be29a3d7548",
    "clinic_id": "main",
    "patient_id": None,
    "measure": "systolic",
    "low": None,
    "high": 180.0,
    "least_quality": 0.5,
    "severity": "urgent",
    "enabled": True,
    "author_id": "u-48b1d9e70f36a2c5",
    "version": 1,
    "created": "2026-01-02T08:00:00Z",
}
_SUGGESTION: JsonDict = {
    "measure": "spo2",
    "low": 91.5,
    "high": None,
    "severity": "urgent",
    "citation": "Royal College of Physicians 2017, National Early Warning Score 2: three points",
    "reason": "91 % and less",
}


def _known(measure: str) -> str:
    if measure not in MEASURES and measure != SELF_HARM:
        raise ValueError("not a measure of the catalogue")
    return measure


class NewRule(BaseModel):
    """A rule. Below `low` or above `high` raises an alert."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"measure": "systolic", "high": 180.0, "severity": "urgent"}]}
    )

    measure: str = Field(json_schema_extra={"enum": [*MEASURES, SELF_HARM]})
    low: Bound | None = None
    high: Bound | None = None
    least_quality: float = Field(
        0.5, strict=True, ge=0, le=1, description="A reading that tells less quality raises none."
    )
    severity: Severity
    patient_id: Name | None = Field(None, description="For this patient alone; absent: for all of the clinic.")

    _measure = field_validator("measure")(_known)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("low, high, or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("low is below high")
        return self


class RuleChange(BaseModel):
    """What is to change of a rule. Its measure and whose it is stay: disable it, and make another."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"enabled": False}]})

    low: Bound | None = None
    high: Bound | None = None
    least_quality: float = Field(0.5, strict=True, ge=0, le=1)
    severity: Severity = "notice"
    enabled: bool = True


class RuleShape(BaseModel):
    """A rule. What it raised stays as it was when it changes; the next revision is held against it anew."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RULE]})

    id: str
    clinic_id: str
    patient_id: str | None
    measure: str
    low: float | None
    high: float | None
    least_quality: float
    severity: Severity
    enabled: bool
    author_id: str = Field(description="`system` where nobody wrote it: the one for question 9 of the PHQ-9.")
    version: int
    created: datetime

    @classmethod
    def of(cls, row: RuleRow) -> Self:
        """From its row."""
        return cls.model_validate({**row.model_dump(exclude={"created_ns"}), "created": moment(row.created_ns)})


class RulePage(BaseModel):
    """A part of the rules."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_RULE], "next": None}]})

    items: list[RuleShape]
    next: Next


class Suggestion(BaseModel):
    """A rule that somebody published, to be looked at before it is made one's own."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SUGGESTION]})

    measure: str
    low: float | None
    high: float | None
    severity: Severity
    citation: str
    reason: str


class SuggestionList(BaseModel):
    """Nothing of this is in force by itself."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_SUGGESTION]}]})

    items: list[Suggestion]


class WantedRules(BaseModel):
    """Which part of the list."""

    model_config = ConfigDict(extra="forbid")

    patient_id: Name | None = Field(None, description="Only of this patient; absent: all of the clinic.")
    limit: Limit = 50
    cursor: Cursor = None


@router.get("", responses=documented(errors.INVALID, errors.NO_DATABASE))
def list_rules(
    who: Annotated[Identity, may(Action.READ_ALERTS)], wanted: Annotated[WantedRules, Query()], db: Reader
) -> RulePage:
    """The rules of a clinic and of its patients."""
    place = place_of(wanted.cursor, _BY_ID)
    rows = rules.listed(
        db,
        clinic=who.clinic,
        patient=wanted.patient_id,
        limit=wanted.limit + 1,
        after=None if place is None else place[0],
    )
    shown = rows[: wanted.limit]
    following = cursor_after(shown[-1].id) if len(rows) > len(shown) else None
    return RulePage(items=[RuleShape.of(row) for row in shown], next=following)


@router.get("/suggestions", responses=documented())
def suggest_rules(who: Annotated[Identity, may(Action.READ_ALERTS)]) -> SuggestionList:
    """Rules that others published, with where. None is in force until somebody adds it."""
    return SuggestionList(
        items=[
            Suggestion(
                measure=each.measure,
                low=each.low,
                high=each.high,
                severity=each.severity,
                citation=each.citation,
                reason=each.reason,
            )
            for each in SUGGESTIONS
        ]
    )


@router.post(
    "",
    status_code=201,
    responses=documented(
        errors.NO_PATIENT, errors.MERGED, errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE
    ),
)
def add_rule(
    who: Annotated[Identity, may(Action.WRITE_RULES)], new: NewRule, db: Writer, response: Response
) -> RuleShape:
    """Add a rule. It is held against every revision from now on, not against old ones."""
    clinic = who.clinic or MAIN
    if new.patient_id is not None:
        clinic = patient_seen(db, new.patient_id, who, held=True).clinic_id
    row = RuleRow(
        id=f"r-{secrets.token_hex(8)}", clinic_id=clinic, author_id=who.id, created_ns=utc_now(), **new.model_dump()
    )
    rules.add(db, row)
    set_etag(response, row.version)
    response.headers["Location"] = f"{router.prefix}/{row.id}"
    return RuleShape.of(row)


@router.get("/{rule}", responses=documented(errors.NO_RULE, errors.INVALID, errors.NO_DATABASE))
def get_rule(
    who: Annotated[Identity, may(Action.READ_ALERTS)], rule: RuleId, db: Reader, response: Response
) -> RuleShape:
    """One rule."""
    row = _seen(db, who, rule)
    set_etag(response, row.version)
    return RuleShape.of(row)


@router.patch(
    "/{rule}",
    responses=documented(
        errors.NO_RULE, errors.CHANGED, errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE
    ),
)
def change_rule(
    who: Annotated[Identity, may(Action.WRITE_RULES)],
    rule: RuleId,
    change: RuleChange,
    db: Writer,
    response: Response,
    if_match: IfMatch = None,
) -> RuleShape:
    """Change a rule, or disable it: a rule that raised something is never deleted."""
    row = _seen(db, who, rule, hold=True)
    check_version(row.version, if_match)
    values = change.model_dump(exclude_unset=True)
    low, high = values.get("low", row.low), values.get("high", row.high)
    if (low is None and high is None) or (low is not None and high is not None and low >= high):
        fault = {"where": "body", "what": "low, high, or both are set, and low is below high"}
        raise Failed(errors.INVALID, errors=[fault])
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    db.flush()
    set_etag(response, row.version)
    return RuleShape.of(row)


def _seen(db: Transaction, who: Identity, rule: str, *, hold: bool = False) -> RuleRow:
    row = rules.get(db, rule, hold=hold)
    if row is None or not who.sees(row.clinic_id):
        raise Failed(errors.NO_RULE)
    return row

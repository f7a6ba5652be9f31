"""A person's measures over their sessions, beside what is usual for them."""

from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from analytics import norms
from api import errors
from api.baselines import baseline, expected
from api.dependencies import Reader, may
from api.errors import documented
from api.routes.patients import patient_seen
from api.routes.words import BY_TIME, Cursor, Next, PatientId, cursor_after, moment, nanoseconds_or_none, place_of
from api.security import Action, Identity
from api.store import Transaction, trends
from api.store.readings import EARLIER
from api.store.trends import Told, Visit
from api.tables import PatientRow
from kiosk.measures import MEASURES

router = APIRouter(prefix="/api/v1/patients/{patient}/trends", tags=["trends"])
MOST = 12
"""Measures of a request."""
_USUAL: JsonDict = {"mean": 41.2, "sd": 5.1, "sessions": 12, "low": 29.5, "high": 52.9}
_POINT: JsonDict = {
    "session_id": "s-20250102-0001",
    "time": "2025-01-02T09:00:00Z",
    "revision": 1,
    "simulated": False,
    "value": 24.8,
    "low": None,
    "high": None,
    "quality": 0.91,
    "absent": None,
    "method": "pan-tompkins-1985",
    "usual": _USUAL,
    "change": "below",
}
_NORM: JsonDict = {"low": 12.0, "high": 68.0, "source": "Dantas et al. 2018, ELSA-Brasil", "doi": "10.1111/psyp.13052"}
_SERIES: JsonDict = {
    "measure": "rmssd",
    "title": "RMSSD",
    "unit": "ms",
    "decimals": 1,
    "scope": "recording",
    "norm": _NORM,
}


class Usual(BaseModel):
    """What is usual for this person: of up to twenty sessions before, those that have a value. Simulated sessions are
    compared with simulated ones, others with others."""

    mean: float
    sd: float
    sessions: int
    low: float | None = Field(description="Between this and `high` their next session is expected (95 %).")
    high: float | None = Field(description="Null below five sessions, or where all were equal.")


class Point(BaseModel):
    """One session's answer: a value, or the reason why there is none. No row at all: nothing was said."""

    session_id: str
    time: datetime
    revision: int
    simulated: bool
    value: float | None
    low: float | None = Field(description="Of a validated 95 % interval of the value; null where none was validated.")
    high: float | None
    quality: float | None
    absent: str | None
    method: str
    usual: Usual | None = Field(description="Null where there is nothing before.")
    change: str | None = Field(
        description="`above` or `below` what is expected of this person; null: within, or not known. Not a finding of"
        " its own: of twenty sessions one lies outside by chance.",
        json_schema_extra={"enum": ["above", "below", None]},
    )


class NormShape(BaseModel):
    """Between which nine of ten people of this age and sex are, at rest, by a published source."""

    low: float
    high: float
    source: str
    doi: str


class Series(BaseModel):
    """One measure over the sessions, the oldest first. Sessions without a row are gaps: nothing is drawn across."""

    measure: str
    title: str
    unit: str
    decimals: int
    scope: str = Field(description="recording: of the analysis, preferred source. spot: of a device or questionnaire.")
    norm: NormShape | None = Field(
        description="For the patient's age in the last year of the page; null where none is published, or age or sex"
        " are not known, and for what devices or questionnaires say."
    )
    points: list[Point]


class Trends(BaseModel):
    """A page of a person's sessions, and what they say."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "sessions": ["s-20250102-0001"],
                    "times": ["2025-01-02T09:00:00Z"],
                    "series": [{**_SERIES, "points": [_POINT]}],
                    "next": None,
                }
            ]
        }
    )

    sessions: list[str] = Field(description="All analysed sessions of the page, the oldest first: where gaps are.")
    times: list[datetime] = Field(description="When each began.")
    series: list[Series] = Field(description="Of each measure asked for that any of these sessions speaks of.")
    next: Next


class WantedTrends(BaseModel):
    """Which measures, and when."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    measures: str = Field(
        "heart_rate,rmssd,sdnn,respiration_rate,stress",
        description="Names of the catalogue, with commas between them; at most twelve.",
        max_length=400,
        pattern=f"^({'|'.join(MEASURES)})(,({'|'.join(MEASURES)})){{0,{MOST - 1}}}$",
        examples=["heart_rate,rmssd,stress"],
    )
    since: AwareDatetime | None = Field(None, alias="from", description="Sessions that began then or later.")
    until: AwareDatetime | None = Field(None, alias="to", description="Sessions that began before.")
    limit: int = Field(365, ge=1, le=1000, description="Sessions of a page, the newest first; `next` has older ones.")
    cursor: Cursor = None


@router.get("", responses=documented(errors.NO_PATIENT, errors.MERGED, errors.INVALID, errors.NO_DATABASE))
def list_trends(
    who: Annotated[Identity, may(Action.READ_RESULTS)],
    patient: PatientId,
    wanted: Annotated[WantedTrends, Query()],
    db: Reader,
) -> Trends:
    """How some measures of a person went over their sessions, by the newest revision of each."""
    whose = patient_seen(db, patient, who)
    measures = tuple(dict.fromkeys(wanted.measures.split(",")))
    found = trends.visits(
        db,
        patient,
        limit=wanted.limit + 1,
        until=nanoseconds_or_none(wanted.until),
        before=place_of(wanted.cursor, BY_TIME),
    )
    since = nanoseconds_or_none(wanted.since)
    inside = [visit for visit in found if since is None or visit.began_ns >= since]
    following = len(inside) > wanted.limit
    shown = list(reversed(inside[: wanted.limit]))
    known = _known(db, patient, shown)
    told: dict[tuple[str, str], dict[str, Told]] = defaultdict(dict)
    for row in trends.readings(db, [visit.id for visit in known], measures):
        scope = "spot" if row.spot else "recording"
        before = told[row.measure, scope].get(row.session)
        # a device's last word, and a value before none
        if before is None or row.value is not None or before.value is None:
            told[row.measure, scope][row.session] = row
    series = [
        _series(measure, scope, known, shown, told[measure, scope], _norm(whose, measure, scope, shown))
        for measure in measures
        for scope in ("recording", "spot")
        if (measure, scope) in told
    ]
    return Trends(
        sessions=[visit.id for visit in shown],
        times=[moment(visit.began_ns) for visit in shown],
        series=[each for each in series if each.points],
        next=cursor_after(shown[0].began_ns, shown[0].id) if following else None,
    )


def _known(db: Transaction, patient: str, shown: Sequence[Visit]) -> list[Visit]:
    """The sessions shown and those before them that their baselines are of, the oldest first: before `from`, too."""
    if not shown:
        return []
    first = (shown[0].began_ns, shown[0].id)
    before = [
        visit
        for kind in sorted({visit.simulated for visit in shown})
        for visit in trends.visits(db, patient, limit=EARLIER, simulated=kind, before=first)
    ]
    return [*sorted(before, key=lambda visit: (visit.began_ns, visit.id)), *shown]


def _norm(patient: PatientRow, measure: str, scope: str, shown: Sequence[Visit]) -> NormShape | None:
    if patient.birth_year is None or scope != "recording" or not shown:
        return None
    age = moment(shown[-1].began_ns).year - patient.birth_year
    row = norms.norm(measure, age=age, sex=patient.sex)
    if row is None:
        return None
    low, high = row.usual()
    return NormShape(low=low, high=high, source=row.source, doi=row.doi)


def _series(
    name: str, scope: str, known: Sequence[Visit], shown: Sequence[Visit], told: dict[str, Told], norm: NormShape | None
) -> Series:
    measure = MEASURES[name]
    # nobody is compared with a simulation, nor the other way round
    before: dict[bool, deque[float | None]] = {kind: deque(maxlen=EARLIER) for kind in (False, True)}
    points = []
    wanted = {visit.id for visit in shown}
    for visit in known:
        row = told.get(visit.id)
        earlier = before[visit.simulated]
        if row is not None and visit.id in wanted:
            points.append(_point(visit, row, [value for value in earlier if value is not None]))
        earlier.append(None if row is None else row.value)
    return Series(
        measure=name,
        title=measure.title,
        unit=measure.unit,
        decimals=measure.decimals,
        scope=scope,
        norm=norm,
        points=points,
    )


def _point(visit: Visit, row: Told, earlier: Sequence[float]) -> Point:
    usual = baseline(row.measure, earlier) if earlier else None
    limits = expected(usual) if usual is not None else None
    change = None
    if limits is not None and row.value is not None:
        change = "below" if row.value < limits.low else "above" if row.value > limits.high else None
    return Point(
        session_id=visit.id,
        time=moment(visit.began_ns),
        revision=row.revision,
        simulated=visit.simulated,
        value=row.value,
        low=row.low,
        high=row.high,
        quality=row.quality,
        absent=row.absent,
        method=row.method,
        usual=None
        if usual is None
        else Usual(
            mean=usual.mean,
            sd=usual.sd,
            sessions=usual.sessions,
            low=limits.low if limits else None,
            high=limits.high if limits else None,
        ),
        change=change,
    )

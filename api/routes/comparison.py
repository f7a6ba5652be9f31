"""Two sessions beside each other: every number of both, and whether the difference is more than chance."""

from collections import defaultdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from analytics import comparison
from analytics.comparison import Difference
from api import errors
from api.baselines import baseline
from api.dependencies import Reader, may
from api.errors import documented
from api.routes.words import Name, TheSession, moment, session_seen_by
from api.security import Action, Identity
from api.store import Transaction, readings, trends
from api.store.readings import EARLIER
from api.tables import ReadingRow, SessionRow
from kiosk.measures import MEASURES
from kiosk.recording import Baseline

router = APIRouter(prefix="/api/v1/sessions/{session}/comparison", tags=["courses"])
_SIDE: JsonDict = {
    "value": 41.2, "low": 37.9, "high": 44.8, "quality": 0.93, "source": "ecg", "method": "pan-tompkins-1985",
    "absent": None,
}  # fmt: skip
_ITEM: JsonDict = {
    "measure": "rmssd",
    "title": "RMSSD",
    "unit": "ms",
    "decimals": 1,
    "first": _SIDE,
    "second": {**_SIDE, "value": 29.5, "low": 26.6, "high": 32.4},
    "alike": True,
    "difference": -11.7,
    "low": -16.3,
    "high": -7.3,
    "measured": True,
    "usual": 14.2,
    "unusual": False,
    "worthwhile": 4.4,
    "matters": True,
}


class Side(BaseModel):
    """What one of the two sessions says of a measure: its preferred reading."""

    value: float | None
    low: float | None
    high: float | None
    quality: float | None
    source: str
    method: str
    absent: str | None


class Item(BaseModel):
    """One measure of both; differences are the second less the first."""

    measure: str
    title: str
    unit: str = Field(description="UCUM.")
    decimals: int
    first: Side | None = Field(description="Null where this session says nothing of it.")
    second: Side | None
    alike: bool | None = Field(
        description="Whether both are by one source and method: else that may be the difference."
    )
    difference: float | None
    low: float | None = Field(description="Of the difference's 95 % interval; null where a value has no validated one.")
    high: float | None
    measured: bool | None = Field(description="Whether it is more than the two measurements leave open.")
    usual: float | None = Field(
        description="By how much two of this person's sessions differ at most, in 95 of 100 cases; null below five "
        "other sessions, and of two people."
    )
    unusual: bool | None
    worthwhile: float | None = Field(
        description="The smallest worthwhile change (Buchheit 2014, doi:10.3389/fphys.2014.00073), where defined."
    )
    matters: bool | None = Field(description="Whether the difference reaches it.")


class Visited(BaseModel):
    """When and how a session was."""

    session: str
    started: datetime
    kiosk: str
    protocol: str | None
    simulated: bool
    revision: int
    patient_id: str | None


class Comparison(BaseModel):
    """Two sessions, and what differs."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "first": {
                        "session": "s-20250102-0001", "started": "2025-01-02T09:00:00Z", "kiosk": "kiosk-1",
                        "protocol": "full", "simulated": False, "revision": 1, "patient_id": "p-3f9a61c04d7be258",
                    },
                    "second": None,
                    "same_person": None,
                    "others": 0,
                    "items": [_ITEM],
                }
            ]
        }
    )  # fmt: skip

    first: Visited
    second: Visited | None = Field(description="Null where no other session was named, and the person has none before.")
    same_person: bool | None = Field(description="Null where one of them is nobody's: then nobody knows.")
    others: int = Field(description="Other sessions of the person, by which it is judged what is usual.")
    items: list[Item] = Field(
        description="In the order of the catalogue; those that neither says anything of are left out."
    )


class WantedComparison(BaseModel):
    """With which session."""

    model_config = ConfigDict(extra="forbid")

    other: Name | None = Field(
        None, description="The second session; absent: the person's latest other one.", examples=["s-20250103-0001"]
    )


@router.get("", responses=documented(errors.NO_SESSION, errors.INVALID, errors.NO_DATABASE))
def compare_sessions(
    who: Annotated[Identity, may(Action.READ_RESULTS)],
    session: TheSession,
    wanted: Annotated[WantedComparison, Query()],
    db: Reader,
) -> Comparison:
    """The numbers of two sessions side by side, with differences, and whether those are more than chance."""
    second = session_seen_by(who, wanted.other, db) if wanted.other is not None else _latest_other(db, who, session)
    same = None
    if second is not None and session.patient_id and second.patient_id:
        same = session.patient_id == second.patient_id
    usual = _usual(db, session, second) if same and second is not None else {}
    return Comparison(
        first=_visited(session),
        second=None if second is None else _visited(second),
        same_person=same,
        others=max((each.sessions for each in usual.values()), default=0),
        items=_items(_preferred(db, session), {} if second is None else _preferred(db, second), usual),
    )


def _latest_other(db: Transaction, who: Identity, session: SessionRow) -> SessionRow | None:
    if session.patient_id is None:
        return None
    visits = trends.visits(db, session.patient_id, limit=2)
    other = next((each for each in visits if each.id != session.id), None)
    return None if other is None else session_seen_by(who, other.id, db)


def _visited(row: SessionRow) -> Visited:
    return Visited(
        session=row.id,
        started=moment(row.origin_utc_ns or row.first_seen_ns),
        kiosk=row.kiosk,
        protocol=row.protocol,
        simulated=row.simulated,
        revision=row.revision,
        patient_id=row.patient_id,
    )


def _preferred(db: Transaction, session: SessionRow) -> dict[str, ReadingRow]:
    """A reading of each measure: the analysis's preferred one, else what a device said last, a value before none."""
    chosen: dict[str, ReadingRow] = {}
    rows = readings.of_session(db, session.id, (readings.SPOT, session.revision))
    for row in sorted(rows, key=lambda row: (row.value is not None, row.preferred, row.revision, row.end_ns)):
        chosen[row.measure] = row
    return chosen


def _usual(db: Transaction, first: SessionRow, second: SessionRow) -> dict[str, Baseline]:
    """Of the person's other sessions: of people with people, of simulations with simulations."""
    assert first.patient_id is not None
    visits = trends.visits(db, first.patient_id, limit=EARLIER + 2, simulated=first.simulated)
    others = [each.id for each in visits if each.id not in (first.id, second.id)][:EARLIER]
    values: dict[str, list[float]] = defaultdict(list)
    for told in trends.readings(db, others, list(MEASURES)):
        if told.value is not None and not told.spot:
            values[told.measure].append(told.value)
    return {measure: baseline(measure, found) for measure, found in values.items()}


def _items(first: dict[str, ReadingRow], second: dict[str, ReadingRow], usual: dict[str, Baseline]) -> list[Item]:
    found = []
    for name, measure in MEASURES.items():
        one, other = first.get(name), second.get(name)
        if one is None and other is None:
            continue
        difference = _difference(name, one, other, usual.get(name))
        alike = None if one is None or other is None else (one.source, one.method) == (other.source, other.method)
        found.append(
            Item(
                measure=name,
                title=measure.title,
                unit=measure.unit,
                decimals=measure.decimals,
                first=_side(one),
                second=_side(other),
                alike=alike,
                difference=None if difference is None else difference.difference,
                low=None if difference is None else difference.low,
                high=None if difference is None else difference.high,
                measured=None if difference is None else difference.measured,
                usual=None if difference is None else difference.usual,
                unusual=None if difference is None else difference.unusual,
                worthwhile=None if difference is None else difference.worthwhile,
                matters=None if difference is None else difference.matters,
            )
        )
    return found


def _difference(
    name: str, one: ReadingRow | None, other: ReadingRow | None, usual: Baseline | None
) -> Difference | None:
    if one is None or other is None or one.value is None or other.value is None:
        return None
    values = [comparison.Value(row.value, row.low, row.high) for row in (one, other) if row.value is not None]
    return comparison.difference(name, values[0], values[1], usual)


def _side(row: ReadingRow | None) -> Side | None:
    if row is None:
        return None
    return Side(
        value=row.value,
        low=row.low,
        high=row.high,
        quality=row.quality,
        source=row.source,
        method=row.method,
        absent=row.absent,
    )

"""A person's sessions over time: what the newest revision, and devices themselves, say of some measures."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.readings import SPOT
from api.tables import ReadingRow, SessionRow


@dataclass(frozen=True, slots=True)
class Visit:
    """A session on a person's time line."""

    id: str
    began_ns: int
    """UTC."""
    revision: int
    simulated: bool


def visits(
    db: Session,
    patient: str,
    *,
    limit: int,
    simulated: bool | None = None,
    until: int | None = None,
    before: tuple[int, str] | None = None,
) -> list[Visit]:
    """A person's analysed sessions, newest first; `before` is (began_ns, id) of the last one seen."""
    began = func.coalesce(col(SessionRow.origin_utc_ns), col(SessionRow.first_seen_ns))
    query = (
        select(col(SessionRow.id), began, col(SessionRow.revision), col(SessionRow.simulated))
        .where(col(SessionRow.patient_id) == patient, col(SessionRow.revision) > 0)
        .order_by(began.desc(), col(SessionRow.id).desc())
        .limit(limit)
    )
    if simulated is not None:
        query = query.where(col(SessionRow.simulated) == simulated)
    if until is not None:
        query = query.where(began < until)
    if before is not None:
        query = query.where(tuple_(began, col(SessionRow.id)) < before)
    return [Visit(*row) for row in db.execute(query)]


@dataclass(frozen=True, slots=True)
class Told:
    """What a session says of a measure."""

    session: str
    measure: str
    spot: bool
    revision: int
    value: float | None
    low: float | None
    high: float | None
    quality: float | None
    absent: str | None
    method: str


def readings(db: Session, sessions: Collection[str], measures: Collection[str]) -> list[Told]:
    """What these sessions say of the measures: preferred over the whole recording, and spot."""
    if not sessions or not measures:
        return []
    final = and_(
        col(ReadingRow.revision) == col(SessionRow.revision),
        col(ReadingRow.scope) == "recording",
        col(ReadingRow.preferred),
    )
    query = (
        select(
            col(ReadingRow.session_id),
            col(ReadingRow.measure),
            col(ReadingRow.revision) == SPOT,
            col(ReadingRow.revision),
            col(ReadingRow.value),
            col(ReadingRow.low),
            col(ReadingRow.high),
            col(ReadingRow.quality),
            col(ReadingRow.absent),
            col(ReadingRow.method),
        )
        .join(SessionRow, col(SessionRow.id) == col(ReadingRow.session_id))
        .where(
            col(ReadingRow.session_id).in_(sessions),
            # plus nothing: the index by measure alone holds everybody's
            (col(ReadingRow.measure) + "").in_(measures),
            or_(final, col(ReadingRow.revision) == SPOT),
        )
        .order_by(col(ReadingRow.id))
    )
    rows = cast("Iterable[tuple[Any, ...]]", db.execute(query))
    return [Told(*row) for row in rows]

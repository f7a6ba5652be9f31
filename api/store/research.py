"""What a de-identified export is made of: the sessions of those who agreed, and their readings."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.consents import agreeing
from api.store.readings import SPOT
from api.tables import PatientRow, ReadingRow, SessionRow


class Visit(NamedTuple):
    """A session of somebody who agrees that it is used for research."""

    session: str
    patient: str
    birth_year: int | None
    sex: str | None
    began_ns: int
    ended_ns: int | None
    protocol: str | None
    quality: float | None


def visits(db: Session, clinic: str | None) -> list[Visit]:
    """Every analysed session of a real person who agrees to research now."""
    agreed = agreeing(db, "research")
    began = func.coalesce(col(SessionRow.origin_utc_ns), col(SessionRow.first_seen_ns))
    query = (
        select(
            col(SessionRow.id),
            col(PatientRow.id),
            col(PatientRow.birth_year),
            col(PatientRow.sex),
            began,
            col(SessionRow.ended_ns),
            col(SessionRow.protocol),
            col(SessionRow.quality),
        )
        .join(PatientRow, col(PatientRow.id) == col(SessionRow.patient_id))
        .where(col(SessionRow.revision) > 0, ~col(SessionRow.simulated), col(PatientRow.merged_into).is_(None))
    )
    if clinic is not None:
        query = query.where(col(SessionRow.clinic_id) == clinic)
    return [Visit(*row) for row in db.execute(query) if row[1] in agreed]


def readings(db: Session, sessions: Collection[str]) -> dict[str, list[ReadingRow]]:
    """Readings of the newest revision of each session, and what devices measured in it."""
    mine = and_(
        col(ReadingRow.session_id) == col(SessionRow.id),
        or_(col(ReadingRow.revision) == col(SessionRow.revision), col(ReadingRow.revision) == SPOT),
    )
    query = select(ReadingRow).join(SessionRow, mine).where(col(SessionRow.id).in_(list(sessions)))
    order = (col(ReadingRow.measure), col(ReadingRow.scope), col(ReadingRow.start_ns), col(ReadingRow.id))
    found: dict[str, list[ReadingRow]] = {}
    for row in db.execute(query.order_by(*order)).scalars():
        found.setdefault(row.session_id, []).append(row)
    return found

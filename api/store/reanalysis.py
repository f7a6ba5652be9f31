"""Sessions that may be analysed again, with what their newest analysis was made by."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import and_, select, tuple_
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import ReadingRow, RevisionRow, SessionRow

PAGE = 200
_COLUMNS = {
    "session": SessionRow.id,
    "kiosk": SessionRow.kiosk,
    "patient": SessionRow.patient_id,
    "clinic": SessionRow.clinic_id,
    "protocol": SessionRow.protocol,
    "outcome": SessionRow.outcome,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An analysed session."""

    session: str
    first_seen_ns: int
    version: str
    methods: frozenset[str]


def candidates(
    db: Session,
    *,
    equal: Iterable[tuple[str, str]],
    since: int | None,
    until: int | None,
    after: tuple[int, str] | None,
    methods: bool,
) -> list[Candidate]:
    """The next closed sessions after a place, with the methods of their newest analysis where these are wanted."""
    order = (col(SessionRow.first_seen_ns), col(SessionRow.id))
    newest = and_(
        col(RevisionRow.session_id) == col(SessionRow.id), col(RevisionRow.number) == col(SessionRow.revision)
    )
    query = (
        select(*order, col(RevisionRow.version))
        .join(RevisionRow, newest)
        .where(col(SessionRow.state) == "closed", *(col(_COLUMNS[name]) == value for name, value in equal))
        .order_by(*order)
        .limit(PAGE)
    )
    if since is not None:
        query = query.where(order[0] >= since)
    if until is not None:
        query = query.where(order[0] < until)
    if after is not None:
        query = query.where(tuple_(*order) > after)
    rows = db.execute(query).all()
    by = _methods(db, [row[1] for row in rows]) if methods else {}
    return [Candidate(row[1], row[0], row[2], frozenset(by.get(row[1], ()))) for row in rows]


def place_of(db: Session, session: str) -> tuple[int, str] | None:
    """Where a session is in that order."""
    row = db.get(SessionRow, session)
    return None if row is None else (row.first_seen_ns, row.id)


def _methods(db: Session, sessions: list[str]) -> dict[str, set[str]]:
    newest = and_(
        col(ReadingRow.session_id) == col(SessionRow.id), col(ReadingRow.revision) == col(SessionRow.revision)
    )
    rows = db.execute(
        select(col(ReadingRow.session_id), col(ReadingRow.method))
        .join(SessionRow, newest)
        .where(col(SessionRow.id).in_(sessions))
        .distinct()
    )
    found: dict[str, set[str]] = {}
    for session, method in rows:
        found.setdefault(session, set()).add(method)
    return found

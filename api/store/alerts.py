"""Alerts: one per rule and session."""

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import AlertRow, SessionRow


def add(db: Session, alert: AlertRow) -> None:
    """Insert an alert."""
    db.add(alert)
    db.flush()


def get(db: Session, alert: str, *, hold: bool = False) -> tuple[AlertRow, SessionRow] | None:
    """One alert with its session; to `hold` it is to let nobody else change it until the transaction ends."""
    found = db.get(AlertRow, alert, populate_existing=True, with_for_update=hold or None)
    session = None if found is None else db.get(SessionRow, found.session_id)
    return None if found is None or session is None else (found, session)


def of_session(db: Session, session: str) -> dict[str, AlertRow]:
    """A session's alerts by their rules."""
    rows = db.execute(select(AlertRow).where(col(AlertRow.session_id) == session)).scalars()
    return {row.rule_id: row for row in rows}


def newest(
    db: Session,
    *,
    limit: int,
    clinic: str | None = None,
    state: str | None = None,
    severity: str | None = None,
    session: str | None = None,
    patient: str | None = None,
    before: tuple[int, str] | None = None,
) -> list[tuple[AlertRow, SessionRow]]:
    """Alerts with their sessions, the last raised first; `before` is (raised_ns, id) of the last one seen."""
    order = (col(AlertRow.raised_ns), col(AlertRow.id))
    query = (
        select(AlertRow, SessionRow)
        .join(SessionRow, col(SessionRow.id) == col(AlertRow.session_id))
        .order_by(*(each.desc() for each in order))
        .limit(limit)
    )
    wanted = {"clinic_id": clinic, "state": state, "severity": severity, "session_id": session}
    for name, value in wanted.items():
        if value is not None:
            query = query.where(getattr(AlertRow, name) == value)
    if patient is not None:
        query = query.where(col(SessionRow.patient_id) == patient)
    if before is not None:
        query = query.where(tuple_(*order) < before)
    return [(row[0], row[1]) for row in db.execute(query)]

"""Revisions read back: the analyses that a session has had."""

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import RevisionRow


def of_session(db: Session, session: str) -> list[RevisionRow]:
    """All analyses of a session, oldest first."""
    query = select(RevisionRow).where(col(RevisionRow.session_id) == session).order_by(col(RevisionRow.number))
    return list(db.execute(query).scalars())


def newest(db: Session, session: str) -> RevisionRow | None:
    """The last analysis of a session."""
    mine = select(RevisionRow).where(col(RevisionRow.session_id) == session)
    return db.execute(mine.order_by(col(RevisionRow.number).desc()).limit(1)).scalar_one_or_none()


def first(db: Session, session: str) -> RevisionRow | None:
    """The analysis that closed a session."""
    return db.get(RevisionRow, (session, 1))

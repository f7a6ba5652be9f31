"""Revisions read back: the analyses that a session has had."""

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import RevisionRow


def of_session(db: Session, session: str) -> list[RevisionRow]:
    """All analyses of a session, oldest first."""
    query = select(RevisionRow).where(col(RevisionRow.session_id) == session).order_by(col(RevisionRow.number))
    return list(db.execute(query).scalars())

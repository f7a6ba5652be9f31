"""Corrections of beats: added, undone, never deleted."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import CorrectionRow, RevisionRow, SessionRow


def count_change(db: Session, session: str) -> None:
    """Make the next version of a session, so that nobody corrects what they have not seen."""
    mine = col(SessionRow.id) == session
    db.execute(update(SessionRow).where(mine).values(version=col(SessionRow.version) + 1))


def add(db: Session, rows: Iterable[CorrectionRow]) -> None:
    """Store corrections."""
    db.add_all(rows)
    db.flush()


def of_session(db: Session, session: str, *, in_force: bool = False) -> list[CorrectionRow]:
    """A session's corrections in the order in which they were made, undone ones too unless only those in force."""
    query = select(CorrectionRow).where(col(CorrectionRow.session_id) == session)
    if in_force:
        query = query.where(col(CorrectionRow.undone_ns).is_(None))
    return list(db.execute(query.order_by(col(CorrectionRow.created_ns), col(CorrectionRow.id))).scalars())


def undo(db: Session, corrections: Iterable[str], by: str, now: int) -> None:
    """Take corrections back."""
    mine = (col(CorrectionRow.id).in_(list(corrections)), col(CorrectionRow.undone_ns).is_(None))
    db.execute(update(CorrectionRow).where(*mine).values(undone_ns=now, undone_by=by))


def found_beats(db: Session, session: str) -> NDArray[np.float64] | None:
    """The beats that the newest analysis found, before any hand; None where it found none."""
    row = db.execute(
        select(col(RevisionRow.detected), col(RevisionRow.beats))
        .where(col(RevisionRow.session_id) == session)
        .order_by(col(RevisionRow.number).desc())
        .limit(1)
    ).one_or_none()
    kept: bytes | None = None if row is None else row[1] if row[0] is None else row[0]
    return None if kept is None else np.frombuffer(kept, "<f8")

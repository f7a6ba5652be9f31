"""What only invented data needs: whether a database holds anything else, and how something is dated back."""

from collections.abc import Iterable

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import AlertRow, RevisionRow, SessionRow


def measured(db: Session) -> int:
    """Sessions in which a person sat there: that are not simulated."""
    return db.execute(select(func.count()).select_from(SessionRow).where(~col(SessionRow.simulated))).scalar_one()


def without_samples(db: Session, sessions: Iterable[str], now: int) -> None:
    """Say that the samples of these are kept no longer: there never were any, and nothing can be analysed again."""
    mine = col(SessionRow.id).in_(list(sessions))
    db.execute(update(SessionRow).where(mine).values(samples_gone_ns=now))


def date_back(db: Session, session: str, *, began: int, ended: int) -> None:
    """Say that a simulated session came when it is dated, and not when it was made."""
    mine = (col(SessionRow.id) == session) & col(SessionRow.simulated)
    db.execute(
        update(SessionRow)
        .where(mine)
        .values(first_seen_ns=began, last_seen_ns=ended, ended_seen_ns=ended, closed_ns=ended)
    )
    db.execute(update(RevisionRow).where(col(RevisionRow.session_id) == session).values(created_ns=ended))
    db.execute(update(AlertRow).where(col(AlertRow.session_id) == session).values(raised_ns=ended))

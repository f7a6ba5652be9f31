"""Reviews: that a clinician looked at a revision, and what came of it."""

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.sealing import vault_of
from api.tables import ReviewRow, SessionRow


def add(db: Session, review: ReviewRow, comment: str | None) -> None:
    """Insert a review, its comment sealed under the session's key."""
    if comment is not None:
        review.comment = vault_of(db).session(review.session_id).seal(comment.encode(), f"reviews:{review.id}")
    db.add(review)
    db.execute(update(SessionRow).where(col(SessionRow.id) == review.session_id).values(reviewed=review.revision))
    db.flush()


def comment(db: Session, review: ReviewRow) -> str | None:
    """A review's comment."""
    if review.comment is None:
        return None
    return vault_of(db).session(review.session_id).open(review.comment, f"reviews:{review.id}").decode()


def of_session(db: Session, session: str) -> list[ReviewRow]:
    """All reviews of a session, oldest first."""
    query = select(ReviewRow).where(col(ReviewRow.session_id) == session)
    return list(db.execute(query.order_by(col(ReviewRow.created_ns), col(ReviewRow.id))).scalars())


def reviewed() -> ColumnElement[bool]:
    """For a query of sessions: somebody has reviewed the newest revision. A newer one is unreviewed again."""
    return exists().where(
        col(ReviewRow.session_id) == col(SessionRow.id), col(ReviewRow.revision) == col(SessionRow.revision)
    )

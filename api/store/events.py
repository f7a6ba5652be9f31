"""Events read back: the marks in a session."""

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import EventRow, StreamRow
from kiosk import recording
from kiosk.recording import MOST_MARKS, Mark

SAID = ("lsl_mark",)
"""Events that pass on what somebody else said: the mark is their detail."""


def of_session(
    db: Session, session: str, *, limit: int, after: tuple[int, int, int] | None = None
) -> list[tuple[EventRow, str]]:
    """Events with their device, in the order of their times; `after` is (time, stream, seq) of the last one seen."""
    order = (col(EventRow.time_ns), col(EventRow.stream_id), col(EventRow.seq))
    query = (
        select(EventRow, col(StreamRow.device))
        .join(StreamRow, col(StreamRow.id) == col(EventRow.stream_id))
        .where(col(EventRow.session_id) == session)
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(*order) > after)
    return [(row[0], row[1]) for row in db.execute(query)]


def marks(db: Session, session: str) -> tuple[Mark, ...]:
    """A session's events as its recording has them."""
    return recording.marks(
        Mark(row.time_ns, row.detail if row.event in SAID else row.event)
        for row, _ in of_session(db, session, limit=MOST_MARKS)
    )

"""Events read back: the marks in a session. What they say is encrypted under the session's key."""

from typing import NamedTuple

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.sealing import Box, vault_of
from api.tables import EventRow, StreamRow
from kiosk import recording
from kiosk.recording import MOST_MARKS, Mark

SAID = ("lsl_mark", "annotation")
"""Events that pass on what somebody else said: the mark is their detail."""


class Marked(NamedTuple):
    """An event as its row has it, opened."""

    event: str
    time_ns: int
    stream_id: int
    seq: int
    detail: str


def place(stream: int, seq: int) -> str:
    """Where an event's detail is sealed for: it opens nowhere else."""
    return f"events:{stream}:{seq}"


def of_session(
    db: Session, session: str, *, limit: int, after: tuple[int, int, int] | None = None
) -> list[tuple[Marked, str]]:
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
    rows = [(row[0], row[1]) for row in db.execute(query)]
    # who has only plain ones needs no key
    box = vault_of(db).session(session) if any(row.sealed for row, _ in rows) else None
    return [(Marked(row.event, row.time_ns, row.stream_id, row.seq, _detail(row, box)), device) for row, device in rows]


def _detail(row: EventRow, box: Box | None) -> str:
    if row.detail is None:
        return ""
    return (box.open(row.detail, place(row.stream_id, row.seq)) if row.sealed and box else row.detail).decode()


def marks(db: Session, session: str) -> tuple[Mark, ...]:
    """A session's events as its recording has them."""
    return recording.marks(
        Mark(row.time_ns, row.detail if row.event in SAID else row.event)
        for row, _ in of_session(db, session, limit=MOST_MARKS)
    )

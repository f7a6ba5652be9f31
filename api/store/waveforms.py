"""Windows of waveforms, read in portions, so that a long one needs no more memory than a short one."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, cast, select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.chunks import opened
from api.store.sealing import vault_of
from api.tables import ChunkRow, StreamRow
from kiosk.messages import SECOND

# an irregular chunk's offsets are int32 microseconds: it may have begun this long before the window does
LONGEST = 2_200 * SECOND
PORTION = 200


class Stored(NamedTuple):
    """A chunk as its row has it, opened."""

    start: int
    rows: int
    samples: bytes
    offsets: bytes | None


def streams_of(db: Session, session: str, signal: str) -> list[StreamRow]:
    """The streams of a signal that have samples, oldest first."""
    query = select(StreamRow).where(
        col(StreamRow.session_id) == session, col(StreamRow.signal) == signal, col(StreamRow.channels).is_not(None)
    )
    return list(db.execute(query.order_by(col(StreamRow.id))).scalars())


def portions(db: Session, stream: StreamRow, start: int, end: int) -> Iterator[Sequence[Stored]]:
    """Chunks of a stream that may have samples in [start, end) nanoseconds, in the order of their times."""
    assert stream.id is not None
    box, begins = vault_of(db).session(stream.session_id), col(ChunkRow.start_ns)
    query = select(
        begins,
        col(ChunkRow.count),
        col(ChunkRow.samples),
        col(ChunkRow.offsets),
        col(ChunkRow.seq),
        col(ChunkRow.sealed),
    ).where(col(ChunkRow.stream_id) == stream.id, begins < end)
    if stream.rate is None:
        query = query.where(begins >= start - LONGEST)
    else:
        # the first bound is for the index; one second is the longest that a kiosk sends, a minute the longest it may
        period = int(SECOND / stream.rate) + 1
        query = query.where(
            begins >= start - 60 * SECOND, begins + cast(col(ChunkRow.count), BigInteger) * period > start
        )
    found = db.execute(query.order_by(begins), execution_options={"yield_per": PORTION})
    for rows in found.partitions():
        portion = []
        for begin, count, raw, later, seq, sealed in rows:
            samples, offsets = opened(box, stream.id, seq, raw, later) if sealed else (bytes(raw), later)
            portion.append(Stored(begin, count, samples, bytes(offsets) if offsets else None))
        yield portion

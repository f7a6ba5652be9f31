"""Windows of waveforms, read in portions, so that a long one needs no more memory than a short one."""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, cast, func, literal, select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.chunks import opened
from api.store.sealing import vault_of
from api.tables import ChunkRow, LossRow, StreamRow
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


class Missing(NamedTuple):
    """A time without samples, in nanoseconds, and why."""

    start: int
    end: int
    reason: str


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


LATE = 1.5
"""Sample periods from a chunk's last sample to the next one's first that make a hole: half of one is the clock."""
PAUSE = 3 * SECOND
"""Between a chunk's end and the next one's start, of a stream without a rate."""


def holes(db: Session, of: Sequence[StreamRow], *, most: int) -> list[Missing]:
    """Where the streams of one device have no samples, in the order of time, and why; no sample is opened for it."""
    found: list[Missing] = []
    ends: list[tuple[int, int]] = []
    for stream in of:
        found += _inside(db, stream, most)
        extent = _extent(db, stream)
        if extent is not None:
            ends.append(extent)
    ends.sort()
    for (_, end), (begin, _) in itertools.pairwise(ends):
        if begin - end > SECOND // 10:
            found.append(Missing(end, begin, "stopped"))
    return sorted(found)[:most]


def _inside(db: Session, stream: StreamRow, most: int) -> list[Missing]:
    """Between chunks of one run."""
    begins, seq = col(ChunkRow.start_ns), col(ChunkRow.seq)
    ends = begins + _lasts(stream)
    rows = (
        select(
            begins.label("begin"),
            seq.label("seq"),
            func.lag(ends).over(order_by=begins).label("end"),
            func.lag(seq).over(order_by=begins).label("before"),
        )
        .where(col(ChunkRow.stream_id) == stream.id)
        .subquery()
    )
    least = PAUSE if stream.rate is None else round((LATE - 1) * SECOND / stream.rate)
    query = select(rows.c.end, rows.c.begin, rows.c.before, rows.c.seq).where(rows.c.begin - rows.c.end > least)
    found = [tuple(map(int, row)) for row in db.execute(query.order_by(rows.c.begin).limit(most))]
    if not found:
        return []
    losses = db.execute(
        select(col(LossRow.first), col(LossRow.last), col(LossRow.reason)).where(col(LossRow.stream_id) == stream.id)
    ).all()
    made = []
    for end, begin, before, after in found:
        given_up = next((reason for first, last, reason in losses if first < after and last > before), None)
        made.append(Missing(end, begin, "silent" if after == before + 1 else given_up or "not_delivered"))
    return made


def _lasts(stream: StreamRow) -> ColumnElement[int]:
    """Nanoseconds of a chunk. Without a rate its offsets would say so, which are sealed: a second, as is usual."""
    if stream.rate is None:
        return literal(SECOND)
    return cast(col(ChunkRow.count) * (SECOND / stream.rate), BigInteger)


def _extent(db: Session, stream: StreamRow) -> tuple[int, int] | None:
    begins = col(ChunkRow.start_ns)
    query = select(func.min(begins), func.max(begins + _lasts(stream))).where(col(ChunkRow.stream_id) == stream.id)
    found = tuple(db.execute(query).one())
    return None if None in found else (int(found[0]), int(found[1]))

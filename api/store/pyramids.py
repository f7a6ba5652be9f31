"""Pyramids: the least and greatest of each few samples of a long stream, so that hours are drawn in a moment.

Groups are consecutive samples without a gap, at most as many as the level says. They are encrypted like the samples
that they are of. A stream has groups of all its chunks or none: who adds a chunk to a closed session takes them away
(`forget`), and the next close makes them anew.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.sealing import vault_of
from api.tables import ChunkRow, PyramidRow, StreamRow
from kiosk.messages import SECOND

LEVELS = (16, 512)
"""Samples in a group: of 250 Hz, the finer one draws five minutes from 4,700 groups, the coarser one six hours from
10,500. The finer one costs 28 bytes for 64 of samples."""
FINE_ENOUGH = 2
"""Groups in a bucket that is drawn, at least: a group belongs where it begins, so that a peak is drawn less than one
group from its place, half a bucket at most."""
LEAST = 60_000
"""Samples (four minutes at 250 Hz) below which the chunks themselves are as fast."""
IN_A_BLOCK = 2048
"""Groups in a row: 40 kB of one channel."""

Times = NDArray[np.int64]
Samples = NDArray[np.float32]


class Groups(NamedTuple):
    """Groups of a stream in the order of their times."""

    begins: Times
    """The time of the first sample of each, in nanoseconds."""
    ends: Times
    """The time of its last sample."""
    counts: NDArray[np.int32]
    low: Samples
    """(groups, channels); NaN where all samples are."""
    high: Samples

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Groups":
        """Some of them."""
        return Groups(self.begins[which], self.ends[which], self.counts[which], self.low[which], self.high[which])


class Grouping:
    """Groups samples that come in portions."""

    def __init__(self, level: int, rate: float, channels: int) -> None:
        self._level, self._rate = level, rate
        self._times = np.empty(0, np.int64)
        self._samples = np.empty((0, channels), np.float32)

    def add(self, times: Times, samples: Samples) -> Groups:
        """What is complete now; the last group may grow still."""
        self._times = np.concatenate([self._times, times])
        self._samples = np.concatenate([self._samples, samples])
        first = self._firsts()
        return self._take(first[:-1], int(first[-1])) if len(first) else self._take(first, 0)

    def rest(self) -> Groups:
        """What is left at the end."""
        return self._take(self._firsts(), len(self._times))

    def _firsts(self) -> NDArray[np.int64]:
        """Where groups begin: at the start, after a gap or a step back, and when one is full."""
        if len(self._times) == 0:
            return np.empty(0, np.int64)
        steps = np.diff(self._times) * (self._rate / SECOND)
        runs = np.concatenate(([0], np.flatnonzero((steps > 1.5) | (steps <= 0)) + 1))
        lengths = np.diff(np.append(runs, len(self._times)))
        within = np.arange(len(self._times)) - np.repeat(runs, lengths)
        return np.flatnonzero(within % self._level == 0)

    def _take(self, first: NDArray[np.int64], upto: int) -> Groups:
        times, samples = self._times[:upto], self._samples[:upto]
        self._times, self._samples = self._times[upto:], self._samples[upto:]
        channels = samples.shape[1]
        if len(first) == 0:
            nothing = np.empty((0, channels), np.float32)
            return Groups(times[:0], times[:0], np.empty(0, np.int32), nothing, nothing)
        counts = np.diff(np.append(first, upto)).astype(np.int32)
        low, high = np.fmin.reduceat(samples, first, axis=0), np.fmax.reduceat(samples, first, axis=0)
        return Groups(times[first], times[first + counts - 1], counts, low, high)


class Pyramid(NamedTuple):
    """What was made of one stream: sealed rows, and how many chunks they are of."""

    stream: int
    chunks: int
    rows: list[dict[str, object]]


def level_for(rate: float | None, length: int, points: int) -> int | None:
    """The coarsest level that is fine enough for so many buckets in so many nanoseconds; None: the samples are."""
    if rate is None:
        return None
    fitting = [level for level in LEVELS if FINE_ENOUGH * level * points * SECOND <= length * rate]
    return max(fitting, default=None)


def make(db: Session, stream: StreamRow, blocks: Iterable[tuple[Times, Samples]]) -> Pyramid:
    """The sealed rows of a regular stream's samples, which come in the order of their times."""
    assert stream.id is not None
    assert stream.rate is not None
    chunks = count_chunks(db, stream.id)
    channels = len(stream.channels or ())
    levels = [(level, Grouping(level, stream.rate, channels), list[Groups]()) for level in LEVELS]
    for times, samples in blocks:
        for _, grouping, made in levels:
            made.append(grouping.add(times, samples))
    box = vault_of(db).session(stream.session_id)
    rows: list[dict[str, object]] = []
    for level, grouping, made in levels:
        whole = joined([*made, grouping.rest()])
        order = np.argsort(whole.begins, kind="stable")
        for block, begin in enumerate(range(0, len(order), IN_A_BLOCK)):
            some = whole.chosen(order[begin : begin + IN_A_BLOCK])
            rows.append(
                {
                    "stream_id": stream.id,
                    "level": level,
                    "block": block,
                    "start_ns": int(some.begins[0]),
                    "count": len(some.begins),
                    "buckets": box.seal(_packed(some), place(stream.id, level, block)),
                }
            )
    return Pyramid(stream.id, chunks, rows)


def lacking(db: Session, session: str) -> list[StreamRow]:
    """The regular streams of a session that are long enough for a pyramid and have none."""
    samples = (
        select(func.coalesce(func.sum(col(ChunkRow.count)), 0))
        .where(col(ChunkRow.stream_id) == col(StreamRow.id))
        .scalar_subquery()
    )
    there = select(col(PyramidRow.block)).where(col(PyramidRow.stream_id) == col(StreamRow.id)).exists()
    wanted = select(StreamRow).where(
        col(StreamRow.session_id) == session,
        col(StreamRow.rate).is_not(None),
        col(StreamRow.channels).is_not(None),
        ~there,
        samples >= LEAST,
    )
    return list(db.execute(wanted.order_by(col(StreamRow.id))).scalars())


def store(db: Session, made: Iterable[Pyramid]) -> None:
    """Keep pyramids, in the transaction that closes the session; not one of which a chunk is missing already."""
    for pyramid in made:
        forget(db, [pyramid.stream])
        if pyramid.rows and count_chunks(db, pyramid.stream) == pyramid.chunks:
            db.connection().execute(PyramidRow.__table__.insert(), pyramid.rows)  # type: ignore[attr-defined]


def forget(db: Session, streams: Iterable[int]) -> None:
    """Something came for these streams: what was made of them is not whole any more."""
    numbers = list(streams)
    if numbers:
        db.execute(delete(PyramidRow).where(col(PyramidRow.stream_id).in_(numbers)))


def within(db: Session, stream: StreamRow, level: int, start: int, end: int) -> Groups | None:
    """The groups of a stream that have samples in [start, end); None where it has no pyramid."""
    assert stream.id is not None
    mine = (col(PyramidRow.stream_id) == stream.id) & (col(PyramidRow.level) == level)
    before = func.max(col(PyramidRow.block)).filter(col(PyramidRow.start_ns) <= start)
    count, first = db.execute(select(func.count(), func.coalesce(before, 0)).where(mine)).one()
    if not count:
        return None
    box, channels = vault_of(db).session(stream.session_id), len(stream.channels or ())
    # where a clock stepped back, the block before may end later than this one begins
    rows = db.execute(
        select(col(PyramidRow.block), col(PyramidRow.count), col(PyramidRow.buckets))
        .where(mine, col(PyramidRow.block) >= first - 1, col(PyramidRow.start_ns) < end)
        .order_by(col(PyramidRow.block))
    )
    found = [
        _unpacked(box.open(buckets, place(stream.id, level, block)), count, channels) for block, count, buckets in rows
    ]
    if not found:
        nothing = np.empty((0, channels), np.float32)
        return Groups(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32), nothing, nothing)
    whole = joined(found)
    return whole.chosen((whole.begins < end) & (whole.ends >= start))


def place(stream: int, level: int, block: int) -> str:
    """Where a block is sealed for: it opens nowhere else."""
    return f"pyramids:{stream}:{level}:{block}"


def joined(parts: Sequence[Groups]) -> Groups:
    """Several as one."""
    return Groups(
        np.concatenate([part.begins for part in parts]),
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.low for part in parts]),
        np.concatenate([part.high for part in parts]),
    )


def count_chunks(db: Session, stream: int) -> int:
    """How many chunks of a stream are stored."""
    counted = select(func.count()).select_from(ChunkRow).where(col(ChunkRow.stream_id) == stream)
    return int(db.execute(counted).scalar_one())


def _packed(groups: Groups) -> bytes:
    times = groups.begins.astype("<i8").tobytes() + groups.ends.astype("<i8").tobytes()
    return times + b"".join(
        (groups.counts.astype("<i4").tobytes(), groups.low.astype("<f4").tobytes(), groups.high.astype("<f4").tobytes())
    )


def _unpacked(data: bytes, count: int, channels: int) -> Groups:
    begins, ends = np.frombuffer(data, "<i8", 2 * count).reshape(2, count)
    counts = np.frombuffer(data, "<i4", count, 16 * count)
    low, high = np.frombuffer(data, "<f4", 2 * count * channels, 20 * count).reshape(2, count, channels)
    return Groups(begins, ends, counts, low, high)

"""Waveforms for eyes: all samples of a window where they are few, else each bucket's least and greatest.

A peak is the greatest of its bucket, so none vanishes, however wide the buckets are. What was not delivered, and what
the device itself lost, is a gap in either form. Long windows are drawn from groups of samples whose extremes are known
already (`api.store.pyramids`): a bucket then has the groups that begin in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND

Times = NDArray[np.int64]
Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Block:
    """Some samples, a row per time, in nanoseconds."""

    times: Times
    samples: Samples

    def within(self, start: int, end: int) -> "Block":
        """Those with start <= time < end."""
        if len(self.times) == 0 or (start <= self.times.min() and self.times.max() < end):
            return self
        chosen = (self.times >= start) & (self.times < end)
        return Block(self.times[chosen], self.samples[chosen])


@dataclass(frozen=True, slots=True)
class Extremes:
    """The least and greatest of groups of samples, a row per group and the time at which it begins."""

    times: Times
    low: Samples
    high: Samples


@dataclass(frozen=True, slots=True)
class Whole:
    """Every sample of a window, (n, channels), their times increasing."""

    times: Times
    samples: Samples


@dataclass(frozen=True, slots=True)
class Envelope:
    """The least and greatest of each bucket, (points, channels); NaN where a bucket has no sample."""

    times: NDArray[np.float64]
    """When each bucket begins, in nanoseconds."""
    low: Samples
    high: Samples


def times_of(starts: Times, counts: Times, rate: float) -> Times:
    """The times of regular chunks' samples, as the chunks themselves would say them."""
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(starts, counts) + np.rint(within * (SECOND / rate)).astype(np.int64)


def draw(blocks: Iterable[Block], start: int, end: int, points: int, channels: int) -> Whole | Envelope:
    """A window of at most `points` buckets, or all its samples where they are no more numbers than that."""
    held: list[Block] = []
    count = 0
    folding: _Folding | None = None
    for whole_block in blocks:
        block = whole_block.within(start, end)
        if folding is not None:
            folding.add(block)
            continue
        held.append(block)
        count += len(block.times)
        # a bucket is two numbers; and with two samples each on average, none is empty by chance
        if count > 2 * points:
            folding = _Folding(start, end, points, channels)
            for early in held:
                folding.add(early)
            held.clear()
    return join(held, channels) if folding is None else folding.result()


def envelope(pieces: Iterable[Block | Extremes], start: int, end: int, points: int, channels: int) -> Envelope:
    """A window's buckets, of samples and of groups that are within it."""
    folding = _Folding(start, end, points, channels)
    for piece in pieces:
        if isinstance(piece, Extremes):
            folding.add_extremes(piece)
        else:
            folding.add(piece.within(start, end))
    return folding.result()


def join(blocks: Iterable[Block], channels: int) -> Whole:
    """All samples in the order of their times. Where runs overlap, the later sample is left out, as in recordings."""
    given = sorted((block for block in blocks if len(block.times)), key=lambda block: int(block.times[0]))
    if not given:
        return Whole(np.empty(0, np.int64), np.empty((0, channels), np.float32))
    times = np.concatenate([block.times for block in given])
    samples = np.concatenate([block.samples for block in given])
    # a chunk's start is a fit: it may lie a hair before its predecessor's end, never a whole sample
    keep = np.concatenate(([True], times[1:] > np.maximum.accumulate(times)[:-1]))
    return Whole(times[keep], samples[keep])


def gaps(times: Times, rate: float | None) -> NDArray[np.int64]:
    """How many samples are missing before each of the times; the first has none. Without a rate nobody can tell."""
    missing = np.zeros(len(times), np.int64)
    if rate is not None and len(times) > 1:
        steps = np.diff(times) * (rate / SECOND)
        missing[1:] = np.where(steps > 1.5, np.rint(steps) - 1, 0)
    return missing


def marked(whole: Whole, rate: float | None) -> Whole:
    """The samples with one row of NaN in each gap, so that a line breaks there."""
    where = np.flatnonzero(gaps(whole.times, rate))
    if rate is None or len(where) == 0:
        return whole
    after = whole.times[where - 1] + round(SECOND / rate)
    return Whole(np.insert(whole.times, where, after), np.insert(whole.samples, where, np.float32(np.nan), axis=0))


def filled(whole: Whole, rate: float) -> Samples:
    """The samples on a grid: NaN for each one that is missing, so that a row's number tells its time."""
    missing = gaps(whole.times, rate)
    if not missing.any():
        return whole.samples
    grid = np.full((len(whole.times) + int(missing.sum()), whole.samples.shape[1]), np.nan, np.float32)
    grid[np.arange(len(whole.times)) + np.cumsum(missing)] = whole.samples
    return grid


class _Folding:
    """Buckets that blocks are folded into, one after the other."""

    def __init__(self, start: int, end: int, points: int, channels: int) -> None:
        self._start, self._length, self._points = start, end - start, points
        self._low = np.full((points, channels), np.nan, np.float32)
        self._high = np.full((points, channels), np.nan, np.float32)

    def add(self, block: Block) -> None:
        self.add_extremes(Extremes(block.times, block.samples, block.samples))

    def add_extremes(self, groups: Extremes) -> None:
        if len(groups.times) == 0:
            return
        bucket = (groups.times - self._start) * self._points // self._length
        low, high = groups.low, groups.high
        if (np.diff(bucket) < 0).any():
            order = np.argsort(bucket, kind="stable")
            bucket, low, high = bucket[order], low[order], high[order]
        first = np.concatenate(([0], np.flatnonzero(np.diff(bucket)) + 1))
        into = bucket[first]
        # fmin and fmax pass NaN over as long as there is a number
        self._low[into] = np.fmin(self._low[into], np.fmin.reduceat(low, first, axis=0))
        self._high[into] = np.fmax(self._high[into], np.fmax.reduceat(high, first, axis=0))

    def result(self) -> Envelope:
        begins = self._start + np.arange(self._points, dtype=np.float64) * (self._length / self._points)
        return Envelope(begins, self._low, self._high)

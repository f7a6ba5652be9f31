"""A stream whose samples have times of their own, for analyzers that ask for a regular one: a grid as it comes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.analyzer import Analyzer, Finding
from analytics.resample import LONGEST
from kiosk.messages import SECOND

Floats = NDArray[np.float64]
Samples = NDArray[np.float32]
Times = NDArray[np.int64]

GRID = 100.0
"""Hertz: on less a pulse's upstroke is not looked for (ppg.wave.FINEST)."""
SLOWEST = 15.0
"""Samples a second below which no pulse is drawn (ppg.wave.SLOWEST): on the grid nobody could see that."""
_KEPT = 3  # times `longest`: an interval, the one before it, and room
_REMEMBERED = 30.0  # seconds of times, for how dense the samples of a finding were


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of the grid."""

    times: Times
    samples: Samples
    follows: bool
    """Whether they come one period after the row before."""


class Grid:
    """Draws a stream on a regular grid, one sample behind it.

    Row by row what `resample.regular` draws of the whole: a monotone cubic between two samples (Fritsch & Carlson 1980,
    doi:10.1137/0717021, with the slopes of Fritsch & Butland 1984, doi:10.1137/0905021), for which one more must be
    known, and nothing across more than `longest` seconds. Only beside a hole in a single channel the two differ: here
    the cubic ends at the hole, there it knows what comes behind it.
    """

    def __init__(self, rate: float, channels: int, *, longest: float = LONGEST) -> None:
        if not rate > 0 or not longest > 0:
            raise ValueError(f"no grid of {rate} Hz that bridges {longest} s")
        self._period = SECOND / rate
        self._limit = round(longest * SECOND)
        self._times: Times = np.empty(0, dtype=np.int64)
        self._samples: Floats = np.empty((0, channels))
        self.reset()

    def reset(self) -> None:
        """As new: the grid begins with the next sample."""
        self._origin: int | None = None
        self._next = 0
        self._start(0)

    def feed(self, times: Times, samples: Samples) -> list[Stretch]:
        """The rows that these samples, later than all before, complete."""
        if not len(times):
            return []
        if self._origin is None:
            self._origin = int(times[0])
            self._start(self._origin)
        last = self._times[-1] if len(self._times) else times[0]
        breaks = np.flatnonzero(np.diff(times, prepend=last) > self._limit)
        found = []
        for turn, (at, rows) in enumerate(zip(np.split(times, breaks), np.split(samples, breaks), strict=True)):
            if turn:
                found.append(self._rows(int(self._times[-1]), ended=True))
                self._start(int(at[0]))
            if len(at):
                self._times = np.concatenate((self._times, at))
                self._samples = np.concatenate((self._samples, rows.astype(np.float64)))
                found.append(self._rows(self._settled()))
        return [each for each in found if len(each.times)]

    def _start(self, begin: int) -> None:
        """Nothing before this time matters to what follows; one grid for all, so that a gap is a whole number."""
        self._begin = begin
        self._follows = False
        self._next = max(self._next, int(np.ceil((begin - (self._origin or 0)) / self._period)))
        self._times, self._samples = self._times[:0], self._samples[:0]

    def _settled(self) -> int:
        """Up to which time no later sample can change a row."""
        newest = int(self._times[-1])
        found = newest
        for column in self._samples.T:
            at = self._times[np.isfinite(column)]
            if not len(at) or newest - at[-1] > self._limit:
                continue  # before its first sample, or within a hole
            joined = len(at) > 1 and at[-1] - at[-2] <= self._limit
            found = min(found, int(at[-2] if joined else at[-1]))
        return found

    def _rows(self, until: int, *, ended: bool = False) -> Stretch:
        assert self._origin is not None
        last = int(np.floor((until - self._origin) / self._period)) + (0 if ended else 1)
        at = self._origin + np.rint(np.arange(self._next, last + 1) * self._period).astype(np.int64)
        # rounding to whole nanoseconds may step over an edge
        at = np.maximum(at, self._begin)
        at = np.minimum(at, until) if ended else at[at <= until]
        rows = np.column_stack([_between(self._times, column, at, self._limit) for column in self._samples.T])
        stretch = Stretch(at, rows.astype(np.float32), self._follows)
        if len(at):
            self._next += len(at)
            self._follows = True
        kept = self._times >= until - _KEPT * self._limit
        self._times, self._samples = self._times[kept], self._samples[kept]
        return stretch


class OnGrid:
    """An analyzer of regular streams, fed from an irregular one."""

    def __init__(self, make: Callable[[float, tuple[str, ...]], Analyzer], channels: tuple[str, ...]) -> None:
        self._analyzer = make(GRID, channels)
        self._grid = Grid(GRID, len(channels))
        self._times: Times = np.empty(0, dtype=np.int64)

    def reset(self) -> None:
        """As new: the next sample is the stream's first."""
        self._analyzer.reset()
        self._grid.reset()
        self._times = self._times[:0]

    def feed(self, times: Times, samples: Samples) -> list[Finding]:
        """What the rows that these samples complete say."""
        self._times = np.concatenate((self._times, times))
        found = list[Finding]()
        for stretch in self._grid.feed(times, samples):
            if not stretch.follows:
                self._analyzer.reset()
            found += [self._dense(each) for each in self._analyzer.feed(stretch.times, stretch.samples)]
        if len(self._times):
            self._times = self._times[self._times >= self._times[-1] - round(_REMEMBERED * SECOND)]
        return found

    def _dense(self, finding: Finding) -> Finding:
        """The finding, where there were samples enough for it."""
        begin, end = np.searchsorted(self._times, (finding.start_ns, finding.end_ns))
        steps = np.diff(self._times[begin : end + 1])
        if len(steps) and float(np.median(steps)) * SLOWEST <= SECOND:
            return finding
        return replace(finding, value=None, low=None, high=None, quality=None, absent="unsuitable_rate")


def _between(times: Times, column: Floats, at: Times, limit: int) -> Floats:
    """One channel at these times: between its own finite samples, NaN where they are too far apart."""
    finite = np.isfinite(column)
    known, values = times[finite], column[finite]
    drawn = np.full(len(at), np.nan)
    if not len(known) or not len(at):
        return drawn
    right = np.clip(np.searchsorted(known, at), 0, len(known) - 1)
    left = np.maximum(right - (known[right] > at), 0)
    inside = (at >= known[0]) & (at <= known[-1]) & (known[right] - known[left] <= limit)
    left, right, at = left[inside], right[inside], at[inside]
    slopes = _slopes(np.diff(known) / SECOND, np.diff(values), limit / SECOND)
    length = np.where(left == right, SECOND, known[right] - known[left]) / SECOND
    share = (at - known[left]) / SECOND / length
    low, high = values[left], values[right]
    cubic = (
        low
        + (high - low) * share * share * (3.0 - 2.0 * share)
        + length * share * (1.0 - share) * (slopes[left] * (1.0 - share) - slopes[right] * share)
    )
    # the cubic may round past its neighbours by a hair
    drawn[inside] = np.clip(cubic, np.minimum(low, high), np.maximum(low, high))
    return drawn


def _slopes(lengths: Floats, rises: Floats, longest: float) -> Floats:
    """At each sample, by those beside it; a hole, like an end, has nobody on its other side."""
    steep = rises / lengths
    held = lengths <= longest
    none, away = np.zeros(1), np.zeros(1, dtype=np.bool_)
    before, after = np.concatenate((none, steep)), np.concatenate((steep, none))
    size_before, size_after = np.concatenate((none, lengths)), np.concatenate((lengths, none))
    held_before, held_after = np.concatenate((away, held)), np.concatenate((held, away))
    found = np.zeros(len(lengths) + 1)
    # the weighted harmonic mean where both rise or both fall
    inner = held_before & held_after & (np.sign(before) * np.sign(after) > 0)
    first, second = 2.0 * size_after + size_before, size_after + 2.0 * size_before
    found[inner] = ((first + second)[inner]) / (first[inner] / before[inner] + second[inner] / after[inner])
    for end in np.flatnonzero(held_before ^ held_after).tolist():
        turn = 1 if held_after[end] else -1
        near = end if turn > 0 else end - 1
        far = near + turn
        if 0 <= far < len(lengths) and held[far]:
            found[end] = _end_slope(lengths[near], lengths[far], steep[near], steep[far])
        else:
            found[end] = steep[near]
    return found


def _end_slope(near: float, far: float, steep: float, next_steep: float) -> float:
    """Of the parabola through the last three, kept from overshooting."""
    slope = ((2.0 * near + far) * steep - near * next_steep) / (near + far)
    if np.sign(slope) != np.sign(steep):
        return 0.0
    if np.sign(steep) != np.sign(next_steep) and abs(slope) > 3.0 * abs(steep):
        return 3.0 * steep
    return slope

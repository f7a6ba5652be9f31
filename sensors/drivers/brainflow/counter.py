"""The numbers of a board's packages -> which samples never came.

A number goes up from package to package, by one on most boards, by two on some, and begins again after 255, 65,535 or
where else the maker liked. A package holds one sample, or two, or twelve. None of this is in a descriptor, so it is
learned from the stream. A claim that the clock contradicts is not believed.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensors.allowance import Allowance

SIZES = (2**8, 2**16, 2**24, 2**32)
"""Where counters usually begin again."""
NEARLY = 0.96
"""Of such a size that has been reached: the very last number may be among those lost."""
ENOUGH = 20
"""Packages after which the usual step and size are the commonest ones, not the smallest step and largest size."""
BEHIND = 8
"""Packages that a network may put in the wrong order."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples start..stop of what was read together, and how many were lost just before them."""

    start: int
    stop: int
    lost: int


class PackageCounter:
    """The packages of one preset in one run."""

    def __init__(self, rate: float) -> None:
        self.lost = 0
        """Samples, so far."""
        self.doubtful = 0
        """Jumps that cannot be losses."""
        self._allowance = Allowance(rate)
        self._number: float | None = None
        self._top = 0.0
        self._length = 0
        self._whole = False
        """Whether the package under way was seen from its beginning."""
        self._steps: Counter[float] = Counter()
        self._lengths: Counter[int] = Counter()

    def pieces(self, numbers: NDArray[np.float64], now: int) -> list[Piece]:
        """What was read together at a time (nanoseconds), cut where something is missing."""
        count = len(numbers)
        if not count:
            return []
        self._allowance.arrived(count, now)
        cuts = [(0, 0)]
        for place, number in enumerate(numbers.tolist()):
            missing = self._missing(number)
            if not missing:
                continue
            if cuts[-1][0] == place:
                cuts.pop()
            cuts.append((place, missing))
            self.lost += missing
        ends = [*(start for start, _ in cuts[1:]), count]
        return [Piece(start, end, lost) for (start, lost), end in zip(cuts, ends, strict=True)]

    def _missing(self, number: float) -> int:
        """How many samples are missing before the one with this number."""
        before = self._number
        if not np.isfinite(number) or number == before:
            self._length += 1
            return 0
        if before is None:
            self._number, self._top, self._length = number, number, 1
            return 0
        if self._whole:
            self._lengths[self._length] += 1
        step = number - before
        self._top = max(self._top, number)
        if step > 0:
            self._steps[step] += 1
        else:
            step += self._size()
        missing = max(round(step / self._usual_step()) - 1, 0) * self._usual_length()
        if missing and not self._allowance.grants(missing):
            self.doubtful += 1
            missing = 0
            if 0 < before - number <= BEHIND * self._usual_step():
                # one that was overtaken: the next goes on from the one before it
                self._length += 1
                return 0
        self._number, self._length, self._whole = number, 1, True
        return missing

    def _usual_step(self) -> float:
        if not self._steps:
            return 1.0
        return min(self._steps) if self._steps.total() < ENOUGH else self._steps.most_common(1)[0][0]

    def _usual_length(self) -> int:
        if not self._lengths:
            return 1
        return max(self._lengths) if self._lengths.total() < ENOUGH else self._lengths.most_common(1)[0][0]

    def _size(self) -> float:
        """After how many numbers it begins again: a usual size that it has nearly come to, or the largest seen."""
        for size in SIZES:
            if NEARLY * size <= self._top + 1 <= size:
                return float(size)
        return self._top + self._usual_step()

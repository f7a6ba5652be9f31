"""A sender's clock against ours, from the library's estimates every few seconds: a line, and jumps."""

from collections import deque
from itertools import combinations

import numpy as np

HISTORY = 24
"""Estimates in the line: two minutes at the library's one in five seconds."""
ENOUGH, SPAN = 4, 15.0
"""Estimates, and the seconds between first and last, before a drift is followed."""
MOST_DRIFT = 500e-6
"""Quartz is off by 100 ppm at most, two of them by 200; a steeper line is noise."""
JUMP = 0.01
"""Seconds from the line that are no error of an estimate (below 1 ms by wire, a few by radio)."""
SURE = 1.0
"""Seconds from the line that need no second estimate: somebody set the clock, or the stream came from elsewhere."""


class Offset:
    """What to add to a stamp. Slope by Theil (1950) and Sen (1968, doi:10.1080/01621459.1968.10480934): the median of
    all pairs' slopes, which a third of the estimates may spoil without effect; the level is the median of the rest.
    """

    def __init__(self) -> None:
        self._estimates: deque[tuple[float, float]] = deque(maxlen=HISTORY)
        self._aside: tuple[float, float] | None = None
        """The newest, where it is far from the line."""
        self._slope = self._level = self._middle = 0.0

    @property
    def known(self) -> bool:
        """Whether there is an estimate at all."""
        return bool(self._estimates)

    @property
    def drift_ppm(self) -> float:
        """How fast our clock runs against the sender's."""
        return self._slope * 1e6

    def observe(self, at: float, offset: float, *, reset: bool = False) -> float | None:
        """An estimate at a time of ours (seconds). The jump, if it says that there was one.

        After a `reset` (the stream was found again) the first estimate counts at once.
        """
        if not np.isfinite(offset):
            return None
        newest = self._aside or (self._estimates[-1] if self._estimates else None)
        if newest is not None and offset == newest[1] and not reset:
            return None  # the library repeats it until it has a new one
        if newest is None:
            self._begin((at, offset))
            return None
        away = offset - self.at(at)
        if abs(away) <= JUMP:
            self._aside = None
            self._estimates.append((at, offset))
            self._fit()
            return None
        if self._aside is not None and abs(offset - self._aside[1]) <= JUMP:
            self._begin(self._aside, (at, offset))
        elif reset or abs(away) >= SURE:
            self._begin((at, offset))
        else:
            self._aside = (at, offset)
            return None
        return away

    def at(self, at: float) -> float:
        """The offset at a time."""
        return self._level + self._slope * (at - self._middle)

    def _begin(self, *estimates: tuple[float, float]) -> None:
        self._estimates.clear()
        self._estimates.extend(estimates)
        self._aside = None
        self._fit()

    def _fit(self) -> None:
        times = [time for time, _ in self._estimates]
        self._middle = float(np.median(times))
        slope = 0.0
        if len(times) >= ENOUGH and times[-1] - times[0] >= SPAN:
            slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(self._estimates, 2) if b[0] > a[0]]
            slope = float(np.clip(np.median(slopes), -MOST_DRIFT, MOST_DRIFT))
        self._slope = slope
        self._level = float(np.median([value - slope * (time - self._middle) for time, value in self._estimates]))

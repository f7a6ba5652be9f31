"""A device's clock against ours: the time of sample i from a counter and from jittery arrival times.

A sample cannot arrive before it was taken, so the truth lies along the lower envelope of (arrival - i/rate). Of that
envelope's minima over windows of two seconds, the line is taken that lies below all and closest to them: the edge of
their lower convex hull over their middle, which is the linear program of Moon, Skelly & Towsley (Estimation and
removal of clock skew from network delay measurements, INFOCOM 1999, doi:10.1109/INFCOM.1999.749287). Its slope is the
drift. What goes into time stamps follows that line by at most `SLEW`, counted in samples, so that no jitter enters
beat intervals (0.3 ms in a second-long interval at most) and it hardly matters in which blocks the samples came.
"""

from collections import deque
from collections.abc import Iterable
from itertools import pairwise

from kiosk.messages import SECOND

SETTLE = 0.5
"""Seconds of arrivals before the first time is given out: the first block alone may be late."""
WINDOW = 2.0
HISTORY = 60
"""Windows in the line: two minutes."""
DRIFT_AFTER = 10
"""Windows before a drift is named, and followed."""
SLEW = 300e-6
FAST_SLEW, FAR = 5e-3, 0.02
"""An error above FAR seconds is no drift but a bad start; mending it stretches all intervals alike, by 0.5 %."""
PAUSE = 0.25
"""Arrivals later than this are a stall, to be caught up, or a pause in which the device took no samples."""
STABLE = 5.0
"""Seconds without an arrival that is any less late, after which it was a pause. A stall is being caught up."""
LESS_LATE = 0.01
UNDECIDED = 30.0
"""Seconds after which a stall is taken for a pause whatever comes: samples wait for that, and a crash loses them."""
CUT_SHORT = 1.0
"""As `STABLE`, where the run ends before it is decided."""


class ClockFit:
    """Sample index -> boot-clock time, for one run of one regular stream."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.settled = False
        self.pauses = 0
        """Times that the device stopped sampling without saying so."""
        self.drift_ppm: float | None = None
        """How fast the device's clock runs against ours: positive where it makes more samples than it should."""
        self._period = SECOND / rate
        self._base = 0
        self._first_arrival: int | None = None
        self._low = 0.0
        """The envelope, as long as there are too few windows for a line."""
        self._line: tuple[float, float] | None = None
        """Residual at x = 0, and slope."""
        self._minima: deque[tuple[float, float]] = deque(maxlen=HISTORY)
        """(device time, residual) of each window, in nanoseconds."""
        self._window_end = 0
        self._window_low: tuple[float, float] | None = None
        self._late_from = self._late_since = self._late_last = 0
        self._late_low: float | None = None
        self._offset: float | None = None
        """What time stamps follow the line with, as of sample `_offset_index`."""
        self._offset_index = 0

    def observe(self, count: int, arrival: int) -> None:
        """`count` samples of the run have arrived by `arrival` (boot clock, ns)."""
        x = count * self._period
        if self._first_arrival is None:
            self._first_arrival = self._base = arrival
            self._window_end = arrival + round(WINDOW * SECOND)
            self._low = -x
        # float64 holds nanoseconds exactly for three months after `_base`
        residual = float(arrival - self._base) - x
        if not self.settled:
            self._low = min(self._low, residual)
            self.settled = arrival - self._first_arrival >= SETTLE * SECOND
        elif self._is_late(x, arrival, residual):
            return
        self._remember(x, arrival, residual)

    @property
    def ready(self) -> bool:
        """Whether times can be given out: not before the start has settled, nor while a stall may be a pause."""
        return self.settled and self._late_low is None

    def time_of(self, index: int) -> int:
        """Boot-clock time of a sample. To be asked in order: what is given out follows the line slowly."""
        x = index * self._period
        target = self._target(x)
        if self._offset is None:
            self._offset = target
        error = target - self._offset
        most = (index - self._offset_index) * self._period * (FAST_SLEW if abs(error) > FAR * SECOND else SLEW)
        self._offset += min(max(error, -most), most)
        self._offset_index = index
        return self._base + round(self._offset + x)

    def finish(self) -> None:
        """No more will arrive: decide on a stall that is under way."""
        if self._late_low is not None and self._late_last - self._late_since >= CUT_SHORT * SECOND:
            self._accept_pause()
        self._late_low = None

    def _target(self, x: float) -> float:
        if self._line is None:
            return self._low
        intercept, slope = self._line
        return intercept + slope * x

    def _remember(self, x: float, arrival: int, residual: float) -> None:
        if self._window_low is None or residual < self._window_low[1]:
            self._window_low = (x, residual)
        if self._line is None:
            self._low = min(self._low, residual)
        if arrival >= self._window_end:
            self._minima.append(self._window_low)
            self._window_low = None
            self._window_end = arrival + round(WINDOW * SECOND)
            if len(self._minima) >= DRIFT_AFTER:
                self._line = _line_below(self._minima)
                self.drift_ppm = -self._line[1] * 1e6

    def _is_late(self, x: float, arrival: int, residual: float) -> bool:
        """Whether an arrival is so late that what it brought may have been taken after a pause."""
        if residual - self._target(x) <= PAUSE * SECOND:
            self._late_low = None
            return False
        if self._late_low is None:
            self._late_from, self._late_since, self._late_low = arrival, arrival, residual
        elif residual < self._late_low - LESS_LATE * SECOND:
            self._late_since, self._late_low = arrival, residual
        self._late_low = min(self._late_low, residual)
        self._late_last = arrival
        if arrival - self._late_since >= STABLE * SECOND or arrival - self._late_from >= UNDECIDED * SECOND:
            self._accept_pause()
        return True

    def _accept_pause(self) -> None:
        # a gap in the times is the truth, a slow slide would be an invention
        assert self._late_low is not None
        self._low, self._offset, self._line = self._late_low, None, None
        self._late_low = self._window_low = None
        self._minima.clear()
        self.pauses += 1


def _line_below(points: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Intercept and slope of the line below all points that has the least sum of distances to them."""
    hull: list[tuple[float, float]] = []
    total = count = 0.0
    for point in points:
        total, count = total + point[0], count + 1
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) >= _slope(hull[-2], point):
            hull.pop()
        hull.append(point)
    middle = total / count
    left, right = next((a, b) for a, b in pairwise(hull) if b[0] >= middle)
    slope = _slope(left, right)
    return left[1] - slope * left[0], slope


def _slope(left: tuple[float, float], right: tuple[float, float]) -> float:
    return (right[1] - left[1]) / (right[0] - left[0])

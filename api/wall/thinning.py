"""A waveform thinned for a small trace: the least and the greatest of each fifteenth of a second."""

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND, Chunk

BUCKETS = 15
"""Of a second, two points each: a QRS complex (about 0.1 s) keeps its peak, which plain thinning may step over."""
KEEP = 10 * BUCKETS
"""Buckets that are kept for whoever is late: more than a page draws."""
SIGNALS = ("ecg", "ppg", "rgb", "respiration")
"""Of those that come, the first is drawn."""
SWITCH_AFTER = 3 * SECOND
"""A better signal is taken at once; a worse one when the one that is drawn has been silent for so long."""
SLOW = 1.0
"""Seconds over which the camera's colour is levelled: light and posture move it more than the pulse does."""


class Bucket(NamedTuple):
    """Two points, in the order in which they came."""

    number: int
    first: float
    second: float


class Trace:
    """The last seconds of one signal of one kiosk."""

    def __init__(self) -> None:
        self.signal = ""
        self.epoch = 0
        """Another one whenever what follows does not continue what was."""
        self.buckets: deque[Bucket] = deque(maxlen=KEEP)
        self._of: tuple[str, str, str] | None = None
        self._heard = 0
        self._open: tuple[int, NDArray[np.float64]] | None = None
        self._level: float | None = None

    def wants(self, signal: str, now: int) -> bool:
        """Whether a chunk of this signal is worth decoding."""
        if not self.signal or now - self._heard > SWITCH_AFTER:
            return True
        return SIGNALS.index(signal) <= SIGNALS.index(self.signal)

    def add(self, chunk: Chunk, now: int) -> None:
        """Take a chunk. What is older than what was taken is left out: a picture of the moment waits for nobody."""
        stream = (chunk.stream.session, chunk.stream.device, chunk.stream.signal)
        if stream != self._of:
            same = self._of is not None and stream[0] == self._of[0] and stream[2] == self._of[2]
            if same and now - self._heard <= SWITCH_AFTER:
                return  # a second device of the same signal
            self.clear()
            self._of, self.signal = stream, stream[2]
        self._heard = now
        values = self._values(chunk)
        numbers = chunk.times() * BUCKETS // SECOND
        cuts = np.flatnonzero(np.diff(numbers)) + 1
        for number, part in zip(numbers[np.r_[0, cuts]].tolist(), np.split(values, cuts), strict=True):
            self._put(number, part)

    def clear(self) -> None:
        """Begin anew."""
        self.epoch += 1
        self.signal, self._of, self._open, self._level = "", None, None, None
        self.buckets.clear()

    def after(self, number: int) -> list[Bucket]:
        """The buckets later than this one."""
        return [bucket for bucket in self.buckets if bucket.number > number]

    def _put(self, number: int, values: NDArray[np.float64]) -> None:
        if self._open is not None and number == self._open[0]:
            self._open = (number, np.concatenate([self._open[1], values]))
            return
        if self._open is not None:
            if number < self._open[0]:
                return
            self._close(*self._open)
        self._open = (number, values)

    def _close(self, number: int, values: NDArray[np.float64]) -> None:
        values = values[~np.isnan(values)]
        if not values.size:
            return
        low, high = float(values.min()), float(values.max())
        self.buckets.append(Bucket(number, low, high) if values[-1] >= values[0] else Bucket(number, high, low))

    def _values(self, chunk: Chunk) -> NDArray[np.float64]:
        """What is drawn of its samples: the first channel; of the camera's colours the pulse in the green."""
        samples = chunk.values()
        if chunk.stream.signal != "rgb":
            return samples[:, 0].astype(np.float64)
        # a fuller skin is darker in green (Verkruysse et al. 2008, 10.1364/OE.16.021434)
        green = samples[:, 1].astype(np.float64)
        times = chunk.times()
        step = float(np.median(np.diff(times))) / SECOND if len(times) > 1 else 1 / 30
        levelled = np.empty_like(green)
        for index, value in enumerate(green):
            if np.isnan(value):
                levelled[index] = value
                continue
            level = value if self._level is None else self._level + (value - self._level) * min(1.0, step / SLOW)
            self._level = level
            levelled[index] = level - value
        return levelled

"""Episodes that come at random and pass: movements, lost contact, blinks, sweat responses."""

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.chance import generator

_BATCH = 16
_SHORTEST_PAUSE = 0.5  # seconds: episodes never touch


class Episodes:
    """An endless row of episodes, drawn in order and only as far as somebody looks."""

    def __init__(self, seed: int, name: str, *, rate: float, length: float) -> None:
        """`rate` is the mean number a minute, `length` the mean length in seconds."""
        self._rng = generator(seed, name)
        self._length = length
        self._pause = max(60.0 / rate - length - _SHORTEST_PAUSE, 0.0) if rate > 0 else np.inf
        self._until = 0.0 if rate > 0 else np.inf
        self.starts: NDArray[np.float64] = np.empty(0)
        self.ends: NDArray[np.float64] = np.empty(0)
        self.sizes: NDArray[np.float64] = np.empty(0)

    def extend(self, until: float) -> None:
        """Draw on until an episode begins after this time."""
        while self._until <= until:
            pauses = self._rng.exponential(self._pause, _BATCH) + _SHORTEST_PAUSE
            lengths = self._length * self._rng.uniform(0.5, 1.5, _BATCH)
            sizes = self._rng.uniform(0.5, 1.5, _BATCH)
            # each batch starts from zero and is shifted: the same sum whatever was drawn before
            ends = self._until + np.cumsum(pauses + lengths)
            self.starts = np.concatenate((self.starts, ends - lengths))
            self.ends = np.concatenate((self.ends, ends))
            self.sizes = np.concatenate((self.sizes, sizes))
            self._until = float(ends[-1])

    def latest(self, times: NDArray[np.float64]) -> NDArray[np.intp]:
        """Index of the last episode that began at or before each time; -1 before the first."""
        if times.size:
            self.extend(float(times[-1]))
        return np.searchsorted(self.starts, times, "right") - 1

    def inside(self, times: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each time lies in an episode."""
        index = self.latest(times)
        if not self.starts.size:
            return np.zeros(times.shape, dtype=np.bool_)
        return (index >= 0) & (times < self.ends[index])

    def swell(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Zero outside, and within an episode a smooth hump as high as its size."""
        out = np.zeros(times.shape)
        inside = self.inside(times)
        if inside.any():
            moments = times[inside]
            index = self.latest(moments)
            start, end = self.starts[index], self.ends[index]
            out[inside] = self.sizes[index] * np.square(np.sin(np.pi * (moments - start) / (end - start)))
        return out

    def between(self, start: float, end: float) -> tuple[tuple[float, float], ...]:
        """The episodes that touch [start, end), as (start, end)."""
        self.extend(end)
        some = (self.ends > start) & (self.starts < end)
        return tuple(zip(self.starts[some].tolist(), self.ends[some].tolist(), strict=True))

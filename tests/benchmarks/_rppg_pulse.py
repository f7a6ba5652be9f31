"""A known pulse to be put into pictures: the rate, every beat and the wave are exact at any time.

It shares nothing with the simulated visitor: who was tuned on the one is tried on the other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_GRID = 200.0
"""Hertz of the phase that is drawn."""
_SWELL = 0.1
"""How much a breath changes the height of the pulse."""
_HARMONICS = ((1.0, 0.0), (0.38, -0.9), (0.12, -1.9))
"""Height and lag of each: the wave of a face rises in about a third of the beat."""


@dataclass(frozen=True, slots=True)
class Known:
    """A pulse from 0 to `seconds`; `varying` is the standard deviation of its intervals as a share of the mean."""

    rate: float
    """Per minute, its mean."""
    seconds: float
    varying: float = 0.0
    seed: int = 0

    def phase(self, times: Floats) -> Floats:
        """Beats since the start; whole at each beat."""
        rng = np.random.default_rng((self.seed, round(10 * self.rate)))
        start = rng.random()
        if not self.varying:
            return np.asarray(start + times * self.rate / 60.0)
        grid = np.arange(0.0, self.seconds + 2.0, 1.0 / _GRID)
        # breath, the 0.1 Hz wave and a slow wander share the variance 5 : 3 : 2 (a person at rest)
        breath = np.sin(2 * np.pi * self._breath() * grid + rng.uniform(0, 2 * np.pi))
        mayer = np.sin(2 * np.pi * 0.1 * grid + rng.uniform(0, 2 * np.pi))
        slow = sum(np.sin(2 * np.pi * hertz * grid + rng.uniform(0, 2 * np.pi)) for hertz in (0.013, 0.029))
        course = np.sqrt(2.0) * (np.sqrt(0.5) * breath + np.sqrt(0.3) * mayer + np.sqrt(0.1) * slow)
        speed = self.rate / 60.0 * (1.0 + self.varying * course)
        drawn = np.concatenate(([0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]) / _GRID)))
        return np.asarray(start + np.interp(times, grid, drawn))

    def wave(self, times: Floats) -> Floats:
        """Blood, systole up, mean 0; a beat goes from about -1 to 1."""
        turn = 2.0 * np.pi * self.phase(times)
        wave = sum(height * np.cos(k * turn - lag) for k, (height, lag) in enumerate(_HARMONICS, 1))
        swell = 1.0 + (_SWELL * np.sin(2 * np.pi * self._breath() * times) if self.varying else 0.0)
        return np.asarray(swell * wave / _height())

    def heart_rate(self, start: float, end: float) -> float:
        """Per minute, of a window."""
        first, last = self.phase(np.array([start, end])).tolist()
        return float(60.0 * (last - first) / (end - start))

    def intervals(self, start: float, end: float) -> Floats:
        """Those between the beats of a window, in seconds."""
        grid = np.arange(start, end, 0.001)
        phase = self.phase(grid)
        beats = np.arange(np.ceil(phase[0]), np.floor(phase[-1]) + 1.0)
        return np.diff(np.interp(beats, phase, grid))

    def sdnn(self, start: float, end: float) -> float:
        """Milliseconds."""
        return 1000.0 * float(np.std(self.intervals(start, end), ddof=1))

    def rmssd(self, start: float, end: float) -> float:
        """Milliseconds."""
        return 1000.0 * float(np.sqrt(np.mean(np.diff(self.intervals(start, end)) ** 2)))

    def _breath(self) -> float:
        """Hertz."""
        return 0.2 + 0.02 * (self.seed % 6)


def _height() -> float:
    turn = np.linspace(0.0, 2.0 * np.pi, 2000)
    wave = sum(height * np.cos(k * turn - lag) for k, (height, lag) in enumerate(_HARMONICS, 1))
    return 0.5 * float(np.ptp(wave))

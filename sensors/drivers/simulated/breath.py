"""The one true breath: a phase that runs at a wandering rate. 0 is the start of an inspiration."""

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.chance import Drift, generator
from sensors.drivers.simulated.person import Person

_TURN = 2.0 * np.pi
_TICKS = 20  # a second
_SIN_09 = float(np.sin(0.9))  # keeps the empty chest at phase 0


class Breath:
    """Phase, rate and depth as pure functions of time."""

    def __init__(self, person: Person) -> None:
        self._rate = person.respiration_rate / 60.0
        self._wander = Drift(person.seed, "breath/wander", 0.006, 0.03, 4)
        # the wander is added to the phase; its slope is what the rate feels
        spread = float(np.sqrt(np.mean(np.square(_TURN * self._wander.frequencies))))
        self._gain = person.respiration_variation * _TURN * self._rate / spread
        self._depth = Drift(person.seed, "breath/depth", 0.01, 0.09, 4)
        self._first = float(generator(person.seed, "breath/first").uniform(0.0, _TURN))

    def phase(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Radians, growing without end."""
        return self._first + _TURN * self._rate * times + self._gain * self._wander.at(times)

    def rate(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Momentary rate per minute."""
        return 60.0 * (self._rate + self._gain / _TURN * self._wander.slope(times))

    def volume(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """What a belt feels, about -1..1: inspiration takes 40 percent of a breath, and depth varies."""
        phase = self.phase(times)
        warped = phase + 0.4 * (np.sin(phase - 0.9) + _SIN_09)
        return -np.cos(warped) * (1.0 + 0.12 * self._depth.at(times))

    def starts(self, start: float, end: float) -> NDArray[np.float64]:
        """Starts of inspirations in [start, end)."""
        # on whole ticks, so that neighbouring windows agree
        ticks = np.arange(np.floor(start * _TICKS), np.ceil(end * _TICKS) + 1.0) / _TICKS
        phase = self.phase(ticks)
        turns = np.arange(np.ceil(phase[0] / _TURN), np.floor(phase[-1] / _TURN) + 1.0)
        found = np.interp(_TURN * turns, phase, ticks)
        return found[(found >= start) & (found < end)]

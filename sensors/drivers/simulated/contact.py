"""What spoils a measurement: movements, which all sensors feel at once, and losses of contact, which each has alone."""

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.episodes import Episodes
from sensors.drivers.simulated.noise import Noise, band
from sensors.drivers.simulated.person import Person

_GRID = 100


class Movement:
    """The visitor's movements: when they are and how hard."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self.episodes = Episodes(person.seed, "motion", rate=person.motion_rate, length=person.motion_length)

    def strength(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Zero at rest."""
        return self._person.motion_size * self.episodes.swell(times)


class Shake:
    """How one sensor feels the movements: irregular waves of its own, per channel."""

    def __init__(self, person: Person, movement: Movement, signal: str, channels: int, high: float = 6.0) -> None:
        self._movement = movement
        self._noise = Noise(person.seed, f"{signal}/shake", rate=_GRID, channels=channels, spectrum=band(0.6, high, 2))

    def add(self, out: NDArray[np.float64], times: NDArray[np.float64], size: float) -> None:
        """Add it in place; samples at rest keep their bits."""
        strength = self._movement.strength(times)
        moving = strength > 0
        if moving.any():
            out[moving] += size * strength[moving, None] * self._noise.at(times[moving])


class Contact:
    """Whether one sensor is connected."""

    def __init__(self, person: Person, signal: str) -> None:
        self.losses = Episodes(person.seed, f"{signal}/dropout", rate=person.dropout_rate, length=person.dropout_length)

    def lose(self, out: NDArray[np.float64], times: NDArray[np.float64]) -> None:
        """NaN where the device got nothing."""
        lost = self.losses.inside(times)
        if lost.any():
            out[lost] = np.nan

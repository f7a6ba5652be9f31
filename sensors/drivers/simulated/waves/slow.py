"""The slow ones: breathing belt, skin conductance, skin temperature, and the acceleration of the chest."""

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.chance import Drift
from sensors.drivers.simulated.contact import Shake
from sensors.drivers.simulated.episodes import Episodes
from sensors.drivers.simulated.noise import Noise
from sensors.drivers.simulated.waves.inside import Inside

_GRID = 1000


class Respiration:
    """Stretch of a belt about the chest, arbitrary units: a breath goes from about -1 to 1."""

    channels: tuple[str, ...] = ("belt",)

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self._noise = Noise(inside.person.seed, "respiration/noise", rate=_GRID)
        self._shake = Shake(inside.person, inside.movement, "respiration", 1, 2.0)

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 1)."""
        out = self._inside.breath.volume(times)[:, None]
        if self._inside.person.respiration_noise:
            out = out + self._inside.person.respiration_noise * self._noise.at(times)
        self._shake.add(out, times, 0.8)
        return out


class Eda:
    """Skin conductance, uS: a tonic level and sweat responses.

    A response rises and falls with two time constants (two-compartment model of Benedek & Kaernbach 2010,
    doi:10.1111/j.1469-8986.2009.00972.x).
    """

    channels: tuple[str, ...] = ("conductance",)
    _DECAY, _RISE = 2.0, 0.75  # seconds
    _PAST = 6

    def __init__(self, inside: Inside) -> None:
        person = inside.person
        self._person = person
        self._level = Drift(person.seed, "eda/level", 0.002, 0.03, 4)
        self._responses = Episodes(person.seed, "eda/response", rate=person.eda_rate, length=1.0)
        self._noise = Noise(person.seed, "eda/noise", rate=_GRID)
        peak = np.log(self._DECAY / self._RISE) / (1.0 / self._RISE - 1.0 / self._DECAY)
        self._top = float(np.exp(-peak / self._DECAY) - np.exp(-peak / self._RISE))

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 1) uS."""
        out = self._person.eda_level * (1.0 + 0.05 * self._level.at(times))
        newest = self._responses.latest(times)
        for back in range(self._PAST):
            index = newest - back
            some = index >= 0
            since = times[some] - self._responses.starts[index[some]]
            size = 0.06 * self._person.eda_level * self._responses.sizes[index[some]] ** 2
            out[some] += size * (np.exp(-since / self._DECAY) - np.exp(-since / self._RISE)) / self._top
        return np.maximum(out[:, None] + self._person.eda_noise * self._noise.at(times), 0.01)


class SkinTemperature:
    """Degrees Celsius, drifting by tenths."""

    channels: tuple[str, ...] = ("skin",)

    def __init__(self, inside: Inside) -> None:
        self._mean = inside.person.skin_temperature
        self._drift = Drift(inside.person.seed, "skin_temperature", 0.001, 0.02, 4)

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 1) degrees Celsius."""
        return (self._mean + 0.1 * self._drift.at(times))[:, None]


class Acceleration:
    """Of the chest of somebody who sits, in g: gravity, breathing, trembling, movements."""

    channels: tuple[str, ...] = ("x", "y", "z")

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self._rest = np.array([0.03, -0.97, 0.24])
        self._breathing = np.array([0.001, 0.004, 0.012])
        self._noise = Noise(inside.person.seed, "acceleration/noise", rate=_GRID, channels=3)
        self._shake = Shake(inside.person, inside.movement, "acceleration", 3)

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 3) g."""
        out: NDArray[np.float64] = self._rest + self._inside.breath.volume(times)[:, None] * self._breathing
        out += self._inside.person.acceleration_noise * self._noise.at(times)
        self._shake.add(out, times, 0.15)
        return out

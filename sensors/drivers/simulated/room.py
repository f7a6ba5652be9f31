"""The light of the room and what the camera's exposure control makes of it."""

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.chance import Drift, generator
from sensors.drivers.simulated.episodes import Episodes
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.scene import Scene

Floats = NDArray[np.float64]

_STEPS = 6  # in which exposure goes there and back
_THERE, _BACK = 0.2, 0.8  # s


class Room:
    """Factors that everything in the picture is multiplied with."""

    def __init__(self, person: Person, scene: Scene) -> None:
        self._person, self._scene = person, scene
        name = f"room/{scene.seed}"
        self._lamp = Drift(person.seed, "rgb/lamp", 0.01, 0.3, 4)
        self._screen = [Drift(person.seed, f"{name}/screen/{part}", 0.05, 0.5, 5) for part in "rgb"]
        self._hunts = Episodes(person.seed, f"{name}/exposure", rate=scene.exposure_rate, length=2.5)
        self._first = float(generator(person.seed, f"{name}/flicker").uniform(0.0, 2.0 * np.pi))
        self.away = Episodes(person.seed, f"{name}/away", rate=scene.away_rate, length=scene.away_length)
        # a shutter open for a whole turn of the lamp sees none of it
        self._depth = scene.flicker * float(np.sinc(scene.flicker_frequency * scene.shutter))

    def steady(self, times: Floats) -> Floats:
        """Drift of the lamps and exposure, 1 on average."""
        out: Floats = 1.0 + self._person.illumination_drift * self._lamp.at(times)
        inside = self._hunts.inside(times)
        if inside.any():
            moments = times[inside]
            index = self._hunts.latest(moments)
            start, end, size = self._hunts.starts[index], self._hunts.ends[index], self._hunts.sizes[index]
            edge = np.clip(np.minimum((moments - start) / _THERE, (end - moments) / _BACK), 0.0, 1.0)
            steps = np.ceil(edge * _STEPS) / _STEPS
            side = np.where(size >= 1.0, 1.0, -1.0)
            out[inside] *= np.exp2(side * self._scene.exposure_size * size * steps)
        return out

    def flicker(self, times: Floats, rows: Floats) -> Floats:
        """(n, rows) at places 0 (top) .. 1 of the picture, each read a little later than the one above."""
        if not self._depth:
            return np.ones((times.size, rows.size))
        moments = np.add.outer(times, rows * self._scene.readout)
        return 1.0 + self._depth * np.cos(2.0 * np.pi * self._scene.flicker_frequency * moments + self._first)

    def tint(self, times: Floats) -> Floats:
        """(n, 3) red, green, blue."""
        out = np.ones((times.size, 3))
        if self._scene.screen:
            for part, drift in enumerate(self._screen):
                out[:, part] += self._scene.screen * np.tanh(6.0 * drift.at(times))
        return out

"""Where the visitor's head is: slow sway, nods with the breath, talking, sudden turns, movements that spoil."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.breath import Breath
from sensors.drivers.simulated.chance import Drift
from sensors.drivers.simulated.contact import Movement, Shake
from sensors.drivers.simulated.episodes import Episodes
from sensors.drivers.simulated.mimic import Mimic
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.scene import Scene

Floats = NDArray[np.float64]

FACE_HEIGHT = 0.19
"""Metres from the hairline to the chin, about."""
BODY = 0.35
"""Of what the head sways, the shoulders do."""
_VIEW = 0.83
"""Height of what the camera sees, in metres per metre of distance: 45 degrees, as usual webcams have."""
_EDGE = 0.25  # s that a sudden turn takes
_TURN = 3.0  # s that it lasts
_SHAKE = 5.0  # degrees
_SHIFT = 0.012  # of the picture per unit of sway


@dataclass(frozen=True, slots=True)
class Pose:
    """One row per time. Angles in degrees with the signs of kiosk/signals.py, places in shares of the picture."""

    yaw: Floats
    pitch: Floats
    roll: Floats
    x: Floats
    y: Floats
    size: Floats
    chest: Floats
    """Shares of the face's height that the chest has moved up."""
    sway: Floats
    """(n, 2): slow turn and nod, about 1 each, that dials of brightness multiply."""
    sudden: Floats
    """(n, 2): the part of yaw and pitch in degrees that turns, talking and movements add."""


class Head:
    """Pose as a pure function of time."""

    def __init__(self, person: Person, scene: Scene, breath: Breath, movement: Movement, mimic: Mimic) -> None:
        self._person, self._scene, self._breath, self._mimic = person, scene, breath, mimic
        seed = person.seed
        self._turn = Drift(seed, "rgb/turn", 0.05, 0.6, 5)
        self._nod = Drift(seed, "rgb/nod", 0.05, 0.5, 4)
        self._near = Drift(seed, "rgb/near", 0.02, 0.3, 4)
        self._tilt = Drift(seed, "head/tilt", 0.04, 0.4, 4)
        self._left = Drift(seed, "head/left", 0.03, 0.3, 4)
        self._up = Drift(seed, "head/up", 0.03, 0.3, 4)
        self._shake = Shake(person, movement, "head", 2, 2.5)
        self.turns = Episodes(seed, "head/turns", rate=person.turn_rate, length=_TURN)
        self.usual = FACE_HEIGHT / (_VIEW * scene.distance)
        """Height of the face, share of the picture's."""

    def pose(self, times: Floats) -> Pose:
        """At these times."""
        person, living = self._person, self._scene.visitor == "living"
        volume = self._breath.volume(times) if living else np.zeros(times.shape)
        sway = np.empty((times.size, 2))
        sway[:, 0], sway[:, 1] = self._turn.at(times), self._nod.at(times) + 0.5 * volume
        sudden = np.zeros((times.size, 2))
        if living:
            self._add_turns(sudden, times)
            talk = self._mimic.talk(times)
            sudden[:, 1] += 0.6 * talk
            sudden[:, 0] += 0.5 * talk * self._left.at(2.0 * times)
        self._shake.add(sudden, times, _SHAKE)
        yaw = person.sway * self._turn.at(times) + sudden[:, 0]
        pitch = 0.6 * person.sway * self._nod.at(times) + person.breath_nod * volume + sudden[:, 1]
        roll = 0.5 * person.sway * self._tilt.at(times)
        size = self.usual * (1.0 + 0.01 * person.sway * self._near.at(times))
        shift = _SHIFT * person.sway
        x = 0.5 + shift * self._left.at(times) + 0.3 * size * np.sin(np.radians(yaw))
        y = 0.5 + shift * 0.7 * self._up.at(times) - 0.2 * size * np.sin(np.radians(pitch))
        chest = person.chest_rise * volume
        return Pose(yaw, pitch, roll, x, y, size, chest, sway, sudden)

    def _add_turns(self, sudden: Floats, times: Floats) -> None:
        inside = self.turns.inside(times)
        if not inside.any():
            return
        moments = times[inside]
        index = self.turns.latest(moments)
        start, end, size = self.turns.starts[index], self.turns.ends[index], self.turns.sizes[index]
        edge = np.clip(np.minimum(moments - start, end - moments) / _EDGE, 0.0, 1.0)
        # half of them to either side: a size is 0.5..1.5, evenly
        side = np.where(size >= 1.0, 1.0, -1.0)
        sudden[inside, 0] += side * self._person.turn_size * (0.5 + 0.5 * size) * edge * edge * (3.0 - 2.0 * edge)

"""What the visitor's face does: blinks, closed eyes, smiles, talking, gaze."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.chance import Drift
from sensors.drivers.simulated.episodes import Episodes
from sensors.drivers.simulated.noise import Noise, band
from sensors.drivers.simulated.person import Person

Floats = NDArray[np.float64]

BLINK = 0.25
"""Seconds from the lid's first fall to its last rise, mean; half to one and a half of it, about 100..400 ms
(Caffier 2003, doi:10.1007/s00421-003-0807-5)."""
CLOSING = 0.8
"""Seconds that closing the eyes for longer takes."""
_SMILE = 3.0
_TALK = 4.0


@dataclass(frozen=True, slots=True)
class Mien:
    """One row per time, 0..1 unless said otherwise."""

    lids: Floats
    """0 open, 1 shut."""
    smile: Floats
    jaw: Floats
    """How far talking has opened the mouth."""
    gaze: Floats
    """(n, 2) degrees to the person's left and up."""


class Mimic:
    """Expression as a pure function of time. The EEG sees the same blinks."""

    def __init__(self, person: Person) -> None:
        self._person, seed = person, person.seed
        self.blinks = Episodes(seed, "eeg/blink", rate=person.blink_rate, length=BLINK)
        self.smiles = Episodes(seed, "face/smile", rate=person.smile_rate, length=_SMILE)
        share = min(person.talking, 0.85)
        self.talks = Episodes(seed, "face/talk", rate=60.0 * share / _TALK, length=_TALK)
        self._syllables = Noise(seed, "face/syllables", rate=100, spectrum=band(1.5, 6.0, 2))
        self._gaze = Drift(seed, "face/gaze/left", 0.05, 0.7, 5), Drift(seed, "face/gaze/up", 0.05, 0.5, 4)

    def shut(self, times: Floats) -> Floats:
        """0 with open eyes, 1 with eyes that stay closed."""
        shut = np.zeros(times.shape)
        for start, end in self._person.eyes_closed:
            edge = np.minimum(times - start, end + CLOSING - times) / CLOSING
            part = np.clip(edge, 0.0, 1.0)
            shut = np.maximum(shut, part * part * (3.0 - 2.0 * part))
        return shut

    def lids(self, times: Floats) -> Floats:
        """0 open, 1 shut, by blinks or for longer."""
        fall = np.zeros(times.shape)
        inside = self.blinks.inside(times)
        if inside.any():
            moments = times[inside]
            index = self.blinks.latest(moments)
            start, end = self.blinks.starts[index], self.blinks.ends[index]
            part = (moments - start) / (end - start)
            # falls in a third of the time, rises in the rest
            edge = np.clip(np.minimum(part / 0.3, (1.0 - part) / 0.5), 0.0, 1.0)
            fall[inside] = edge * edge * (3.0 - 2.0 * edge)
        return np.maximum(fall, self.shut(times))

    def smile(self, times: Floats) -> Floats:
        """0 none .. 1 broad."""
        return np.minimum(self.smiles.swell(times) / 1.2, 1.0)

    def talk(self, times: Floats) -> Floats:
        """Syllables about zero, -1..1, while the visitor talks."""
        out = np.zeros(times.shape)
        inside = self.talks.inside(times)
        if inside.any():
            moments = times[inside]
            index = self.talks.latest(moments)
            edge = np.minimum(moments - self.talks.starts[index], self.talks.ends[index] - moments)
            out[inside] = np.clip(edge / 0.2, 0.0, 1.0) * np.tanh(self._syllables.at(moments)[:, 0])
        return out

    def at(self, times: Floats) -> Mien:
        """All of it."""
        person = self._person
        gaze = np.empty((times.size, 2))
        for part, drift in enumerate(self._gaze):
            # eyes jump from place to place; a steep curve makes a slow drift do so
            gaze[:, part] = person.gaze * np.tanh(3.0 * drift.at(times))
        return Mien(self.lids(times), self.smile(times), 0.5 * np.abs(self.talk(times)), gaze)

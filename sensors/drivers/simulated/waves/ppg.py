"""PPG at the finger."""

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.chance import Drift
from sensors.drivers.simulated.contact import Shake
from sensors.drivers.simulated.noise import Noise
from sensors.drivers.simulated.waves.inside import Inside

_GRID = 1000


class Ppg:
    """Blood volume in arbitrary units: a pulse is about 1 high, more blood is up.

    Channels are relative to infrared as an oximeter has them: red / infrared is (110 - SpO2) / 25, the linear
    calibration of textbooks (Webster 1997, Design of Pulse Oximeters).
    """

    def __init__(self, inside: Inside) -> None:
        person = inside.person
        gains = {"green": 1.0, "infrared": 0.6, "red": 0.6 * (110.0 - person.spo2) / 25.0}
        unknown = set(person.ppg_channels) - set(gains)
        if unknown or not person.ppg_channels:
            raise ValueError(f"no such PPG channel: {', '.join(sorted(unknown)) or 'none given'}")
        self.channels = person.ppg_channels
        self._inside = inside
        self._gains = np.array([gains[name] for name in self.channels])
        self._noise = Noise(person.seed, "ppg/noise", rate=_GRID, channels=len(self.channels))
        self._wander = Drift(person.seed, "ppg/wander", 0.01, 0.12, 4)
        self._shake = Shake(person, inside.movement, "ppg", len(self.channels), 4.0)

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, channels)."""
        inside, person = self._inside, self._inside.person
        volume = inside.breath.volume(times)
        # breathing in lowers venous return: smaller pulses and less blood, a little later
        pulse = inside.pulse.at(times) * (1.0 - 0.07 * volume + 0.05 * inside.heart.mayer(times))
        slow = person.ppg_wander * (0.8 * self._wander.at(times) + 0.3 * inside.heart.mayer(times) - 0.5 * volume)
        out: NDArray[np.float64] = (person.pulse_amplitude * (pulse + slow))[:, None] * self._gains
        if person.ppg_noise:
            out += person.ppg_noise * self._noise.at(times)
        self._shake.add(out, times, 1.2 * person.pulse_amplitude)
        return out

"""The one true pulse: what each beat sends through the vessels to finger and face.

A systolic and a dicrotic wave per beat (two-component pulse as in Tang 2020, doi:10.1038/s41598-020-69076-x), here
gamma-shaped instead of Gaussian: zero before the foot, steep rise, long run-off.
"""

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.breath import Breath
from sensors.drivers.simulated.chance import Drift
from sensors.drivers.simulated.heart import Beats, Heart
from sensors.drivers.simulated.person import Person

# (height, time of peak in s at 60 beats a minute, sharpness)
_SYSTOLIC = (1.0, 0.155, 3.2)
_DICROTIC = (0.42, 0.43, 11.0)
_PAST = 4  # beats that can still be felt
_LATE = 4  # beats more, since a pulse arrives up to two beats after its R peak


def _foot(height: float, peak: float, sharpness: float) -> float:
    """Time from the first rise to the foot by intersecting tangents: where the steepest tangent meets zero."""
    x = 1.0 - sharpness**-0.5
    return float(peak * (x - 1.0 / (sharpness * (1.0 / x - 1.0))))


_FOOT = _foot(*_SYSTOLIC)
_MEAN = 0.36  # of the pulse over a beat at rest: taken off so that the pulse swings about its mean


class Pulse:
    """Arrival times and the travelling wave."""

    def __init__(self, person: Person, heart: Heart, breath: Breath) -> None:
        self._person, self._heart, self._breath = person, heart, breath
        self._wander = Drift(person.seed, "pulse/transit", 0.008, 0.06, 4)

    def arrivals(self, beats: Beats) -> NDArray[np.float64]:
        """When the foot of each beat's pulse (by intersecting tangents) is at the finger, s."""
        person = self._person
        slow = person.pulse_transit_variation * self._wander.at(beats.times)
        breathing = 0.5 * person.pulse_transit_variation * np.sin(self._breath.phase(beats.times))
        # a ventricular beat ejects later: it is built up along the muscle, not along the conduction system
        return beats.times + np.maximum(person.pulse_transit + slow + breathing + 0.025 * beats.ventricular, 0.04)

    def strengths(self, beats: Beats) -> NDArray[np.float64]:
        """Relative height of each beat's pulse: filling time decides, so premature is weak and after a pause strong."""
        filling = np.clip(beats.interval / beats.usual, 0.3, 1.6)
        return np.where(beats.ventricular, 0.75 * np.square(filling), 0.6 + 0.4 * filling)

    def at(self, times: NDArray[np.float64], *, sooner: NDArray[np.float64] | float = 0.0) -> NDArray[np.float64]:
        """The wave at the finger, about 0..1 less its mean; `sooner` seconds earlier elsewhere, one column each."""
        beats = self._heart.beats(float(times[0]), float(times[-1]), before=_PAST + _LATE, after=2)
        arrivals, strengths = self.arrivals(beats), self.strengths(beats)
        quick = np.power(beats.usual, -0.45)  # a fast heart has short pulses
        moments = np.ascontiguousarray(np.add.outer(times, sooner))
        total = np.full(moments.shape, -_MEAN)
        newest = np.searchsorted(arrivals - _FOOT / quick, moments, "right") - 1
        for back in range(_PAST):
            index = newest - back
            x = (moments - arrivals[index]) * quick[index] + _FOOT
            total += strengths[index] * (_gamma(x, *_SYSTOLIC) + _gamma(x, *_DICROTIC))
        return total


def _gamma(x: NDArray[np.float64], height: float, peak: float, sharpness: float) -> NDArray[np.float64]:
    """x^k exp(-k x), scaled to its peak; zero before x = 0."""
    place = np.maximum(x, 1e-12) / peak
    return height * np.exp(sharpness * (np.log(place) + 1.0 - place))

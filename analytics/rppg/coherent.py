"""The evidence of many seconds at once: time is stretched until the course is one frequency, and looked at as one.

Windows of 12 s are short enough for a heart that varies. Once its course is known from them it is followed for longer,
where noise that went along with it in one window goes its own way in the next.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import CubicSpline

from analytics.rppg import evidence

Floats = NDArray[np.float64]

LONG = 24.0
"""Seconds that are looked at together: two windows; for longer the course's own error undoes what is gained."""
HOP = 6.0
"""Seconds from one such look to the next."""
SMOOTH = 1.0
"""Seconds (SD of the Gaussian) over which a phase is taken."""
HARMONIC, BASE = 0.3, 3.0
"""Exponent by which evidence at twice the rate raises that at the rate itself, and evidence that is noise. Of 0 to .5,
tried on injected and simulated pulses, the least from which more gained nothing."""
EDGE = 0.5
"""Seconds at both ends whose phase is not used."""
EVEN = 0.1
"""Radians (SD) by which a phase strays at most that keeps a clock's time. A heart at 75 a minute with an SDNN of 10 ms
strays by .06 with breath alone and .16 with a 0.1 Hz wave alone; of four simulated lamps that were taken for a pulse
the most was .06."""
SINE = 8.0
"""Power over noise at twice the rate from which the wave is no sine: a pulse rises faster than it falls. Those lamps
had up to 4.0; of 36 pulses of .3 % in a real face one had 3.3, the others 7 to 144."""


@dataclass(frozen=True, slots=True)
class Whole:
    """What some seconds have at the rate of their course."""

    score: float
    """Evidence at it, with that at twice of it, as of a window."""
    shaped: bool
    """Whether there is enough at twice of it to be no sine."""
    lamp: bool
    """Whether it is a sine that keeps a clock's time: a heart does neither."""


def looks(changes: Floats, rate: float, hertz: Floats) -> tuple[list[Whole], Floats]:
    """Of changes (n, regions, 3) whose course in hertz is known at each sample; and the middle of each, in samples."""
    count = len(changes)
    size = min(count, round(LONG * rate))
    number = 1 + int(np.ceil((count - size) / (HOP * rate)))
    begins = np.rint(np.linspace(0, count - size, number)).astype(np.intp)
    parts = [slice(begin, begin + size) for begin in begins.tolist()]
    return [whole(changes[part], rate, hertz[part]) for part in parts], np.asarray(begins + 0.5 * size)


def whole(changes: Floats, rate: float, hertz: Floats) -> Whole:
    """All of it as one window."""
    stretched, mean = _stretched(changes, rate, hertz)
    seen = evidence.look_at(stretched, rate, (mean, 2.0 * mean))
    at_it = np.abs(seen.hertz - mean) <= rate / len(changes)
    if not at_it.any():
        return Whole(0.0, False, False)
    best = int(np.argmax(np.where(at_it, seen.power, -1.0)))
    first = float(seen.score[best])
    twice = np.abs(seen.hertz - 2.0 * seen.hertz[best]) <= 0.5 * rate / len(changes)
    second = float(seen.score[twice].max(initial=0.0))
    shaped = float(seen.power[twice].max(initial=0.0)) >= SINE
    pulse = np.einsum("nri,ri->n", changes, seen.weights[best])
    score = (BASE + first + evidence.SECOND * min(first, second)) * (1.0 + min(0.5 * first, second)) ** HARMONIC - BASE
    return Whole(score, shaped, not shaped and keeps_time(pulse, rate, mean))


def keeps_time(pulse: Floats, rate: float, hertz: float) -> bool:
    """Whether a wave's phase runs as straight as a clock's, near a frequency."""
    turned = pulse * np.exp(-2j * np.pi * hertz / rate * np.arange(len(pulse)))
    sigma, edge = SMOOTH * rate, round(EDGE * rate)
    smooth = ndimage.gaussian_filter1d(turned.real, sigma) + 1j * ndimage.gaussian_filter1d(turned.imag, sigma)
    smooth = smooth[edge:-edge]
    weights = np.abs(smooth)
    if not weights.any():
        return False
    phase, index = np.unwrap(np.angle(smooth)), np.arange(len(smooth))
    stray = phase - np.polyval(np.polyfit(index, phase, 1, w=weights), index)
    return bool(np.average(stray**2, weights=weights**2) < EVEN**2)


def _stretched(changes: Floats, rate: float, hertz: Floats) -> tuple[Floats, float]:
    """The changes on a grid of the pulse's own phase, and the mean frequency that it has there."""
    count = len(changes)
    beats = np.concatenate(([0.0], np.cumsum(0.5 * (hertz[1:] + hertz[:-1])))) / rate
    index = np.arange(count, dtype=np.float64)
    at = np.interp(np.linspace(0.0, beats[-1], count), beats, index)
    return np.asarray(CubicSpline(index, changes)(at)), float(beats[-1] * rate / (count - 1))

"""What the analysis looks at: the pulse band on a grid fine enough for its slopes, the systolic upstroke rising."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from analytics import filters
from analytics.ppg.repeats import Repeats, repeats

Floats = NDArray[np.float64]

BAND = (0.5, 6.0)
"""Hertz. Of 3.5 to 8 Hz, 6 as the upper edge gave the best intervals from two camera recordings of 30 Hz."""
FINEST = 100.0
"""Hertz that the grid has at least: the parabola through an upstroke's maximum is true to a millisecond."""
SLOWEST = 15.0
"""Hertz below which the band has no room."""


@dataclass(frozen=True, slots=True)
class Wave:
    """The pulse band of one stretch."""

    rate: float
    volume: Floats
    """More blood is up."""
    slope: Floats
    """Its change per second."""
    inverted: bool
    """Whether the signal falls where blood comes in, as a camera's does."""
    repeats: Repeats
    """How the signal's own slope, not yet turned, repeats itself."""
    raw: Floats
    """The signal on the same grid, more blood up, with what lies beyond the band; all three in its largest value."""


def wave(x: Floats, rate: float, *, inverted: bool | None = None) -> Wave:
    """The band of a stretch without gaps; lost samples are drawn straight.

    Unless it is told, which way the blood comes in is seen from the pulse: its systolic upstroke is steeper than all
    that follows.
    """
    known = filters.filled(x)
    known = known - (np.median(known) if len(known) else 0.0)
    # in units of its own size, so that no unit is too large or too small to compute with
    size = float(np.abs(known).max(initial=0.0))
    known = known / size if size > 0 else known
    if rate < FINEST:
        up = int(np.ceil(FINEST / rate))
        known = signal.resample_poly(known, up, 1, padtype="line")
        fine, step = rate * up, 1
    else:
        fine, step = rate, int(rate / FINEST)
    volume = filters.zero_phase(filters.band_pass(fine, *BAND), known)[::step]
    fine /= step
    slope = np.gradient(volume) * fine if len(volume) > 1 else np.zeros(len(volume))
    again = repeats(slope, fine)
    if inverted is None:
        inverted = again.lean < 0
    sign = -1.0 if inverted else 1.0
    return Wave(fine, sign * volume, sign * slope, inverted, again, sign * known[::step])

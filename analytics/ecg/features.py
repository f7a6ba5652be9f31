"""What makes a QRS complex stand out: steep slopes within its band. Pure functions, the same live and final.

Band of Elgendi, Jonkman & De Boer 2010 (8-20 Hz; doi:10.5220/0002742704280431); slope and moving average after
Pan & Tompkins 1985 (doi:10.1109/TBME.1985.325532), without the square, so that a PVC or a weak beat stays within
a factor of its neighbours.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from analytics import filters

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

BAND = (8.0, 20.0)
INTEGRATION = 0.100
"""Seconds over which slopes are averaged: one QRS complex."""
REACH = 0.180
"""Seconds on both sides within which a candidate is the highest: no heart beats twice in that time."""
BLOCK = 0.200
"""Seconds per step of the detector."""
FLOOR_BLOCKS = 15
"""Blocks (3 s) over which the floor is taken."""
FLOOR_QUANTILE = 0.25
"""Between beats even at 200 per minute, where complexes fill two thirds of the time."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The algorithm's times in samples of one rate."""

    rate: float
    sections: Floats
    integration: int
    reach: int
    block: int
    delay: int
    """From the middle of a complex to its energy's maximum."""


@lru_cache(maxsize=64)
def grid(rate: float) -> Grid:
    """The detector's numbers at this rate."""
    sections = filters.band_pass(rate, *BAND)
    integration = max(2, round(INTEGRATION * rate))
    centre = float(np.sqrt(BAND[0] * BAND[1]))
    delay = filters.group_delay(sections, rate, centre) * rate + integration / 2
    return Grid(rate, sections, integration, round(REACH * rate), max(2, round(BLOCK * rate)), round(delay))


def band(x: Floats, rate: float) -> Floats:
    """A whole stretch through the same causal filter that a stream passes."""
    return filters.Causal(grid(rate).sections).feed(x[:, None])[:, 0]


def energy(banded: Floats, rate: float) -> Floats:
    """Mean absolute slope in mV/s over the last 0.1 s; shorter than its input by the integration."""
    width = grid(rate).integration
    slopes = np.abs(np.diff(banded)) * rate
    return np.convolve(slopes, np.full(width, 1.0 / width), mode="valid")


def candidates(energies: Floats, rate: float) -> Indices:
    """Indices that are the highest within reach on both sides; none where one side is missing."""
    reach = grid(rate).reach
    if len(energies) <= 2 * reach:
        return np.empty(0, dtype=np.intp)
    highest = ndimage.maximum_filter1d(energies, 2 * reach + 1)[reach:-reach]
    here = energies[reach:-reach]
    # of a plateau only its first sample; of a flat line none
    return np.flatnonzero((here == highest) & (here > energies[reach - 1 : -reach - 1])) + reach


def floor(energies: Floats) -> float:
    """What the energy falls to between beats: its lower quartile over three seconds."""
    # every fourth sample tells as much: the energy is smooth over a tenth of a second
    thinned = energies[::4]
    place = int(FLOOR_QUANTILE * len(thinned))
    return float(np.partition(thinned, place)[place])

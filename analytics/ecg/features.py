"""What makes a QRS complex stand out: steep slopes within its band. Pure functions, the same live and final.

Two bands: 8-20 Hz (Elgendi, Jonkman & De Boer 2010, doi:10.5220/0002742704280431), in which wide complexes are seen
as well, and 12-40 Hz, in which T waves and the motion of electrodes hardly are. Slope and moving average after Pan &
Tompkins 1985 (doi:10.1109/TBME.1985.325532), without the square, so that a PVC or a weak beat stays within a factor of
its neighbours.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from analytics import filters

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

LOW, HIGH = (8.0, 20.0), (12.0, 40.0)
"""Hertz."""
LOW_INTEGRATION, HIGH_INTEGRATION = 0.100, 0.080
"""Seconds over which slopes are averaged: one QRS complex, and its steep part."""
SLOWEST = 50.0
"""Hertz of sampling below which a QRS complex is not drawn, and nothing is found."""
REACH = 0.180
"""Seconds on both sides within which a live candidate is the highest: no heart beats twice in that time."""
BLOCK = 0.200
"""Seconds per step of the live detector."""
FLOOR_BLOCKS = 15
"""Blocks (3 s) over which the floor is taken."""
FLOOR_QUANTILE = 0.25
"""Between beats even at 200 per minute, where complexes fill two thirds of the time."""


@dataclass(frozen=True, slots=True)
class Band:
    """One band of one rate, in samples."""

    sections: Floats
    integration: int
    lag: int
    """From a complex to its picture in the band..."""
    delay: int
    """... and to its energy's maximum."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The algorithm's times in samples of one rate."""

    rate: float
    low: Band
    high: Band
    reach: int
    block: int


@lru_cache(maxsize=64)
def grid(rate: float) -> Grid:
    """The detector's numbers at this rate."""
    low, high = _band(rate, LOW, LOW_INTEGRATION), _band(rate, HIGH, HIGH_INTEGRATION)
    return Grid(rate, low, high, round(REACH * rate), max(2, round(BLOCK * rate)))


def _band(rate: float, edges: tuple[float, float], integration: float) -> Band:
    sections = filters.band_pass(rate, *edges)
    width = max(2, round(integration * rate))
    lag = filters.group_delay(sections, rate, float(np.sqrt(edges[0] * edges[1]))) * rate
    return Band(sections, width, round(lag), round(lag + width / 2))


def energy(banded: Floats, rate: float, band: Band) -> Floats:
    """Mean absolute slope in mV/s over the band's integration; shorter than its input by that."""
    slopes = np.abs(np.diff(banded)) * rate
    width = band.integration
    if len(slopes) < width:
        return np.empty(0)
    return ndimage.uniform_filter1d(slopes, width)[width // 2 : width // 2 + len(slopes) - width + 1]


def tops(energies: Floats, reach: int) -> Indices:
    """Indices that are the highest within reach on both sides; none where one side is missing."""
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

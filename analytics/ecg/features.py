"""What makes a QRS complex stand out: steep slopes within its band. Pure functions, the same live and final.

Three bands: 8-20 Hz (Elgendi, Jonkman & De Boer 2010, doi:10.5220/0002742704280431), in which most wide complexes are
seen as well; 12-40 Hz, in which T waves and the motion of electrodes hardly are; and 4-12 Hz, in which a smooth wide
complex stands as high as a narrow one, and higher than most T waves. Slope and moving average after Pan &
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

SLOW, LOW, HIGH = (4.0, 12.0), (8.0, 20.0), (12.0, 40.0)
"""Hertz."""
SLOW_INTEGRATION, LOW_INTEGRATION, HIGH_INTEGRATION = 0.140, 0.100, 0.080
"""Seconds over which slopes are averaged: a wide QRS complex, a narrow one, and its steep part."""
SLOWEST = 50.0
"""Hertz of sampling below which a QRS complex is not drawn, and nothing is found."""


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
    slow: Band
    low: Band
    high: Band


@lru_cache(maxsize=64)
def grid(rate: float) -> Grid:
    """The detector's numbers at this rate."""
    slow = _band(rate, SLOW, SLOW_INTEGRATION)
    low, high = _band(rate, LOW, LOW_INTEGRATION), _band(rate, HIGH, HIGH_INTEGRATION)
    return Grid(rate, slow, low, high)


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

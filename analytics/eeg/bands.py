"""The bands of the electroencephalogram, in hertz, and what of them a sampling rate carries.

Limits as in the guideline of the International Pharmaco-EEG Society (Jobert et al. 2012, doi:10.1159/000343478) with
whole numbers, alpha as one band, and gamma up to 45 Hz: below the mains of either continent.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from analytics.filters import HIGHEST
from kiosk.measures import BANDS

Floats = NDArray[np.float64]

LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"delta": (1.0, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0), "gamma": (30.0, 45.0)}
)
LOWEST, TOP = 1.0, 45.0
"""Hertz, from the lower limit of delta to the upper one of gamma: what "the whole" is that shares are of."""
NARROWEST = 5.0
"""Hertz of gamma that a rate must carry: less of it is not gamma."""
SLOWEST = 50.0
"""Samples a second below which nothing is answered: beta, and so the whole, would not be there."""
ALPHA, BETA, DELTA, GAMMA, THETA = (BANDS.index(name) for name in ("alpha", "beta", "delta", "gamma", "theta"))
"""Their columns."""


def top(rate: float) -> float:
    """The highest frequency that is looked at."""
    return min(TOP, HIGHEST * rate)


def carried(rate: float) -> NDArray[np.bool_]:
    """Which bands there are at this rate: whole ones, and gamma as far as it goes."""
    edge = top(rate)
    return np.array(
        [high <= edge or (name == "gamma" and low + NARROWEST <= edge) for name, (low, high) in LIMITS.items()]
    )


def weights(frequencies: Floats, rate: float) -> Floats:
    """(frequencies, bands): what a density is multiplied with and summed to be a band's power.

    Each frequency of a spectrum stands for what is around it, and at a limit for half of it on either side: the bands
    add up to the whole, and on a grid that has the limits it is the trapezoid rule.
    """
    step = float(frequencies[1] - frequencies[0])
    columns = []
    for low, high in LIMITS.values():
        begin, end = np.maximum(frequencies - step / 2, low), np.minimum(frequencies + step / 2, min(high, top(rate)))
        columns.append(np.maximum(end - begin, 0.0))
    return np.column_stack(columns)

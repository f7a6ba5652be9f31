"""How fast a slow quantity changes, whatever short waves ride on it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLOCK = 5.0
"""Seconds whose median is one point."""
POINTS = 200
"""At most: the work grows with their square."""
SHORTEST = 30.0
"""Seconds of samples below which nothing is said."""
RATES = (0.1, 1e5)
"""Hertz that a sensor can have."""


def per_minute(x: Floats, rate: float) -> float | None:
    """Change per minute of a regular series, in its unit; NaN is a sample that counts for nothing.

    Median of the slopes between all pairs of points (Theil 1950; Sen 1968, doi:10.1080/01621459.1968.10480934), each
    the median of some seconds.
    """
    at = np.flatnonzero(np.isfinite(x))
    if not RATES[0] <= rate <= RATES[1] or len(at) / rate < SHORTEST:
        return None
    blocks = np.array_split(at, max(2, min(POINTS, int(len(at) / (BLOCK * rate)))))
    times = np.array([block.mean() for block in blocks]) / rate / 60.0
    # halves, so that the largest floats do not overflow
    levels = np.array([np.median(x[block] / 2) for block in blocks])
    later, earlier = np.triu_indices(len(blocks), 1)[::-1]
    slope = 2.0 * float(np.median((levels[later] - levels[earlier]) / (times[later] - times[earlier])))
    return slope if np.isfinite(slope) else None

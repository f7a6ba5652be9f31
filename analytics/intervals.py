"""Which intervals between beats a heart can have."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

POSSIBLE = (0.2, 3.0)
"""Seconds: 300 to 20 per minute."""


def possible(intervals: Floats) -> Flags:
    """Whether a heart can have these intervals, in seconds."""
    return np.asarray((intervals >= POSSIBLE[0]) & (intervals <= POSSIBLE[1]))

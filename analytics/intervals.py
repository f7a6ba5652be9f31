"""Which intervals between beats may be averaged: from artefacts no mean may come."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

POSSIBLE = (0.2, 3.0)
"""Seconds: 300 to 20 per minute."""
AROUND = 11
"""Beats whose median is the usual interval."""
UNUSUAL = (0.4, 1.75)
"""Times the usual interval: outside a beat was invented or missed. Ectopic beats and fibrillation lie within..."""
PAUSE = 2.5
"""... as does the pause after an early beat: with the interval before it, less than these usual intervals."""


def possible(intervals: Floats) -> Flags:
    """Whether a heart can have these intervals, in seconds."""
    return np.asarray((intervals >= POSSIBLE[0]) & (intervals <= POSSIBLE[1]))


def usual(intervals: Floats, candidates: Flags) -> Flags:
    """Which of the candidates fit their neighbourhood."""
    kept = np.zeros(len(intervals), dtype=np.bool_)
    chosen = intervals[candidates]
    if len(chosen) > 1:
        # of two-beat means, so that a bigeminus has one usual interval and not two
        means = 0.5 * (chosen[1:] + chosen[:-1])
        middle = ndimage.median_filter(means, size=min(AROUND, len(means)), mode="nearest")
        ratio = chosen / np.concatenate((middle[:1], middle))
        with_before = ratio + np.concatenate((ratio[:1], ratio[:-1]))
        kept[candidates] = (ratio >= UNUSUAL[0]) & ((ratio <= UNUSUAL[1]) | (with_before <= PAUSE))
    return kept

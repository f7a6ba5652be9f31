"""The pulse wave of a stretch: every window's best weights at its own rate, overlapped and added."""

import numpy as np
from numpy.typing import NDArray

from analytics.rppg.colours import Stretch
from analytics.rppg.evidence import Look

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def wave(stretch: Stretch, begins: Indices, size: int, looks: list[Look], hertz: Floats) -> Floats:
    """More blood up, in shares of green's level; between two windows the weights go over from one to the other."""
    count = len(stretch.changes)
    total, weight = np.zeros(count), np.zeros(count)
    shape = np.hanning(size + 2)[1:-1]
    for begin, look, rate in zip(begins.tolist(), looks, hertz.tolist(), strict=True):
        place = int(np.argmin(np.abs(look.hertz - rate)))
        part = slice(begin, begin + size)
        total[part] += shape * np.einsum("nri,ri->n", stretch.changes[part], look.weights[place])
        weight[part] += shape
    # blood swallows light
    return -total / np.maximum(weight, 1e-12)

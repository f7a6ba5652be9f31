"""Asking other people's detectors about a record: some minutes at a time, and nobody minds when one fails."""

import logging
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHORTEST = 10.0
"""Seconds below which nobody is asked."""

_log = logging.getLogger(__name__)


def asked(detector: Callable[[Floats, float], Floats], x: Floats, rate: float, *, piece: float) -> Floats | None:
    """Indices that a detector finds, given `piece` seconds at once (thresholds are of all it gets); None: it failed."""
    if len(x) < SHORTEST * rate:
        return None
    found: list[Floats] = []
    starts = range(0, max(1, len(x) - round(SHORTEST * rate)), round(piece * rate))
    for begin in starts:
        # the last piece takes what would be too short alone
        end = len(x) if begin == starts[-1] else begin + round(piece * rate)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found.append(begin + detector(x[begin:end], rate))
        except Exception as error:
            # a voter may fail on what it was not made for; its voice is missing then, no more
            _log.info("%s has no opinion on a stretch: %s", detector.__name__, type(error).__name__)
            return None
    return np.concatenate(found)

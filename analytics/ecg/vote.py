"""A second opinion on the beats of a record: neurokit2's detector, and how far it agrees."""

import logging
import warnings

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOLERANCE = 0.100
"""Seconds within which two beats are the same."""
PIECE = 300.0
"""Seconds given to the other detector at once: its thresholds are means over all it gets."""
SHORTEST = 10.0

_log = logging.getLogger(__name__)


def agreement(ours: Floats, theirs: Floats, *, tolerance: float = TOLERANCE) -> float:
    """F1 of two rising series of beat times: 2 x the same / all. Two empty ones do not agree about anything: 0."""
    total = len(ours) + len(theirs)
    return 2.0 * matched(ours, theirs, tolerance=tolerance) / total if total else 0.0


def matched(ours: Floats, theirs: Floats, *, tolerance: float = TOLERANCE) -> int:
    """How many beats the two series share, each beat used once."""
    same = i = j = 0
    first, second = ours.tolist(), theirs.tolist()
    while i < len(first) and j < len(second):
        if abs(first[i] - second[j]) <= tolerance:
            same, i, j = same + 1, i + 1, j + 1
        elif first[i] < second[j]:
            i += 1
        else:
            j += 1
    return same


def neurokit_peaks(x: Floats, rate: float) -> Floats | None:
    """R times in seconds after Makowski et al. 2021 (doi:10.3758/s13428-020-01516-y); None where it failed."""
    if len(x) < SHORTEST * rate:
        return None
    peaks: list[Floats] = []
    piece = round(PIECE * rate)
    starts = range(0, max(1, len(x) - round(SHORTEST * rate)), piece)
    for begin in starts:
        # the last piece takes what would be too short alone
        end = len(x) if begin == starts[-1] else begin + piece
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # seconds to import, and needed only here
                import neurokit2

                clean = neurokit2.ecg_clean(x[begin:end], sampling_rate=round(rate))
                _, found = neurokit2.ecg_peaks(clean, sampling_rate=round(rate))
            peaks.append((begin + np.asarray(found["ECG_R_Peaks"], dtype=np.float64)) / rate)
        except Exception as error:
            # a voter may fail on what it was not made for; its voice is missing then, no more
            _log.info("no second opinion on a stretch of ECG: %s", type(error).__name__)
            return None
    return np.concatenate(peaks)

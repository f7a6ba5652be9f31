"""Other opinions on the beats of a record: neurokit2's and heartpy's detectors, and how far they agree with ours."""

import numpy as np
from numpy.typing import NDArray

from analytics.opinions import asked

Floats = NDArray[np.float64]

TOLERANCE = 0.100
"""Seconds within which two beats are the same."""
PIECE = 300.0
"""Seconds given to another detector at once: its thresholds are means over all it gets."""
FOLLOWED = 0.5
"""Share of the time that a detector's intervals must cover..."""
LONG, SLOWEST = 1.75, 3.0
"""... which are no longer than this many of its usual ones, and no longer than these seconds."""


def matched(ours: Floats, theirs: Floats, *, tolerance: float = TOLERANCE) -> int:
    """How many beats the two series share, each beat used once."""
    return len(pairs(ours, theirs, tolerance=tolerance))


def pairs(ours: Floats, theirs: Floats, *, tolerance: float = TOLERANCE) -> list[tuple[int, int]]:
    """Places of the beats that the two series share."""
    same = []
    i = j = 0
    first, second = ours.tolist(), theirs.tolist()
    while i < len(first) and j < len(second):
        if abs(first[i] - second[j]) <= tolerance:
            same.append((i, j))
            i, j = i + 1, j + 1
        elif first[i] < second[j]:
            i += 1
        else:
            j += 1
    return same


def consensus(ours: Floats, others: list[Floats]) -> tuple[int, int]:
    """How many of our beats some other has as well; and how many none has, or all others have and we do not."""
    if not others:
        return 0, 0
    theirs = others[0]
    for other in others[1:]:
        theirs = theirs[[place for place, _ in pairs(theirs, other)]]
    confirmed = {place for other in others for place, _ in pairs(ours, other)}
    return len(confirmed), len(ours) - len(confirmed) + len(theirs) - matched(ours, theirs)


def voices(x: Floats, rate: float) -> list[Floats]:
    """R times in seconds by each of the other detectors that had something to say."""
    heard = [asked(detector, x, rate, piece=PIECE) for detector in (_neurokit, _heartpy)]
    return [peaks / rate for peaks in heard if peaks is not None and speaks(peaks / rate, len(x) / rate)]


def speaks(times: Floats, seconds: float) -> bool:
    """Whether a detector followed the heart at all: one that lost it for half of the time tells nothing of ours."""
    steps = np.diff(times)
    if not len(steps):
        return False
    row = steps <= min(LONG * float(np.median(steps)), SLOWEST)
    return float(steps[row].sum()) >= FOLLOWED * seconds


def _neurokit(x: Floats, rate: float) -> Floats:
    # seconds to import, and needed only here
    import neurokit2

    clean = neurokit2.ecg_clean(x, sampling_rate=round(rate))
    _, found = neurokit2.ecg_peaks(clean, sampling_rate=round(rate))
    return np.asarray(found["ECG_R_Peaks"], dtype=np.float64)


def _heartpy(x: Floats, rate: float) -> Floats:
    import heartpy

    # its advice for an ECG: wander away, and the scale that its moving average wants
    level = heartpy.remove_baseline_wander(x, rate)
    data, _ = heartpy.process(heartpy.scale_data(level), rate)
    kept = np.asarray(data["binary_peaklist"], dtype=np.bool_)
    return np.asarray(data["peaklist"], dtype=np.float64)[kept]

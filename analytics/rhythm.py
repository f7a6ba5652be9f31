"""What the rhythm is like: the share of ectopic beats, pauses, and whether it is irregular throughout.

Irregular throughout, as atrial fibrillation is, means two things at once: the entropy of intervals is high (coefficient
of sample entropy, COSEn, Lake & Moorman 2011, doi:10.1152/ajpheart.00561.2010, with their limit), and no interval is
like any of the four before it. The second leaves out what alternates, and early beats with their pauses are left out
before (the compensatory pairs of Sarkar, Ritscher & Mehra 2008, doi:10.1109/TBME.2007.903707). It is a notice to look
at the ECG, and no diagnosis.
"""

import numpy as np
from scipy import ndimage

from analytics import intervals
from analytics.analyzer import Finding
from analytics.beats import Beats, Change, Corrected, Flags, Floats, Kind
from kiosk.measures import Reason

MEASURED = ("ectopic_burden", "pauses", "irregular_rhythm")
"""The measures that `findings` answers, in their order."""
ECTOPY_METHOD = "ecg-kinds-1"
PAUSE_METHOD = "intervals-2s-1"
IRREGULAR_METHOD = "lake-moorman-2011+lags-1"

FEWEST_BEATS = 30
"""Judged beats behind a share of them: half a minute."""
PAUSE = 2.0
"""Seconds."""
OBSERVED = 0.5
"""Share of the time that intervals which hold must cover, for pauses to be counted in it."""
WINDOW = 64
"""Intervals that are judged together: about a minute."""
FEWEST_PAIRS = 32
"""Consecutive normal intervals among them..."""
MATCHES = 5
"""... and matches of two that COSEn is made of; the tolerance begins at 30 ms and is widened until they are there."""
TOLERANCE = 0.030
ENTROPY = -1.4
"""COSEn from which Lake & Moorman took a rhythm for fibrillation; sinus rhythm with much ectopy or breath passes it."""
SCATTER = (0.10, 0.15)
"""Median difference from earlier intervals over the usual one: below the first sinus rhythm, from the second irregular.
Sinus rhythm (real, 64 intervals) has 0.01 to 0.10, the one excerpt of fibrillation 0.23 to 0.34."""
LAGS = 4
"""How far back an interval is compared: bi-, tri- and quadrigeminus come back to themselves within four."""
EARLY, RETURN, WHOLE = 0.90, 1.10, 0.08
"""Of the usual interval: an early beat's, its pause's, and by how much both may differ from two usual ones."""
AROUND = 21
"""Intervals whose median is the usual one."""
RULED = 1.0 / 3.0
"""Share of irregular windows from which the rhythm as a whole is no sinus rhythm."""
CLEAR = 0.8
"""Share of clear windows from which a rhythm is not irregular."""


def findings(beats: Beats, corrected: Corrected, *, start_ns: int, end_ns: int) -> list[Finding]:
    """Ectopic burden, pauses and irregular rhythm, or why there is no saying; beats of unknown kind count as normal."""

    def finding(measure: str, method: str, value: float | None) -> Finding:
        absent: Reason | None = "insufficient" if value is None else None
        quality = round(beats.signal_quality, 3)
        return Finding(measure, value, method, start_ns, end_ns, quality=quality, absent=absent)

    return [
        finding("ectopic_burden", ECTOPY_METHOD, _ectopic_share(beats)),
        finding("pauses", PAUSE_METHOD, _pauses(beats, corrected, (end_ns - start_ns) * 1e-9)),
        finding("irregular_rhythm", IRREGULAR_METHOD, _irregular(_verdicts(beats))),
    ]


def _ectopic_share(beats: Beats) -> float | None:
    """Per cent of the beats that are judged: those next to an interval that holds."""
    edge = np.zeros(1, dtype=np.bool_)
    readable = (np.concatenate((edge, beats.held)) | np.concatenate((beats.held, edge)))[: len(beats.times)]
    judged = beats.kinds[readable & (beats.kinds != Kind.ARTEFACT)]
    return 100.0 * float((judged == Kind.ECTOPIC).mean()) if len(judged) >= FEWEST_BEATS else None


def _pauses(beats: Beats, corrected: Corrected, seconds: float) -> float | None:
    """How many there are; None where too little was seen, or where correction takes one for a missed beat."""
    times, held, _ = _without_artefacts(beats)
    steps = np.diff(times)
    if steps[held].sum() < OBSERVED * seconds or held.sum() < FEWEST_BEATS:
        return None
    long = np.flatnonzero(held & (steps >= PAUSE))
    added = corrected.times[corrected.changes == Change.ADDED]
    doubted = np.searchsorted(added, times[long]) < np.searchsorted(added, times[long + 1])
    return None if doubted.any() else float(len(long))


def _without_artefacts(beats: Beats) -> tuple[Floats, Flags, Flags]:
    """Times of the beats that are beats, whether the intervals between them hold, and which of them are ectopic."""
    kept = np.flatnonzero(beats.kinds != Kind.ARTEFACT)
    broken = np.concatenate(([0], np.cumsum(~beats.held)))
    held = broken[kept[1:]] == broken[kept[:-1]]
    return beats.times[kept], held, beats.kinds[kept] == Kind.ECTOPIC


def is_no_sinus(beats: Beats) -> bool:
    """Whether so much is irregular that correction and variability, which are about a sinus rhythm, mean nothing."""
    verdicts = _verdicts(beats)
    return _irregular(verdicts) == 1.0 and float(np.mean(verdicts == 1.0)) >= RULED


def _irregular(verdicts: Floats) -> float | None:
    """1 where two windows in a row are irregular (or the only one is), 0 where nearly all are clear."""
    if not len(verdicts):
        return None
    noticed = verdicts == 1.0
    if noticed.all() or (noticed[1:] & noticed[:-1]).any():
        return 1.0
    return 0.0 if np.mean(verdicts == 0.0) >= CLEAR else None


def _verdicts(beats: Beats) -> Floats:
    """Of each window that can be judged."""
    times, held, ectopic = _without_artefacts(beats)
    steps = np.diff(times)
    normal = held & intervals.possible(steps) & ~ectopic[1:] & ~ectopic[:-1]
    verdicts = [
        _verdict(steps[begin : begin + WINDOW], normal[begin : begin + WINDOW])
        for begin in range(0, len(steps) - WINDOW + 1, WINDOW)
    ]
    return np.array([verdict for verdict in verdicts if verdict is not None], dtype=np.float64)


def _verdict(steps: Floats, normal: Flags) -> float | None:
    """1 irregular, 0 not, 0.5 between; None where there are too few normal intervals."""
    normal = normal & ~_compensated(steps)
    if np.count_nonzero(normal[1:] & normal[:-1]) < FEWEST_PAIRS:
        return None
    scatter = lagged_scatter(steps, normal)
    if scatter < SCATTER[0] or cosen(steps, normal) < ENTROPY:
        return 0.0
    return 1.0 if scatter >= SCATTER[1] else 0.5


def _compensated(steps: Floats) -> Flags:
    """Early beats and their pauses: a short and a long interval that make two usual ones."""
    means = 0.5 * (steps[1:] + steps[:-1])
    usual = ndimage.median_filter(means, size=min(AROUND, len(means)), mode="nearest")
    pair = (steps[:-1] < EARLY * usual) & (steps[1:] > RETURN * usual) & (np.abs(means - usual) < 0.5 * WHOLE * usual)
    return np.concatenate((pair, [False])) | np.concatenate(([False], pair))


def lagged_scatter(steps: Floats, chosen: Flags) -> float:
    """Median difference from the interval one to four before, where it is least, over the median interval."""
    medians = []
    for lag in range(1, LAGS + 1):
        both = chosen[lag:] & chosen[:-lag]
        if both.sum() >= FEWEST_PAIRS // 2:
            medians.append(float(np.median(np.abs(steps[lag:] - steps[:-lag])[both])))
    return min(medians, default=0.0) / float(np.median(steps[chosen]))


def cosen(steps: Floats, chosen: Flags) -> float:
    """Coefficient of sample entropy: SampEn (m = 1) + ln(2 r) - ln(mean interval), of the chosen intervals."""
    starts = np.flatnonzero(chosen[1:] & chosen[:-1])
    first, second = np.triu_indices(len(starts), 1)
    now = np.abs(steps[starts[first]] - steps[starts[second]])
    both = np.maximum(now, np.abs(steps[starts[first] + 1] - steps[starts[second] + 1]))
    radius = max(TOLERANCE, float(np.partition(both, MATCHES - 1)[MATCHES - 1]))
    conditional = np.count_nonzero(both <= radius) / np.count_nonzero(now <= radius)
    return float(-np.log(conditional) + np.log(2 * radius) - np.log(steps[chosen].mean()))

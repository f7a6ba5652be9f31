"""Nonlinear measures: Poincare plot, fractal scaling, entropy, and Baevsky's stress index."""

import numpy as np
from scipy import interpolate

from analytics.beats import Floats, Intervals
from analytics.hrv.spectrum import RATE, trend
from analytics.hrv.time_domain import MILLISECONDS, NOTHING, sdsd
from analytics.hrv.windows import runs, split

BOXES = range(4, 17)
"""Beats per box of DFA alpha1 (Peng et al. 1995: 4 to 16)."""
LENGTH = 2
"""Intervals of a template of sample entropy, m."""
TOLERANCE = 0.2
"""Standard deviations within which two intervals are alike, r."""
BLOCK = 512
"""Templates that are compared with all others at a time: bounds memory."""
BIN = 0.050
"""Seconds: the bins of Baevsky's histogram."""
FEWEST = 4
"""Intervals of a run that have a trend."""


def sd1(intervals: Intervals) -> float | None:
    """Width of the Poincare plot across its diagonal in ms: SDSD / sqrt 2.

    Brennan, Palaniswami & Kamen 2001, doi:10.1109/10.959330.
    """
    deviation = sdsd(intervals)
    return deviation / np.sqrt(2.0) if deviation is not None else None


def sd2(intervals: Intervals) -> float | None:
    """Length of the Poincare plot along its diagonal in ms: SD of (RR[n] + RR[n+1]) / sqrt 2 over the plotted pairs."""
    sums = (intervals.values[1:] + intervals.values[:-1])[intervals.follows[1:]]
    return float(sums.std(ddof=1) / np.sqrt(2.0)) * MILLISECONDS if len(sums) > 1 else None


def sd_ratio(intervals: Intervals) -> float | None:
    """SD2 through SD1."""
    across, along = sd1(intervals), sd2(intervals)
    return along / across if across and along is not None else None


def dfa_alpha1(intervals: Intervals) -> float | None:
    """Slope of log F(n) over log n, n = 4..16 beats (Peng et al. 1995, doi:10.1063/1.166141).

    F(n) is the root mean square distance of the summed intervals from a straight line in each box of n; boxes do not
    overlap, begin with their run's first interval, and never cross a gap.
    """
    profiles = [np.cumsum(run.values - run.values.mean()) for run in runs(intervals) if len(run.values) >= BOXES[-1]]
    if not profiles:
        return None
    fluctuation = np.sqrt(
        [np.mean(np.concatenate([_residues(profile, size) for profile in profiles])) for size in BOXES]
    )
    if not (fluctuation > NOTHING / 1000).all():
        return None
    return float(np.polyfit(np.log(BOXES), np.log(fluctuation), 1)[0])


def sample_entropy(intervals: Intervals) -> float | None:
    """Minus the logarithm of the chance that what was alike for two intervals is so for the third.

    m = 2, r = 0.2 SD (ddof = 1), alike within r inclusive, no self-matches, N - m templates of either length per run
    (Richman & Moorman 2000, doi:10.1152/ajpheart.2000.278.6.H2039). Above ten minutes matches are counted in windows of
    five, each with its own SD, and summed. Quadratic in the length of a window.
    """
    alike = [_alike(part) for part in split(intervals)]
    pairs, triples = sum(each[0] for each in alike), sum(each[1] for each in alike)
    return float(np.log(pairs / triples)) if triples else None


def stress_index(intervals: Intervals) -> float | None:
    """The square root of Baevsky's index AMo / (2 Mo MxDMn), as Kubios shows it.

    AMo: percent of the intervals in the fullest bin of 50 ms, one of which is centred on the median; Mo: the median
    interval in s; MxDMn: longest less shortest in s (Baevsky & Chernikova 2017, doi:10.12710/cardiometry.2017.10.6676).
    AMo and MxDMn are of the intervals without their slow trend (smoothness priors, per run), which would widen both.
    """
    if not len(intervals.values):
        return None
    rest = np.concatenate([_detrended(run) for run in runs(intervals)])
    spread, middle = float(np.ptp(rest)), float(np.median(intervals.values))
    if spread <= NOTHING or middle <= 0:
        return None
    bins = np.floor((rest - np.median(rest)) / BIN + 0.5 + NOTHING).astype(np.int64)
    mode = 100.0 * int(np.unique(bins, return_counts=True)[1].max()) / len(bins)
    return float(np.sqrt(mode / (2.0 * middle * spread)))


def _detrended(run: Intervals) -> Floats:
    if len(run.values) < FEWEST:
        return np.asarray(run.values - np.median(run.values), np.float64)
    times = run.ends[0] + np.arange(int((run.ends[-1] - run.ends[0]) * RATE) + 1) / RATE
    even = interpolate.CubicSpline(run.ends, run.values)(times)
    return np.asarray(run.values - np.interp(run.ends, times, trend(even)), np.float64)


def _residues(profile: Floats, size: int) -> Floats:
    """Squared distances from the line in each box."""
    boxes = profile[: len(profile) // size * size].reshape(-1, size)
    axis = np.arange(size) - (size - 1) / 2
    boxes = boxes - boxes.mean(axis=1, keepdims=True)
    slopes = boxes @ axis / (axis @ axis)
    return np.asarray((boxes - slopes[:, None] * axis) ** 2).ravel()


def _alike(intervals: Intervals) -> tuple[int, int]:
    """Pairs of templates alike over two intervals, and those still alike with the third."""
    values = intervals.values
    if len(values) < LENGTH + 2:
        return 0, 0
    border = TOLERANCE * float(values.std(ddof=1)) + NOTHING / 1000
    whole = np.flatnonzero(intervals.follows[1:-1] & intervals.follows[2:])
    template = np.stack([values[whole + shift] for shift in range(LENGTH + 1)])
    pairs = triples = 0
    for begin in range(0, len(whole), BLOCK):
        rows = slice(begin, begin + BLOCK)
        near = [
            np.abs(template[shift, rows, None] - template[shift, None, begin:]) <= border for shift in range(LENGTH + 1)
        ]
        both = np.triu(near[0] & near[1], 1)
        pairs += int(np.count_nonzero(both))
        triples += int(np.count_nonzero(both & near[2]))
    return pairs, triples

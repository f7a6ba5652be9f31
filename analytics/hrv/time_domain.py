"""Time domain: statistics of the intervals and of the differences between those that follow one another.

Definitions of the Task Force of ESC and NASPE 1996, doi:10.1161/01.CIR.93.5.1043.
"""

import numpy as np

from analytics.beats import Floats, Intervals

MILLISECONDS = 1000.0
BIN = 1 / 128
"""Seconds: the bins of the triangular index are [k / 128, (k + 1) / 128) (Task Force 1996: 7.8125 ms)."""
NOTHING = 1e-6
"""Seconds by which a difference or an interval is on neither side of a border: only rounding puts it there."""


def mean_rr(intervals: Intervals) -> float | None:
    """The mean interval in ms."""
    return float(intervals.values.mean()) * MILLISECONDS if len(intervals.values) else None


def heart_rate(intervals: Intervals) -> float | None:
    """Beats per minute: 60 s through the mean interval, which is not the mean of the instantaneous rates."""
    mean = float(intervals.values.mean()) if len(intervals.values) else 0.0
    return 60.0 / mean if mean > 0 else None


def sdnn(intervals: Intervals) -> float | None:
    """Standard deviation of the intervals in ms, over N - 1."""
    return float(intervals.values.std(ddof=1)) * MILLISECONDS if len(intervals.values) > 1 else None


def cvnn(intervals: Intervals) -> float | None:
    """SDNN through the mean interval, in percent."""
    mean, deviation = mean_rr(intervals), sdnn(intervals)
    return 100.0 * deviation / mean if mean and deviation is not None else None


def differences(intervals: Intervals) -> Floats:
    """Differences, in seconds, between intervals that follow one another."""
    return np.asarray(np.diff(intervals.values)[intervals.follows[1:]])


def rmssd(intervals: Intervals) -> float | None:
    """Root of the mean squared difference, in ms."""
    steps = differences(intervals)
    return float(np.sqrt(np.mean(steps**2))) * MILLISECONDS if len(steps) else None


def sdsd(intervals: Intervals) -> float | None:
    """Standard deviation of the differences in ms, over their number less one."""
    steps = differences(intervals)
    return float(steps.std(ddof=1)) * MILLISECONDS if len(steps) > 1 else None


def pnn50(intervals: Intervals) -> float | None:
    """Percent of the differences that are above 50 ms; one of 50 ms is not."""
    return _above(intervals, 0.050)


def pnn20(intervals: Intervals) -> float | None:
    """Percent of the differences that are above 20 ms (Mietus et al. 2002, doi:10.1136/heart.88.4.378)."""
    return _above(intervals, 0.020)


def triangular_index(intervals: Intervals) -> float | None:
    """All intervals through those in the fullest bin of 1/128 s; bins begin at zero."""
    if not len(intervals.values):
        return None
    bins = np.floor((intervals.values + NOTHING) / BIN).astype(np.int64)
    return len(bins) / int(np.unique(bins, return_counts=True)[1].max())


def _above(intervals: Intervals, border: float) -> float | None:
    steps = differences(intervals)
    return 100.0 * float(np.mean(np.abs(steps) > border + NOTHING)) if len(steps) else None

"""What a window tells of how far its numbers may lie from those of the five minutes around it."""

import numpy as np

from analytics.beats import Floats, Intervals

FIVE_MINUTES = 300.0
"""Seconds: the length for which short-term HRV is defined and has norms (Task Force 1996, PMID 8598068)."""
PARTS = 4
"""Consecutive parts of a window, whose differences show how steady the state is."""
LEAST_BEATS = 16
"""Intervals from which the four parts have something in them."""
FLOOR = 0.05
"""Added inside logarithms of what may vanish by chance."""
NAMES = ("1", "rest", "length", "slow", "unrest", "tail", "drift", "burst", "rmssd", "mean", "slope")
"""In the order of the vector; `traits` says what each is."""


def differences(series: Intervals) -> Floats:
    """Differences, in seconds, between intervals that follow one another."""
    return np.asarray(np.diff(series.values)[series.follows[1:]])


def traits(series: Intervals, seconds: float) -> Floats | None:
    """The vector that the laws of doubt weigh, for a window of so many seconds; None where it says too little.

    1; ln(1 - w / 300 s) and ln(300 s / w), which equally weighted are the finite-population factor of a mean;
    ln(SDNN / RMSSD), slow against fast; ln SD over quarters of ln RMS difference; ln(RMS / mean absolute difference),
    heavy tails; ln SD of the quarters' means and absolute slope, both in SDNN; ln(SDNN / mean absolute deviation), a
    burst or steps; ln(RMSSD / 30 ms); ln(mean RR / 0.85 s).
    """
    values, steps = series.values, differences(series)
    count = len(values)
    if count < LEAST_BEATS or len(steps) < LEAST_BEATS or not 0 < seconds < FIVE_MINUTES:
        return None
    deviation = float(values.std(ddof=1))
    rmssd = float(np.sqrt(np.mean(steps**2)))
    away = float(np.abs(values - np.median(values)).mean())
    if min(deviation, rmssd, away) <= 0:
        return None
    mean = float(values.mean())
    loudness = [max(float(np.sqrt(np.mean(part**2))), 0.02 * rmssd) for part in np.array_split(steps, PARTS)]
    levels = [float(part.mean()) for part in np.array_split(values, PARTS)]
    ramp = np.arange(count) - 0.5 * (count - 1)
    slope = abs(float(ramp @ values)) / float(np.sqrt(ramp @ ramp * count)) / deviation
    return np.array(
        [
            1.0,
            np.log(1.0 - seconds / FIVE_MINUTES),
            np.log(FIVE_MINUTES / seconds),
            np.log(deviation / rmssd),
            np.log(np.std(np.log(loudness), ddof=1) + FLOOR),
            np.log(rmssd / np.abs(steps).mean()),
            np.log(np.std(levels, ddof=1) / deviation + FLOOR),
            np.log(deviation / away),
            np.log(rmssd / 0.030),
            np.log(mean / 0.850),
            slope,
        ]
    )

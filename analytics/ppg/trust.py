"""Whether the beats found in some seconds come from a heart: noise has upstrokes, too, and they are counted.

Evidence is a weighted sum of what a row of pulses has in common; trust is what it amounts to, less where the row has
what no heart makes. The weights are those of a logistic regression, rounded: windows of 10 s of three cameras, a camera
on eight fingers, a clip, five wrists and an ICU, and of simulated fibrillation, against white, pink and brown noise,
muscle, motion, steps, clicks and noise of bands within the pulse's own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.ppg.repeats import TAIL
from analytics.ppg.upstroke import Pulses
from analytics.ppg.wave import Wave
from analytics.quality import ramp

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

WINDOWS = (7.0, 10.0, 30.0)
"""Seconds that are judged together: the shortest for pulses between movements, the longest for faint ones."""
LEAST_BEATS = 5
LIKE, UNEVEN, PERIODIC, STEEP, AGAINST = 7.0, 11.0, 2.0, 5.0, 5.0
"""Weights of likeness, unevenness, periodicity and steepness, and what they are held against."""
ALIKE, ALL_ALIKE = 2.5, (0.92, 0.80)
"""Weight of nearly all pulses being alike, by the fifth of the pairs that is least so: in fibrillation they are."""
MOST_UNEVEN, MOST_STEEP = 0.3, 0.7
EVIDENCE = (3.2, 1.2)
"""Evidence that is full trust, and that is none."""
SPREAD = (0.5, 1.0)
"""SD of the logarithm of the pulses' sizes: jolts are of any size."""
HALVED = (0.6, 0.8)
"""Correlation of the wave with itself half an interval later: of something faster each second cycle was counted."""
UNRETURNED = (0.6, 0.9)
"""Change of level from one foot to the next over the height between: what jumps does not come back."""
ENOUGH = 0.5
"""Trust from which the beats are taken for a heart's."""
_BEFORE, _AFTER, _SHORT = 0.25, 0.70, 0.2  # of an interval, and which of them: a quantile
_LEAST_ALIKE, _SMALLEST = 0.2, 1e-3
_NOTHING = 1e-12  # of the signal's largest value: what rounding leaves
_FOOT, _TOP = 0.12, 0.25  # seconds from the upstroke


@dataclass(frozen=True, slots=True)
class Judged:
    """The beats between two moments."""

    trust: float
    first: int
    """Index of the first beat that is judged."""
    likeness: Floats
    """Of each from there on, its correlation with the sum of the others; NaN at an edge that cuts its pulse."""


def judged(found: Pulses, begin: float, end: float) -> Judged:
    """Trust in the beats between two moments, in seconds after the stretch's first sample."""
    wave = found.wave
    first, last = np.searchsorted(found.at, (begin * wave.rate, end * wave.rate)).tolist()
    at = found.at[first:last]
    likeness = np.full(len(at), np.nan)
    if len(at) < LEAST_BEATS:
        return Judged(0.0, first, likeness)
    intervals = np.diff(at)
    period = float(np.median(intervals))
    # of an irregular rhythm the short ones, so that no pulse is judged by where the next one is
    short = float(np.quantile(intervals, _SHORT))
    before, after = round(_BEFORE * short), round(_AFTER * short)
    middles = np.rint(at).astype(np.intp)
    whole = (middles >= before) & (middles + after < len(wave.volume))
    if np.count_nonzero(whole) < LEAST_BEATS - 1:
        return Judged(0.0, first, likeness)
    shapes = wave.volume[middles[whole][:, None] + np.arange(-before, after + 1)]
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    total = shapes.sum(axis=0)
    norms = np.maximum(np.sqrt((shapes**2).sum(axis=1)), _NOTHING)
    others = total - shapes
    likeness[whole] = (shapes * others).sum(axis=1) / (norms * np.maximum(np.sqrt((others**2).sum(axis=1)), _NOTHING))
    unit = shapes / norms[:, None]
    pairs = (unit @ unit.T)[np.triu_indices(len(unit), 1)]
    sizes = (shapes @ total) / max(float(total @ total), _NOTHING) * len(shapes)
    part = slice(max(0, int(begin * wave.rate)), int(end * wave.rate) + 1)
    volume = wave.volume[part]
    low, high = np.quantile(wave.slope[part], (TAIL, 1.0 - TAIL))
    evidence = (
        LIKE * float(np.median(pairs))
        + ALIKE * float(ramp(np.quantile(pairs, _LEAST_ALIKE), ALL_ALIKE))
        - UNEVEN * min(unevenness(intervals), MOST_UNEVEN)
        + PERIODIC * _periodicity(volume, period)
        + STEEP * float(np.clip(np.log(max(high, _NOTHING) / max(-low, _NOTHING)), 0.0, MOST_STEEP))
        - AGAINST
    )
    scores = (
        (evidence, EVIDENCE),
        (float(np.std(np.log(np.maximum(sizes, _SMALLEST)))), SPREAD),
        (_periodicity(volume, 0.5 * period), HALVED),
        (_unreturned(wave, middles), UNRETURNED),
    )
    trust = float(np.prod([ramp(np.float64(score), limits) for score, limits in scores]))
    return Judged(trust, first, likeness)


def _unreturned(wave: Wave, middles: Indices) -> float:
    """How far the level moves from one foot to the next, over the height of the pulse between; the median."""
    raw, rate = wave.raw, wave.rate
    feet = raw[np.maximum(middles - round(_FOOT * rate), 0)]
    ahead = np.minimum(middles[:, None] + np.arange(round(_TOP * rate)), len(raw) - 1)
    rises = np.maximum(raw[ahead].max(axis=1) - feet, _NOTHING)
    return float(np.median(np.abs(np.diff(feet)) / rises[:-1]))


def unevenness(intervals: Floats) -> float:
    """Median relative deviation of the intervals, or of sums of two where they alternate."""
    spreads = [_spread(intervals)]
    if len(intervals) > 2:
        spreads.append(_spread(intervals[1:] + intervals[:-1]))
    return min(spreads)


def _spread(values: Floats) -> float:
    middle = np.median(values)
    return float(np.median(np.abs(values - middle)) / middle)


def _periodicity(volume: Floats, period: float) -> float:
    """Highest correlation of the wave with itself about one period later."""
    power = float(volume @ volume)
    if power <= 0:
        return 0.0
    lags = range(max(1, int(0.9 * period)), min(int(1.1 * period) + 2, len(volume) // 2))
    alike = (float(volume[lag:] @ volume[:-lag]) * len(volume) / (len(volume) - lag) / power for lag in lags)
    return max(alike, default=0.0)

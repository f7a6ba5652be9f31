"""How much speaks for each candidate being a beat: log odds, a weighted sum of a few things that are seen of it.

The weights are those of two logistic regressions on four records of MIT-BIH, as they are and made harder in many ways:
`kiosk bench accuracy --fit` prints them. In noise other things count than in calm: each weight has two ends.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.ecg.candidates import Candidates
from analytics.ecg.neighbours import contrast, highest, running_median, running_quantile, since_higher
from analytics.ecg.shapes import likeness
from analytics.quality import ramp

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

REFRACTORY = 0.200
"""Seconds within which a heart beats but once."""
SEED_APART = 0.300
"""Seconds between the candidates from which the first level is taken..."""
SEED_BEATS, SEED_QUANTILE = 15, 0.6
"""... how many of them, and which of these it is."""
STEEPER, SEED_LIMITS, SEED_SCORE, SEED_BEATS_APART = 1.5, (-3.0, 0.5), -1.5, 0.250
"""First guess: weight of the high band, limits of the logarithm of height over level, least sum, seconds apart."""
LEVEL_BEATS = 9
"""Beats whose median height is the level..."""
AROUND_BEATS, FALL = 45, 2.0
"""... but no less than that of more beats by so much, as a logarithm: P waves in a pause are no small beats."""
FAR_BELOW, ABOVE = -2.5, 0.7
"""Logarithms of height over level, outside which it makes no difference: larger is no better."""
STANDS = 3.0
"""The same of height over floor..."""
CLEAR = 4.0
"""... and of level over floor."""
NARROW = (-2.0, 1.0)
"""Logarithm of the energy in the low band over that in the slow one: T waves have -2 to -1, a smooth PVC -0.7, narrow
complexes 0.5 to 1."""
STEEPER_BEFORE = 0.7
"""Logarithm by which the high band must have been higher for a complex whose T wave this might be..."""
REPOLARISED = (0.28, 0.44)
"""... and the seconds after it within which that becomes impossible."""
BESIDE = (-3.0, 2.0)
"""The same of height over what is near."""
WAVES = 0.150
"""Seconds from a complex after which its T wave or the next P wave lies..."""
FLANKS = 0.050
"""... and after which nothing should match the usual shapes better..."""
FARTHEST, FARTHEST_SHARE = (0.250, 0.450), 0.6
"""... until so many seconds, and that share of the usual interval..."""
LEAST_MATCH = -4.0
"""... by a match of more than this, as a logarithm."""
STRETCH = 600.0
"""Seconds that have their own usual shapes..."""
BEYOND = 60.0
"""... with the beats so many seconds before and after it..."""
FEWEST = 4
"""... at least so many..."""
CLEAREST = 0.2
"""... that stand out by no less than the median one, but for this."""

FIRST = np.array(
    (
        (-5.253, 1.502, 3.121, 2.671, -0.888, 0.708, -1.831, 0.551, 0.462, 2.123, 2.286, -2.024, 3.760),
        (4.172, -1.398, -1.346, -3.498, 1.023, -2.208, 3.521, -0.145, 0.533, -1.005, -2.733, 10.386, -1.053),
    )
)  # fmt: skip
"""Weights in noise, and below them what calm adds. Constant; height over level (low band, high band), over the floor,
level over floor, height over waves beside, height over level in the slow band, narrowness, whether repolarisation is
over, and height in the slow band if it is."""
SECOND = np.array(
    (
        (4.045, 1.241, 1.814, -1.562, -1.046, -1.616, -1.294, 0.365, 0.331, 1.868, 0.113, -4.874, 3.339,
         9.872, 1.340, -0.216, 1.069, 1.156, 0.763),
        (-9.438, 0.291, -0.395, 1.334, 2.313, 1.932, 3.071, -0.607, 0.774, -1.114, -0.793, 14.274, -0.600,
         -5.656, -13.000, -2.054, 1.483, -0.706, -1.348),
    )
)  # fmt: skip
"""The same; likeness (low band, high band), size over the usual one, size over what matches beside."""


def seeds(found: Candidates) -> Indices:
    """A first guess: what is high for its surroundings, mostly in the high band."""
    start = highest(found.times, found.low.energy + found.high.energy, SEED_APART)
    if not len(start):
        return start
    score = np.zeros(len(found.times))
    for seen, weight in ((found.low, 1.0), (found.high, STEEPER)):
        level = running_quantile(seen.energy[start], SEED_BEATS, SEED_QUANTILE)
        score += weight * np.clip(seen.energy - _next(found.times, start, level), *SEED_LIMITS)
    chosen = np.flatnonzero(score > SEED_SCORE)
    return chosen[highest(found.times[chosen], score[chosen], SEED_BEATS_APART)]


def by_height(found: Candidates, beats: Indices) -> Floats:
    """Log odds by height alone, over the level of what is taken for beats."""
    level = levels(found, beats)
    return log_odds(FIRST, level.calm, heights(found, beats, level))


def by_shape(found: Candidates, beats: Indices, odds: Floats) -> Floats:
    """Log odds by height and likeness; the beats that have taught the usual shapes come with their own odds."""
    level = levels(found, beats)
    return log_odds(SECOND, level.calm, heights(found, beats, level) + matches(found, beats, odds, level))


def log_odds(weights: Floats, calm: Floats, columns: list[Floats]) -> Floats:
    """The sum of what is seen, with weights that go from one row to the sum of both as it gets calm."""
    total = np.asarray(weights[0, 0] + weights[1, 0] * calm)
    for (always, more), column in zip(weights.T[1:].tolist(), columns, strict=True):
        total += (always + more * calm) * column
    return total


@dataclass(frozen=True, slots=True)
class Levels:
    """What is usual around each candidate, a row for each band: slow, low, high."""

    over: Floats
    """The candidate's height over the usual one, logarithm."""
    clear: Floats
    """The usual height over the floor."""
    calm: Floats
    """How far it stands over the floor in the slowest and in the fastest band, 0..1."""


def levels(found: Candidates, beats: Indices) -> Levels:
    """The same by what is taken for beats."""
    bands = (found.slow, found.low, found.high)
    energy = np.stack([band.energy for band in bands])
    around = running_median(energy[:, beats], AROUND_BEATS) - FALL
    level = _next(found.times, beats, np.maximum(running_median(energy[:, beats], LEVEL_BEATS), around))
    clear = np.clip(level - np.stack([band.floor for band in bands]), 0.0, CLEAR)
    return Levels(np.clip(energy - level, FAR_BELOW, ABOVE), clear, (clear[0] + clear[2]) / (2.0 * CLEAR))


def heights(found: Candidates, beats: Indices, level: Levels) -> list[Floats]:
    """What is seen of each candidate's height, in the order of the weights."""
    slow, low, high = level.over
    both = 0.5 * (found.low.energy + found.high.energy)
    beside = [np.clip(side, *BESIDE) for side in contrast(found.times, both, WAVES, _reach(found, beats))]
    stands = [np.clip(seen.energy - seen.floor, 0.0, STANDS) for seen in (found.low, found.high)]
    narrow = np.clip(found.low.energy - found.slow.energy, *NARROW)
    steep = np.full(len(found.times), -np.inf)
    steep[beats] = found.high.energy[beats] - STEEPER_BEFORE
    since = since_higher(found.times, steep, found.high.energy, REPOLARISED[1])
    over = 1.0 - ramp(since, REPOLARISED)
    return [low, high, *stands, level.clear[1], level.clear[2], *beside, slow, narrow, over, slow * over]


def matches(found: Candidates, beats: Indices, odds: Floats, level: Levels) -> list[Floats]:
    """What is seen of each candidate's likeness to the usual shapes, in the order of the weights."""
    clear = level.clear[1] + level.clear[2] + odds
    correlations = np.zeros((2, len(found.times)))
    sizes = np.zeros((2, len(found.times)))
    ends = np.arange(STRETCH, found.times[-1] + STRETCH, STRETCH)
    for end in ends.tolist():
        here = np.arange(*np.searchsorted(found.times, (end - STRETCH, end)))
        begin, stop = np.searchsorted(found.times[beats], (end - STRETCH - BEYOND, end + BEYOND))
        near = beats[begin:stop]
        if len(near) >= FEWEST:
            near = near[clear[near] >= np.median(clear[near]) - CLEAREST]
        for place, seen in enumerate((found.low, found.high)):
            like = likeness(seen, here, near)
            correlations[place, here], sizes[place, here] = like.correlation, like.size
    usual = _next(found.times, beats, running_median(sizes[:, beats], LEVEL_BEATS))
    over = np.clip(sizes - usual, FAR_BELOW, ABOVE)
    matched = np.maximum(sizes[1], LEAST_MATCH)
    beside = [np.clip(side, *BESIDE) for side in contrast(found.times, matched, FLANKS, _reach(found, beats))]
    return [*correlations, *over, *beside]


def _reach(found: Candidates, beats: Indices) -> Floats:
    """Seconds from each candidate in which no other beat is expected."""
    times = found.times[beats]
    if len(times) < 2:
        return np.full(len(found.times), FARTHEST[1])
    usual = running_median(np.diff(times), LEVEL_BEATS)
    return np.clip(FARTHEST_SHARE * _next(found.times, beats[1:], usual), *FARTHEST)


def _next(times: Floats, beats: Indices, values: Floats) -> Floats:
    """For each candidate the value at the next beat, or the last."""
    return np.asarray(values[..., np.minimum(np.searchsorted(times[beats], times), len(beats) - 1)])

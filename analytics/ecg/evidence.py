"""How much speaks for each candidate being a beat: log odds, a weighted sum of a few things that are seen of it.

The weights are those of two logistic regressions on MIT-BIH 100, 106, 119 and 123: as they are; with electrode motion
of the noise stress test (Moody, Muldrow & Mark 1984) at 12, 6 and 0 dB and muscle-like noise at 12 and 6 dB; resampled;
and with tall T and P waves, wide early beats, pauses, pacing spikes, hum, wander, sudden and slow changes of height;
and with the time between complexes shortened, stretched and made irregular.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.ecg.candidates import Candidates, Seen
from analytics.ecg.neighbours import contrast, highest, running_median, running_quantile
from analytics.ecg.shapes import likeness

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
"""Beats whose median height is the level."""
FAR_BELOW, ABOVE = -2.5, 0.7
"""Logarithms of height over level, outside which it makes no difference: larger is no better."""
STANDS = 3.0
"""The same of height over floor..."""
CLEAR = 4.0
"""... and of level over floor."""
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

FIRST = np.array([-6.985, 3.369, 2.336, 1.780, -0.432, 2.346, -0.435, 0.516, 0.647])
"""Constant; height over level (low band, high band), height over floor, level over floor, height over waves beside."""
SECOND = np.array(
    [-3.670, 3.146, 3.827, -1.594, 0.350, 3.525, -0.615, -0.836, -1.486, -0.912, 0.885, 2.323, -2.456, 1.688, 2.283]
)
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
    return _weighted(FIRST, heights(found, beats))


def by_shape(found: Candidates, beats: Indices, odds: Floats) -> Floats:
    """Log odds by height and likeness; the beats that have taught the usual shapes come with their own odds."""
    return _weighted(SECOND, heights(found, beats) + matches(found, beats, odds))


def heights(found: Candidates, beats: Indices) -> list[Floats]:
    """What is seen of each candidate's height, in the order of the weights."""
    low, high = (_over_level(found, seen, beats) for seen in (found.low, found.high))
    both = 0.5 * (found.low.energy + found.high.energy)
    beside = [np.clip(side, *BESIDE) for side in contrast(found.times, both, WAVES, _reach(found, beats))]
    stands = [np.clip(seen.energy - seen.floor, 0.0, STANDS) for seen in (found.low, found.high)]
    clear = [_clear(found, seen, beats) for seen in (found.low, found.high)]
    return [low, high, *stands, *clear, *beside]


def matches(found: Candidates, beats: Indices, odds: Floats) -> list[Floats]:
    """What is seen of each candidate's likeness to the usual shapes, in the order of the weights."""
    clear = _clear(found, found.low, beats) + _clear(found, found.high, beats) + odds
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
    over = [
        np.clip(size - _next(found.times, beats, running_median(size[beats], LEVEL_BEATS)), FAR_BELOW, ABOVE)
        for size in sizes
    ]
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


def _weighted(weights: Floats, columns: list[Floats]) -> Floats:
    total = np.full(len(columns[0]), weights[0])
    for weight, column in zip(weights[1:].tolist(), columns, strict=True):
        total += weight * column
    return total


def _over_level(found: Candidates, seen: Seen, beats: Indices) -> Floats:
    return np.clip(seen.energy - _level(found, seen, beats), FAR_BELOW, ABOVE)


def _clear(found: Candidates, seen: Seen, beats: Indices) -> Floats:
    return np.clip(_level(found, seen, beats) - seen.floor, 0.0, CLEAR)


def _level(found: Candidates, seen: Seen, beats: Indices) -> Floats:
    return _next(found.times, beats, running_median(seen.energy[beats], LEVEL_BEATS))


def _next(times: Floats, beats: Indices, values: Floats) -> Floats:
    """For each candidate the value at the next beat, or the last."""
    return values[np.minimum(np.searchsorted(times[beats], times), len(beats) - 1)]

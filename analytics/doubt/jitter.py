"""What the error of beat times does to a number: how far the value without it may lie to either side.

With errors e of variance s2 per beat, a filter h makes y + h*e of what would be y. Its mean square is larger by
s2 sum(h^2) and spreads with variance (4 s2 mean((h~*y)^2) + 2 s2^2 sum(r^2)) / n, r being the autocorrelation of h.
For SDNN h is (1, -1): 2 s2. For RMSSD (1, -2, 1): 6 s2. For SD2 (1, 0, -1) / sqrt 2: s2.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from analytics.beats import Floats, Intervals
from analytics.doubt.traits import differences

NORMAL_95 = 1.959964
LEAST = 1e-4
"""Share of the mean square below which nothing is left of a number but error."""
BORDER = 0.050
"""Seconds: pNN50's."""
FILTERS = {
    "sdnn": (1.0, -1.0),
    "rmssd": (1.0, -2.0, 1.0),
    "sd2": (0.5**0.5, 0.0, -(0.5**0.5)),
}
"""From beat times' errors to what each is the root mean square of."""


@dataclass(frozen=True, slots=True)
class Jitter:
    """In the unit of the measure's law: bias of the value, and from the value without bias the ways down and up."""

    bias: float
    below: float
    above: float
    lost: bool = False
    """Whether nothing may be left of the number."""


def of_mean(series: Intervals, precision: float) -> Jitter:
    """In SDNN: only the first and the last beat of each run are in a mean."""
    runs = int(np.count_nonzero(~series.follows))
    way = NORMAL_95 * precision * (2.0 * runs) ** 0.5 / len(series.values) / float(series.values.std(ddof=1))
    return Jitter(0.0, way, way)


def of_root_mean_square(kind: str, series: Intervals, precision: float) -> Jitter:
    """In logarithms."""
    taps = np.array(FILTERS[kind])
    y = filtered(kind, series)
    square = float(np.mean(y**2))
    correlation = np.correlate(taps, taps, "full")
    error, squares = precision**2 * float(taps @ taps), float(correlation @ correlation)
    crossed = float(np.mean(np.convolve(y, taps[::-1], "valid") ** 2)) - precision**2 * squares
    spread = (4.0 * precision**2 * max(crossed, 0.0) + 2.0 * precision**4 * squares) / len(y)
    way = NORMAL_95 * spread**0.5
    least = LEAST * square
    centre, low, high = (max(square - error + step, least) for step in (0.0, -way, way))
    bias, below, above = (0.5 * float(np.log(a / b)) for a, b in ((square, centre), (centre, low), (high, centre)))
    return Jitter(bias, below, above, lost=low <= least)


def of_share(series: Intervals, precision: float) -> Jitter:
    """In standard normal deviates of pNN50, whose truth lies between it and what it would be of smaller differences.

    Smaller by as much as RMSSD: right for normal differences, too much for a few great ones. Chance comes on top: the
    same error once more says for each difference how easily it crosses the border.
    """
    if precision <= 0:
        return Jitter(0.0, 0.0, 0.0)
    steps = differences(series)
    count = len(steps)
    smaller = steps * np.exp(-of_root_mean_square("rmssd", series, precision).bias)
    share, least = (float(np.mean(np.abs(each) > BORDER)) for each in (steps, smaller))
    error = 6.0**0.5 * precision
    crossing = ndtr((steps - BORDER) / error) + ndtr((-steps - BORDER) / error)
    # neighbouring differences share two beats: 1.94 times the variance of independent ones
    way = NORMAL_95 * (1.94 * float(np.mean(crossing * (1.0 - crossing))) / count) ** 0.5
    value, low, high = (deviate(each, count) for each in (share, least - way, share + way))
    return Jitter(0.0, value - low, high - value)


def deviate(share: float, count: int) -> float:
    """A share of `count` as standard normal deviate, half a case away from none and all."""
    return float(ndtri((min(max(share, 0.0), 1.0) * count + 0.5) / (count + 1.0)))


def filtered(kind: str, series: Intervals) -> Floats:
    """What a measure of this kind is the root mean square of."""
    values = series.values - series.values.mean()
    if kind == "sdnn":
        return np.asarray(values)
    if kind == "rmssd":
        return differences(series)
    return np.asarray((values[1:] + values[:-1])[series.follows[1:]] * 0.5**0.5)

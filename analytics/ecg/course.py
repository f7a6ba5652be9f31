"""Of all candidates the course of beats for which most speaks: what is seen of each, and a weak belief in rhythm.

Dynamic programming (Viterbi 1967, doi:10.1109/TIT.1967.1054010). An interval that is not the usual one costs at most
1.5 in log odds, and nothing where the rhythm is irregular: so arrhythmia in a clean signal, where odds are of another
size, is left alone.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from analytics.ecg.evidence import REFRACTORY
from analytics.ecg.neighbours import running_median

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

UNUSUAL = 1.5
"""Log odds that an interval far from the usual one costs."""
TOLERANCE = 0.20
"""Logarithm of an interval over the usual one, from which on it is far."""
MISSED = 0.7
"""Of this cost, what each further beat adds that did not come in a long interval."""
USUAL_BEATS = 15
"""Intervals whose median is the usual one."""
REGULAR, REGULAR_BEATS = 0.15, 21
"""Logarithm within which an interval is a regular one, and among how many their share is taken."""
IRREGULAR = (0.3, 0.8)
"""Share of regular intervals up to which there is no belief in rhythm, and from which there is all of it."""
SILENCE = 3.0
"""Seconds after which a beat is no later."""
SURE = 8.0
"""Log odds above which nothing is surer."""


def best(times: Floats, odds: Floats, beats: Indices) -> Indices:
    """Which candidates are beats, given those of a first guess, from whose intervals the rhythm is known."""
    usual, belief = _rhythm(times, beats)
    cost = UNUSUAL * belief
    odds = np.minimum(odds, SURE)
    # no interval that it would split can cost more than this
    kept = np.flatnonzero(odds > -cost * (1.0 + MISSED * np.maximum(0.0, SILENCE / usual - 2.0)))
    if not len(kept):
        return kept
    times, odds, usual, cost = times[kept], odds[kept], usual[kept], cost[kept]
    alone = np.diff(times, prepend=-np.inf) >= REFRACTORY
    alone[:-1] &= alone[1:]
    # a beat that no course leaves out cuts the record into parts with courses of their own
    certain = np.flatnonzero(alone & (odds > 2.0 * UNUSUAL))
    chosen = np.zeros(len(times), dtype=np.bool_)
    chosen[certain] = True
    edges = np.concatenate(([-1], certain, [len(times)]))
    for number in np.flatnonzero(np.diff(edges) > 1).tolist():
        begin, end = max(0, int(edges[number])), min(len(times), int(edges[number + 1]) + 1)
        part = _course(times[begin:end].tolist(), odds[begin:end], usual[begin:end], cost[begin:end], chosen[begin:end])
        chosen[begin:end][part] = True
    return kept[chosen]


def _rhythm(times: Floats, beats: Indices) -> tuple[Floats, Floats]:
    """The usual interval around each candidate, and the belief in it, 0..1."""
    intervals = np.diff(times[beats])
    if len(intervals) < 3:
        return np.ones(len(times)), np.zeros(len(times))
    usual = running_median(intervals, USUAL_BEATS)
    regular = (np.abs(np.log(intervals / usual)) < REGULAR).astype(np.float64)
    share = ndimage.uniform_filter1d(regular, min(REGULAR_BEATS, len(regular)), mode="nearest")
    belief = np.clip((share - IRREGULAR[0]) / (IRREGULAR[1] - IRREGULAR[0]), 0.0, 1.0)
    place = np.clip(np.searchsorted(times[beats], times) - 1, 0, len(intervals) - 1)
    return usual[place], belief[place]


def _course(times: list[float], odds: Floats, usual: Floats, cost: Floats, certain: Flags) -> list[int]:
    """The best course through a few candidates; the certain ones, first or last, are on it."""
    count = len(times)
    worth, before = [0.0] * count, [-1] * count
    recent, oldest = 0, -1
    for place, time in enumerate(times):
        expected, price = float(usual[place]), float(cost[place])
        # whoever comes first has no interval before it
        top, which = (0.0, -1) if place == 0 or not certain[0] else (-np.inf, -1)
        while times[recent] <= time - SILENCE:
            oldest = recent if oldest < 0 or worth[recent] > worth[oldest] else oldest
            recent += 1
        if oldest >= 0 and (total := worth[oldest] - price * _strangeness(SILENCE, expected)) > top:
            top, which = total, oldest
        for other in range(recent, place):
            away = time - times[other]
            if away < REFRACTORY:
                break
            total = worth[other] - price * _strangeness(away, expected)
            if total > top:
                top, which = total, other
        worth[place], before[place] = top + float(odds[place]), which
    place = count - 1 if certain[-1] else int(np.argmax(worth))
    if worth[place] <= 0.0 and not certain.any():
        return []
    course = []
    while place >= 0:
        course.append(place)
        place = before[place]
    return course


def _strangeness(interval: float, usual: float) -> float:
    deviation = math.log(interval / usual) / TOLERANCE
    return min(1.0, deviation * deviation) + MISSED * max(0.0, interval / usual - 2.0)

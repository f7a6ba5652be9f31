"""Long recordings: what takes more than linear time, or wants a steady state, is had from windows of five minutes."""

import itertools

import numpy as np

from analytics.beats import Intervals

WINDOW = 300.0
"""Seconds: the short-term recording of the Task Force 1996."""
WHOLE = 600.0
"""Seconds up to which a recording is one window."""
NOTHING = 1e-6
"""Seconds by which the last window may be short: only rounding makes it so."""
COVERED = 0.8
"""Share of a window that its intervals must fill."""


def split(intervals: Intervals) -> list[Intervals]:
    """The intervals as they are, up to ten minutes; else the full windows of five minutes that have enough of them."""
    if not len(intervals.values):
        return []
    begin = intervals.ends[0] - intervals.values[0]
    if intervals.ends[-1] - begin <= WHOLE:
        return [intervals]
    borders = np.arange(begin, intervals.ends[-1] + NOTHING, WINDOW)
    cuts = np.searchsorted(intervals.ends, borders, side="right")
    parts = (part(intervals, first, last) for first, last in itertools.pairwise(cuts))
    return [each for each in parts if each.values.sum() >= COVERED * WINDOW]


def part(intervals: Intervals, first: int, last: int) -> Intervals:
    """Those from the first to before the last."""
    follows = intervals.follows[first:last].copy()
    follows[:1] = False
    return Intervals(intervals.ends[first:last], intervals.values[first:last], follows)


def runs(intervals: Intervals) -> list[Intervals]:
    """The stretches in which each interval follows the one before it."""
    borders = [*np.flatnonzero(~intervals.follows).tolist(), len(intervals.values)]
    return [part(intervals, first, last) for first, last in itertools.pairwise(borders)]

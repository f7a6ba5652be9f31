"""Beats as a person left them, held against those that were found: which are theirs, which intervals may be used."""

import numpy as np
from numpy.typing import NDArray

from analytics.beats import Beats, Change, Corrected, Flags, Floats
from analytics.correction import LONGEST

Counts = NDArray[np.int64]

SAME = 0.0005
"""Seconds within which a beat is one that was found and not touched: finer than the sampling of any of our signals."""
WHOLE = 1.5
"""Times the usual interval: where nothing could be read, an interval that a hand made counts up to this. At twice the
usual one a beat is missing."""


def untouched(times: Floats, found: Corrected) -> tuple[Flags, Counts]:
    """Which beats stand where they were found, and for each the index of the found one that is nearest."""
    if not len(found.times):
        return np.zeros(len(times), np.bool_), np.zeros(len(times), np.int64)
    right = np.clip(np.searchsorted(found.times, times), 1, max(1, len(found.times) - 1))
    right = np.minimum(right, len(found.times) - 1)
    left = np.maximum(right - 1, 0)
    nearest = np.where(times - found.times[left] <= found.times[right] - times, left, right)
    return np.abs(times - found.times[nearest]) <= SAME, nearest


def held(times: Floats, found: Corrected) -> Flags:
    """For each beat but the first: whether the interval that ends there may be used.

    An interval inside stretches that the analysis used may be. In others - gaps, unreadable seconds, holes that
    nothing fitted - one between two untouched beats may not, and one with an end set by hand may be where no beat
    can be missing from it.
    """
    steps = np.diff(times)
    if len(found.times) < 2:
        return np.asarray(steps <= LONGEST)
    broken = np.concatenate(([0], np.cumsum(~found.held)))
    # the found intervals that an interval touches, the last one exclusive
    first = np.clip(np.searchsorted(found.times, times[:-1] + SAME, side="right") - 1, 0, len(found.held))
    last = np.clip(np.searchsorted(found.times, times[1:] - SAME, side="left"), 0, len(found.held))
    sound = (broken[np.maximum(first, last)] == broken[first]) & (last > first)
    usual = float(np.median(steps[sound])) if sound.any() else float(np.median(steps)) if len(steps) else 0.0
    mine = ~untouched(times, found)[0]
    vouched = (mine[1:] | mine[:-1]) & (steps <= WHOLE * usual)
    return np.asarray((sound | vouched) & (steps <= LONGEST))


def corrected(beats: Beats, found: Corrected) -> Corrected:
    """The beats, with what the automatic correction did to those that nobody touched: it still counts."""
    same, nearest = untouched(beats.times, found)
    changes = np.full(len(beats.times), Change.MEASURED, dtype=np.uint8)
    changes[same] = found.changes[nearest[same]]
    # one that was taken out and that somebody put back is there again
    removed = np.array([each for each in found.removed if not (np.abs(beats.times - each) <= SAME).any()])
    return Corrected(beats.times, beats.held, changes, removed)

"""R peaks: where each complex has its maximum, refined below one sample; and all of them in a whole stretch."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analytics import filters
from analytics.ecg import course, evidence, features
from analytics.ecg.candidates import Candidates, candidates
from analytics.ecg.neighbours import highest

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

SEARCH = 0.080
"""Seconds around the middle of the energy within which the R maximum lies."""
BASELINE = 0.150
"""Seconds on both sides whose median is the level that R stands on."""
SMOOTHING = 0.016
"""Seconds to each side of the Hann kernel: halves noise above 40 Hz, and moves no symmetric peak."""
CONTRARY = 1.6
"""Times the lead's main deflection by which a beat must point the other way to be taken there (a PVC)."""
EDGE = 0.060
"""Seconds from the ends of a stretch within which no complex is whole."""
MEET = 0.090
"""Seconds within which two maxima are one."""
TOGETHER = 4096
"""Beats whose surroundings are in memory at once."""


@lru_cache(maxsize=64)
def kernel(rate: float) -> Floats:
    """What a wave is smoothed with before its extrema are looked for."""
    half = max(1, round(SMOOTHING * rate))
    weights = np.hanning(2 * half + 1) if half > 1 else np.array([0.25, 0.5, 0.25])
    return np.asarray(weights / weights.sum())


def margin(rate: float) -> int:
    """Samples that `deflections` needs on both sides of an index."""
    return round((SEARCH + BASELINE) * rate) + len(kernel(rate)) // 2 + 1


@dataclass(frozen=True, slots=True)
class Deflections:
    """The highest and the lowest point around each energy maximum: broken index and millivolts over the baseline."""

    up_at: Floats
    up: Floats
    down_at: Floats
    down: Floats


def deflections(x: Floats, middles: Indices, rate: float) -> Deflections:
    """Both extrema near each middle, from a signal without lost samples that goes on as it begins and ends."""
    weights, search, around = kernel(rate), round(SEARCH * rate), round(BASELINE * rate)
    half = len(weights) // 2
    reach = search + around
    offsets = np.arange(-reach - half, reach + half + 1)
    rows = x[np.clip(middles[:, None] + offsets, 0, len(x) - 1)]
    # the kernel is short: a few scaled sums are faster than a convolution per row
    width = 2 * reach + 1
    smooth = np.zeros((len(middles), width))
    for place, weight in enumerate(weights):
        smooth += weight * rows[:, place : place + width]
    smooth -= np.median(smooth, axis=1, keepdims=True)
    near = smooth[:, reach - search - 1 : reach + search + 2]
    up_at, up = _parabola(near, np.argmax(near[:, 1:-1], axis=1) + 1)
    down_at, down = _parabola(-near, np.argmin(near[:, 1:-1], axis=1) + 1)
    first = middles - search - 1
    return Deflections(first + up_at, up, first + down_at, down)


def _parabola(rows: Floats, top: Indices) -> tuple[Floats, Floats]:
    """Vertex of the parabola through each maximum and its neighbours."""
    pick = np.arange(len(rows))
    left, middle, right = rows[pick, top - 1], rows[pick, top], rows[pick, top + 1]
    bend = left - 2 * middle + right
    safe = np.where(bend < 0, bend, -1.0)
    shift = np.where(bend < 0, np.clip(0.5 * (left - right) / safe, -0.5, 0.5), 0.0)
    return np.asarray(top + shift, dtype=np.float64), middle - 0.25 * (left - right) * shift


def upright(up: Floats, down: Floats) -> bool:
    """Whether R points up in this lead: the larger of the two median deflections."""
    return bool(np.median(up) >= np.median(down))


def fiducials(found: Deflections, *, up: bool) -> Floats:
    """Broken indices of R: the lead's main deflection, or the other one where it is far larger."""
    if up:
        return np.where(found.down > CONTRARY * found.up, found.down_at, found.up_at)
    return np.where(found.up > CONTRARY * found.down, found.up_at, found.down_at)


@dataclass(frozen=True, slots=True)
class Beats:
    """R maxima of one stretch (broken indices) with the height of their energy."""

    at: Floats
    heights: Floats
    energies: Floats
    """The energy, moved back by its delay: one value per sample."""


def beats(x: Floats, rate: float) -> Beats:
    """All beats of a stretch without gaps; lost samples are drawn as straight lines."""
    if rate < features.SLOWEST or len(x) < rate or not np.isfinite(x).any():
        return Beats(np.empty(0), np.empty(0), np.zeros(len(x)))
    x = filters.filled(x)
    found = candidates(x, rate)
    chosen = _chosen(found)
    # of a complex at the very edge nobody knows where its R is
    edge = EDGE * rate
    chosen = chosen[(found.index[chosen] >= edge) & (found.index[chosen] <= len(x) - 1 - edge)]
    if not len(chosen):
        return Beats(np.empty(0), np.empty(0), found.energies)
    at = _maxima(x, found.index[chosen], rate)
    # two candidates may meet at one maximum
    keep = (at >= edge) & (at <= len(x) - 1 - edge) & (np.diff(at, prepend=-np.inf) > MEET * rate)
    return Beats(at[keep], np.exp(found.low.energy[chosen])[keep], found.energies)


def r_peaks(x: Floats, rate: float) -> Floats:
    """Times of the R maxima in seconds after the first sample, refined by a parabola."""
    return beats(x, rate).at / rate


def _chosen(found: Candidates) -> Indices:
    """Which candidates are beats: a first guess by height, a second one by height and shape, then their best course."""
    guess = evidence.seeds(found)
    if not len(guess):
        return guess
    odds = evidence.by_height(found, guess)
    guess = likely(found, odds)
    if not len(guess):
        return guess
    odds = evidence.by_shape(found, guess, odds)
    return course.best(found.times, odds, likely(found, odds))


def likely(found: Candidates, odds: Floats) -> Indices:
    """The candidates for which more speaks than against, and than for any other within a refractory period."""
    chosen = np.flatnonzero(odds > 0)
    return chosen[highest(found.times[chosen], odds[chosen], evidence.REFRACTORY)]


def _maxima(x: Floats, middles: Indices, rate: float) -> Floats:
    """R maxima near these samples, some beats at a time."""
    parts = [deflections(x, middles[begin : begin + TOGETHER], rate) for begin in range(0, len(middles), TOGETHER)]
    found = Deflections(*(np.concatenate([getattr(part, name) for part in parts]) for name in Deflections.__slots__))
    return fiducials(found, up=upright(found.up, found.down))

"""R peaks: where each complex has its maximum, refined below one sample; and all of them in a whole stretch."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analytics import filters
from analytics.ecg import features
from analytics.ecg.threshold import FLOORS, LEAST, REPOLARISATION, Candidate, Threshold

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
DEAD_SPAN, DEAD_BLOCKS = 0.020, 10
"""Millivolts within which everything stays for ten blocks (2 s) where no heart is connected."""
SEARCH_BACK = 1.66
"""Times the usual interval after which a whole record is searched for a beat that was missed (Pan & Tompkins)."""
BACK_SHARE = 0.15
"""Of its neighbours' height that such a beat must have."""


@lru_cache(maxsize=64)
def _kernel(rate: float) -> Floats:
    half = max(1, round(SMOOTHING * rate))
    kernel = np.hanning(2 * half + 1) if half > 1 else np.array([0.25, 0.5, 0.25])
    return np.asarray(kernel / kernel.sum())


def margin(rate: float) -> int:
    """Samples that `deflections` needs on both sides of an index."""
    return round((SEARCH + BASELINE) * rate) + len(_kernel(rate)) // 2 + 1


@dataclass(frozen=True, slots=True)
class Deflections:
    """The highest and the lowest point around each energy maximum: broken index and millivolts over the baseline."""

    up_at: Floats
    up: Floats
    down_at: Floats
    down: Floats


def deflections(x: Floats, middles: Indices, rate: float) -> Deflections:
    """Both extrema near each middle, from a signal without lost samples that reaches `margin` beyond them."""
    kernel, search, around = _kernel(rate), round(SEARCH * rate), round(BASELINE * rate)
    half = len(kernel) // 2
    reach = search + around
    offsets = np.arange(-reach - half, reach + half + 1)
    rows = x[middles[:, None] + offsets]
    # the kernel is short: a few scaled sums are faster than a convolution per row
    width = 2 * reach + 1
    smooth = np.zeros((len(middles), width))
    for place, weight in enumerate(kernel):
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
    """All beats of a stretch without gaps; lost samples are held."""
    grid = features.grid(rate)
    if len(x) < rate:
        return Beats(np.empty(0), np.empty(0), np.zeros(len(x)))
    # the stretch goes on as it ends, so that a beat at its very end still has its energy
    tail = grid.delay + 2 * grid.reach + grid.block  # and the last block is whole
    lasting = np.concatenate((x, np.full(tail, np.nan)))
    held = filters.hold(lasting[:, None], _first_finite(x))[:, 0]
    banded = features.band(held, rate)
    lead = np.zeros(grid.integration)
    energies = np.concatenate((lead, features.energy(banded, rate)))
    tops = features.candidates(energies, rate)
    accepted = _accepted(held, energies, tops, rate)
    accepted = _search_back(energies, tops, accepted, rate)
    middles = accepted - grid.delay
    inside = (middles >= 0) & (middles < len(x))
    accepted, middles = accepted[inside], middles[inside]
    aligned = energies[grid.delay : grid.delay + len(x)]
    if not len(accepted):
        return Beats(np.empty(0), np.empty(0), aligned)
    beyond = margin(rate)
    found = deflections(np.pad(held[: len(x)], beyond, mode="edge"), middles + beyond, rate)
    at = fiducials(found, up=upright(found.up, found.down)) - beyond
    # two candidates may meet at one maximum
    keep = np.concatenate(([True], np.diff(at) > 0.5 * grid.reach)) & (at >= 0) & (at <= len(x) - 1)
    return Beats(at[keep], energies[accepted][keep], aligned)


def r_peaks(x: Floats, rate: float) -> Floats:
    """Times of the R maxima in seconds after the first sample, refined by a parabola."""
    return beats(x, rate).at / rate


def _first_finite(x: Floats) -> Floats:
    finite = np.flatnonzero(np.isfinite(x))
    return np.array([x[finite[0]] if len(finite) else 0.0])


def _accepted(held: Floats, energies: Floats, tops: Indices, rate: float) -> Indices:
    """The same decisions, block by block, that a stream would see."""
    grid = features.grid(rate)
    count = len(held) // grid.block
    threshold, kept = Threshold(), list[Candidate]()
    owners = (tops + grid.reach) // grid.block
    edges = np.searchsorted(owners, np.arange(count + 1))
    places, seconds, heights = tops.tolist(), (tops / rate).tolist(), energies[tops].tolist()
    rows = held[: count * grid.block].reshape(count, grid.block)
    bottom, top = rows.min(axis=1), rows.max(axis=1)
    for number in range(count):
        first = max(0, number + 1 - DEAD_BLOCKS)
        if top[first : number + 1].max() - bottom[first : number + 1].min() < DEAD_SPAN:
            threshold = Threshold()
            continue
        begin, end = max(0, (number + 1 - features.FLOOR_BLOCKS) * grid.block), (number + 1) * grid.block
        fresh = [
            Candidate(places[place], seconds[place], heights[place])
            for place in range(int(edges[number]), int(edges[number + 1]))
        ]
        kept += threshold.block(end / rate, fresh, features.floor(energies[begin:end]))
    return np.array([beat.index for beat in kept], dtype=np.intp)


def _search_back(energies: Floats, tops: Indices, accepted: Indices, rate: float) -> Indices:
    """In gaps of more than 1.66 usual intervals the highest candidate that could still be a beat."""
    if len(accepted) < 3:
        return accepted
    intervals = np.diff(accepted)
    usual = float(np.median(intervals))
    apart = round(REPOLARISATION * rate)
    more = []
    for gap in np.flatnonzero(intervals > SEARCH_BACK * usual):
        begin, end = accepted[gap] + apart, accepted[gap + 1] - apart
        inside = tops[(tops > begin) & (tops < end)]
        if not len(inside):
            continue
        best = int(inside[np.argmax(energies[inside])])
        around = float(np.median(energies[accepted[max(0, gap - 4) : gap + 6]]))
        quiet = features.floor(energies[max(0, begin - 2 * apart) : end + 2 * apart])
        if energies[best] > max(BACK_SHARE * around, 2 * FLOORS * quiet, LEAST):
            more.append(best)
    return np.sort(np.concatenate((accepted, np.array(more, dtype=np.intp))))

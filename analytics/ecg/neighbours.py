"""Each of a row of moments beside the others near it: loops over neighbours, not over moments."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def most_within(times: Floats, seconds: float) -> int:
    """The most that follow one within so many seconds."""
    return int((np.searchsorted(times, times + seconds) - np.arange(len(times))).max(initial=1)) - 1


def highest(times: Floats, scores: Floats, apart: float) -> Indices:
    """Of moments closer than `apart` seconds the best, then the next best among what is left, and so on."""
    alive = np.isfinite(scores)
    kept = np.zeros(len(times), dtype=np.bool_)
    most = most_within(times, apart)
    while alive.any():
        score = np.where(alive, scores, -np.inf)
        best = alive.copy()
        for step in range(1, most + 1):
            close = times[step:] - times[:-step] < apart
            # of equals the first
            best[step:] &= ~close | (score[step:] > score[:-step])
            best[:-step] &= ~close | (score[:-step] >= score[step:])
        kept |= best
        alive &= ~best
        for step in range(1, most + 1):
            close = times[step:] - times[:-step] < apart
            alive[step:] &= ~(close & best[:-step])
            alive[:-step] &= ~(close & best[step:])
    return np.flatnonzero(kept)


def contrast(times: Floats, heights: Floats, nearest: float, farthest: Floats) -> tuple[Floats, Floats]:
    """How far each candidate stands over the highest one that comes so many seconds before it, and after it."""
    before, after = np.full(len(times), -np.inf), np.full(len(times), -np.inf)
    for step in range(1, most_within(times, float(farthest.max(initial=0.0))) + 1):
        away = times[step:] - times[:-step]
        early = (away >= nearest) & (away <= farthest[step:])
        late = (away >= nearest) & (away <= farthest[:-step])
        before[step:] = np.where(early, np.maximum(before[step:], heights[:-step]), before[step:])
        after[:-step] = np.where(late, np.maximum(after[:-step], heights[step:]), after[:-step])
    return heights - before, heights - after


def since_higher(times: Floats, others: Floats, heights: Floats, longest: float) -> Floats:
    """Seconds from the last moment whose other height is above a moment's own, as far back as is looked."""
    since = np.full(len(times), longest)
    for step in range(1, most_within(times, longest) + 1):
        away = times[step:] - times[:-step]
        higher = others[:-step] > heights[step:]
        since[step:] = np.where(higher, np.minimum(since[step:], away), since[step:])
    return since


def running_median(values: Floats, size: int) -> Floats:
    """The median of each value and its neighbours in a row; beyond its ends they are mirrored: no end counts twice."""
    size = min(size, values.shape[-1])
    return ndimage.median_filter(values, size=(1, size) if values.ndim > 1 else size, mode="mirror")


def running_quantile(values: Floats, size: int, quantile: float) -> Floats:
    """The same for another quantile."""
    return ndimage.percentile_filter(values, 100.0 * quantile, size=min(size, len(values)), mode="mirror")

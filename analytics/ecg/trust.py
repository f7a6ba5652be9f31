"""Whether the beats found in some seconds of signal come from a heart: noise has maxima, too, and they are counted.

Each of the six properties that a row of QRS complexes has falls from 1 to 0 between two limits; trust is their product.
Seen on MIT-BIH 100, 106, 119, 123 against white, pink, brown and muscle-like noise, steps and impulses: the energy
of real beats is 8 to 70 times that between them, of noise 1.7 to 2.7 times.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.ecg.peaks import Beats
from analytics.quality import ramp

Floats = NDArray[np.float64]

WINDOW = 8.0
"""Seconds that are judged together."""
LEAST_BEATS = 3
PROMINENCE = (5.5, 3.0)
"""Median energy of the beats over the median energy away from them."""
LIKENESS = (0.70, 0.45)
"""Correlation of the median beat with the third of the others that are most like it (ectopic beats have fellows)."""
STRANGE, STRANGERS = 0.65, (0.15, 0.40)
"""Beats less like the others than this are strangers; and the share of them: beats made of noise."""
UNEVENNESS = (0.15, 0.35)
"""Median relative deviation of the intervals, or of sums of two where they alternate: fibrillation has about 0.15."""
UNRETURNED = (0.8, 1.2)
"""Step from before to after a beat over its height: a lead that jumps does not come back."""
BREADTH = (0.25, 0.10)
"""Height 8 ms beside the maximum over the height of the maximum: a click has none."""
ENOUGH = 0.5
"""Trust from which the beats are taken for a heart's."""
_AWAY, _SHAPE, _BEFORE, _BESIDE = 0.12, 0.20, (0.15, 0.08), 0.008


def trust(x: Floats, found: Beats, rate: float, begin: int, end: int) -> float:
    """Trust in the beats between two samples of a stretch without lost samples."""
    edge = round(_SHAPE * rate) + 1
    chosen = (found.at >= max(begin, edge)) & (found.at < min(end, len(x) - edge))
    at, heights = found.at[chosen], found.heights[chosen]
    if len(at) < LEAST_BEATS:
        return 0.0
    middles = np.rint(at).astype(np.intp)
    likeness = _likeness(x, middles, rate)
    scores = (
        ramp(_prominence(found.energies[begin:end], middles - begin, heights, rate), PROMINENCE),
        ramp(np.median(likeness), LIKENESS),
        ramp(np.mean(likeness < STRANGE), STRANGERS),
        ramp(_unevenness(at), UNEVENNESS),
        _shape(x, middles, rate),
    )
    return float(np.prod(scores))


def _prominence(energies: Floats, middles: NDArray[np.intp], heights: Floats, rate: float) -> Floats:
    around = round(_AWAY * rate)
    away = np.ones(len(energies), dtype=np.bool_)
    for middle in middles.tolist():
        away[max(0, middle - around) : middle + around + 1] = False
    # at 200 per minute hardly anything is away from the beats
    quiet = np.median(energies[away]) if away.mean() > 0.1 else np.quantile(energies, 0.1)
    return np.asarray(np.median(heights) / max(float(quiet), 1e-9))


def _likeness(x: Floats, middles: NDArray[np.intp], rate: float) -> Floats:
    half, step = round(_SHAPE * rate), max(1, int(rate / 125))
    shapes = x[middles[:, None] + np.arange(-half, half + 1, step)]
    # wander below the complex is not its shape
    line = np.linspace(-1.0, 1.0, shapes.shape[1])
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    shapes -= (shapes @ line / (line @ line))[:, None] * line
    shapes /= np.maximum(np.sqrt((shapes**2).sum(axis=1, keepdims=True)), 1e-9)
    alike = shapes @ shapes.T
    np.fill_diagonal(alike, -1.0)
    third = -(-(len(middles) - 1) // 3)
    return np.asarray(np.sort(alike, axis=1)[:, -third:].mean(axis=1))


def _unevenness(at: Floats) -> Floats:
    intervals = np.diff(at)
    spreads = [_spread(intervals)]
    if len(intervals) > 2:
        spreads.append(_spread(intervals[1:] + intervals[:-1]))
    return np.asarray(min(spreads))


def _spread(values: Floats) -> float:
    """Median deviation from the median, relative to it."""
    middle = np.median(values)
    return float(np.median(np.abs(values - middle)) / middle)


def _shape(x: Floats, middles: NDArray[np.intp], rate: float) -> Floats:
    far, near = (round(seconds * rate) for seconds in _BEFORE)
    before = np.median(x[middles[:, None] + np.arange(-far, -near + 1)], axis=1)
    after = np.median(x[middles[:, None] + np.arange(near, far + 1)], axis=1)
    level = 0.5 * (before + after)
    height = x[middles] - level
    step = np.abs(after - before) / np.maximum(np.abs(height), 1e-9)
    beside = max(1, round(_BESIDE * rate))
    flanks = 0.5 * (x[middles - beside] + x[middles + beside]) - level
    breadth = flanks / np.where(np.abs(height) > 1e-9, height, 1e-9)
    return ramp(np.median(step), UNRETURNED) * ramp(np.median(breadth), BREADTH)

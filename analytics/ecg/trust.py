"""Whether the beats found in some seconds of signal come from a heart: noise has maxima, too, and they are counted.

Each of the nine properties that a row of QRS complexes has falls from 1 to 0 between two limits; trust is their
product, so that several small doubts are a large one. Limits were set on MIT-BIH 100, 106, 119 and 123, alone and with
electrode motion from the noise stress test added at 18 to 0 dB (Moody, Muldrow & Mark 1984), against white, pink, brown
and muscle-like noise, steps and impulses.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from analytics.ecg import peaks
from analytics.ecg.peaks import Beats
from analytics.quality import ramp

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

WINDOW = 8.0
"""Seconds that are judged together."""
LEAST_BEATS = 3
PROMINENCE = (5.5, 3.0)
"""Median energy of the beats over the median energy away from them: 8 to 70 (wide complexes 6), of noise 1.7 to 2.7."""
LIKENESS = (0.97, 0.78)
"""Correlation of the median QRS with the third of the others most like it (ectopic beats have fellows)."""
STRANGE, STRANGERS = 0.80, (0.20, 1.20)
"""Beats less like the others than this, T wave and all, are strangers; and the share of them."""
UNEQUAL = (0.25, 0.80)
"""Standard deviation of the logarithm of a beat's energy over that of the third most like it: beats and artefacts in
turn have 0.5, normal and ectopic beats in turn have not."""
UNEVENNESS = (0.08, 0.38)
"""Median relative deviation of the intervals, or of sums of two where they alternate: fibrillation has about 0.11."""
SHORT, COUPLED, SHORTER = 0.5, 0.42, (0.05, 0.40)
"""Share of intervals below half the median one and so many seconds: something beats between the beats. The early beats
of a slow bigeminus come later than that."""
UNRETURNED = (0.8, 1.2)
"""Step from before to after a beat over its height: a lead that jumps does not come back."""
EDGE, COARSE_EDGE, EDGES = 0.7, 0.9, (0.10, 0.40)
"""Rise within 4 ms (below 200 Hz, within a sample) over the height of the whole: a click or a jerk has 0.9 and more, a
QRS complex 0.2 to 0.45 (at 125 Hz up to 0.8); and the share of such beats. A pacing spike lies before R, not in it."""
STEEPNESS = (8.0, 5.0)
"""Slope of the median beat, mV/s: of P waves alone, when the chambers stand still, 3 to 5; of an R wave of 0.2 mV 9; of
those of MIT-BIH 20 to 160."""
ENOUGH = 0.5
"""Trust from which the beats are taken for a heart's."""
_AWAY, _SHAPE, _QRS, _BEFORE = 0.12, 0.20, 0.08, (0.15, 0.08)
_RISE, _TOP, _WHOLE, _FINE = 0.004, 0.016, 0.030, 200.0
_WIDE = 0.060
_READINGS = 60.0  # of the energy per second: it is smooth over a tenth of one
_PIECE = 128  # windows whose numbers are in memory at once


def trust(x: Floats, found: Beats, rate: float, begin: int, end: int) -> float:
    """Trust in the beats between two samples of a stretch without lost samples."""
    return float(trusts(x, found, rate, np.array([begin, end]))[0])


def trusts(x: Floats, found: Beats, rate: float, edges: Indices) -> Floats:
    """Trust in the beats of each window between two edges, sample indices of a stretch without lost samples."""
    beyond = round(_SHAPE * rate) + 1
    whole = (found.at >= beyond) & (found.at < len(x) - beyond)
    at, heights = found.at[whole], found.heights[whole]
    parts = [np.zeros(0)]
    for first in range(0, len(edges) - 1, _PIECE):
        some = edges[first : first + _PIECE + 1]
        begin, end = np.searchsorted(at, (some[0], some[-1]))
        parts.append(_judged(x, at[begin:end], heights[begin:end], found.energies, rate, some))
    return np.concatenate(parts)


def _judged(x: Floats, at: Floats, heights: Floats, energies: Floats, rate: float, edges: Indices) -> Floats:
    """The product of the nine for each window; 0 where there are fewer than three beats."""
    scores = np.zeros(len(edges) - 1)
    owners = np.searchsorted(edges, at, side="right") - 1
    enough = np.bincount(owners, minlength=len(scores)) >= LEAST_BEATS
    if not enough.any():
        return scores
    kept = enough[owners]
    at, heights = at[kept], heights[kept]
    windows = _Windows((np.cumsum(enough) - 1)[owners[kept]])
    middles = np.rint(at).astype(np.intp)
    sizes = np.log(np.maximum(heights, 1e-9))
    (qrs, fellows), (whole, _) = (_likeness(x, middles, rate, half, windows, sizes) for half in (_QRS, _SHAPE))
    deviation, short = _intervals(at / rate, windows)
    quiet = _quiet(energies, middles, rate, edges[:-1][enough], edges[1:][enough])
    scores[enough] = (
        ramp(windows.median(heights) / np.maximum(quiet, 1e-9), PROMINENCE)
        * ramp(windows.median(qrs), LIKENESS)
        * ramp(windows.mean(whole < STRANGE), STRANGERS)
        * ramp(windows.deviation(sizes - fellows), UNEQUAL)
        * ramp(deviation, UNEVENNESS)
        * ramp(short, SHORTER)
        * ramp(windows.median(_unreturned(x, middles, rate)), UNRETURNED)
        * ramp(windows.median(_steepness(x, middles, rate)), STEEPNESS)
        * ramp(windows.mean(_edges(x, middles, rate) > (EDGE if rate >= _FINE else COARSE_EDGE)), EDGES)
    )
    return scores


class _Windows:
    """Numbers of beats, gathered by the window that each beat lies in."""

    def __init__(self, owners: Indices) -> None:
        self.owners = owners
        self.counts = np.bincount(owners)
        self.places = np.arange(len(owners)) - (np.cumsum(self.counts) - self.counts)[owners]

    def table(self, values: Floats, empty: float) -> Floats:
        """A row per window; what further axes `values` has stay."""
        rows = np.full((len(self.counts), int(self.counts.max()), *values.shape[1:]), empty)
        rows[self.owners, self.places] = values
        return rows

    def median(self, values: Floats) -> Floats:
        rows = np.sort(self.table(values, np.inf), axis=1)
        here = np.arange(len(rows))
        return np.asarray(0.5 * (rows[here, (self.counts - 1) // 2] + rows[here, self.counts // 2]))

    def mean(self, values: Floats | NDArray[np.bool_]) -> Floats:
        return np.asarray(np.bincount(self.owners, values) / self.counts)

    def deviation(self, values: Floats) -> Floats:
        return np.sqrt(self.mean((values - self.mean(values)[self.owners]) ** 2))


def _quiet(energies: Floats, middles: Indices, rate: float, begins: Indices, ends: Indices) -> Floats:
    """Median energy of each window away from the beats."""
    around, step = round(_AWAY * rate), max(1, int(rate / _READINGS))
    places = begins[:, None] + np.arange(0, int((ends - begins).max()), step)
    inside = places < ends[:, None]
    places = np.minimum(places, len(energies) - 1)
    # a place is away when as many beats begin as end before it
    near = np.searchsorted(middles - around, places, side="right") > np.searchsorted(middles + around, places)
    # at 200 per minute hardly anything is away from the beats: then the lowest tenth
    crowded = (inside & ~near).sum(axis=1) <= 0.1 * inside.sum(axis=1)
    away = inside & (~near | crowded[:, None])
    ordered = np.sort(np.where(away, energies[places], np.inf), axis=1)
    share = np.where(crowded, 0.1, 0.5)
    return np.asarray(ordered[np.arange(len(ordered)), (share * away.sum(axis=1)).astype(np.intp)])


def _likeness(
    x: Floats, middles: Indices, rate: float, half: float, windows: _Windows, sizes: Floats
) -> tuple[Floats, Floats]:
    """Of each beat the mean correlation with the third of its window's beats that are most like it, and their size."""
    reach, step = round(half * rate), max(1, int(rate / 125))
    shapes = x[middles[:, None] + np.arange(-reach, reach + 1, step)]
    # wander below the complex is not its shape
    line = np.linspace(-1.0, 1.0, shapes.shape[1])
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    shapes -= (shapes @ line / (line @ line))[:, None] * line
    shapes /= np.maximum(np.sqrt((shapes**2).sum(axis=1, keepdims=True)), 1e-9)
    rows = windows.table(shapes, 0.0)
    alike = rows @ rows.transpose(0, 2, 1)
    everyone = np.arange(alike.shape[1])
    alike[:, everyone, everyone] = -2.0
    alike = np.where((everyone < windows.counts[:, None])[:, None, :], alike, -2.0)
    order = np.argsort(alike, axis=2)[:, :, ::-1]
    among = windows.table(sizes, 0.0)[np.arange(len(rows))[:, None, None], order]
    best = np.take_along_axis(alike, order, axis=2)
    third = (-(-(windows.counts - 1) // 3))[windows.owners]
    likeness, size = (
        np.cumsum(each, axis=2)[windows.owners, windows.places, third - 1] / third for each in (best, among)
    )
    return np.asarray(likeness), np.asarray(size)


def _intervals(at: Floats, windows: _Windows) -> tuple[Floats, Floats]:
    """Of each window the relative deviation of intervals, and the share of those below half the median."""
    steps = np.diff(at)
    same = windows.owners[1:] == windows.owners[:-1]
    within = _Windows(windows.owners[1:][same])
    middle = within.median(steps[same])
    deviation = _deviation(steps[same], within)
    pairs = same[1:] & same[:-1]
    twos = _Windows(windows.owners[2:][pairs])
    alternating = _deviation((steps[1:] + steps[:-1])[pairs], twos)
    # a single sum of two deviates from nothing
    deviation = np.where(twos.counts > 1, np.minimum(deviation, alternating), deviation)
    return deviation, within.mean(steps[same] < np.minimum(SHORT * middle[within.owners], COUPLED))


def _deviation(values: Floats, windows: _Windows) -> Floats:
    """Median deviation from the median, relative to it."""
    middle = windows.median(values)
    return windows.median(np.abs(values - middle[windows.owners])) / middle


def _unreturned(x: Floats, middles: Indices, rate: float) -> Floats:
    """Of each beat the step from before it to after it over its height."""
    far, near = (round(seconds * rate) for seconds in _BEFORE)
    before = np.median(x[middles[:, None] + np.arange(-far, -near + 1)], axis=1)
    after = np.median(x[middles[:, None] + np.arange(near, far + 1)], axis=1)
    height = np.abs(x[middles] - 0.5 * (before + after))
    return np.asarray(np.abs(after - before) / np.maximum(height, 1e-9))


def _steepness(x: Floats, middles: Indices, rate: float) -> Floats:
    """Of each beat the fastest rise or fall within the QRS, smoothed, so that noise adds little."""
    kernel, reach, lag = peaks.kernel(rate), round(_WIDE * rate), max(1, round(_TOP * rate))
    half = len(kernel) // 2
    rows = x[np.clip(middles[:, None] + np.arange(-reach - half, reach + half + 1), 0, len(x) - 1)]
    smooth = ndimage.convolve1d(rows, kernel, axis=1)[:, half:-half]
    return np.asarray(np.abs(smooth[:, lag:] - smooth[:, :-lag]).max(axis=1) * rate / lag)


def _edges(x: Floats, middles: Indices, rate: float) -> Floats:
    """Of each beat the largest rise or fall near its top over its whole height."""
    rise, top, whole = (max(1, round(seconds * rate)) for seconds in (_RISE, _TOP, _WHOLE))
    near = x[middles[:, None] + np.arange(-top, top + 1)]
    height = np.ptp(x[middles[:, None] + np.arange(-whole, whole + 1)], axis=1)
    return np.asarray(np.abs(near[:, rise:] - near[:, :-rise]).max(axis=1) / np.maximum(height, 1e-9))

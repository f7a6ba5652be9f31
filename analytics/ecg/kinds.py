"""What each beat is: of the heart's usual rhythm and shape, ectopic, or no beat at all.

A beat is judged by how early it comes, by the pause after it and by its shape, the three that annotators go by (de
Chazal, O'Dwyer & Reilly 2004, doi:10.1109/TBME.2004.827359). The shapes that are usual are learnt from some minutes at
a time, so that bundle branch block, pacing and slow drift are nobody's ectopy; in a bigeminus the shape that comes
early is the ectopic one; where the rhythm is irregular throughout, as in fibrillation, coming early says nothing.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from analytics.beats import Codes, Flags, Floats, Kind

PIECE = 90
"""Beats whose shapes are compared with each other: about a minute."""
FEWEST = 5
"""Beats below which nothing is usual: all pass as normal."""
SPAN = (-0.12, 0.18)
"""Seconds around R: the complex and the beginning of its repolarisation."""
GRID = 100.0
"""Hertz at which shapes are compared: what annotators look at lies below 40 Hz."""
ALIKE = 0.90
"""Correlation from which two beats have one shape."""
SHAPES = 6
"""Shapes that are told apart in a piece."""
USUAL_SHARE = 0.10
"""Of a piece's beats that a further usual shape has at least (bundle branch block that comes and goes)."""
IN_TIME = 0.90
"""Median earliness of a shape below which it is not usual, however often it comes."""
STRANGE = (0.88, 0.60)
"""Correlation with every usual shape below which a beat is of another one: if it comes early, and if it does not."""
EARLY = 0.90
"""Of the usual interval: what comes after less comes before its time."""
SUDDEN = 0.86
"""Of the usual interval, and of the one just before: a beat of usual shape must be earlier, for breath moves it..."""
SCATTER = 4.0
"""... and that by so many times what intervals differ by otherwise."""
RETURN = 1.10
"""Times its own interval that the one after such a beat lasts at least."""
IRREGULAR = 0.10
"""What intervals differ by, over the usual one, from which coming early says nothing: fibrillation has 0.1 to 0.3."""
LAGS = 4
"""Intervals differ from the one to four before them: in bi-, tri- and quadrigeminus only from the nearer ones."""
PAUSE = 1.10
"""Usual intervals after a beat from which its pause was a pause..."""
LATE = 1.30
"""... and before it from which a strange beat is an escape."""
INSERTED = 1.25
"""Usual intervals from the beat before to the beat after, below which a beat was put between two others."""
COMPARED = 512
"""Strange beats of a record with which each of them is compared..."""
SAME, FOCUS = 0.93, 0.15
"""... the correlation from which two have one shape, and the share of one shape from which it is a focus, no chance."""
AROUND, WIDELY = 21, 45
"""Intervals whose median is the usual one, and those whose median change is what they differ by."""


@dataclass(frozen=True, slots=True)
class _Rhythm:
    """The intervals around each beat, over the usual one there."""

    usual: Floats
    """In samples."""
    before: Floats
    after: Floats
    last: Floats
    """The one before `before`."""
    scatter: Floats
    """What intervals differ by there."""


def kinds(x: Floats, at: Floats, rate: float) -> Codes:
    """A Kind per beat; `at` are broken sample indices of R, rising, in a stretch without lost samples."""
    codes = np.full(len(at), Kind.NORMAL, dtype=np.uint8)
    if len(at) < FEWEST:
        return codes
    rhythm = _rhythm(at)
    likeness, focus = _likeness(x, at, rate, rhythm.before)
    strange = likeness < np.where(rhythm.before < EARLY, *STRANGE)
    inserted = strange & ~focus & (_room(at, strange) < INSERTED * rhythm.usual)
    codes[inserted] = Kind.ARTEFACT
    # a beat is early by the beat before it, and not by a click between the two
    real = ~inserted
    if real.sum() < FEWEST:
        return codes
    rhythm, strange, focus = _rhythm(at[real]), strange[real], focus[real]
    early, pause, late = rhythm.before < EARLY, rhythm.after > PAUSE, rhythm.before > LATE
    strange &= likeness[real] < np.where(early, *STRANGE)
    codes[real] = np.where(
        _atrial(rhythm, strange) | (strange & (early | (focus & (pause | late)))), Kind.ECTOPIC, Kind.NORMAL
    )
    return codes


def _room(at: Floats, strange: Flags) -> Floats:
    """From the last beat before that is not strange to the first one after."""
    known = np.flatnonzero(~strange)
    if not len(known):
        return np.full(len(at), np.inf)
    after = np.searchsorted(known, np.arange(len(at)))
    last = np.where(after > 0, at[known[after - 1]], -np.inf)
    return np.where(after < len(known), at[known[np.minimum(after, len(known) - 1)]], np.inf) - last


def _likeness(x: Floats, at: Floats, rate: float, before: Floats) -> tuple[Floats, Flags]:
    """Highest correlation with a shape that is usual at the time, and whether a beat unlike those has fellows."""
    likeness = np.empty(len(at))
    places: list[NDArray[np.intp]] = []
    others: list[NDArray[np.float32]] = []
    edges = np.linspace(0, len(at), max(1, round(len(at) / PIECE)) + 1).astype(np.intp).tolist()
    for begin, end in pairwise(edges):
        rows = shapes(x, at[begin:end], rate)
        likeness[begin:end] = (rows @ _usual_shapes(rows, before[begin:end]).T).max(axis=1)
        unlike = np.flatnonzero(likeness[begin:end] < STRANGE[0])
        places.append(begin + unlike)
        others.append(rows[unlike].astype(np.float32))
    focus = np.zeros(len(at), dtype=np.bool_)
    focus[np.concatenate(places)] = _come_back(np.concatenate(others))
    return likeness, focus


def _atrial(rhythm: _Rhythm, strange: Flags) -> Flags:
    """Beats of usual shape that come early, all at once, in a rhythm that is regular otherwise."""
    least = np.maximum(1.0 - SUDDEN, SCATTER * rhythm.scatter)
    sudden = (1.0 - rhythm.before > least) & (rhythm.before < SUDDEN * rhythm.last)
    after_strange = np.concatenate(([False], strange[:-1]))
    return ~strange & ~after_strange & (rhythm.scatter < IRREGULAR) & sudden & (rhythm.after > RETURN * rhythm.before)


def _rhythm(at: Floats) -> _Rhythm:
    steps = np.diff(at)
    size, wide = min(AROUND, len(steps)), min(WIDELY, len(steps))
    # of two-beat means, so that a bigeminus has one usual interval and not two
    means = 0.5 * (steps[1:] + steps[:-1])
    usual = ndimage.median_filter(np.concatenate((means[:1], means)), size=size, mode="nearest")
    scatters = []
    for lag in range(1, min(LAGS, len(steps) - 1) + 1):
        changes = np.abs(steps[lag:] - steps[:-lag])
        scatters.append(ndimage.median_filter(np.pad(changes, (lag, 0), mode="edge"), size=wide, mode="mirror"))
    scatter = np.min(scatters, axis=0) / usual
    relative = steps / usual
    # the first beat has no interval before it, the last none after it: both count as usual
    return _Rhythm(
        usual=np.concatenate((usual[:1], usual)),
        before=np.concatenate(([1.0], relative)),
        after=np.concatenate((relative, [1.0])),
        last=np.concatenate(([1.0, 1.0], relative[:-1])),
        scatter=np.concatenate((scatter[:1], scatter)),
    )


def shapes(x: Floats, at: Floats, rate: float) -> Floats:
    """The wave around each beat without its level and slope, scaled to unit energy: (beats, places)."""
    # two readings per place, averaged: noise counts less, and no filter need pass over a whole day
    seconds = np.arange(round((SPAN[1] - SPAN[0]) * 2 * GRID)) / (2 * GRID) + SPAN[0]
    places = np.clip(at[:, None] + seconds * rate, 0, max(0.0, len(x) - 1.001))
    low = places.astype(np.intp)
    share = places - low
    fine = x[low] * (1 - share) + x[np.minimum(low + 1, len(x) - 1)] * share
    rows = 0.5 * (fine[:, ::2] + fine[:, 1::2])
    line = np.linspace(-1.0, 1.0, rows.shape[1])
    rows -= rows.mean(axis=1, keepdims=True)
    rows -= (rows @ line / (line @ line))[:, None] * line
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


def _usual_shapes(rows: Floats, before: Floats) -> Floats:
    """Sorts the shapes of a piece into groups; those that are frequent and come in time are usual."""
    alike = rows @ rows.T >= ALIKE
    np.fill_diagonal(alike, True)
    left = np.ones(len(rows), dtype=np.bool_)
    frequent: list[Floats] = []
    usual: list[Floats] = []
    while len(frequent) < SHAPES and left.any():
        first = int(np.argmax(np.where(left, (alike & left).sum(axis=1), -1)))
        model = rows[alike[first] & left].mean(axis=0)
        model /= max(float(np.linalg.norm(model)), 1e-9)
        members = left & (rows @ model >= ALIKE)
        members[first] = True  # whatever became of the model: the loop must end
        frequent.append(model)
        if members.mean() >= USUAL_SHARE and float(np.median(before[members])) >= IN_TIME:
            usual.append(model)
        left &= ~members
    # where every frequent shape comes early the most frequent one is still what is usual here
    return np.array(usual or frequent[:1])


def _come_back(rows: NDArray[np.float32]) -> Flags:
    """Which of these shapes come back often enough to be of a focus."""
    every = max(1, -(-len(rows) // COMPARED))
    sample = rows[::every]
    alike = np.zeros(len(rows))
    for begin in range(0, len(rows), COMPARED):
        alike[begin : begin + COMPARED] = (rows[begin : begin + COMPARED] @ sample.T >= SAME).sum(axis=1)
    # each of the sample has met itself
    alike[::every] -= 1
    return alike >= max(1.0, FOCUS * len(sample))

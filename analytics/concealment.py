"""Gaps in a stream of features: what each row that arrived stands for, and how much of the answer is left.

A mean over rows counts a stretch by how many of its rows arrived, not by how long it lasted: rows lost in bursts make
it lean to the stretches that came through. Nothing is filled in here. The rows are weighed so that their mean comes as
near to the mean over the whole window as any weighted mean can, if what they tell wanders like a process whose
correlation fades as exp(-t / TAU) (kriging of a mean: Cressie 1993, Statistics for Spatial Data, 3.2; the process:
Uhlenbeck & Ornstein 1930, doi:10.1103/PhysRev.36.823). Its error also says how much is left: with every row nothing is
lost, with one row of a long window nearly everything.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from kiosk.recording import Recording

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

TAU = 10.0
"""Seconds in which what is shown becomes something else: expressions last seconds, a mood of a talk longer. Any value
between 3 and 30 does nearly as well on courses that fade in 2 to 30 s."""
NOISE = 0.1
"""Variance of a single row's own error, beside that of the course."""
STEPS = 200
"""At most, of a second or more: the work grows with their cube."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a window in which rows are missing."""

    weights: Floats
    """Of each row; they add up to one."""
    known: float
    """0..1: correlation of what is left with what all rows would have told."""


def arrived(recording: Recording, signals: tuple[str, ...]) -> float:
    """How much is left of what a modality sent: of its signals the one of which most is; 1 where there is none."""
    found = [
        left(track.times, int(track.times[0]), int(track.times[-1])).known
        for signal in signals
        for track in recording.of(signal)
        if len(track.times)
    ]
    return max(found, default=1.0)


def left(times: Times, start_ns: int, end_ns: int) -> Left:
    """Of a window, by the times of the rows that arrived in it; they are in order."""
    count = len(times)
    if not count:
        return Left(np.empty(0), 0.0)
    seconds = max(1e-9, (end_ns - start_ns) / SECOND)
    # whole seconds, so that rows of a second each fill all steps alike
    width = float(max(1, int(np.ceil(seconds / STEPS))))
    steps = max(1, round(seconds / width))
    width = seconds / steps
    grid = (np.arange(steps) + 0.5) * width
    bins = np.clip(((times - start_ns) / SECOND / width).astype(np.intp), 0, steps - 1)
    filled, place, rows = np.unique(bins, return_inverse=True, return_counts=True)
    shared = np.exp(-np.abs(grid[:, None] - grid) / TAU)
    mean = shared.mean(axis=1)
    found, error = _kriged(shared[np.ix_(filled, filled)], mean[filled], NOISE / rows)
    _, least = _kriged(shared, mean, np.full(steps, NOISE / max(1.0, float(np.median(rows)))))
    # what the mean of a window varies by
    total = float(mean.mean())
    known = (total - error + float(least)) / total if total > 0.0 else 1.0
    weights = found[place] / rows[place]
    return Left(np.asarray(weights / weights.sum()), float(np.sqrt(min(1.0, max(0.0, known)))))


def _kriged(covariance: Floats, target: Floats, noise: Floats) -> tuple[Floats, float]:
    """Weights that are not negative and add up to one, and how far their mean is from the target's beyond no gap."""
    own = covariance + np.diag(noise)
    both = np.linalg.solve(own, np.column_stack((target, np.ones(len(target)))))
    weights = both[:, 0] + both[:, 1] * (1.0 - both[:, 0].sum()) / both[:, 1].sum()
    weights = np.maximum(weights, 0.0)
    weights /= weights.sum()
    return np.asarray(weights), float(weights @ own @ weights - 2.0 * weights @ target)

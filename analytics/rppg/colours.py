"""The skin's colours on a regular grid: relative changes of each region, and how usable every second is."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import PchipInterpolator

from kiosk.messages import SECOND
from kiosk.recording import Track
from kiosk.signals import REGIONS

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Flags = NDArray[np.bool_]

RATE = 30.0
"""Hertz of the grid, a webcam's own."""
SLOWEST = 9.0
"""Frames per second below which the pulse band has no room."""
BRIDGED = 1.0
"""Seconds without a face that are drawn straight inside a stretch; a longer hole divides it."""
LEAST_SEEN = 0.8
"""Share of a stretch in which a region must be seen to have a say in it."""
TREND = 0.7
"""Seconds (SD of the Gaussian) of the level that changes are relative to: above 0.6 Hz nothing is taken away."""
DARKEST = 1.0
"""Of 255, below which a colour is no number to divide by."""
_ROUNDING = 1e-6  # of a sample


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a visit in which the face was seen without a long hole."""

    times: Times
    """Of the grid, in nanoseconds."""
    changes: Floats
    """(n, regions, 3): natural logarithm of each colour over its own level."""


def stretches(track: Track, *, rate: float = RATE) -> list[Stretch]:
    """What can be looked at, in the order of time; nothing of a camera that is too slow."""
    parts = []
    for begin, end in _seen(track):
        times = track.times[begin:end]
        if len(times) < 3 or (len(times) - 1) * SECOND < SLOWEST * float(times[-1] - times[0]):
            continue
        parts.append(_drawn(track.part(begin, end), rate))
    return [part for part in parts if part.changes.shape[1]]


def faces(track: Track) -> Flags:
    """Of each frame, whether any region of a face was seen in it."""
    return np.asarray(_present(track).any(axis=1))


def _present(track: Track) -> Flags:
    """(n, regions)."""
    rows = track.samples.reshape(len(track.times), len(REGIONS), 4)
    return np.asarray(np.isfinite(rows).all(axis=2) & (rows[:, :, :3] > DARKEST).any(axis=2) & (rows[:, :, 3] > 0))


def _seen(track: Track) -> list[tuple[int, int]]:
    """Frames first..last of each stretch."""
    index = np.flatnonzero(faces(track))
    if not len(index):
        return []
    breaks = np.flatnonzero(np.diff(track.times[index]) > BRIDGED * SECOND) + 1
    return [(int(index[a]), int(index[b - 1]) + 1) for a, b in pairwise([0, *breaks.tolist(), len(index)])]


def _drawn(track: Track, rate: float) -> Stretch:
    """Monotone cubics through the logarithms of each region's colours where it was seen (as in resample.regular)."""
    present = _present(track)
    used = present.mean(axis=0) >= LEAST_SEEN
    at = (track.times - track.times[0]) / SECOND
    grid = np.arange(int(at[-1] * rate + _ROUNDING) + 1) / rate
    rows = track.samples.reshape(len(at), len(REGIONS), 4)[:, used, :3].astype(np.float64)
    logs = np.log(np.maximum(rows, DARKEST))
    drawn = np.empty((len(grid), rows.shape[1], 3))
    # regions come and go together: most often all are drawn at once
    patterns, which = np.unique(present[:, used], axis=1, return_inverse=True)
    for number, seen in enumerate(patterns.T):
        alike = which == number
        drawn[:, alike] = PchipInterpolator(at[seen], logs[seen][:, alike])(np.clip(grid, *at[seen][[0, -1]]))
    level = ndimage.gaussian_filter1d(drawn, TREND * rate, axis=0, mode="nearest")
    times = track.times[0] + np.rint(grid * SECOND).astype(np.int64)
    return Stretch(times, drawn - level)

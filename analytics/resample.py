"""Samples with times of their own, onto a regular grid: what filters and spectra ask for."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from kiosk.messages import SECOND
from kiosk.recording import Track

Floats = NDArray[np.float64]

LONGEST = 0.25
"""Seconds without a sample that are still bridged: seven camera frames."""


def regular(track: Track, rate: float, *, longest: float = LONGEST) -> Track:
    """The track on a grid of this rate from its first sample on; where no sample came for longer, it has a gap.

    Between two samples lies a monotone cubic (Fritsch & Carlson 1980, doi:10.1137/0717021): a value is never beyond its
    neighbours. Nothing is drawn across more than `longest` seconds: the grid has a jump there, as a track's gap is
    told, or NaN where only some channels have lost samples. Nothing is smoothed: frequencies above half the new rate
    fold back.
    """
    if not rate > 0 or not longest > 0:
        raise ValueError(f"no grid of {rate} Hz that bridges {longest} s")
    times = track.times
    if not len(times):
        return Track(track.signal, track.device, track.channels, rate, times, track.samples)
    limit = round(longest * SECOND)
    breaks = np.flatnonzero(np.diff(times) > limit) + 1
    edges = [0, *breaks.tolist(), len(times)]
    period = SECOND / rate
    grids, rows = [], []
    for begin, end in pairwise(edges):
        # one grid for all pieces, so that a gap is a whole number of samples
        first = int(np.ceil((times[begin] - times[0]) / period))
        last = int(np.floor((times[end - 1] - times[0]) / period))
        grid = times[0] + np.rint(np.arange(first, last + 1) * period).astype(np.int64)
        # rounding to whole nanoseconds may step over an edge
        grid = np.clip(grid, times[begin], times[end - 1])
        grids.append(grid)
        columns = track.samples[begin:end].T
        rows.append(np.column_stack([_drawn(times[begin:end], column, grid, limit) for column in columns]))
    joined = np.concatenate(grids)
    keep = np.concatenate(([True], np.diff(joined) > 0))
    samples = np.concatenate(rows)[keep].astype(np.float32)
    return Track(track.signal, track.device, track.channels, rate, joined[keep], samples)


def _drawn(times: NDArray[np.int64], column: NDArray[np.float32], grid: NDArray[np.int64], limit: int) -> Floats:
    """One channel between its own finite samples; NaN beyond them and where they are too far apart."""
    finite = np.isfinite(column)
    at, values = times[finite], column[finite].astype(np.float64)
    drawn = np.full(len(grid), np.nan)
    if not len(at):
        return drawn
    right = np.clip(np.searchsorted(at, grid), 0, len(at) - 1)
    left = np.maximum(right - (at[right] > grid), 0)
    known = (grid >= at[0]) & (grid <= at[-1]) & (at[right] - at[left] <= limit)
    if len(at) == 1:
        drawn[known] = values[0]
        return drawn
    # from the first sample on and in units of about one: the slopes of nanoseconds are lost in rounding
    drawn[known] = PchipInterpolator((at - at[0]) / SECOND, values)((grid[known] - at[0]) / SECOND)
    # the cubic may round past its neighbours by a hair
    low, high = np.minimum(values[left], values[right]), np.maximum(values[left], values[right])
    return np.asarray(np.clip(drawn, low, high))

"""Jumps of a camera's exposure: all of the picture becomes brighter or darker by one factor, within a few frames.

A person who moves changes parts of a picture, an exposure all of it alike. So a jump is what the middle of a grid's
ratios says, where the ratios agree.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from sensors.face.seen import Frame, Pixels

GRID = 12
"""Cells a side."""
STEP = 0.03
"""Smallest step that is told of: ten times the strongest pulse of a face, a quarter of what a webcam's step has."""
AGREE = 0.5
"""Spread of the ratios (half of them) as a share of the step, at most."""
DARKEST, BRIGHTEST = 12.0, 243.0
"""Cells outside these are crushed or clipped and follow no factor."""
LEAST_CELLS = GRID * GRID // 4
WITHIN = 0.4
"""Seconds that a camera takes for a correction that is told of as one."""
QUIET = 1.0
"""Seconds after a jump in which what follows belongs to it."""


class Exposure:
    """Compares each picture with those shortly before."""

    def __init__(self) -> None:
        self._before: deque[tuple[int, NDArray[np.float64]]] = deque()
        self._quiet_until: int | None = None

    def jump(self, frame: Frame) -> float | None:
        """By which factor the whole picture has become brighter, None where it has not."""
        cells = _cells(frame.pixels)
        if self._before and self._before[0][1].shape != cells.shape:
            self._before.clear()
        while self._before and frame.at - self._before[0][0] > WITHIN * SECOND:
            self._before.popleft()
        before = self._before[0][1] if self._before else cells
        self._before.append((frame.at, cells))
        if self._quiet_until is not None and frame.at < self._quiet_until:
            return None
        fit = (np.minimum(before, cells) > DARKEST) & (np.maximum(before, cells) < BRIGHTEST)
        if np.count_nonzero(fit) < LEAST_CELLS:
            return None
        ratios = np.log(cells[fit] / before[fit])
        low, middle, high = np.percentile(ratios, (25, 50, 75))
        if abs(middle) < STEP or high - low > AGREE * abs(middle):
            return None
        self._quiet_until = frame.at + round(QUIET * SECOND)
        return float(np.exp(middle))


def _cells(pixels: Pixels) -> NDArray[np.float64]:
    """Mean green of each cell of a grid, from every fourth pixel."""
    green = pixels[::4, ::4, 1]
    height, width = max(1, green.shape[0] // GRID), max(1, green.shape[1] // GRID)
    rows, columns = min(GRID, green.shape[0]), min(GRID, green.shape[1])
    cut = green[: rows * height, : columns * width].astype(np.float64)
    return np.asarray(cut.reshape(rows, height, columns, width).mean(axis=(1, 3)), dtype=np.float64)

"""How far the chest moves: what breathing is read from.

A strip below the chin is held against how it looked when it came into view, always the same first picture of it, so
that nothing is summed up and nothing drifts. Only when the person has moved on, or it looks too different, a new first
picture is taken, and the way so far is kept.

Registration by enhanced correlation, which no change of brightness disturbs: Evangelidis GD, Psarakis EZ 2008,
doi:10.1109/TPAMI.2008.113.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sensors.face.seen import Pixels

BELOW, TALL, WIDE = 0.15, 0.75, 1.6
"""Of the strip, in heights of the face: how far below the chin it begins, how tall and how wide it is."""
LEAST_TALL: Final = 0.25
"""Heights of the face that must be in the picture below the chin."""
SCALE: Final = 80.0
"""Pixels for a height of the face: a breath of one hundredth is then .8 of a pixel."""
AWAY: Final = 0.12
"""Heights of the face by which the chin may go before the strip is laid anew."""
GROWN: Final = 0.08
"""Change of the face's height after which it is laid anew."""
LEAST_ALIKE: Final = 0.8
"""Correlation with the first picture below which the strip shows something else."""
MOST: Final = 0.1
"""Heights of the face that a chest moves at most: more is a wrong match."""
STEPS, PRECISION = 30, 1e-4
TEXTURE: Final = 1.5
"""Least standard deviation, in steps of brightness: nothing can be matched on a plain shirt in the dark."""


@dataclass(frozen=True, slots=True)
class _Strip:
    """A part of the picture as it was."""

    left: int
    top: int
    right: int
    bottom: int
    chin: tuple[float, float]
    face: float
    picture: NDArray[np.float32]


class Chest:
    """The chest of one person over time."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """The visitor is somebody else, or was away."""
        self._first: _Strip | None = None
        self._way = np.zeros((2, 3), np.float32)
        self._before = 0.0
        """Heights of the face by the strips before this one."""
        self._now = 0.0

    def moved(self, pixels: Pixels, chin: tuple[float, float], face: float) -> float:
        """How far up the chest is, in heights of the face, since it came into view; NaN where it is not."""
        first = self._first
        if first is not None:
            far = max(abs(chin[0] - first.chin[0]), abs(chin[1] - first.chin[1])) > AWAY * first.face
            same = first.right <= pixels.shape[1] and first.bottom <= pixels.shape[0]
            if not far and same and abs(face - first.face) < GROWN * first.face:
                up = self._registered(pixels, first)
                if up is not None:
                    self._now = self._before + up
                    return self._now
        self._before = self._now
        self._way = np.eye(2, 3, dtype=np.float32)
        self._first = _laid(pixels, chin, face)
        if self._first is None:
            self._before = self._now = 0.0
            return float("nan")
        return self._now

    def _registered(self, pixels: Pixels, first: _Strip) -> float | None:
        part = pixels[first.top : first.bottom, first.left : first.right]
        picture = _small(part, first.face)
        criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, STEPS, PRECISION)
        try:
            alike, way = cv2.findTransformECC(
                first.picture, picture, self._way, cv2.MOTION_TRANSLATION, criteria, np.ones_like(picture, np.uint8), 3
            )
        except cv2.error:
            return None  # it did not converge
        up = -float(way[1, 2]) / SCALE
        if alike < LEAST_ALIKE or abs(up) > MOST:
            return None
        self._way = np.asarray(way, np.float32)
        return up


def _laid(pixels: Pixels, chin: tuple[float, float], face: float) -> _Strip | None:
    """A strip below this chin, or None where the picture ends too soon or shows nothing to hold on to."""
    height, width = pixels.shape[:2]
    top, bottom = int(chin[1] + BELOW * face), min(height, int(chin[1] + (BELOW + TALL) * face))
    left, right = max(0, int(chin[0] - WIDE / 2 * face)), min(width, int(chin[0] + WIDE / 2 * face))
    if top < 0 or bottom - top < LEAST_TALL * face or right - left < face / 2:
        return None
    picture = _small(pixels[top:bottom, left:right], face)
    if float(picture.std()) < TEXTURE:
        return None
    return _Strip(left, top, right, bottom, chin, face, picture)


def _small(part: Pixels, face: float) -> NDArray[np.float32]:
    """In grey, with SCALE pixels to a height of the face."""
    share = SCALE / face
    size = max(8, round(part.shape[1] * share)), max(8, round(part.shape[0] * share))
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    shrunk = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR)
    return np.asarray(shrunk, np.float32)

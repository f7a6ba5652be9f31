"""Where a face is in the picture, how large, and how fast it moves."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sensors.face.seen import Points

TOP, CHIN = 10, 152
LONGEST_STEP: Final = 0.5
"""Seconds between two pictures above which a way says nothing about speed."""
SHORTEST_STEP: Final = 2e-3
"""Seconds; times that are closer are no times of pictures."""


@dataclass(frozen=True, slots=True)
class Place:
    """A face in a picture, in pixels."""

    x: float
    y: float
    height: float
    """From the top of the forehead to the chin, in space: a head that nods does not shrink."""
    chin: tuple[float, float]


def place(points: Points) -> Place:
    """Of the face with these landmarks."""
    middle = points[:, :2].mean(axis=0, dtype=np.float64)
    height = float(np.linalg.norm(points[TOP].astype(np.float64) - points[CHIN]))
    return Place(float(middle[0]), float(middle[1]), height, (float(points[CHIN, 0]), float(points[CHIN, 1])))


class Travel:
    """Motion from picture to picture."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """The face before was another one."""
        self._points: Points | None = None
        self._at = 0

    def motion(self, points: Points, at: int, height: float) -> float:
        """Mean way of the landmarks since the picture before, in heights of the face per second; NaN at first."""
        before, step = self._points, (at - self._at) / 1e9
        self._points, self._at = points, at
        if before is None or not SHORTEST_STEP <= step <= LONGEST_STEP or height <= 0:
            return float("nan")
        way = np.linalg.norm(points[:, :2].astype(np.float64) - before[:, :2], axis=1).mean()
        return float(way) / height / step

"""Pitch and gaze's height against the person's own: how a nose sits and lids lie tells of a face, not of a pose.

Landmarks read some degrees of pitch and gaze off every face that looks straight ahead, and those are its build. So
what leaves is against the median of the face's first second in view. More than `MOST` is no build: a head that comes
into view bowed stays bowed. A still has no usual: it is told in coarse steps (docs/privacy.md).
"""

from dataclasses import replace
from typing import Final

import numpy as np

from sensors.face.pose import Pose

LEARNS: Final = 1_000_000_000
"""Nanoseconds of a face from which its usual is learnt; afterwards it is kept, so that no drift enters the breath."""
MOST: Final = 10.0
"""Degrees: three standard deviations between people, 3.4 for pitch and 1.9 for gaze (press photographs of 142 people,
after what varies between those of one person)."""
STEP: Final = 15.0
"""Degrees in which a still is told."""
MOST_PICTURES: Final = 240
"""Of the first second, whatever the camera's rate."""


class Usual:
    """One person's usual pitch and height of gaze."""

    def __init__(self, *, still: bool = False) -> None:
        self._still = still
        self.reset()

    def reset(self) -> None:
        """The visitor is somebody else."""
        self._first: int | None = None
        self._seen: list[tuple[float, float]] = []
        self._pitch = self._gaze = 0.0

    def against(self, pose: Pose, at: int) -> Pose:
        """The pose as it may leave; `at` in nanoseconds. What is NaN stays so."""
        if self._still:
            return replace(pose, pitch=_coarse(pose.pitch), gaze_y=_coarse(pose.gaze_y))
        self._first = at if self._first is None else self._first
        if at - self._first <= LEARNS and len(self._seen) < MOST_PICTURES:
            self._seen.append((pose.pitch, pose.gaze_y))
            self._pitch, self._gaze = (_usual(values) for values in zip(*self._seen, strict=True))
        return replace(pose, pitch=pose.pitch - self._pitch, gaze_y=pose.gaze_y - self._gaze)


def _usual(values: tuple[float, ...]) -> float:
    """Their median as far as it can be build; 0 of eyes that were always shut."""
    known = np.array(values)[np.isfinite(values)]
    return float(np.clip(np.median(known), -MOST, MOST)) if len(known) else 0.0


def _coarse(degrees: float) -> float:
    return STEP * float(np.round(degrees / STEP))

"""How a visitor should sit: one advice at a time, from what the camera sees of the face."""

from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from kiosk.signals import MOTION_CHANNELS
from sensors.face.seen import Numbers

Advice = Literal["nobody", "several", "darker", "brighter", "closer", "farther", "middle", "still", "good"]

NEAR_ENOUGH, TOO_NEAR = 0.28, 0.80
"""Height of the face, share of the picture's: 134 of 480 rows leave the cheeks some thousand pixels each."""
MIDDLE = (0.22, 0.78)
"""Where the middle of the face should be, across and down."""
DARK, BRIGHT = 0.18, 0.88
"""Mean luminance of the face, 0..1."""
MOVING = 0.25
"""Heights of the face a second: talking and breathing stay below, turning away does not."""
OVER = 0.6
"""Seconds that are looked at together, so that one picture changes no advice."""

_AT = {name: place for place, name in enumerate(MOTION_CHANNELS)}


@dataclass(frozen=True, slots=True)
class Guidance:
    """What the page shows."""

    advice: Advice
    near: float
    """How far the visitor has come, 0..1; 1 is near enough."""
    x: float | None
    """Middle of the face across the picture, None without one."""
    y: float | None
    size: float | None


class Guide:
    """Remembers the last moments of one visit."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, Numbers]] = deque()

    def look(self, at: int, motion: Numbers) -> Guidance:
        """The advice at a picture, from its `face_motion`."""
        self._seen.append((at, motion))
        while self._seen[0][0] < at - OVER * SECOND:
            self._seen.popleft()
        rows = np.stack([row for _, row in self._seen]).astype(np.float64)
        there = rows[rows[:, _AT["faces"]] > 0]
        size = _middle(there, "size")
        if 2 * len(there) < len(rows) or size is None:
            return Guidance("nobody", 0.0, None, None, None)
        x, y = _middle(there, "x"), _middle(there, "y")
        near = float(np.clip(size / NEAR_ENOUGH, 0, 1))
        return Guidance(_advice(there, size, x, y), near, x, y, size)


def _advice(there: NDArray[np.float64], size: float, x: float | None, y: float | None) -> Advice:
    light, motion, faces = _middle(there, "light"), _middle(there, "motion"), _middle(there, "faces")
    # in the order in which they can be put right: who has come close is told from those behind
    if size < NEAR_ENOUGH:
        return "closer"
    if size > TOO_NEAR:
        return "farther"
    if x is None or y is None or not (MIDDLE[0] <= x <= MIDDLE[1] and MIDDLE[0] <= y <= MIDDLE[1]):
        return "middle"
    if faces is not None and faces > 1:
        return "several"
    if light is not None and light < DARK:
        return "brighter"
    if light is not None and light > BRIGHT:
        return "darker"
    if motion is not None and motion > MOVING:
        return "still"
    return "good"


def _middle(rows: NDArray[np.float64], channel: str) -> float | None:
    values = rows[:, _AT[channel]]
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else None

"""How a head is turned, and where its eyes look, from landmarks.

The head's turn is that of the similarity which lays the points that no expression moves on a mean head (`frontal`).
Gaze is read in that frame: an iris that is off the middle between its eye's corners by so much of the distance to the
eye's centre of rotation. Without calibration a gaze is good to some five to ten degrees: for "looks away", not more
(Hansen DW, Ji Q 2010, doi:10.1109/TPAMI.2009.30).
"""

from dataclasses import dataclass
from math import asin, atan2, degrees
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.face.seen import Points
from sensors.face.units.shape import frontal

IRIS_RADIUS_OF_TURN: Final = 10.0
"""Millimetres from an eye's centre of rotation to its iris (13.5 to the cornea's front less the chamber; Fry & Hill
1962, The center of rotation of the eye)."""
IRIS_ABOVE: Final = 1.6
"""Millimetres by which an iris that looks straight ahead is above the line between its eye's corners: the median of
1,152 press photographs, whose people look about the camera."""
_IRISES: Final = ((468, 33, 133), (473, 362, 263))
"""Iris, and the corners of its eye; of the person's right and left."""
_LIDS: Final = ((159, 145), (386, 374))
LEAST_OPEN: Final = 0.1
"""Opening of the lids over the eye's width below which an eye shows no gaze."""
_APART: Final = (10, 152, 234, 454, 4, 33, 263)
"""Points that span a face, to read the turn between it and its frontal view from."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees. Up, to the person's left and towards the person's left shoulder are positive."""

    pitch: float
    yaw: float
    roll: float
    gaze_x: float
    """NaN with both eyes shut."""
    gaze_y: float


NO_POSE: Final = Pose(*[float("nan")] * 5)


def pose(points: Points) -> Pose:
    """Turn of the head, and gaze relative to it; NaN where the points are no face."""
    shape = frontal(points)
    if shape is None:
        return NO_POSE
    turn = _turn(points, shape)
    ahead, side = turn[:, 2], turn[1]
    gaze_x, gaze_y = _gaze(shape)
    return Pose(
        pitch=degrees(asin(float(np.clip(ahead[1], -1, 1)))),
        yaw=degrees(atan2(ahead[0], ahead[2])),
        roll=-degrees(atan2(side[0], side[1])),
        gaze_x=gaze_x,
        gaze_y=gaze_y,
    )


def _turn(points: Points, shape: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the head's axes (to the person's left, up, ahead) to the picture's (right, up, towards the camera)."""
    seen = points[list(_APART)].astype(np.float64) * (1.0, -1.0, -1.0)
    front = shape[list(_APART)]
    left, _, right = np.linalg.svd((seen - seen.mean(axis=0)).T @ (front - front.mean(axis=0)))
    handed = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return np.asarray((left * handed) @ right)


def _gaze(shape: NDArray[np.float64]) -> tuple[float, float]:
    """The mean of the eyes that are open."""
    found = []
    for (iris, inner, outer), (upper, lower) in zip(_IRISES, _LIDS, strict=True):
        width = float(np.linalg.norm(shape[inner] - shape[outer]))
        if width <= 0 or float(np.linalg.norm(shape[upper] - shape[lower])) < LEAST_OPEN * width:
            continue
        off = shape[iris] - (shape[inner] + shape[outer]) / 2 - (0.0, IRIS_ABOVE, 0.0)
        found.append(np.clip(off[:2] / IRIS_RADIUS_OF_TURN, -1, 1))
    if not found:
        return float("nan"), float("nan")
    x, y = np.degrees(np.arcsin(np.mean(found, axis=0)))
    return float(x), float(y)

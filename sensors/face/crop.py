"""A square around a face, turned upright and brought to the size that a network takes; and points back from it."""

from dataclasses import dataclass
from math import atan2, cos, hypot, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from sensors.face.seen import Pixels, Points

RIGHT_EYE, LEFT_EYE = 33, 263
"""Outer corners, of the person: the line through them is level in an upright crop."""
MARGIN = 1.5
"""Side of the square over the longer side of the face's box, as the mesh network was trained (Kartynnik 2019,
arXiv:1907.06724: the crop has a quarter of the box's side as a margin all around)."""


@dataclass(frozen=True, slots=True)
class Square:
    """Where a face is: a square, in pixels and radians (clockwise as seen)."""

    x: float
    y: float
    side: float
    turn: float


def around(points: Points) -> Square:
    """The upright square around a face whose landmarks are known."""
    across = points[LEFT_EYE, :2] - points[RIGHT_EYE, :2]
    turn = atan2(float(across[1]), float(across[0]))
    axes = np.array([[cos(turn), -sin(turn)], [sin(turn), cos(turn)]], np.float32)
    level = points[:, :2] @ axes
    low, high = level.min(axis=0), level.max(axis=0)
    x, y = axes @ ((low + high) / 2)
    return Square(float(x), float(y), MARGIN * float((high - low).max()), turn)


def between_eyes(
    corner: NDArray[np.floating], extent: NDArray[np.floating], right: NDArray[np.floating], left: NDArray[np.floating]
) -> Square:
    """The square around a face of which a detector knows the box and the eyes, each as x and y."""
    across = left - right
    middle = corner + extent / 2
    return Square(
        float(middle[0]), float(middle[1]), MARGIN * float(extent.max()), atan2(float(across[1]), float(across[0]))
    )


def overlap(one: Square, other: Square) -> float:
    """How much two squares are the same: 1 for equal ones, 0 where their middles are half a side apart or more."""
    apart = hypot(one.x - other.x, one.y - other.y)
    smaller, larger = sorted((one.side, other.side))
    return max(0.0, 1.0 - 2.0 * apart / larger) * smaller / larger if larger > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Crop:
    """A square cut out of a picture, and the way back."""

    pixels: Pixels
    matrix: NDArray[np.float64]
    """(2, 3), from the crop's pixels to the picture's."""
    scale: float
    """Pixels of the picture in one of the crop."""

    def in_picture(self, points: Points) -> Points:
        """Landmarks in the crop's pixels -> in the picture's; depth is scaled with them."""
        flat = points[:, :2] @ self.matrix[:, :2].T.astype(np.float32) + self.matrix[:, 2].astype(np.float32)
        return np.column_stack((flat, points[:, 2] * np.float32(self.scale))).astype(np.float32)


def cut(pixels: Pixels, square: Square, size: int) -> Crop:
    """The square as a picture of `size` x `size`; what lies outside the picture is the picture's edge drawn out.

    A square much larger than that is first averaged down by a whole number: the warp alone would skip pixels, and
    with them the averaging that keeps a sensor's noise out of the landmarks.
    """
    height, width = pixels.shape[:2]
    reach = square.side * (abs(cos(square.turn)) + abs(sin(square.turn))) / 2 + 2
    left, top = max(0, int(square.x - reach)), max(0, int(square.y - reach))
    right, bottom = min(width, int(square.x + reach) + 1), min(height, int(square.y + reach) + 1)
    if right - left < 2 or bottom - top < 2:
        left, top, right, bottom = 0, 0, width, height
    part = pixels[top:bottom, left:right]
    shrink = max(1, int(square.side / size))
    if shrink > 1:
        rows, columns = part.shape[0] // shrink * shrink, part.shape[1] // shrink * shrink
        if rows and columns:
            part = cv2.resize(
                part[:rows, :columns], (columns // shrink, rows // shrink), interpolation=cv2.INTER_AREA
            ).astype(np.uint8, copy=False)
        else:
            shrink = 1
    # middles of pixels have whole coordinates in OpenCV, landmarks count from the edges
    scale = square.side / size
    turned = scale * np.array([[cos(square.turn), -sin(square.turn)], [sin(square.turn), cos(square.turn)]])
    middle = np.array([square.x, square.y])
    matrix = np.column_stack((turned, middle - turned @ (size / 2, size / 2)))
    to_part = matrix.copy()
    to_part[:, 2] -= (left, top)
    to_part /= shrink
    to_part[:, 2] += to_part[:, :2] @ (0.5, 0.5) - 0.5
    warped = cv2.warpAffine(
        part,
        to_part,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Crop(np.ascontiguousarray(warped, np.uint8), matrix, scale)

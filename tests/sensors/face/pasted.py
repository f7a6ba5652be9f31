"""A public-domain portrait in pictures: at a known place, size and roll, alone or in company."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from sensors.face.seen import Pixels
from tests.sensors.station.portrait import scene

FACE = 0.327
"""Height of the portrait's face, forehead to chin, over the portrait's."""
MIDDLE = (0.522, 0.388)
"""Of its face, shares of its width and height."""


@cache
def portrait() -> Pixels:
    """512 x 600."""
    return scene(512, 600)


def room(width: int, height: int) -> Pixels:
    """Nobody: an uneven wall."""
    across = np.linspace(90, 150, width, dtype=np.float32)[None, :, None]
    down = np.linspace(0, 30, height, dtype=np.float32)[:, None, None]
    return np.asarray(np.clip(across + down + np.array([8, 0, -8], np.float32), 0, 255), np.uint8)


def pasted(
    picture: Pixels,
    *,
    x: float,
    y: float,
    face: float,
    roll: float = 0.0,
    mirrored: bool = False,
) -> Pixels:
    """The picture with the portrait in it: middle and height of its face in pixels, degrees to its left shoulder."""
    whole = portrait()[:, ::-1] if mirrored else portrait()
    scale = face / (FACE * whole.shape[0])
    if scale < 1:
        # a warp alone would skip pixels
        whole = np.asarray(cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        scale = 1.0
    place = ((1 - MIDDLE[0] if mirrored else MIDDLE[0]) * whole.shape[1], MIDDLE[1] * whole.shape[0])
    matrix = cv2.getRotationMatrix2D(place, -roll, scale)
    matrix[:, 2] += (x - place[0], y - place[1])
    size = picture.shape[1], picture.shape[0]
    shown = cv2.warpAffine(np.ascontiguousarray(whole), matrix, size, flags=cv2.INTER_CUBIC)
    mask = cv2.warpAffine(np.ones(whole.shape[:2], np.float32), matrix, size)[..., None]
    return np.asarray(np.round(mask * shown + (1 - mask) * picture), np.uint8)


def noisy(picture: Pixels, deviation: float, random: np.random.Generator) -> Pixels:
    """With a sensor's noise."""
    noise: NDArray[np.float32] = random.standard_normal(picture.shape, np.float32) * np.float32(deviation)
    return np.asarray(np.clip(picture + noise + 0.5, 0, 255), np.uint8)

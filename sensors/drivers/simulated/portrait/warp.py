"""How a flat portrait turns, nods, tilts, breathes, smiles and talks: sums of fixed displacement fields.

A field says, per unit of its dial, how far away each pixel of the moved picture comes from. The head is taken for an
ellipsoid whose front moves by the sine of the angle, which is what a viewer sees of turns up to some 30 degrees.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.portrait.sitter import CHIN, EYES, FACE, MIDDLE, MOUTH, Image, Place

Floats = NDArray[np.float64]

DIALS = ("sine of yaw", "sine of pitch", "roll in radians", "chest", "smile", "jaw", "what turning foreshortens",
         "head to the side", "head down", "gaze aside", "gaze up")  # fmt: skip
"""What a field is the unit of."""
_HEAD = 108.0  # half its width
_DEPTH, _TIP, _NOSE = 1.15, 0.3, ((267.0, 240.0), 24.0)  # how far its front and the nose stand out, in halves
_IRIS, _EYEBALL = 8.0, 13.0
_TALL = 1.4  # times as high
_NECK = 40.0  # below the chin that the head's turning fades out over
_SMILE = (8.0, 8.0, 20.0)  # outward, up, reach
_CHEEK = ((206.0, 252.0), (328.0, 250.0)), 4.0, 22.0
_JAW = 9.0


class Warp:
    """Moves layers of one size."""

    def __init__(self, scale: float, shape: tuple[int, int]) -> None:
        self._scale = scale
        down, across = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
        self._across, self._down = across, down
        x, y = across / scale, down / scale
        self._side, self._up = np.zeros((2, len(DIALS), *shape), np.float32)
        self._turn(x, y)
        self._chest(y)
        self._face(x, y)
        self._side *= scale
        self._up *= scale

    def moved(self, layers: Image, dials: Floats) -> Image:
        """The layers (h, w, any) with these dials."""
        side, up = self._across.copy(), self._down.copy()
        for number, dial in enumerate(dials.tolist()):
            if dial:
                cv2.scaleAdd(self._side[number], dial, side, side)
                cv2.scaleAdd(self._up[number], dial, up, up)
        out = cv2.remap(layers, side, up, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(out, dtype=np.float32)

    def _turn(self, x: Image, y: Image) -> None:
        right, below = (x - MIDDLE[0]) / _HEAD, (y - MIDDLE[1]) / (_HEAD * _TALL)
        depth = _DEPTH * np.cos(0.5 * np.pi * np.minimum(np.hypot(right, below) / 1.3, 1.0))
        depth += _TIP * _near(x, y, *_NOSE)
        still = _step((CHIN + _NECK - y) / _NECK)
        self._side[0] = -_HEAD * depth * still
        # a nose that goes up and down as far would look like a trunk
        self._up[1] = _HEAD * (depth - 0.5 * _TIP * _near(x, y, *_NOSE)) * still
        self._side[6] = _HEAD * right * depth * still
        self._side[7] = -FACE * still
        self._up[8] = -FACE * still
        self._side[2] = (y - (CHIN + 20)) * still
        self._up[2] = -(x - MIDDLE[0]) * still

    def _chest(self, y: Image) -> None:
        self._up[3] = FACE * _step((y - CHIN - 15.0) / 60.0)

    def _face(self, x: Image, y: Image) -> None:
        for eye in EYES:
            iris = _near(x, y, eye, _IRIS)
            self._side[9] -= _EYEBALL * iris
            self._up[10] += _EYEBALL * iris
        outward, upward, reach = _SMILE
        for corner, sign in zip(MOUTH, (-1.0, 1.0), strict=True):
            near = _near(x, y, corner, reach)
            self._side[4] -= sign * outward * near
            self._up[4] += upward * near
        cheeks, rise, reach = _CHEEK
        for cheek in cheeks:
            self._up[4] += rise * _near(x, y, cheek, reach)
        lips = 0.5 * (MOUTH[0][1] + MOUTH[1][1])
        below = _step((y - lips) / 6.0) * _step((CHIN + 12.0 - y) / 20.0)
        self._up[5] = -_JAW * below * _step((70.0 - np.abs(x - MIDDLE[0])) / 40.0)


def _step(share: Image) -> Image:
    """0 to 1, smooth at both ends."""
    part = np.clip(share, 0.0, 1.0)
    return np.asarray(part * part * (3.0 - 2.0 * part), dtype=np.float32)


def _near(x: Image, y: Image, place: Place, reach: float) -> Image:
    return np.asarray(np.exp(-0.5 * (np.square(x - place[0]) + np.square(y - place[1])) / reach**2), dtype=np.float32)

"""Where on a face bare skin is looked for: polygons through MediaPipe's landmarks.

Forehead and cheeks carry the strongest pulse (Verkruysse W, Svaasand LO, Nelson JS 2008, doi:10.1364/OE.16.021434;
Kwon S et al. 2015, doi:10.1109/EMBC.2015.7319193). Eyes with brows, mouth and nostrils are left out everywhere: they
move for other reasons.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Outline = NDArray[np.float32]
"""(n, 2), x and y in pixels of the picture that is drawn on."""

SHARES = 4
"""Binary digits behind the point in polygons' corners."""

_OVAL: Final = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
_OVAL_IN: Final = 0.92
"""Of the way from the face's middle to its outline: beyond are hair, ears, background and grazing light."""
_MIDDLE: Final = 6

# corners are half way between two landmarks, or on one that is named twice
_FOREHEAD: Final = (
    *((103, 104), (67, 69), (109, 108), (10, 151), (338, 337), (297, 299), (332, 333)),
    *((333, 293), (334, 334), (296, 296), (336, 336), (9, 9), (107, 107), (66, 66), (105, 105), (63, 104)),
)
_RIGHT_CHEEK: Final = (
    *((117, 117), (118, 118), (119, 119), (100, 100), (142, 36), (36, 205), (205, 206), (207, 207)),
    *((187, 187), (147, 123), (123, 116)),
)
_LEFT_CHEEK: Final = (
    *((352, 345), (376, 352), (411, 411), (427, 427), (425, 426), (266, 425), (371, 266), (329, 329)),
    *((348, 348), (347, 347), (346, 346)),
)
_CHIN: Final = (
    *((106, 182), (182, 83), (18, 18), (313, 406), (406, 335), (424, 422), (262, 431), (428, 396)),
    *((199, 175), (208, 171), (32, 211), (204, 202)),
)
_HOLES: Final = (
    # eye and brow together, of the person's right and left
    (70, 63, 105, 66, 107, 55, 193, 245, 233, 232, 231, 230, 229, 228, 31, 226, 156),
    (300, 293, 334, 296, 336, 285, 417, 465, 453, 452, 451, 450, 449, 448, 261, 446, 383),
    # lips
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146),
    # nostrils
    (129, 64, 240, 99, 2, 328, 460, 294, 358, 327, 326, 2, 97, 98),
)
_HOLES_OUT: Final = 1.08
"""How much larger than drawn the holes are."""


def outlines(points: NDArray[np.float32]) -> tuple[Outline, ...]:
    """Whole, forehead, left cheek, right cheek, chin, in the order of `signals.REGIONS`."""
    flat = points[:, :2]
    middle = flat[_MIDDLE]
    whole = middle + _OVAL_IN * (flat[list(_OVAL)] - middle)
    parts = (flat[np.array(part)].mean(axis=1) for part in (_FOREHEAD, _LEFT_CHEEK, _RIGHT_CHEEK, _CHIN))
    return whole.astype(np.float32), *(part.astype(np.float32) for part in parts)


def holes(points: NDArray[np.float32]) -> tuple[Outline, ...]:
    """Eyes with brows, lips, nostrils."""
    found = []
    for hole in _HOLES:
        outline = points[list(hole), :2]
        middle = outline.mean(axis=0)
        found.append((middle + _HOLES_OUT * (outline - middle)).astype(np.float32))
    return tuple(found)


def facing(outline: Outline) -> bool:
    """Whether a region shows its outer side: a cheek that has turned away is drawn the other way round."""
    return cv2.contourArea(outline, oriented=True) > 0


def drawn(outline: Outline, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """A mask, 0..255, with edges that move by shares of a pixel."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [_fixed(outline)], (255,), cv2.LINE_AA, SHARES)
    return mask


def cleared(shape: tuple[int, int], holes: tuple[Outline, ...]) -> NDArray[np.uint8]:
    """255 everywhere but in these holes."""
    mask = np.full(shape, 255, np.uint8)
    for hole in holes:
        cv2.fillPoly(mask, [_fixed(hole)], (0,), cv2.LINE_AA, SHARES)
    return mask


def _fixed(outline: Outline) -> NDArray[np.int32]:
    # OpenCV has whole coordinates in the middle of pixels, landmarks at their edges; far outside it would overflow
    return np.clip(np.round((outline - 0.5) * (1 << SHARES)), -(1 << 24), 1 << 24).astype(np.int32)

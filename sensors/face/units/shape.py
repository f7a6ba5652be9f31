"""A face turned to the front and brought to one size: landmarks in millimetres of a mean head.

The points that no expression moves - nose bridge, corners of the eyes, temples, forehead - are laid on those of a
mean head by the similarity with the least squares (Umeyama 1991, DOI 10.1109/34.88573). So neither place, size nor
pose of the head reaches the action units.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.face.seen import Points

Shape = NDArray[np.float64]
"""(478, 3) in millimetres: x to the right of the picture, y up, z towards the camera."""

_MIDDLE: Final = (
    # landmark, millimetres, weight
    (10, (0.0, 82.62, 44.82), 0.5),
    (151, (0.0, 65.45, 50.27), 0.5),
    (9, (0.0, 48.86, 53.85), 0.5),
    (168, (0.0, 32.71, 52.36), 1.0),
    (6, (0.0, 24.73, 57.89), 1.0),
    (197, (0.0, 17.28, 63.17), 1.0),
    (195, (0.0, 10.59, 67.75), 1.0),
    (5, (0.0, 3.66, 72.43), 1.0),
    (4, (0.0, -4.63, 75.87), 1.0),
)
_SIDES: Final = (
    # on the person's right, on the left
    (133, 362, (-18.56, 25.85, 37.58)),
    (33, 263, (-44.46, 26.64, 31.73)),
    (127, 356, (-77.43, 23.65, -20.05)),
    (234, 454, (-76.64, 6.73, -24.36)),
    (162, 389, (-75.56, 41.07, -9.92)),
    (21, 251, (-70.88, 54.35, 1.0)),
)
"""Where a mean head has them (the canonical face of MediaPipe, Apache-2.0). The forehead's points slide with the brows
and count half."""

_PLACES: Final = np.array(
    [each[0] for each in _MIDDLE] + [each[0] for each in _SIDES] + [each[1] for each in _SIDES], dtype=np.intp
)
_MEAN: Final = np.array(
    [each[1] for each in _MIDDLE] + [each[2] for each in _SIDES] + [(-x, y, z) for _, _, (x, y, z) in _SIDES]
)
_COUNTS: Final = np.array([each[2] for each in _MIDDLE] + [1.0] * (2 * len(_SIDES)))
_WEIGHTS: Final = _COUNTS / _COUNTS.sum()
_MIDPOINT: Final = _WEIGHTS @ _MEAN
_SPREAD: Final = (_MEAN - _MIDPOINT) * _WEIGHTS[:, None]


def frontal(points: Points) -> Shape | None:
    """The face as seen from the front, or None where the points are no face."""
    seen = np.asarray(points, dtype=np.float64)
    if seen.ndim != 2 or seen.shape[1] != 3 or len(seen) <= _PLACES.max() or not np.isfinite(seen).all():
        return None
    seen = seen * (1.0, -1.0, -1.0)
    fixed = seen[_PLACES]
    middle = _WEIGHTS @ fixed
    fixed = fixed - middle
    size = float(_WEIGHTS @ (fixed**2).sum(axis=1))
    # coordinates of pictures: what is smaller than a pixel is a point, and larger than any picture nonsense
    if not 1.0 < size < 1e10:
        return None
    left, strength, right = np.linalg.svd(_SPREAD.T @ fixed)
    handed = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    if strength[1] <= 1e-6 * strength[0]:
        return None  # all on one line
    turn = (left * handed) @ right
    scale = float((strength * handed).sum()) / size
    return np.asarray(scale * (seen - middle) @ turn.T + _MIDPOINT)

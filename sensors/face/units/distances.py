"""What of a frontal face the action units move: distances in millimetres, both sides averaged.

The population's rest is the mean of three faces that may be used: the mean head that faces are laid on, a portrait in
the public domain, and the one person who consented to publication; where the mean head has parted lips or half closed
eyes it is left out. It is nobody's face, and the photographs of the evaluation have no part in it. `spread` is the
order of magnitude of how much faces at rest differ between people (Farkas 1994, Anthropometry of the Head and Face,
gives such for adult faces): chosen, not fitted. In a single picture nothing smaller can be told from a person's own
build.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.face.units.shape import Shape

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Distance:
    """One distance: at rest in the population, and how much that differs between people."""

    name: str
    rest: float
    spread: float


DISTANCES: Final = (
    Distance("brow_inner", 47.4, 2.5),  # heights are above the middle of the fixed points
    Distance("brow_outer", 41.7, 2.2),
    Distance("brow_gap", 27.0, 2.4),  # between the brows' inner ends
    Distance("aperture", 8.6, 1.3),  # between the lids
    Distance("upper_lid", 5.7, 1.0),  # above the line of the corners of the eye
    Distance("lower_lid", -2.6, 0.7),
    Distance("cheek", 0.3, 1.3),
    Distance("nostril", -16.7, 1.9),
    Distance("upper_lip", 15.7, 2.2),  # from the nose's base down to its red
    Distance("lip_side", 18.0, 2.2),
    Distance("corner_x", 26.6, 1.9),  # half the mouth's width
    Distance("corner_y", -0.4, 1.5),  # of the mouth's corners above the middle of the lips' meeting
    Distance("corner_rise", 24.0, 2.5),  # from the corners up to the nose's base
    Distance("upper_red", 6.8, 1.5),
    Distance("lower_red", 9.5, 1.8),
    Distance("gap", 1.0, 1.0),  # between the lips
    Distance("lower_lip", 23.5, 2.5),  # from the nose's base to the lower lip's inner edge
    Distance("chin", 71.0, 4.0),  # from the nose's base
    Distance("chin_lip", 37.0, 2.5),  # from the chin to the lower lip
)
PLACE: Final = {distance.name: index for index, distance in enumerate(DISTANCES)}
REST: Final = np.array([distance.rest for distance in DISTANCES])
SPREAD: Final = np.array([distance.spread for distance in DISTANCES])

_BROW_INNER = (55, 107, 285, 336)
_BROW_OUTER = (46, 70, 276, 300)
_LIDS = ((159, 145), (158, 153), (160, 144), (386, 374), (385, 380), (387, 373))
_CORNERS_OF_EYES = (33, 133, 263, 362)
_CHEEKS = (50, 101, 118, 280, 330, 347)
_NOSTRILS = (64, 98, 294, 327)
_UPPER_LIP, _LIP_SIDE = (0, 37, 267), (39, 40, 269, 270)
_LOWER_LIP = (14, 84, 17, 314)


def distances(shape: Shape) -> Floats:
    """Of `DISTANCES`, in their order."""

    def height(*places: int) -> float:
        return float(shape[list(places), 1].mean())

    eyes = height(*_CORNERS_OF_EYES)
    base, corners = height(2), height(61, 291)
    return np.array(
        [
            height(*_BROW_INNER),
            height(*_BROW_OUTER),
            shape[285, 0] - shape[55, 0],
            float(np.mean([np.linalg.norm(shape[top] - shape[bottom]) for top, bottom in _LIDS])),
            height(*(top for top, _ in _LIDS)) - eyes,
            height(*(bottom for _, bottom in _LIDS)) - eyes,
            height(*_CHEEKS),
            height(*_NOSTRILS),
            base - height(*_UPPER_LIP),
            base - height(*_LIP_SIDE),
            (shape[291, 0] - shape[61, 0]) / 2,
            corners - height(13, 14),
            base - corners,
            height(*_UPPER_LIP) - height(13),
            height(14) - height(*_LOWER_LIP[1:]),
            float(np.linalg.norm(shape[13] - shape[14])),
            base - height(14),
            base - height(152),
            height(17) - height(152),
        ]
    )

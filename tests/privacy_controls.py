"""What the attackers are held against: matching by what never leaves, and by what is no face at all.

An attack that finds nothing proves nothing by itself: the same attackers are tried on what would tell. And photographs
of one person are often of one event, with its light and its mood: what these tell is not who somebody is.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from sensors.face.crop import MARGIN, Square, around, cut
from sensors.face.units.distances import distances
from sensors.face.units.shape import frontal
from tests.privacy_matching import LEAST_RECORDS, Floats, Places, Scored, fused
from tests.privacy_photos import Seen

COMPONENTS = 80
"""Of the recogniser's appearance; 40 of its landmarks."""


def build(seen: list[Seen]) -> Floats:
    """The control that a signal leaks: distances of the face that its units are made of, before the own rest is off."""
    return np.array([distances(shape) for each in seen if (shape := frontal(each.points)) is not None])


def recogniser(seen: list[Seen]) -> list[Scored]:
    """The control: a plain face matcher on pictures and landmarks, which never leave.

    Gradients and local binary patterns of the upright face, and the shape of its landmarks, each whitened over all
    records and compared by angle (Dalal 2005, doi:10.1109/CVPR.2005.177; Ahonen 2006, doi:10.1109/TPAMI.2006.244).
    """
    faces = [_upright(each) for each in seen]
    gradients = cv2.HOGDescriptor((64, 64), (16, 16), (8, 8), (8, 8), 9)
    shapes = [shape.ravel() for each in seen if (shape := frontal(each.points)) is not None]
    parts = (
        (np.array([np.ravel(gradients.compute(face[1:-1, 1:-1].copy())) for face in faces]), COMPONENTS),
        (np.array([_patterns(face) for face in faces]), COMPONENTS),
        (np.array(shapes), COMPONENTS // 2),
    )
    likeness = sum(_angles(np.asarray(values, np.float64), count) for values, count in parts)
    return [Scored(np.arange(len(seen)), np.asarray(likeness))]


def same_label(labels: Places) -> list[Scored]:
    """The control that knows nothing but the expression's label."""
    return [Scored(np.arange(len(labels)), (labels[:, None] == labels).astype(np.float64))]


def beside_the_face(seen: list[Seen]) -> Floats:
    """The control that sees no face: brightness of six places at the picture's edge, where the event's light is."""
    return np.array(
        [
            [float(part[:, columns].mean()) for part in np.array_split(each.pixels[..., 1], 3) for columns in _EDGES]
            for each in seen
        ]
    )


_EDGES = (slice(0, 24), slice(-24, None))


def circumstances(seen: list[Seen], people: Places, labels: Places) -> list[Scored]:
    """The control that knows the event and nothing of who was there: the expression's label and light beside the face.

    It learns what both tell as an attacker learns what is published.
    """
    return fused([np.eye(labels.max() + 1)[labels], beside_the_face(seen)], people)


def _upright(seen: Seen) -> NDArray[np.uint8]:
    face = around(seen.points)
    crop = cut(seen.pixels, Square(face.x, face.y, 1.1 * face.side / MARGIN, face.turn), 66).pixels
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)


def _patterns(face: NDArray[np.uint8]) -> Floats:
    middle = face[1:-1, 1:-1]
    codes = np.zeros(middle.shape, np.intp)
    for bit, (down, across) in enumerate(((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))):
        codes |= (face[down : down + 64, across : across + 64] >= middle).astype(np.intp) << bit
    cells = codes.reshape(4, 16, 4, 16).swapaxes(1, 2).reshape(16, 256)
    return np.sqrt(np.concatenate([np.bincount(cell, minlength=256) for cell in cells]) / 256)


def _angles(values: Floats, count: int) -> Floats:
    rows, strength, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    # whitened in as many directions as there are records, every two of them would be equally far apart
    rows = rows[:, : min(count, len(values) // LEAST_RECORDS, int((strength > 1e-9 * strength[0]).sum()))]
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows @ rows.T)

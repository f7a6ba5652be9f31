"""Landmarks made steady enough to cut regions with: a mask that trembles writes its trembling into the colours.

A face's landmarks are taken apart into what the head does (an affine map of the plane, fitted to all of them, so that
their own noise averages out) and what the face does within it; each is followed by a low pass that opens with speed
(Casiez G, Roussel N, Vogel D 2012, "1 euro filter", doi:10.1145/2207676.2208639).
"""

import numpy as np
from numpy.typing import NDArray

from sensors.face.seen import Points

Floats = NDArray[np.float64]

HEAD_CUTOFF, FACE_CUTOFF = 0.6, 0.1
"""Hertz, at rest: below the pulse. The head's is higher, since it is known better and moves more."""
OPENING = 30.0
"""Hertz of cut-off for each face height per second of speed."""
FACE_REST = 0.05
"""Face heights per second of a point within the face that are taken for rest: speech and yawns are ten times faster,
the landmarks' errors in a head that turns slower."""
SPEED_CUTOFF = 1.0
"""Hertz, of the speed itself."""
FLAT = 0.01
"""Share of a face's first area below which its landmarks are no face."""
GAP = 1.0
"""Seconds without the face after which it is followed anew."""


class OneEuro:
    """A low pass on points, each opened by its own speed, or all by their common one."""

    def __init__(self, cutoff: float, *, rest: float = 0.0, common: bool = False) -> None:
        self._cutoff, self._rest, self._common = cutoff, rest, common
        self._count = 1
        self._value: Floats | None = None
        self._speed: Floats | None = None

    def after(self, value: Floats, step: float) -> Floats:
        """The smoothed points, `step` seconds after those before."""
        if self._value is None or self._speed is None:
            self._value, self._speed = value, np.zeros_like(value)
            return value
        way = value - self._value
        self._speed = self._speed + _share(np.float64(SPEED_CUTOFF), step) * (way / step - self._speed)
        squares = (self._speed**2).sum(axis=1, keepdims=True)
        speed = np.sqrt(squares.mean(axis=0, keepdims=True) if self._common else squares)
        self._count += 1
        # a plain mean at first: the one before all others is no better than they are
        share = np.maximum(_share(self._cutoff + OPENING * np.maximum(0, speed - self._rest), step), 1 / self._count)
        self._value = self._value + share * way
        return self._value


def _share(cutoff: Floats | np.float64, step: float) -> Floats:
    """Of the way that a first-order low pass goes in one step."""
    turned = 2 * np.pi * cutoff * step
    return np.asarray(turned / (turned + 1))


class SteadyFace:
    """The landmarks of one face over time, in the plane of the picture, without their trembling."""

    def __init__(self) -> None:
        self._model: Floats | None = None
        self._head, self._face = OneEuro(HEAD_CUTOFF, common=True), OneEuro(FACE_CUTOFF, rest=FACE_REST)
        self._at = 0

    def points(self, points: Points, at: int) -> NDArray[np.float32]:
        """(n, 2) smoothed; `at` in nanoseconds."""
        flat = points[:, :2].astype(np.float64)
        step = (at - self._at) / 1e9
        self._at = at
        if self._model is None or not 0 < step < GAP:
            self._start(flat)
            step = 1.0
        assert self._model is not None
        head = np.linalg.lstsq(self._model, flat, rcond=None)[0]
        if abs(np.linalg.det(head[:2])) < FLAT * self._size**2:
            self._model = None  # no face lies like this: the next picture starts anew
            return flat.astype(np.float32)
        # what the face does, in the model's own coordinates, so that it does not turn and grow with the head
        within = np.linalg.solve(head[:2].T, (flat - self._model @ head).T).T
        size = self._size
        corners = self._head.after(self._corners @ head / size, step) * size
        head = np.linalg.solve(self._corners, corners)
        within = self._face.after(within, step)
        return np.asarray((self._model[:, :2] + within) @ head[:2] + head[2], np.float32)

    def _start(self, flat: Floats) -> None:
        middle = flat.mean(axis=0)
        self._size = float(np.ptp(flat[:, 1])) or 1.0
        self._model = np.column_stack(((flat - middle) / self._size, np.ones(len(flat))))
        self._corners = np.array([[0.0, -0.5, 1.0], [-0.4, 0.4, 1.0], [0.4, 0.4, 1.0]])
        self._head, self._face = OneEuro(HEAD_CUTOFF, common=True), OneEuro(FACE_CUTOFF, rest=FACE_REST)

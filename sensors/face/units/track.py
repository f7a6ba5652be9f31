"""The action units of one visitor, picture by picture; or of a single picture."""

from typing import Final

import numpy as np

from sensors.face.seen import Numbers, Points
from sensors.face.units.distances import PLACE, REST, SPREAD, Floats, distances
from sensors.face.units.neutral import Neutral
from sensors.face.units.shape import frontal
from sensors.face.units.table import intensities

DOUBT = 1.25
"""Spreads between people that a single picture's change must go beyond to count at all."""
GRADE = 2.5
"""Units of a single picture are none, plain or most: finer ones would tell its person's build (docs/face.md)."""
_EYES: Final = PLACE["aperture"]


class Units:
    """Intensities of action units: in a stream against the person's own rest, in a still against the population's."""

    def __init__(self, *, still: bool = False) -> None:
        self._still = still
        self._neutral = Neutral()

    def reset(self) -> None:
        """The visitor is somebody else."""
        self._neutral = Neutral()

    def measure(self, points: Points, at: int = 0) -> Numbers | None:
        """Of `UNIT_CHANNELS`, 0..5; None for no face, or one that is too new to know its rest. `at`: nanoseconds."""
        shape = frontal(points)
        if shape is None:
            return None
        found = distances(shape)
        if self._still:
            return _still(found)
        rest = self._neutral.rest(found, at)
        if rest is None:
            return None
        return intensities(found - rest, float(rest[_EYES])).astype(np.float32)


def _still(found: Floats) -> Numbers:
    change = found - REST
    beyond = np.sign(change) * np.maximum(0.0, np.abs(change) - DOUBT * SPREAD)
    values = intensities(beyond, float(REST[_EYES]))
    return (GRADE * np.round(values / GRADE)).astype(np.float32)

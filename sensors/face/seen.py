"""What goes in and what comes out: a picture with its time, a face in it, and what may leave of it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(height, width, 3), red green blue."""
Points = NDArray[np.float32]
"""(478, 3) landmarks in MediaPipe's order: x right and y down in pixels, z away from the camera on x's scale."""
Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture, and when it was taken."""

    at: int
    """Nanoseconds: of the boot clock from a camera, since its beginning from a file."""
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a picture."""

    points: Points


class Finder(Protocol):
    """An engine that finds faces and their landmarks. It is called from one thread, with pictures in order of time."""

    @property
    def name(self) -> str:
        """Engine and version, for provenance."""
        ...

    def faces(self, pixels: Pixels) -> list[Face]:
        """All faces in view, in no order."""
        ...

    def close(self) -> None:
        """Give its memory back."""
        ...


@dataclass(frozen=True, slots=True)
class Sight:
    """All that leaves of a picture. Where there is no face, colours and motion are NaN, pixels and faces 0."""

    at: int
    rgb: Numbers
    """Of `signals.RGB_CHANNELS`."""
    motion: Numbers
    """Of `signals.MOTION_CHANNELS`."""
    units: Numbers | None = None
    """Of `signals.UNIT_CHANNELS`; None without a face."""
    scores: Numbers | None = None
    """Of the observer's score channels, on those pictures on which networks were asked."""
    marks: tuple[tuple[str, str], ...] = ()
    """Events with their details: another face came close, the visitor is somebody else."""

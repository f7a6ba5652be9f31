"""From a picture to all that may leave of it. Camera, video file and still image share this one way of looking.

Pictures come in order of their times and are looked at in the caller's thread. Pixels and landmarks stay in here:
only the last face's outlines can be asked for, to be drawn on the spot.
"""

from pathlib import Path
from types import TracebackType
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.errors import DriverFailed
from kiosk.messages import SECOND
from kiosk.signals import MOTION_CHANNELS, REGIONS
from sensors.face.chest import Chest
from sensors.face.engines import finder
from sensors.face.expressions import Networks
from sensors.face.pose import pose
from sensors.face.seen import Face, Finder, Frame, Numbers, Sight
from sensors.face.travel import Travel, place
from sensors.face.units import Units
from sensors.face.usual import Usual
from sensors.face.visitor import Visitor
from sensors.skin import Skin
from sensors.skin.colours import NOTHING
from sensors.skin.counts import rough
from sensors.skin.levels import Levels

SCORES_PER_SECOND: Final = 4.0
"""How often the expression networks are asked: an expression lasts half a second or more (Ekman 2003)."""
LEAST_SIDE, MOST_PIXELS = 16, 64_000_000
LEAST_FACE: Final = 10.0
"""Pixels from forehead to chin; what is smaller, or no number, is no face."""
LIGHT_STEP: Final = 0.12
"""Shares of full brightness in which the face's light is told: the visitor's page asks whether it is below .18 or above
.88, which falls between steps, and finer ones would be the brightness of a skin."""
BACK: Final = SECOND
"""Nanoseconds: a time that goes back further begins something new; a smaller step is a clock's stumble."""

Regions = tuple[tuple[str, tuple[NDArray[np.float64], ...]], ...]
"""Name of a region and its polygons: the outline, then the holes. In pixels of the picture."""


class Observer:
    """Looks at one visitor. Without a folder of models it works with what is in MediaPipe's wheel."""

    def __init__(
        self,
        *,
        models: Path | None = None,
        engine: str = "auto",
        still: bool = False,
        scores_per_second: float = SCORES_PER_SECOND,
        look: Finder | None = None,
    ) -> None:
        # one core is ours: OpenCV's own threads would take the others for work of a millisecond
        cv2.setNumThreads(1)
        self._finder = finder(engine, models) if look is None else look
        self._networks = Networks(models)
        self._every = round(SECOND / scores_per_second)
        self._visitor = Visitor(still=still)
        self._skin, self._chest, self._travel, self._units = Skin(), Chest(), Travel(), Units(still=still)
        self._usual, self._levels = Usual(still=still), Levels()
        self._visitors = 0
        self._asked: int | None = None
        self._last: int | None = None
        self._ago = 0

    @property
    def name(self) -> str:
        """Engine and networks, for provenance."""
        return "+".join((self._finder.name, *self._networks.names))

    @property
    def score_channels(self) -> tuple[str, ...]:
        """What the expression networks' numbers are called; empty without one."""
        return self._networks.channels

    @property
    def regions(self) -> Regions:
        """Where the skin of the last picture's visitor was measured: for a figure, never for the bus."""
        return tuple(zip(REGIONS, self._skin.polygons, strict=False))

    def see(self, frame: Frame) -> Sight:
        """What may leave of a picture; DriverFailed where it is none that a camera makes."""
        _check(frame)
        now = self._time(frame.at)
        faces = [face for face in self._finder.faces(frame.pixels) if place(face.points).height > LEAST_FACE]
        choice = self._visitor.choose(faces, now)
        if choice.changed:
            self._visitors += 1
            self._forget()
        motion = np.full(len(MOTION_CHANNELS), np.nan, np.float32)
        motion[_FACES] = len(faces)
        if choice.face is None:
            self._skin.look_away()
            self._travel.reset()
            return Sight(frame.at, NOTHING.copy(), motion, marks=choice.marks)
        motion[_VISITOR] = self._visitors
        points = choice.face.points
        rgb = rough(self._levels.told(self._skin.colours(frame.pixels, points, now)))
        self._measure(motion, frame, choice.face, now)
        units = self._units.measure(points, now)
        return Sight(frame.at, rgb, motion, units, self._scores(frame, choice.face, now), choice.marks)

    def close(self) -> None:
        """Give the networks' memory back."""
        self._finder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _measure(self, motion: Numbers, frame: Frame, face: Face, now: int) -> None:
        height, width = frame.pixels.shape[:2]
        turned, there = self._usual.against(pose(face.points), now), place(face.points)
        for channel, value in (
            ("pitch", turned.pitch),
            ("yaw", turned.yaw),
            ("roll", turned.roll),
            ("x", there.x / width),
            ("y", there.y / height),
            ("size", there.height / height),
            ("motion", self._travel.motion(face.points, now, there.height)),
            ("chest", self._chest.moved(frame.pixels, there.chin, there.height)),
            ("light", LIGHT_STEP * np.round(self._skin.light / LIGHT_STEP)),
            ("gaze_x", turned.gaze_x),
            ("gaze_y", turned.gaze_y),
        ):
            motion[MOTION_CHANNELS.index(channel)] = value

    def _scores(self, frame: Frame, face: Face, now: int) -> Numbers | None:
        if not self.score_channels or (self._asked is not None and now - self._asked < self._every):
            return None
        # from beat to beat of a fixed step, so that a camera of 30 pictures a second gives the rate that was asked for
        late = 0 if self._asked is None else (now - self._asked) % self._every
        self._asked = now - late
        return self._networks.scores(frame.pixels, face.points)

    def _time(self, at: int) -> int:
        """Time for everything with a memory: it never goes back, whatever the source says."""
        if self._last is not None and at + self._ago <= self._last:
            if at + self._ago < self._last - BACK:
                self._forget()
                self._visitor.reset()
            self._ago = self._last + 1 - at
        self._last = at + self._ago
        return self._last

    def _forget(self) -> None:
        self._skin.reset()
        self._levels.reset()
        self._chest.reset()
        self._travel.reset()
        self._units.reset()
        self._usual.reset()
        self._asked = None


_FACES: Final = MOTION_CHANNELS.index("faces")
_VISITOR: Final = MOTION_CHANNELS.index("visitor")


def _check(frame: Frame) -> None:
    pixels = frame.pixels
    if getattr(pixels, "dtype", None) != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        kind = f"{getattr(pixels, 'dtype', type(pixels).__name__)} of shape {getattr(pixels, 'shape', ())}"
        raise DriverFailed(f"a picture must have rows, columns and three channels of 8 bits; this is {kind}")
    height, width = pixels.shape[:2]
    if min(height, width) < LEAST_SIDE:
        raise DriverFailed(f"a picture of {width} x {height} pixels is too small, {LEAST_SIDE} each way are needed")
    if height * width > MOST_PIXELS:
        raise DriverFailed(f"a picture of {width} x {height} pixels is too big, {MOST_PIXELS} in all are the most")

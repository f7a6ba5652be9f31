"""What a camera sees of head and expression, beside the colour."""

import numpy as np
from numpy.typing import NDArray

from kiosk.signals import MOTION_CHANNELS, UNIT_CHANNELS
from sensors.drivers.simulated import skin
from sensors.drivers.simulated.head import BODY, Head
from sensors.drivers.simulated.noise import Noise
from sensors.drivers.simulated.waves.inside import Inside

_GRID = 250
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # of red, green, blue (ITU-R BT.709)
_STEP = 1.0 / 30.0  # s over which motion is measured
# standard deviations of what landmarks get wrong at 0.6 m, in the unit of the channel
_JITTER = np.array([0.25, 0.2, 0.15, 6e-4, 6e-4, 8e-4, 0.006, 8e-4, 0.0015, 0.7, 0.7, 0.0])
# intensities (0..5) of the action units that a full expression has
_SMILE = {"au06": 3.0, "au12": 4.0, "au25": 1.5}
_JAW = {"au25": 3.5, "au26": 3.0}
_LIDS = {"au43": 5.0}
_REST = {"au05": 0.2, "au17": 0.2}
_WRONG = 0.08  # standard deviation of an intensity


class FaceMotion:
    """Pose and gaze (degrees), place, size, motion, chest and light. Nobody there: NaN, and no faces."""

    channels: tuple[str, ...] = MOTION_CHANNELS

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        scene, person = inside.scene, inside.person
        self._noise = Noise(person.seed, "face_motion/noise", rate=_GRID, channels=len(_JITTER))
        # landmarks know a small face less well; a person without noise has none here either
        worse = max(scene.distance / 0.6, 1.0) * (person.pixel_noise / 3.0)
        self._jitter = worse * _JITTER
        colour = skin.colour(person.melanin) * scene.level / 255.0
        self._luminance = float((_LUMINANCE * colour).sum())

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 13)."""
        inside = self._inside
        pose = inside.head.pose(times)
        out = np.zeros((times.size, len(MOTION_CHANNELS)))
        # shoulders sway with the head
        chest = pose.chest + BODY * (0.5 - pose.y) / pose.size
        columns = (pose.pitch, pose.yaw, pose.roll, pose.x, pose.y, pose.size, _moved(inside.head, times), chest,
                   self._luminance * inside.room.steady(times))  # fmt: skip
        for number, column in enumerate(columns):
            out[:, number] = column
        if inside.scene.visitor == "living":
            out[:, 9:11] = inside.mimic.at(times).gaze
        out[:, 11] = inside.scene.faces
        out[:, : len(_JITTER)] += self._jitter * self._noise.at(times)
        out[:, 12] = 1  # the same person all the time
        np.maximum(out[:, 6], 0.0, out=out[:, 6])
        np.clip(out[:, 8], 0.0, 1.0, out=out[:, 8])
        gone = inside.room.away.inside(times)
        if inside.scene.visitor == "nobody":
            gone[:] = True
        out[gone, :11] = np.nan
        out[gone, 12] = np.nan
        out[gone, 11] = inside.scene.faces - 1
        return out


class FaceUnits:
    """Intensities of action units, 0..5. Nobody there: NaN."""

    channels: tuple[str, ...] = UNIT_CHANNELS

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self._noise = Noise(inside.person.seed, "face_units/noise", rate=_GRID, channels=len(UNIT_CHANNELS))
        self._wrong = _WRONG * inside.person.pixel_noise / 3.0
        self._smile, self._jaw, self._lids, self._rest = (
            np.array([table.get(name, 0.0) for name in UNIT_CHANNELS]) for table in (_SMILE, _JAW, _LIDS, _REST)
        )

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 19)."""
        inside = self._inside
        out = np.empty((times.size, len(UNIT_CHANNELS)))
        out[:] = self._rest
        if inside.scene.visitor == "living":
            mien = inside.mimic.at(times)
            out += mien.smile[:, None] * self._smile + mien.jaw[:, None] * self._jaw
            out += mien.lids[:, None] * self._lids
        out += self._wrong * self._noise.at(times)
        np.clip(out, 0.0, 5.0, out=out)
        gone = inside.room.away.inside(times)
        if inside.scene.visitor == "nobody":
            gone[:] = True
        out[gone] = np.nan
        return out


def _moved(head: Head, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of the face's height per second: shifts, and turns by the arc that the face's front goes."""
    now, before = head.pose(times), head.pose(times - _STEP)
    across = (now.x - before.x) * (4.0 / 3.0) / now.size
    up = (now.y - before.y) / now.size
    turned = np.radians(np.hypot(now.yaw - before.yaw, now.pitch - before.pitch)) * 0.5
    rolled = np.radians(now.roll - before.roll) * 0.4
    return np.sqrt(across * across + up * up + turned * turned + rolled * rolled) / _STEP

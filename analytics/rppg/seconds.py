"""What can be said of each second of a camera's face before anybody asks for a pulse, and what would be in its way."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.rppg.colours import faces
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Track
from kiosk.signals import MOTION_CHANNELS, REGIONS, RGB_CHANNELS

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

SEEN = 0.5
"""Share of a second's frames that must show a face."""
DARK = 35.0
"""Of 255: mean of the brightest colour. Below it 8 bits and sensor noise leave little of a pulse of 0.3 %."""
FULL = 250.0
"""Of 255: mean of a colour from which many of its pixels are at the top."""
FEW = 3_000.0
"""Pixels of skin in the whole face: a face 60 pixels wide."""
RESTLESS = 0.15
"""Face heights a second that landmarks move by."""
UNEASY = 0.04
"""SD of the brightness of a second: the face moves through light and shade."""


@dataclass(frozen=True, slots=True)
class Seconds:
    """Each whole second from the first frame on in which there are frames."""

    starts: Times
    usable: NDArray[np.bool_]
    """Whether a pulse can be in it at all."""
    hindrance: tuple[Reason | None, ...]
    """What would be to blame where no pulse is found; None where nothing is seen to be wrong."""


def seconds(track: Track, motion: Track | None = None) -> Seconds:
    """Of skin colours, and of the face's motion where that is known."""
    if track.channels != RGB_CHANNELS:
        raise ValueError("not the channels of skin colours")
    if not len(track.times):
        return Seconds(np.empty(0, dtype=np.int64), np.zeros(0, dtype=np.bool_), ())
    first, last = int(track.times[0]), int(track.times[-1])
    number = (track.times - first) // SECOND
    # the last second counts where it is whole: frames are at most a tenth of a second apart
    whole = (last - first + SECOND // 10) // SECOND
    present = np.unique(number[number < whole])
    rows = track.samples.reshape(len(track.times), len(REGIONS), 4)
    face = faces(track)
    usable, hindrance = [], []
    bounds = np.searchsorted(number, np.concatenate((present, present + 1)))
    starts = first + present * SECOND
    for begin, end, start in zip(bounds[: len(present)], bounds[len(present) :], starts.tolist(), strict=True):
        reason = _hindrance(rows[begin:end], face[begin:end], _restlessness(motion, start))
        usable.append(reason not in ("no_face", "saturated"))
        hindrance.append(reason)
    return Seconds(starts, np.array(usable, dtype=np.bool_), tuple(hindrance))


def _hindrance(rows: NDArray[np.float32], face: NDArray[np.bool_], restless: float) -> Reason | None:
    if face.mean() < SEEN:
        return "no_face"
    seen = rows[face].astype(np.float64)
    filled = np.isfinite(seen).all(axis=2) & (seen[:, :, 3] > 0)
    # the whole face where it is told, else whatever is
    region = 0 if filled[:, 0].any() else int(np.argmax(filled.sum(axis=0)))
    colours, pixels = seen[filled[:, region], region, :3], seen[filled[:, region], region, 3]
    level = colours.mean(axis=0)
    if level.max() >= FULL:
        return "saturated"
    if level.max() < DARK:
        return "too_dark"
    if restless > RESTLESS or float(np.log(np.maximum(colours.mean(axis=1), 1.0)).std()) > UNEASY:
        return "moving"
    return "too_far" if region == 0 and float(np.median(pixels)) < FEW else None


def _restlessness(motion: Track | None, start: int) -> float:
    """Median of the landmarks' speed in a second; 0 where nobody knows."""
    if motion is None:
        return 0.0
    part = motion.between(start, start + SECOND)
    speed = part.samples[:, MOTION_CHANNELS.index("motion")]
    speed = speed[np.isfinite(speed)]
    return float(np.median(speed)) if len(speed) else 0.0

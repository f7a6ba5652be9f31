"""Frequencies that something else than a heart has: lamps in a camera's frames, and a head or a hand that sways."""

import numpy as np
from numpy.typing import NDArray

from analytics import filters
from analytics.resample import regular
from kiosk.messages import SECOND
from kiosk.recording import Track
from kiosk.signals import MOTION_CHANNELS

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MAINS = (50.0, 60.0, 100.0, 120.0)
"""Hertz of the mains and of the light of lamps on it."""
NEAR = 0.12
"""Hertz around an alias: the mains are within 0.05 Hz, their light within 0.1."""
PASSES = 3
"""Times that frames are counted by the period that the count before has told."""
GRID = 10.0
"""Hertz on which motion is looked at."""
SWAY = 0.004
"""Amplitude, in face heights, from which a sway at the pulse's rate is more than the heart's own knock at the head."""
LINE = 12.0
"""Power of a sway over that of motion around it."""
DEGREE = 0.009
"""Face heights that the face's edge moves by for each degree that the head turns."""


def frame_rate(times: NDArray[np.int64]) -> float | None:
    """Frames per second of the camera's own clock, whatever it dropped; None of too few."""
    steps = np.diff(times)
    if len(steps) < 30:
        return None
    period = float(np.median(steps)) / SECOND
    # frames that were dropped make the first guess too long, by which long holes are miscounted
    number = np.zeros(len(times))
    for _ in range(PASSES):
        number = np.concatenate(([0.0], np.cumsum(np.rint(steps / (period * SECOND)))))
        if number[-1] <= 0:
            return None
        single = steps[np.diff(number) == 1.0]
        period = float(single.mean()) / SECOND if len(single) else period
    fitted = float(np.polyfit(number, (times - times[0]) / SECOND, 1)[0])
    return 1.0 / fitted if fitted > 0 else None


def flickering(hertz: Floats, frames: float | None) -> Flags:
    """Which frequencies a lamp on the mains would have in frames of this rate."""
    if frames is None:
        return np.zeros(len(hertz), dtype=np.bool_)
    aliases = np.array([abs(mains - round(mains / frames) * frames) for mains in MAINS])
    return np.asarray((np.abs(hertz[:, None] - aliases) < NEAR).any(axis=1))


def swaying(motion: Track | None, begins: NDArray[np.int64], seconds: float, hertz: Floats) -> Flags:
    """Whether head and face sway at the frequency that is read in each window, of so many seconds from its begin."""
    if motion is None or not len(motion.times):
        return np.zeros(len(begins), dtype=np.bool_)
    pairs = zip(begins.tolist(), hertz.tolist(), strict=True)
    return np.array([_sways(motion.between(begin, begin + round(seconds * SECOND)), rate) for begin, rate in pairs])


def _sways(part: Track, hertz: float) -> bool:
    rows = _displacement(part)
    if len(rows) < 5.0 * GRID:
        return False
    shape = np.hanning(len(rows))
    lines = np.fft.rfft((rows - rows.mean(axis=0)) * shape[:, None], axis=0) / (0.5 * shape.sum())
    grid = np.fft.rfftfreq(len(rows), 1.0 / GRID)
    resolution = GRID / len(rows)
    own = np.abs(grid - hertz) <= resolution
    around = (np.abs(grid - hertz) > 2.0 * resolution) & (np.abs(grid - hertz) < 0.8) & (grid > 0.4)
    if not own.any() or not around.any():
        return False
    power = np.abs(lines) ** 2
    line, noise = power[own].max(axis=0), power[around].mean(axis=0)
    return bool(((line > SWAY**2) & (line > LINE * noise)).any())


def _displacement(part: Track) -> Floats:
    """How far the face is from where it was, in its own heights, by place, turn and size; on a regular grid."""
    if len(part.times) < 3:
        return np.empty((0, 6))
    even = regular(part, GRID)
    columns = {name: even.samples[:, MOTION_CHANNELS.index(name)].astype(np.float64) for name in _MOVES}
    size = columns["size"][np.isfinite(columns["size"]) & (columns["size"] > 0)]
    if not len(size):
        return np.empty((0, 6))
    height = float(np.median(size))
    scale = {"x": 1.0 / height, "y": 1.0 / height, "size": 1.0 / height}
    return np.column_stack([filters.filled(columns[name]) * scale.get(name, DEGREE) for name in _MOVES])


_MOVES = ("x", "y", "size", "pitch", "yaw", "roll")

"""Skin colours without the skin's own colour: a pulse is in their changes, and who somebody is in their levels.

What leaves are the colours times a gain that each region and channel gets when it is first seen and keeps: relative
changes are exact, but all regions and channels begin at one level, so that neither the hue of a skin nor the light and
shade of a face is told. That level is the face's brightness, rounded down to a coarse step: whoever reads it can still
say that it is too dark, and a face at the sensor's end is told as bright as it is.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kiosk.signals import REGIONS
from sensors.face.seen import Numbers

DARK: Final = 36.0
"""Of 255: a step lies here, a hair above where a reader says "too dark" (35): what is brighter is not told darker."""
STEPS: Final = 2.0
"""Steps for each doubling: what is told is darker than the face by 29 % at most."""
FULL: Final = 250.0
"""Of 255: from here on a face is told as bright as it is (a reader says "saturated")."""
OFF: Final = 1.3
"""Times the level that the whole face's colours may be told at. What changes their proportion by more is another lamp,
or a camera that began in the dark, and the gains are chosen anew: a jump, as the light's own was."""
NOTHING: Final = 1.0
"""Of 255: what a colour is taken for at least, where a gain is chosen."""


class Levels:
    """The gains of one visitor."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """The visitor is somebody else."""
        self._gains: NDArray[np.float64] = np.full((len(REGIONS), 3), np.nan)
        self._share = float("nan")

    def told(self, rgb: Numbers) -> Numbers:
        """The same row with its colours at the common level; pixel counts stay, and so does what was not seen."""
        rows = rgb.reshape(len(REGIONS), 4).astype(np.float64)
        colours = rows[:, :3]
        seen: NDArray[np.bool_] = np.asarray(np.isfinite(colours).all(axis=1))
        if not seen.any():
            return rgb.copy()
        # the whole face where it is told, else whatever is
        brightest = colours.max(axis=1)
        bright = max(NOTHING, float(brightest[0] if seen[0] else brightest[seen].mean()))
        if np.isnan(self._share):
            self._share = coarse(bright) / bright
        level = bright * self._share
        if seen[0] and (colours[0] * self._gains[0]).max() > OFF * level:
            self._gains[:] = np.nan
        new = seen & np.isnan(self._gains).any(axis=1)
        self._gains[new] = level / np.maximum(colours[new], NOTHING)
        rows[:, :3] = colours * self._gains * (1.0 if bright < FULL else bright / level)
        return np.asarray(rows.ravel(), np.float32)


def coarse(bright: float) -> float:
    """The step at or below."""
    return float(DARK * 2.0 ** (np.floor(STEPS * np.log2(bright / DARK)) / STEPS))

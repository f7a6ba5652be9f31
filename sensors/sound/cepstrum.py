"""Mel-frequency cepstral coefficients (Davis & Mermelstein 1980, doi:10.1109/TASSP.1980.1163420), as GeMAPS takes them:
26 triangles from 20 Hz to 8 kHz on the power spectrum, logarithm, cosine transform, liftered with L = 22."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from sensors.sound.spectra import FLOOR, HERTZ, Spectra

BANDS = 26
LOWEST, HIGHEST = 20.0, 8000.0
COUNT = 13
LIFTER = 22
"""Of HTK: brings the higher coefficients to the size of the lower ones."""


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """O'Shaughnessy 1987."""
    return np.asarray(1127 * np.log1p(hertz / 700))


def _triangles() -> NDArray[np.float64]:
    """A column for each band."""
    low, high = _mel(np.array([LOWEST, HIGHEST]))
    corners = np.linspace(low, high, BANDS + 2)
    mel = _mel(HERTZ)[:, None]
    rising = (mel - corners[:-2]) / np.diff(corners)[:-1]
    falling = (corners[2:] - mel) / np.diff(corners)[1:]
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None))


_TRIANGLES = _triangles()
_LIFT = 1 + LIFTER / 2 * np.sin(np.pi * np.arange(1, COUNT + 1) / LIFTER)


def cepstra(spectra: Spectra) -> NDArray[np.float64]:
    """Coefficients 1..13 of each frame. They stay in the process: only their mean and spread over a second leave."""
    bands = np.log(spectra.power @ _TRIANGLES + FLOOR)
    return np.asarray(dct(bands, type=2, norm="ortho", axis=1)[:, 1 : COUNT + 1] * _LIFT)

"""The rate from moment to moment: how the phase of the pulse runs on against the course that was read."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]

BLUR = 1.0
"""Seconds (SD of the Gaussian) over which the pulse is held against the course: 0.16 Hz to both sides are seen."""


def run(wave: Floats, rate: float, middles: Floats, hertz: Floats) -> Floats:
    """Hertz at each sample of a wave, of which some seconds' rates are known by their windows' middles (in samples).

    The wave is turned back by the course's own phase; how what is left turns, smoothed, is the course's error.
    """
    index = np.arange(len(wave), dtype=np.float64)
    course = np.interp(index, middles, hertz)
    turned = wave * np.exp(-2j * np.pi * np.cumsum(course) / rate)
    sigma = BLUR * rate
    smooth = ndimage.gaussian_filter1d(turned.real, sigma) + 1j * ndimage.gaussian_filter1d(turned.imag, sigma)
    return np.asarray(course + np.gradient(np.unwrap(np.angle(smooth))) * rate / (2.0 * np.pi))

"""How far the noise between the harmonics of a pulse moves its steepest upstrokes."""

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from analytics.ppg.record import TRANSIT, VAGUE

Floats = NDArray[np.float64]

SEGMENT = 12.0
"""Seconds whose spectra are averaged."""
LOWEST, ASIDE = 0.5, 0.22
"""Hertz from which noise is looked at, and away from every harmonic, which a heart that varies makes broad."""
MEDIAN_OF_NOISE = 0.69
"""Median over mean of a spectrum of noise."""
SHARE, LEAK = 0.65, 0.004
"""Of the deviation that follows from that noise, the share that was found, and seconds that came from variability: in
130 simulated faces of seven noise levels, whose upstrokes were off by 2 to 28 ms (SD), the two went together by .89."""


def precision(wave: Floats, low: Floats, rate: float, at: Floats, heart: float, harmonics: float) -> float:
    """Seconds (SD) by which fiducials are off, of a wave, the same up to some harmonics of a rate in hertz, and beats.

    The steepest point moves by the noise of the wave's second derivative over the curvature of its slope.
    """
    top, size = harmonics * heart, min(len(wave), round(SEGMENT * rate))
    if not len(at) or size < 4:
        return VAGUE
    hertz, power = signal.welch(wave - wave.mean(), rate, nperseg=size)
    order = hertz / heart
    between = (np.abs(order - np.rint(order)) * heart > ASIDE) | (order < 0.75)
    between &= (hertz > LOWEST) & (order < harmonics + 0.6)
    if not between.any():
        return VAGUE
    noise = float(np.median(power[between])) / MEDIAN_OF_NOISE
    bend = -np.gradient(np.gradient(np.gradient(low))) * rate**3
    sharp = float(np.median(np.interp(at, np.arange(len(low)), bend)))
    if sharp <= 0:
        return VAGUE
    off = (noise * (2.0 * np.pi) ** 4 * top**5 / 5.0) ** 0.5 / sharp
    return min(VAGUE, float(np.hypot(max(0.0, SHARE * off - LEAK), TRANSIT)))

"""From the wanted SDNN and RMSSD to the strength of the three rhythms of the heart, and back."""

import numpy as np
from numpy.typing import NDArray

MAYER = 0.1
"""Hertz; the band is 0.04..0.15 (Task Force 1996, doi:10.1161/01.CIR.93.5.1043)."""
VLF = (0.007, 0.038)
"""Hertz. From 0.007, so that five minutes hold two turns of the slowest and the wanted SDNN is met in each of them."""
_MAYER_SHARE = 0.45  # of the slow variance


def step(frequency: NDArray[np.float64] | float, interval: float) -> float:
    """Mean squared successive difference of a rhythm of unit variance, sampled once each interval."""
    return float(np.mean(4.0 * np.square(np.sin(np.pi * np.asarray(frequency) * interval))))


def possible(heart_rate: float, respiration_rate: float) -> tuple[float, float]:
    """Least and greatest RMSSD / SDNN: slow rhythms alone, breathing alone."""
    slow, fast = _steps(heart_rate, respiration_rate)
    return slow**0.5, fast**0.5


def dials(sdnn: float, rmssd: float, heart_rate: float, respiration_rate: float) -> tuple[float, float, float]:
    """(rsa, mayer, vlf) in ms of standard deviation: two equations in the variances of fast and slow rhythms."""
    slow, fast = _steps(heart_rate, respiration_rate)
    share = ((rmssd / sdnn) ** 2 - slow) / (fast - slow) if sdnn > 0 else -1.0
    if not 0.0 <= share <= 1.0:
        raise ValueError(
            f"at this heart and breathing rate rmssd can be {sdnn * slow**0.5:.0f}..{sdnn * fast**0.5:.0f} ms"
        )
    rest = sdnn * (1.0 - share) ** 0.5
    return sdnn * share**0.5, rest * _MAYER_SHARE**0.5, rest * (1.0 - _MAYER_SHARE) ** 0.5


def _steps(heart_rate: float, respiration_rate: float) -> tuple[float, float]:
    interval = 60.0 / heart_rate
    slow = _MAYER_SHARE * step(MAYER, interval) + (1.0 - _MAYER_SHARE) * step(np.geomspace(*VLF, 5), interval)
    return slow, step(respiration_rate / 60.0, interval)

"""Frequency weighting A of IEC 61672-1: as loud as soft sounds are heard."""

import numpy as np
from numpy.typing import NDArray

POLES = (20.598997, 107.65265, 737.86223, 12194.217)
"""Hertz (IEC 61672-1:2013, annex E)."""
AT_1000 = 10 ** (2.0 / 20)
"""Gain that makes it 0 dB at 1 kHz."""


def a_weights(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Factors of the power at these frequencies."""
    square = hertz**2
    low, second, third, high = (each**2 for each in POLES)
    gain = high * square**2 / ((square + low) * np.sqrt((square + second) * (square + third)) * (square + high))
    return np.asarray((AT_1000 * gain) ** 2)

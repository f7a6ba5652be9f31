"""How well pulses are drawn: rate and likeness of several methods side by side, on examples nobody learnt from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from analytics.rppg.neural import RATE

Floats = NDArray[np.float64]
Method = Callable[[Floats, float], Floats]

BAND = (0.65, 3.5)
"""Hertz in which a heart beats: 39 to 210 a minute."""
WRONG = 3.0
"""Beats a minute by which a rate is plainly wrong."""
_FINE = 8192


@dataclass(frozen=True, slots=True)
class Figure:
    """One method on one set of examples."""

    method: str
    error: float
    """Mean absolute error of the rate, beats a minute."""
    wrong: float
    """Share of examples whose rate is off by more than `WRONG`."""
    likeness: float
    """Median correlation of the pulse with the true one, both in the band."""
    examples: int


def compare(name: str, method: Method, colours: Floats, waves: Floats) -> Figure:
    """A method on (k, n, 3) colours at `RATE` with their true pulses (k, n). Every example is answered: no absence."""
    off, alike = [], []
    for seen, true in zip(colours, waves, strict=True):
        ours, theirs = _band(method(seen, RATE)), _band(true)
        off.append(abs(rate(ours) - rate(theirs)))
        norm = float(np.linalg.norm(ours) * np.linalg.norm(theirs))
        alike.append(float(ours @ theirs) / norm if norm > 0 else 0.0)
    errors = np.array(off)
    return Figure(name, float(errors.mean()), float((errors > WRONG).mean()), float(np.median(alike)), len(errors))


def rate(wave: Floats) -> float:
    """Beats a minute at the highest peak of the spectrum."""
    hertz, density = signal.periodogram(wave, RATE, "hann", nfft=max(_FINE, len(wave)))
    inside = (hertz >= BAND[0]) & (hertz <= BAND[1])
    return 60.0 * float(hertz[inside][np.argmax(density[inside])])


def _band(wave: Floats) -> Floats:
    sections = signal.butter(2, BAND, "bandpass", fs=RATE, output="sos")
    return np.asarray(signal.sosfiltfilt(sections, wave - wave.mean()))

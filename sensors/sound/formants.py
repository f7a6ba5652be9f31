"""Formants: the poles of a linear prediction by Burg's method (Burg 1975; Andersen 1974, doi:10.1190/1.1440413).

As in phonetic practice (Boersma & Weenink, "To Formant (burg)"): five formants below 5 kHz for a low voice and below
5.5 kHz for a high one, pre-emphasis from 50 Hz on, and of the poles those with a frequency and a width of formants.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from sensors.sound.frames import BESIDE, HOP
from sensors.sound.rates import RATE, Sound

ORDER = 10
"""Of the prediction: two for each of five formants."""
WINDOW = 0.04
"""Seconds, of a Hann window: as long inside as a rectangle of 20 ms."""
LOW_VOICE = 160.0
"""Hertz of pitch between those who have their five formants below 5 kHz, and below 5.5 kHz."""
RATIOS = {True: (5, 8), False: (11, 16)}
"""From 16 kHz to twice those, by whether the voice is low."""
PREEMPHASIS = 50.0
LOWEST, BESIDE_NYQUIST = 90.0, 50.0
"""Hertz: what lies nearer to 0 or to the highest frequency is the spectrum's slope and no formant."""
WIDEST = 600.0
"""Hertz: a pole that is wider makes no peak."""
EVERY = 2
"""Of the voiced frames every second one: formants move over 20 ms and more."""
COUNT = 3


def formants(stretch: Sound, frames: NDArray[np.int64], low: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies and widths of the first three formants, a row for each of these frames of a stretch; NaN if none."""
    nothing = np.full((len(frames), COUNT), np.nan)
    if not len(frames):
        return nothing, nothing.copy()
    up, down = RATIOS[low]
    rate = RATE * up / down
    sound = resample_poly(stretch, up, down)
    sound = np.diff(sound * 1.0, prepend=0.0) + sound * (1 - np.exp(-2 * np.pi * PREEMPHASIS / rate))
    length = round(WINDOW * rate)
    middles = np.rint((BESIDE + HOP / 2 + HOP * frames) * up / down).astype(np.int64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(length) + 0.5) / length)
    rows = sound[(middles - length // 2)[:, None] + np.arange(length)] * window
    coefficients = _burg(rows)
    companion = np.zeros((len(rows), ORDER, ORDER))
    companion[:, np.arange(1, ORDER), np.arange(ORDER - 1)] = 1
    companion[:, 0] = -coefficients
    poles = np.linalg.eigvals(companion)
    frequencies = np.angle(poles) * rate / (2 * np.pi)
    widths = -np.log(np.maximum(np.abs(poles), 1e-9)) * rate / np.pi
    fit = (frequencies > LOWEST) & (frequencies < rate / 2 - BESIDE_NYQUIST) & (widths < WIDEST)
    frequencies = np.where(fit, frequencies, np.inf)
    order = np.argsort(frequencies, axis=1)[:, :COUNT]
    found = np.take_along_axis(frequencies, order, axis=1)
    there = np.isfinite(found)
    return np.where(there, found, np.nan), np.where(there, np.take_along_axis(widths, order, axis=1), np.nan)


def _burg(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Prediction coefficients a1..ap of 1 + a1 z^-1 + ..., a row for each row of samples."""
    forward, backward = rows[:, 1:], rows[:, :-1]
    found = np.zeros((len(rows), 0))
    for _ in range(ORDER):
        power = np.maximum((forward**2).sum(axis=1) + (backward**2).sum(axis=1), 1e-30)
        reflection = -2 * (forward * backward).sum(axis=1) / power
        column = reflection[:, None]
        found = np.hstack([found + column * found[:, ::-1], column])
        forward, backward = (forward + column * backward)[:, 1:], (backward + column * forward)[:, :-1]
    return found

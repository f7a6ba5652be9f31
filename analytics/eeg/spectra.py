"""Spectra of two seconds, the background under their peaks, and the peak of alpha. Live and final use these.

Windows of 2 s, half overlapping, with Hann's taper (Welch 1967, doi:10.1109/TAU.1967.1161901; 2 s: Jobert et al. 2012,
doi:10.1159/000343478). The background is a straight line in log-log without the peaks (Donoghue et al. 2020,
doi:10.1038/s41593-020-00744-x).
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from analytics.eeg.bands import top

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

FITTED = (2.0, 40.0)
"""Hertz between which the background is fitted: away from the high pass and from the edge of the band."""
PEAK, FOOT = 2.5, 0.5
"""Spreads above the background from which something is a peak, and down to which it is taken out with its feet. For
the fit the spread is that around the line; for alpha's peak chance alone, since few backgrounds are quite straight."""
LEAST_HEIGHT = 0.1
"""Log10 units above the background (26 %) below which nothing is a peak, however quiet the spectrum."""
ROUNDS = 4
"""Fits without the peaks that the fit before it left; the second seldom differs from the third."""
LEAST_FITTED = 12
"""Frequencies that must be left for a line."""
ALPHA_PEAK = (7.0, 13.0)
"""Hertz between which the alpha peak is looked for (Corcoran et al. 2018, doi:10.1111/psyp.13064)."""


@dataclass(frozen=True, slots=True)
class Background:
    """Log10 power = offset - exponent * log10 frequency, and how far a frequency scatters by chance (robust SD)."""

    offset: float
    exponent: float
    spread: float

    def at(self, frequencies: Floats) -> Floats:
        """Log10 power."""
        return np.asarray(self.offset - self.exponent * np.log10(frequencies))


def hop(rate: float) -> int:
    """Samples from one window to the next: a second."""
    return max(1, round(rate))


def size(rate: float) -> int:
    """Samples in a window: two seconds."""
    return 2 * hop(rate)


@lru_cache(maxsize=32)
def frequencies(rate: float) -> Floats:
    """Hertz of a window's spectrum, from the first above zero to the top of the bands."""
    step = rate / size(rate)
    found = np.asarray(step * np.arange(1, size(rate) // 2 + 1, dtype=np.float64))
    found = np.asarray(found[found <= top(rate) + step / 2], dtype=np.float64)
    found.setflags(write=False)
    return found


@lru_cache(maxsize=32)
def _taper(rate: float) -> Floats:
    phase = 2.0 * np.pi * np.arange(size(rate), dtype=np.float64)[:, None] / size(rate)
    taper = np.asarray(0.5 - 0.5 * np.cos(phase))
    taper *= math.sqrt(2.0 / (rate * float(np.square(taper).sum())))
    taper.setflags(write=False)
    return taper


def transformed(x: Floats, rate: float) -> Complex:
    """(channels, frequencies) of a window (samples, channels); the square of its size is the one-sided density."""
    tapered = (x - x.mean(axis=0)) * _taper(rate)
    # a row per channel: the transform runs along memory
    found = np.fft.rfft(np.ascontiguousarray(tapered.T), axis=1)
    return np.asarray(found[:, 1 : len(frequencies(rate)) + 1])


def density(spectrum: Complex) -> Floats:
    """Power per hertz."""
    return np.asarray(np.square(spectrum.real) + np.square(spectrum.imag))


def slope(found: Floats, power: Floats, low: float, high: float) -> Floats:
    """Of log power over log frequency, between two frequencies, along the last axis."""
    inside = (found >= low) & (found <= high)
    x = np.log10(found[inside])
    x = x - x.mean()
    y = np.log10(np.maximum(power[..., inside], np.finfo(np.float64).tiny))
    return np.asarray(y @ x / np.square(x).sum())


def background(found: Floats, log_power: Floats) -> Background | None:
    """The line under the peaks of one spectrum; None where too little is left of it."""
    inside = (found >= FITTED[0]) & (found <= FITTED[1])
    x, y = np.log10(found[inside]), log_power[inside]
    if len(x) < LEAST_FITTED or not np.isfinite(y).all():
        return None
    steepness, offset = _theil_sen(x, y)
    for _ in range(ROUNDS):
        rest = y - offset - steepness * x
        spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest))))
        kept = ~_peaks(rest, spread)
        if kept.sum() < LEAST_FITTED:
            break
        steepness, offset = np.polyfit(x[kept], y[kept], 1).tolist()
    rest = y - offset - steepness * x
    # two apart: Hann's taper makes neighbours alike
    chance = 1.4826 * float(np.median(np.abs(rest[2:] - rest[:-2]))) / np.sqrt(2.0)
    return Background(offset, -steepness, chance)


def alpha_peak(found: Floats, log_power: Floats, under: Background) -> float | None:
    """Hertz of the highest peak over the background, refined by a parabola; None where there is none."""
    rest = log_power - under.at(found)
    least = max(LEAST_HEIGHT, PEAK * under.spread)
    # over the background and over both sides: a bend of the background is no peak
    tops, _ = find_peaks(rest, height=least, prominence=least)
    tops = tops[(found[tops] >= ALPHA_PEAK[0]) & (found[tops] <= ALPHA_PEAK[1])]
    if not len(tops):
        return None
    best = int(tops[np.argmax(rest[tops])])
    left, middle, right = rest[best - 1 : best + 2].tolist()
    bend = left - 2.0 * middle + right
    return float(found[best] + (0.5 * (left - right) / bend if bend else 0.0) * (found[1] - found[0]))


def _theil_sen(x: Floats, y: Floats) -> tuple[float, float]:
    """The median of all slopes: peaks on less than a quarter of the frequencies do not turn it."""
    first, second = np.triu_indices(len(x), 1)
    steep = float(np.median((y[second] - y[first]) / (x[second] - x[first])))
    return steep, float(np.median(y - steep * x))


def _peaks(rest: Floats, spread: float) -> NDArray[np.bool_]:
    """Frequencies of peaks with their feet."""
    high = rest > max(PEAK * spread, LEAST_HEIGHT)
    foot = rest > FOOT * spread
    # runs of feet that hold something high
    edges = np.flatnonzero(np.diff(np.concatenate(([False], foot, [False])).astype(np.int8)))
    taken = np.zeros(len(rest), dtype=np.bool_)
    for begin, end in edges.reshape(-1, 2).tolist():
        if high[begin:end].any():
            taken[begin:end] = True
    return taken

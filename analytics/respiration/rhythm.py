"""Whether a stretch of a wave goes up and down as breath does, and how often: two methods that must agree.

The period is the first high peak of the autocorrelation, freed of the taper's own (Boersma 1993, Proc. Inst. Phonetic
Sciences 17, 97-110). Breaths are then the maxima and minima that stand out of the wave once it is smoothed over a part
of that period (after the counting of Schaefer & Kratky 2008, doi:10.1007/s10439-007-9428-1). Noise has periods and
maxima too, but the two do not tell the same rate, its cycles do not resemble each other, and they are of all lengths.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

SLOWEST, FASTEST = 4.0, 60.0
"""Breaths a minute that are looked for."""
CYCLES = 2.4
"""A period must fit into the stretch this many times."""
FIRST = 0.85
"""Share of the autocorrelation's highest peak from which an earlier one is the period, and that one two of it."""
SMOOTHING = 0.08
"""Standard deviation of the Gaussian that smooths the wave before breaths are counted, as a share of a breath."""
STANDS_OUT = 0.25
"""Share of the wave's span by which a maximum must stand above the minima beside it."""
OUTSIDE = 1.0
"""Spans beyond the inner nine tenths at which a wave is cut: a spike is no breath, however high."""
SAME = 0.12
"""Relative difference of the two rates up to which they are one."""
IRREGULAR = 0.28
"""Relative standard deviation of breath lengths from which nothing is regular enough to tell it from noise."""
UNEVEN = 0.55
"""The same of their depths."""
CERTAIN, FEW = 0.45, 0.6
"""Strength from which a rhythm needs no witness, and what is added to it over the number of breaths: of 3,400 stretches
of generated noise nine of 32 s have it, and of as many of 64 s four."""
_CURVE = 2  # order of the polynomial that is taken out: drift, and the slow swing of a posture


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What goes up and down: how often per minute, how like itself one period later (0..1), and how many times."""

    rate: float
    strength: float
    breaths: int

    @property
    def certain(self) -> bool:
        """Whether chance does not do that: fewer breaths must resemble each other more."""
        return self.strength >= CERTAIN + FEW / self.breaths


def rhythm(wave: Floats, rate: float) -> Rhythm | None:
    """The rhythm of a wave without lost samples; None where there is none between 4 and 60 a minute."""
    wave = levelled(wave)
    if not wave.any():
        return None
    found = _period(wave, rate)
    if found is None:
        return None
    period, strength = found
    smooth = _smoothed(wave, rate, period)
    height = _height(smooth)
    counts = [_spaced(smooth, rate, height), _spaced(-smooth, rate, height)]
    lengths = [len(steps) for steps, _ in counts]
    if min(lengths) < 1 or max(lengths) < 2:
        return None
    rates = [60.0 * len(steps) / float(steps.sum()) for steps, _ in counts]
    if any(abs(each * period / 60.0 - 1.0) > SAME for each in rates):
        return None
    if any(_varies(steps, IRREGULAR) or _varies(depths, UNEVEN) for steps, depths in counts):
        return None
    told = (rates[0] * lengths[0] + rates[1] * lengths[1]) / sum(lengths)
    if not SLOWEST <= told <= FASTEST:
        return None
    return Rhythm(told, min(strength, 1.0), max(lengths))


def levelled(wave: Floats) -> Floats:
    """The wave without spikes and drift, scaled to its span; zeros where it has none."""
    low, high = _inner(wave)
    span = high - low
    if not span > 1e-9 * max(abs(low), abs(high)):
        return np.zeros_like(wave)
    cut = (np.clip(wave, low - OUTSIDE * span, high + OUTSIDE * span) - low) / span
    basis = _basis(len(wave))
    return np.asarray(cut - basis @ (basis.T @ cut))


def extrema(wave: Floats, rate: float, period: float) -> Indices:
    """Maxima of a levelled wave whose breaths take about `period` seconds."""
    smooth = _smoothed(wave, rate, period)
    return np.asarray(signal.find_peaks(smooth, prominence=_height(smooth))[0])


def _inner(wave: Floats) -> tuple[float, float]:
    """Where the inner nine tenths of the values begin and end: percentiles, five times as fast as numpy's."""
    ordered = np.sort(wave)
    low, high = (_between(ordered, share * (len(wave) - 1)) for share in (0.05, 0.95))
    return low, high


def _between(ordered: Floats, place: float) -> float:
    before = int(place)
    after = min(before + 1, len(ordered) - 1)
    return float(ordered[before] + (place - before) * (ordered[after] - ordered[before]))


def _varies(values: Floats, limit: float) -> bool:
    """Whether the relative standard deviation is above the limit."""
    mean = values.sum() / len(values)
    away = values - mean
    return bool((away @ away / len(values)) ** 0.5 > limit * mean)


@lru_cache(maxsize=32)
def _basis(count: int) -> Floats:
    basis, _ = np.linalg.qr(np.vander(np.linspace(-1.0, 1.0, count), _CURVE + 1))
    return np.asarray(basis)


@lru_cache(maxsize=32)
def _taper(count: int) -> tuple[Floats, Floats]:
    taper = np.hanning(count + 2)[1:-1]
    return taper, _correlated(taper)


def _correlated(x: Floats) -> Floats:
    spectrum = np.fft.rfft(x, 2 * len(x))
    return np.asarray(np.fft.irfft(spectrum.real**2 + spectrum.imag**2)[: len(x)])


def _period(wave: Floats, rate: float) -> tuple[float, float] | None:
    """Seconds after which the wave repeats itself, and how well."""
    taper, own = _taper(len(wave))
    tapered = (wave - np.average(wave, weights=taper)) * taper
    last = min(int(1.1 * 60.0 / SLOWEST * rate), int(len(wave) / CYCLES)) + 1
    resembled = _correlated(tapered)[: last + 2] / own[: last + 2]
    if resembled[0] <= 0 or len(resembled) < 3:
        return None
    resembled /= resembled[0]
    inner = resembled[1:-1]
    peaks = np.flatnonzero((inner >= resembled[:-2]) & (inner > resembled[2:])) + 1
    if not len(peaks) or (top := resembled[peaks].max()) <= 0:
        return None
    lag = int(peaks[np.flatnonzero(resembled[peaks] >= FIRST * top)[0]])
    before, here, after = resembled[lag - 1 : lag + 2]
    away = 0.5 * (before - after) / (before - 2 * here + after)
    period = (lag + away) / rate
    return (float(period), float(here)) if 60.0 / period <= 1.1 * FASTEST else None


def _smoothed(wave: Floats, rate: float, period: float) -> Floats:
    return np.asarray(ndimage.gaussian_filter1d(wave, SMOOTHING * period * rate, mode="reflect"))


def _height(wave: Floats) -> float:
    """By how much a maximum must stand out."""
    low, high = _inner(wave)
    return max(STANDS_OUT * (high - low), 1e-12)


def _spaced(wave: Floats, rate: float, height: float) -> tuple[Floats, Floats]:
    """Seconds between maxima, and how far each stands out."""
    found, shape = signal.find_peaks(wave, prominence=height)
    return np.diff(found) / rate, shape["prominences"]

"""Frequency domain: how much of the intervals' variance lies in each band.

Bands of the Task Force of ESC and NASPE 1996, doi:10.1161/01.CIR.93.5.1043, each from its lower limit to below its
upper one.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import interpolate, linalg, signal

from analytics.beats import Floats, Intervals
from analytics.hrv.windows import split

VLF = (0.0033, 0.04)
LF = (0.04, 0.15)
HF = (0.15, 0.40)
"""Hertz."""
RATE = 4.0
"""Hertz of the evenly spaced series that Welch's method and smoothness priors need."""
SMOOTHNESS = 500.0
"""Lambda of the smoothness priors: at 4 Hz, what is slower than 0.035 Hz is trend (Tarvainen et al. 2002)."""
SEGMENT = 300.0
"""Seconds of a Welch segment; segments overlap by half or more, so that the last one ends with the series."""
RESOLUTION = 1 / 1200
"""Hertz between two frequencies that are looked at: finer than what a window of five minutes can tell apart."""
NEGLIGIBLE = 1e-9
"""A sum of squared sines that is none: only rounding makes it."""
SQUARE_MILLISECONDS = 1e6

Method = Literal["welch", "lomb-scargle", "welch+lomb-scargle"]


@dataclass(frozen=True, slots=True)
class Power:
    """Power per band, in ms2."""

    vlf: float
    lf: float
    hf: float
    method: Method
    windows: int
    """Windows whose powers were averaged."""

    @property
    def total(self) -> float:
        """The sum of the three bands."""
        return self.vlf + self.lf + self.hf

    @property
    def lf_nu(self) -> float | None:
        """LF in percent of LF and HF."""
        return 100.0 * self.lf / (self.lf + self.hf) if self.lf + self.hf > 0 else None

    @property
    def hf_nu(self) -> float | None:
        """HF in percent of LF and HF."""
        return 100.0 * self.hf / (self.lf + self.hf) if self.lf + self.hf > 0 else None

    @property
    def lf_hf(self) -> float | None:
        """LF through HF."""
        return self.lf / self.hf if self.hf > 0 else None


def power(intervals: Intervals) -> Power | None:
    """Power per band: Welch without gaps, Lomb-Scargle with; above ten minutes the mean over windows of five.

    LF and HF are of the series without its trend by smoothness priors (Welch) or by a straight line (Lomb-Scargle), VLF
    and so the total always of that without a straight line, because smoothness priors take VLF away.
    """
    parts = [found for part in split(intervals) if (found := _power(part)) is not None]
    if not parts:
        return None
    return Power(
        float(np.mean([part.vlf for part in parts])),
        float(np.mean([part.lf for part in parts])),
        float(np.mean([part.hf for part in parts])),
        parts[0].method if len({part.method for part in parts}) == 1 else "welch+lomb-scargle",
        len(parts),
    )


@dataclass(frozen=True, slots=True)
class Densities:
    """What the powers are sums of: one-sided densities in s2/Hz."""

    hertz: Floats
    flat: Floats
    """LF and HF are of this one..."""
    slow: Floats
    """... and VLF of this one."""
    method: Method

    @property
    def power(self) -> Power:
        """Power per band."""
        vlf, lf, hf = (
            band(self.hertz, each, limits) for each, limits in ((self.slow, VLF), (self.flat, LF), (self.flat, HF))
        )
        return Power(vlf, lf, hf, self.method, 1)


def drawn(intervals: Intervals) -> Densities | None:
    """The densities behind `power`, from the lower end of VLF to the upper one of HF; above ten minutes their mean."""
    parts = [found for part in split(intervals) if (found := densities(part)) is not None]
    if not parts:
        return None
    # Welch's grid and Lomb's are multiples of the same step
    count = int(np.ceil(HF[1] / RESOLUTION) - np.ceil(VLF[0] / RESOLUTION))
    firsts = [int(np.searchsorted(each.hertz, VLF[0])) for each in parts]
    flat, slow = (
        np.mean([values[first : first + count] for values, first in zip(column, firsts, strict=True)], axis=0)
        for column in ([each.flat for each in parts], [each.slow for each in parts])
    )
    hertz = parts[0].hertz[firsts[0] : firsts[0] + count]
    return Densities(
        hertz, flat, slow, parts[0].method if len({part.method for part in parts}) == 1 else "welch+lomb-scargle"
    )


def welch(times: Floats, values: Floats, *, smoothness: float | None = SMOOTHNESS) -> tuple[Floats, Floats]:
    """Frequencies and one-sided density (s2/Hz) of intervals that follow one another, ending at `times`.

    Cubic spline to 4 Hz, trend taken away by smoothness priors (or a straight line where `smoothness` is None), Hann
    window, segments of 300 s (Welch 1967, doi:10.1109/TAU.1967.1161901).
    """
    even = _even(times, values)
    return _density(even - (_straight(even) if smoothness is None else trend(even, smoothness)))


def lomb_scargle(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Frequencies and one-sided density (s2/Hz) of intervals with gaps (Lomb 1976, Scargle 1982 doi:10.1086/160554).

    A straight line is taken away. Scaled so that a sinusoid's density sums to half its squared amplitude.
    """
    frequencies = np.arange(np.ceil(VLF[0] / RESOLUTION), np.ceil(HF[1] / RESOLUTION)) * RESOLUTION
    away, angle = values - _line(times, values), 2j * np.pi * (times - times[0])
    # frequencies are evenly spaced: the phasors of each are those before it turned once more, far cheaper than sines
    turns = np.empty((len(frequencies), len(times)), np.complex128)
    turns[0], turns[1:] = np.exp(frequencies[0] * angle), np.exp(RESOLUTION * angle)
    np.multiply.accumulate(turns, axis=0, out=turns)
    # from where the sums of squared cosines and sines are furthest apart, the two are orthogonal (Scargle's tau)
    squares = np.einsum("ij,ij->i", turns, turns)
    sums = turns @ away * np.exp(-0.5j * np.angle(squares))
    cosines, sines = 0.5 * (len(times) + np.abs(squares)), 0.5 * (len(times) - np.abs(squares))
    found = 0.5 * (sums.real**2 / cosines + sums.imag**2 / np.maximum(sines, NEGLIGIBLE))
    return np.asarray(frequencies, np.float64), np.asarray(2.0 * found * values.mean(), np.float64)


def trend(values: Floats, smoothness: float = SMOOTHNESS) -> Floats:
    """The trend of an evenly spaced series: (I + lambda^2 D2' D2)^-1 z, D2 the second difference (smoothness priors).

    Tarvainen, Ranta-aho & Karjalainen 2002, doi:10.1109/10.979357; the matrix has five diagonals: linear time.
    """
    count = len(values)
    if count < 3:
        return values.copy()
    diagonals = np.zeros((3, count))
    for offset, products in enumerate(((1.0, 4.0, 1.0), (-2.0, -2.0), (1.0,))):
        for shift, product in enumerate(products):
            diagonals[2 - offset, offset + shift : count - 2 + offset + shift] += product
    diagonals *= smoothness**2
    diagonals[2] += 1.0
    return np.asarray(linalg.solveh_banded(diagonals, values))


def band(frequencies: Floats, density: Floats, limits: tuple[float, float]) -> float:
    """Power between the limits in ms2."""
    within = (frequencies >= limits[0]) & (frequencies < limits[1])
    return float(density[within].sum() * (frequencies[1] - frequencies[0])) * SQUARE_MILLISECONDS


def _power(intervals: Intervals) -> Power | None:
    found = densities(intervals)
    return None if found is None else found.power


def densities(intervals: Intervals) -> Densities | None:
    """Of one window: Welch without gaps, Lomb-Scargle with; None of fewer intervals than two slow waves."""
    if len(intervals.values) < 4 or intervals.values.sum() < 2 / LF[0]:
        return None
    if intervals.follows[1:].all():
        even = _even(intervals.ends, intervals.values)
        hertz, flat = _density(even - trend(even))
        return Densities(hertz, flat, _density(even - _straight(even))[1], "welch")
    hertz, found = lomb_scargle(intervals.ends, intervals.values)
    return Densities(hertz, found, found, "lomb-scargle")


def _even(times: Floats, values: Floats) -> Floats:
    """The intervals as a series of 4 Hz."""
    return np.asarray(interpolate.CubicSpline(times, values)(np.arange(times[0], times[-1], 1 / RATE)))


def _density(even: Floats) -> tuple[Floats, Floats]:
    length = min(len(even), int(SEGMENT * RATE))
    count = 1 + int(np.ceil((len(even) - length) / (length / 2)))
    starts = np.linspace(0, len(even) - length, count).astype(np.int64)
    window = signal.windows.hann(length, sym=False)
    size = max(length, int(RATE / RESOLUTION))
    pieces = even[starts[:, None] + np.arange(length)]
    pieces = (pieces - pieces.mean(axis=1, keepdims=True)) * window
    density = 2.0 * np.mean(np.abs(np.fft.rfft(pieces, size)) ** 2, axis=0) / (RATE * np.sum(window**2))
    return np.asarray(np.fft.rfftfreq(size, 1 / RATE), np.float64), np.asarray(density, np.float64)


def _straight(even: Floats) -> Floats:
    return _line(np.arange(len(even), dtype=np.float64), even)


def _line(times: Floats, values: Floats) -> Floats:
    """The straight line nearest to the values."""
    away = times - times.mean()
    return np.asarray(values.mean() + away * (away @ (values - values.mean())) / (away @ away))

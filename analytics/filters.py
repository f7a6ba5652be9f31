"""Filters as second-order sections: causal ones that remember from chunk to chunk, zero-phase ones for whole records.

Butterworth (1930) designs; both kinds use the same sections, so that live and final look at the same band.
"""

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Floats = NDArray[np.float64]

HIGHEST = 0.45
"""Share of the sampling rate above which no edge is placed: a slow device gets the band that it can carry."""


@lru_cache(maxsize=256)
def _butterworth(order: int, edges: tuple[float, ...], kind: Literal["high", "low", "band"], rate: float) -> Floats:
    if rate <= 0 or min(edges) <= 0 or edges[0] >= HIGHEST * rate:
        raise ValueError(f"no {kind} pass at {edges} Hz for a rate of {rate} Hz")
    clipped = [min(edge, HIGHEST * rate) for edge in edges]
    sections = signal.butter(order, clipped if len(clipped) > 1 else clipped[0], btype=kind, fs=rate, output="sos")
    return _read_only(sections)


def _read_only(sections: Floats) -> Floats:
    # designs are shared through the cache
    sections = np.ascontiguousarray(sections, dtype=np.float64)
    sections.setflags(write=False)
    return sections


def high_pass(rate: float, edge: float, *, order: int = 2) -> Floats:
    """Butterworth high pass."""
    return _butterworth(order, (edge,), "high", rate)


def low_pass(rate: float, edge: float, *, order: int = 2) -> Floats:
    """Butterworth low pass."""
    return _butterworth(order, (edge,), "low", rate)


def band_pass(rate: float, low: float, high: float, *, order: int = 2) -> Floats:
    """Butterworth band pass; the upper edge gives way where the rate is too low for it."""
    if low >= high:
        raise ValueError(f"a band from {low} to {high} Hz is empty")
    return _butterworth(order, (low, high), "band", rate)


@lru_cache(maxsize=64)
def notch(rate: float, mains: float, *, sharpness: float = 30.0) -> Floats:
    """Notch at the mains' 50 or 60 Hz; `sharpness` is the centre over the width at -3 dB."""
    if not 0 < mains < rate / 2:
        raise ValueError(f"no notch at {mains} Hz for a rate of {rate} Hz")
    numerator, denominator = signal.iirnotch(mains, sharpness, fs=rate)
    return _read_only(signal.tf2sos(numerator, denominator))


def group_delay(sections: Floats, rate: float, hertz: float) -> float:
    """Seconds by which the causal filter delays a wave packet at this frequency."""
    step = min(hertz, rate / 2 - hertz) * 1e-3
    _, response = signal.freqz_sos(sections, worN=np.array([hertz - step, hertz + step]), fs=rate)
    turned = float(np.angle(response[1] / response[0]))
    return -turned / (2 * np.pi * 2 * step)


def hold(samples: Floats, last: Floats) -> Floats:
    """Rows with each lost sample (NaN, infinite) replaced by the one before it in its column; `last` precedes row 0."""
    lost = ~np.isfinite(samples)
    if not lost.any():
        return samples
    extended = np.vstack((last, samples))
    rows = np.arange(len(extended))[:, None] * np.vstack((np.ones_like(lost[:1]), ~lost))
    return np.take_along_axis(extended, np.maximum.accumulate(rows, axis=0), axis=0)[1:]


class Causal:
    """A causal filter over the columns of consecutive chunks; any chunking gives the same output, bit for bit.

    A lost sample is taken as the last one seen, so that it cannot poison the state; the caller knows where they are.
    """

    def __init__(self, sections: Floats, channels: int = 1) -> None:
        self._sections = sections.copy()  # scipy wants to be able to write
        self._channels = channels
        self._state: Floats | None = None
        self._last = np.zeros(channels)

    def reset(self) -> None:
        """Forget: the next sample is the first."""
        self._state = None
        self._last = np.zeros(self._channels)

    def feed(self, samples: Floats) -> Floats:
        """The filtered rows of this chunk, (n, channels)."""
        if samples.ndim != 2 or samples.shape[1] != self._channels:
            raise ValueError(f"samples are (n, {self._channels}), not {samples.shape}")
        if not len(samples):
            return np.empty((0, self._channels))
        if self._state is None:
            # as if the first sample had lasted for ever: no step, no ringing
            finite = np.isfinite(samples[0])
            self._last = np.where(finite, samples[0], 0.0)
            rest = signal.sosfilt_zi(self._sections)
            self._state = rest[:, :, None] * self._last
        held = hold(np.asarray(samples, dtype=np.float64), self._last)
        self._last = held[-1].copy()
        filtered, self._state = signal.sosfilt(self._sections, held, axis=0, zi=self._state)
        return np.asarray(filtered)


def filled(x: Floats) -> Floats:
    """A whole record with lost samples drawn as straight lines; zeros where there is nothing else."""
    finite = np.isfinite(x)
    if finite.all():
        return x
    if not finite.any():
        return np.zeros_like(x)
    index = np.arange(len(x))
    return np.interp(index, index[finite], x[finite])


def zero_phase(sections: Floats, x: Floats) -> Floats:
    """A whole record filtered forwards and backwards: no delay, twice the slope of the same causal design."""
    if len(x) < 2:
        return np.zeros_like(x)
    return np.asarray(signal.sosfiltfilt(sections.copy(), filled(x), padlen=min(len(x) - 1, _settling(sections))))


def _settling(sections: Floats) -> int:
    """Samples after which the slowest pole has forgotten all but a hundredth."""
    poles = np.concatenate([np.roots(section[3:]) for section in sections])
    return int(np.ceil(np.log(0.01) / np.log(min(float(np.abs(poles).max()), 1 - 1e-9))))

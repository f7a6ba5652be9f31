"""How the wave repeats itself, ten seconds at a time: after how long, how surely, and which of its flanks is steep."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]

INTERVALS = (0.25, 2.2)
"""Seconds between beats, 240 to 27 per minute."""
WINDOW, STEP = 10.0, 2.0
"""Seconds over which the usual interval is taken, and how often."""
FIRST_OF = 0.65
"""Share of the highest autocorrelation from which a shorter lag is preferred: each multiple of a period has one."""
UNKNOWN = 0.8
"""Seconds between beats where nothing is known."""
TAIL = 0.03
"""Share of the slopes, on each side, whose bounds say which flank is the steeper one."""
CHANCE = 0.3
"""Autocorrelation that says nothing: noise of the pulse's band has as much at its best lag."""
_LEAST, _BLOCK = 1e-6, 64  # weight of a window that says nothing; windows that are in memory at once
_NOTHING = 1e-12  # of the signal's largest value: what rounding leaves


@dataclass(frozen=True, slots=True)
class Repeats:
    """Of each window, where its middle is (a broken index), and what is found there."""

    middles: Floats
    lags: Floats
    """The usual interval in seconds: the shortest of the strong lags of the slope's autocorrelation."""
    strengths: Floats
    """Autocorrelation at that lag."""
    leans: Floats
    """Logarithm of the steepest rise over the steepest fall."""

    def usual(self, count: int) -> Floats:
        """The usual interval around each of so many samples."""
        if not len(self.lags):
            return np.full(count, UNKNOWN)
        lags = ndimage.median_filter(self.lags, min(3, len(self.lags)), mode="nearest")
        return np.interp(np.arange(count), self.middles, lags)

    @property
    def weights(self) -> Floats:
        """How much each window has to say: one without a pulse, or with motion in it, does not repeat itself."""
        return np.asarray(np.maximum(self.strengths - CHANCE, 0.0) ** 2 + _LEAST)

    @property
    def lean(self) -> float:
        """Above 0 where the steep flank of what repeats itself goes up; its size is the weight of that evidence."""
        return float(self.weights @ self.leans)


def repeats(slope: Floats, rate: float) -> Repeats:
    """Of a wave's slope; nothing of one that is too short."""
    size, step = min(len(slope), round(WINDOW * rate)), max(1, round(STEP * rate))
    starts = np.arange(0, len(slope) - size + 1, step)
    first, last = round(INTERVALS[0] * rate), min(round(INTERVALS[1] * rate), size - 2)
    if last <= first + 2:
        return Repeats(np.empty(0), np.empty(0), np.empty(0), np.empty(0))
    lags: list[Floats] = []
    strengths: list[Floats] = []
    leans: list[Floats] = []
    for begin in range(0, len(starts), _BLOCK):
        rows = np.lib.stride_tricks.sliding_window_view(slope, size)[starts[begin : begin + _BLOCK]]
        low, high = np.quantile(rows, (TAIL, 1.0 - TAIL), axis=1)
        leans.append(np.log(np.maximum(high, _NOTHING) / np.maximum(-low, _NOTHING)))
        # a single jolt must not be all that is seen
        bound = 3.0 * np.quantile(np.abs(rows), 0.9, axis=1, keepdims=True)
        power = np.abs(np.fft.rfft(np.clip(rows, -bound, bound), 2 * size, axis=1)) ** 2
        alike = np.fft.irfft(power, axis=1)[:, : last + 2]
        alike = alike / np.maximum(alike[:, :1], _NOTHING) * (size / (size - np.arange(last + 2)))
        inner = alike[:, first : last + 1]
        peak = (inner >= alike[:, first - 1 : last]) & (inner > alike[:, first + 1 : last + 2])
        strength = np.where(peak, inner, -1.0)
        shortest = np.argmax(strength >= FIRST_OF * strength.max(axis=1, keepdims=True), axis=1)
        lags.append((first + shortest) / rate)
        strengths.append(strength[np.arange(len(shortest)), shortest])
    middles = starts.astype(np.float64) + size / 2
    return Repeats(middles, np.concatenate(lags), np.concatenate(strengths), np.concatenate(leans))

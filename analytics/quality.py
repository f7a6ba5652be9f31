"""How usable an ECG is, second by second: 0 (nothing to see) to 1 (clean), and what is wrong where it is not.

The product of five shares, each falling from 1 to 0 between two documented limits. It says whether the wave can be
read, not whether there is a heart in it: that is asked of the beats (ecg/trust.py).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics import filters
from kiosk.measures import Reason

Floats = NDArray[np.float64]

LOST = (0.05, 0.50)
"""Share of lost samples."""
RAILED = (0.02, 0.20)
"""Share of samples at the rail: the tops of clipped R waves are about 0.02."""
RAIL_AWAY = 0.25
"""Share of the span by which a rail is away from the median: a quiet baseline is no rail."""
NOISE = (0.02, 0.08)
"""Noise above some 40 Hz (robust SD) over the span of two seconds: white noise has 0.09 to 0.16, MIT-BIH 100 0.006."""
FLAT_SPAN = 0.020
"""Millivolts within which two seconds lie when nobody is connected: a small QRS has 0.1."""
POSSIBLE_SPAN = (10.0, 20.0)
"""Millivolts: no ECG spans more."""
READABLE = 0.3
"""Quality from which a second is used."""
_HALF = 0.010  # seconds to each side of the smoothing that noise is what remains from
_READINGS = 125.0  # per second, for medians
_PIECE = 120  # seconds that are in memory at once


@dataclass(frozen=True, slots=True)
class Quality:
    """One value and one reason per whole second; the reason is None where the second is readable."""

    value: Floats
    reason: tuple[Reason | None, ...]


def ramp(x: Floats | np.floating, limits: tuple[float, float]) -> Floats:
    """1 up to the first limit, 0 from the second one, straight in between (limits may fall)."""
    first, second = limits
    return np.clip((second - x) / (second - first), 0.0, 1.0)


def ecg(x: Floats, rate: float) -> Quality:
    """Quality of each whole second of one lead; a second is judged together with the one before it."""
    size = round(rate)
    count = len(x) // size
    values = [np.empty(0)]
    reasons: list[Reason | None] = []
    for first in range(0, count, _PIECE):
        # the second before a piece is judged with it once more, and left out
        begin = max(0, first - 1)
        part = _judged(x[begin * size : min(first + _PIECE, count) * size], rate, size)
        values.append(part.value[first - begin :])
        reasons += part.reason[first - begin :]
    return Quality(np.concatenate(values), tuple(reasons))


def _judged(x: Floats, rate: float, size: int) -> Quality:
    lost = ~np.isfinite(x)
    wave = filters.filled(x)
    rows = wave.reshape(-1, size)
    top = _with_before(rows.max(axis=1), np.maximum)
    bottom = _with_before(rows.min(axis=1), np.minimum)
    with np.errstate(over="ignore"):
        span = np.minimum(top - bottom, np.finfo(np.float64).max)
    missing = lost.reshape(-1, size).mean(axis=1)
    away = RAIL_AWAY * span
    # half as many readings say as much of a median
    thin = max(1, int(rate / _READINGS))
    middle = np.median(rows[:, ::thin], axis=1)
    at_top = (rows == top[:, None]).mean(axis=1) * (top - _with_before(middle, np.minimum) > away)
    at_bottom = (rows == bottom[:, None]).mean(axis=1) * (_with_before(middle, np.maximum) - bottom > away)
    noise = np.median(np.abs(_residual(wave, rate)).reshape(-1, size)[:, ::thin], axis=1) / 0.6745
    parts: dict[Reason, Floats] = {
        "not_delivered": ramp(missing, LOST),
        "flat": (span >= FLAT_SPAN).astype(np.float64),
        "saturated": ramp(np.maximum(at_top, at_bottom), RAILED),
        "noisy": ramp(noise / np.maximum(span, FLAT_SPAN), NOISE) * ramp(span, POSSIBLE_SPAN),
    }
    shares = np.array(list(parts.values()))
    value = shares.prod(axis=0)
    names, worst = list(parts), shares.argmin(axis=0).tolist()
    readable = (value >= READABLE).tolist()
    return Quality(value, tuple(None if fine else names[place] for fine, place in zip(readable, worst, strict=True)))


def _with_before(values: Floats, pick: np.ufunc) -> Floats:
    return np.asarray(pick(values, np.concatenate((values[:1], values[:-1]))))


def _residual(wave: Floats, rate: float) -> Floats:
    """What a Hann kernel of +-10 ms takes away: half of it at 50 Hz, all of it above 100 Hz."""
    half = max(1, round(_HALF * rate))
    kernel = np.hanning(2 * half + 3)[1:-1]
    kernel /= kernel.sum()
    return wave - np.convolve(np.pad(wave, half, mode="edge"), kernel, mode="valid")

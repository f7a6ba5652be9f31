"""How usable an ECG is, second by second: 0 (nothing to see) to 1 (clean), and what is wrong where it is not.

A first, honest index: the product of five shares, each falling from 1 to 0 between two documented limits. It
says whether the wave can be read, not whether there is a heart in it: that is asked of the beats (ecg/trust.py).
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
    if not count:
        return Quality(np.empty(0), ())
    lost = ~np.isfinite(x[: count * size])
    wave = filters.filled(x[: count * size])
    rows = wave.reshape(count, size)
    top = _with_before(rows.max(axis=1), np.maximum)
    bottom = _with_before(rows.min(axis=1), np.minimum)
    span = top - bottom
    missing = lost.reshape(count, size).mean(axis=1)
    away = RAIL_AWAY * span
    middle = np.median(rows, axis=1)
    at_top = (rows == top[:, None]).mean(axis=1) * (top - _with_before(middle, np.minimum) > away)
    at_bottom = (rows == bottom[:, None]).mean(axis=1) * (_with_before(middle, np.maximum) - bottom > away)
    noise = np.median(np.abs(_residual(wave, rate)).reshape(count, size), axis=1) / 0.6745
    parts: dict[Reason, Floats] = {
        "not_delivered": ramp(missing, LOST),
        "flat": (span >= FLAT_SPAN).astype(np.float64),
        "saturated": ramp(np.maximum(at_top, at_bottom), RAILED),
        "noisy": ramp(noise / np.maximum(span, FLAT_SPAN), NOISE) * ramp(span, POSSIBLE_SPAN),
    }
    value = np.prod(np.array(list(parts.values())), axis=0)
    names, worst = list(parts), np.argmin(np.array(list(parts.values())), axis=0)
    reason = tuple(None if value[i] >= READABLE else names[worst[i]] for i in range(count))
    return Quality(value, reason)


def _with_before(values: Floats, pick: np.ufunc) -> Floats:
    return np.asarray(pick(values, np.concatenate((values[:1], values[:-1]))))


def _residual(wave: Floats, rate: float) -> Floats:
    """What a Hann kernel of +-10 ms takes away: half of it at 50 Hz, all of it above 100 Hz."""
    half = max(1, round(_HALF * rate))
    kernel = np.hanning(2 * half + 3)[1:-1]
    kernel /= kernel.sum()
    return wave - np.convolve(np.pad(wave, half, mode="edge"), kernel, mode="valid")

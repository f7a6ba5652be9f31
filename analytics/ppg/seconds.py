"""How usable a PPG is, second by second, before anybody asks for a heart: is it lost, flat, at a rail, drowned?"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics import filters
from analytics.ppg.wave import Wave
from analytics.quality import READABLE, Quality, ramp
from kiosk.measures import Reason

Floats = NDArray[np.float64]

LOST = (0.10, 0.50)
"""Share of lost samples."""
RAILED = (0.15, 0.40)
"""Share of samples at the rail: of a clean pulse of 30 digits some 0.03 are at its top."""
RAIL_AWAY = 0.25
"""Share of the span by which a rail is away from the median."""
DIGITS = 4.0
"""Steps of float32 within which a signal is constant: an offset can leave no more of it."""
NOISE = (1.5, 4.0)
"""Noise beyond some 10 Hz (robust SD) over the wave's own SD: a faint camera pulse has 0.7, white noise at 125 Hz 3."""
_HALF = 0.040  # seconds to each side of the smoothing that noise is what remains from
_LARGEST = np.float32(1e38)  # beyond it float32 has no next number
_NOTHING = 1e-12  # of the largest value: what rounding leaves


def quality(x: Floats, rate: float, wave: Wave) -> Quality:
    """Quality of each whole second of one channel; a second is judged together with its neighbours."""
    count = int(len(x) / rate)
    if not count:
        return Quality(np.empty(0), ())
    edges = np.rint(np.arange(count + 1) * rate).astype(np.intp)
    starts, sizes = edges[:-1], np.diff(edges)
    part = x[: edges[-1]]
    lost = np.add.reduceat(~np.isfinite(part), starts) / sizes
    known = filters.filled(part)
    top = _with_before(np.maximum.reduceat(known, starts), np.maximum)
    bottom = _with_before(np.minimum.reduceat(known, starts), np.minimum)
    span = top - bottom
    second = np.repeat(np.arange(count), sizes)
    middle = np.array([np.median(known[begin:end]) for begin, end in pairwise(edges)])
    at_top = np.add.reduceat(known == top[second], starts) / sizes * (top - middle > RAIL_AWAY * span)
    at_bottom = np.add.reduceat(known == bottom[second], starts) / sizes * (middle - bottom > RAIL_AWAY * span)
    size = np.maximum(np.abs(top), np.abs(bottom)).astype(np.float32)
    still = span <= DIGITS * np.spacing(np.minimum(size, _LARGEST)).astype(np.float64)
    parts: dict[Reason, Floats] = {
        "not_delivered": ramp(lost, LOST),
        "flat": (~still).astype(np.float64),
        "saturated": ramp(np.maximum(at_top, at_bottom), RAILED),
        "noisy": ramp(_noise(wave, count), NOISE),
    }
    shares = np.array(list(parts.values()))
    value, names, worst = np.prod(shares, axis=0), list(parts), np.argmin(shares, axis=0)
    return Quality(value, tuple(None if value[i] >= READABLE else names[worst[i]] for i in range(count)))


def _with_before(values: Floats, pick: np.ufunc) -> Floats:
    return np.asarray(pick(values, np.concatenate((values[:1], values[:-1]))))


def _noise(wave: Wave, count: int) -> Floats:
    """Of each second, what smoothing takes away over the wave around it."""
    half = round(_HALF * wave.rate)
    kernel = np.hanning(2 * half + 3)[1:-1]
    kernel /= kernel.sum()
    rest = np.abs(wave.raw - np.convolve(np.pad(wave.raw, half, mode="edge"), kernel, mode="valid"))
    edges = [min(len(rest) - 1, round(second * wave.rate)) for second in range(count + 2)]
    noise = [np.median(rest[edges[k] : edges[k + 1] + 1]) / 0.6745 for k in range(count)]
    around = [wave.volume[edges[max(0, k - 1)] : edges[k + 2] + 1].std() for k in range(count)]
    return np.asarray(np.array(noise) / np.maximum(np.array(around), _NOTHING))

"""Where a pulse begins and where it is highest, in seconds after the first sample."""

import numpy as np
from numpy.typing import NDArray

from analytics.ppg.upstroke import Pulses, pulses

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

RISE = 0.45
"""Share of the interval to the next beat, and..."""
LONGEST_RISE = 0.40
"""... seconds within which the systolic peak follows the upstroke."""
FOOT = 0.30
"""Seconds before the upstroke within which the pulse begins."""
_NOTHING = 1e-12  # of the signal's largest value: what rounding leaves


def onsets(x: Floats, rate: float) -> Floats:
    """Feet by intersecting tangents: where the line of the steepest upstroke meets the lowest point before it.

    Chiu et al. 1991, doi:10.1016/0002-8703(91)90755-U.
    """
    found = pulses(x, rate)
    wave = found.wave
    middles = np.rint(found.at).astype(np.intp)
    lowest = np.array([_before(found, beat, middle) for beat, middle in enumerate(middles.tolist())], dtype=np.float64)
    at = np.interp(found.at, np.arange(len(wave.volume)), wave.volume) if len(middles) else lowest
    steep = wave.slope[middles] / wave.rate
    feet = found.at - (at - lowest) / np.maximum(steep, _NOTHING)
    # a tangent of no slope meets nothing
    return np.maximum(feet, found.at - FOOT * wave.rate).clip(0.0) / wave.rate


def peaks(x: Floats, rate: float) -> Floats:
    """Systolic peaks: the first maximum after the upstroke, refined by a parabola."""
    found = pulses(x, rate)
    wave = found.wave
    tops = [_top(found, beat) for beat in range(len(found.at))]
    return np.array([top for top in tops if top is not None], dtype=np.float64) / wave.rate


def _before(found: Pulses, beat: int, middle: int) -> float:
    wave = found.wave
    first = max(0, middle - round(FOOT * wave.rate))
    if beat:
        # not beyond half-way to the beat before: a fast pulse has a foot of its own
        first = max(first, int(0.5 * (found.at[beat - 1] + found.at[beat])))
    return float(wave.volume[first : middle + 1].min())


def _top(found: Pulses, beat: int) -> float | None:
    wave = found.wave
    start = int(np.ceil(found.at[beat]))
    interval = found.at[beat + 1] - found.at[beat] if beat + 1 < len(found.at) else found.period[beat] * wave.rate
    end = min(len(wave.volume) - 1, start + max(2, round(min(RISE * interval, LONGEST_RISE * wave.rate))))
    falling = np.flatnonzero((wave.slope[start:end] > 0) & (wave.slope[start + 1 : end + 1] <= 0))
    if not len(falling):
        return None
    place = start + int(falling[0])
    rise, fall = wave.slope[place], wave.slope[place + 1]
    return float(place + rise / (rise - fall))

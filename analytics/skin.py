"""What the skin says over a recording: drift and responses of its conductance, drift of a finger's temperature."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analytics.analyzer import Finding
from analytics.stress import electrodermal, per_minute
from analytics.stress.eda import SLOWEST
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Track

Floats = NDArray[np.float64]

CONDUCTANCE = ("eda_slope", "eda_peaks")
CONDUCTANCE_METHOD = "boucsein-2012+kleckner-2018"
TEMPERATURE = ("skin_temperature_slope",)
TEMPERATURE_METHOD = "theil-sen-1968"
POSSIBLE = (15.0, 42.0)
"""Degrees Celsius that the skin of a living person has in a room."""
SHORTEST = 30.0
"""Seconds below which nothing can be said of a drift."""
MOST = 10_000_000
"""Samples from first to last, lost ones too: a day and more at 100 Hz."""


def conductance(track: Track) -> list[Finding]:
    """Drift in percent of the level per minute, and responses per minute."""
    x = grid(track)
    if x is None or track.rate is None:
        return _absent(track, CONDUCTANCE, CONDUCTANCE_METHOD, "unsuitable_rate")
    found = electrodermal(x, track.rate)
    told = _told(track, CONDUCTANCE, CONDUCTANCE_METHOD, (found.drift, found.peaks), found.usable)
    if track.rate < SLOWEST:
        told[1] = replace(told[1], absent="unsuitable_rate")
    return told


def temperature(track: Track) -> list[Finding]:
    """Drift in degrees per minute."""
    x = grid(track)
    if x is None or track.rate is None:
        return _absent(track, TEMPERATURE, TEMPERATURE_METHOD, "unsuitable_rate")
    x[(x < POSSIBLE[0]) | (x > POSSIBLE[1])] = np.nan
    usable = float(np.isfinite(x).mean())
    return _told(track, TEMPERATURE, TEMPERATURE_METHOD, (per_minute(x, track.rate),), usable)


def grid(track: Track) -> Floats | None:
    """The first channel with NaN where samples are missing; None where there is no grid."""
    if track.rate is None or (track.seconds[-1] - track.seconds[0]) * track.rate > MOST:
        return None
    places = np.rint((track.seconds - track.seconds[0]) * track.rate).astype(np.intp)
    x = np.full(places[-1] + 1, np.nan)
    x[places] = track.samples[:, 0]
    return x


def _told(
    track: Track, measures: tuple[str, ...], method: str, values: tuple[float | None, ...], usable: float
) -> list[Finding]:
    start, end = _span(track)
    why: Reason = "too_short" if end - start < SHORTEST * SECOND else "noisy"
    return [
        Finding(measure, value, method, start, end, quality=round(usable, 3), absent=why if value is None else None)
        for measure, value in zip(measures, values, strict=True)
    ]


def _absent(track: Track, measures: tuple[str, ...], method: str, why: Reason) -> list[Finding]:
    start, end = _span(track)
    return [Finding(measure, None, method, start, end, absent=why) for measure in measures]


def _span(track: Track) -> tuple[int, int]:
    period = SECOND / track.rate if track.rate else 0.0
    return int(track.times[0]), round(int(track.times[-1]) + period)

"""Breath from what follows it directly: a belt, an impedance, a flow."""

import numpy as np

from analytics.analyzer import Finding
from analytics.beats import Floats
from analytics.filters import filled
from analytics.respiration.answer import SHORTEST, Answer, Span, final, stretches
from analytics.respiration.rhythm import extrema, levelled, rhythm
from kiosk.measures import Reason
from kiosk.recording import Track

METHOD = "breath-cycles-1"
GRID = 10.0
"""Hertz at which breath is looked at: the mean of all samples of a tenth of a second."""
SLOWEST = 4.0
"""Hertz below which sixty breaths a minute are not drawn."""
LOST = 0.10
"""Share of a window that may be missing."""
STUCK = 0.60
"""Share of a window at one value from which nothing moves there."""
_PIECE = 32.0  # seconds in which breaths are looked for at once


def from_belt(track: Track) -> list[Finding]:
    """Respiration rate, from the channel that tells it best."""
    found = [_from_channel(track, column) for column in range(len(track.channels))]
    return [max(found, key=lambda finding: (finding.value is not None, finding.quality or 0.0))] if found else []


def breaths(x: Floats, rate: float) -> Floats:
    """Starts of inspirations (minima: what follows breath rises with it) in seconds, where breath is regular enough."""
    if not np.isfinite(rate) or rate < SLOWEST or len(x) < SHORTEST * rate:
        return np.empty(0)
    wave = averaged(np.arange(len(x)) / rate, x, min(GRID, rate))
    grid = min(GRID, rate)
    size = min(len(wave), round(_PIECE * grid))
    starts = [*range(0, len(wave) - size, size // 2), len(wave) - size]
    found = [np.empty(0)]
    for start in starts:
        piece = wave[start : start + size]
        told = heard(piece, grid)
        if not isinstance(told, Answer):
            # breath may be too slow for it
            told = heard(wave[max(0, start - size // 2) : start + size + size // 2], grid)
        if isinstance(told, Answer):
            at = start + extrema(-levelled(filled(piece)), grid, 60.0 / told.rate)
            # a piece speaks for its middle half, the first and the last for their ends as well
            first = start + size // 4 if start else 0
            last = start + size - size // 4 if start + size < len(wave) else len(wave)
            found.append(at[(at >= first) & (at < last)] / grid)
    return np.unique(np.concatenate(found))


def heard(wave: Floats, rate: float) -> Answer | Reason:
    """What a window says. Lost samples are NaN."""
    lost = ~np.isfinite(wave)
    if lost.mean() > LOST:
        return "not_delivered"
    wave = filled(wave)
    low, high = float(wave.min()), float(wave.max())
    if not high - low > 1e-6 * max(abs(low), abs(high)):
        return "flat"
    if max(np.mean(wave == low), np.mean(wave == high)) > STUCK:
        return "saturated"
    found = rhythm(wave, rate)
    return Answer(found.rate, found.strength) if found is not None and found.certain else "noisy"


def averaged(seconds: Floats, x: Floats, grid: float) -> Floats:
    """Means of the finite samples about each moment of a grid from the first one on; NaN where there is none."""
    place = np.rint((seconds - seconds[0]) * grid).astype(np.intp)
    finite = np.isfinite(x)
    place, x = place[finite], x[finite]
    size = round((seconds[-1] - seconds[0]) * grid) + 1
    count = np.bincount(place, minlength=size)
    total = np.bincount(place, weights=x, minlength=size)
    return np.asarray(np.divide(total, count, out=np.full(size, np.nan), where=count > 0))


def _from_channel(track: Track, column: int) -> Finding:
    seconds, x = track.seconds, track.samples[:, column].astype(np.float64)
    if track.rate is None or track.rate < SLOWEST or not len(seconds):
        return Finding(
            measure="respiration_rate",
            value=None,
            method=METHOD,
            start_ns=int(track.times[0]) if len(track.times) else 0,
            end_ns=int(track.times[-1]) if len(track.times) else 0,
            absent="too_short" if track.rate is not None and track.rate >= SLOWEST else "unsuitable_rate",
        )
    grid = min(GRID, track.rate)
    parts = [
        (float(seconds[begin]), averaged(seconds[begin:end], x[begin:end], grid))
        for begin, end in stretches(track.times)
    ]

    def ask(span: Span) -> Answer | Reason:
        start, wave = next(part for part in reversed(parts) if part[0] <= span[0])
        begin = round((span[0] - start) * grid)
        return heard(wave[begin : begin + round((span[1] - span[0]) * grid)], grid)

    return final(ask, [(start, start + len(wave) / grid) for start, wave in parts], METHOD)

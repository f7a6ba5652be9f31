"""Breath from an ECG: the beats' intervals, height and area of their QRS complexes, the baseline, and an opinion."""

import logging
import warnings

import numpy as np

from analytics.analyzer import Finding
from analytics.beats import Beats, Floats
from analytics.filters import filled
from analytics.respiration.answer import Answer, Span, final
from analytics.respiration.voices import (
    GRID,
    Series,
    column_of,
    fastest,
    heard,
    level,
    normal,
    series,
    spans,
    timing,
    vote,
)
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Track

METHOD = "ecg-breath-vote-1"
SLOWEST = 50.0
"""Hertz below which a QRS complex is not drawn."""
HALF = 0.060
"""Seconds to both sides of R that hold the QRS complex."""
BASELINE = (-0.110, -0.070)
"""Seconds about R that hold the PQ segment, the level that a QRS complex stands on."""

_log = logging.getLogger(__name__)


def from_ecg(track: Track, beats: Beats, *, opinion: bool = True) -> Finding:
    """Respiration rate; without `opinion` neurokit2 is not asked.

    After the review of Charlton et al. 2018 (doi:10.1109/RBME.2017.2763681).
    """
    column = column_of(track, beats)
    all_series = [timing(beats), *complexes(track, column, beats), level(track, column, beats)]
    if opinion and (theirs := neurokit(all_series[0])) is not None:
        all_series.append(theirs)

    def ask(span: Span) -> Answer | Reason:
        return vote(heard(all_series, span), fastest(beats.times, span))

    return final(ask, spans(track), METHOD)


def complexes(track: Track, column: int, beats: Beats) -> list[Series]:
    """Height and area of the normal beats' QRS complexes, over the PQ segment."""
    if track.rate is None or track.rate < SLOWEST or not len(beats.times):
        return []
    x, rate = filled(track.samples[:, column].astype(np.float64)), track.rate
    at = np.searchsorted(track.times, np.rint(beats.times * SECOND)).clip(0, len(x) - 1)
    before, half = round(BASELINE[0] * rate), max(1, round(HALF * rate))
    rest = max(1, round((BASELINE[1] - BASELINE[0]) * rate))
    kept = normal(beats) & (at + min(before, -half) >= 0) & (at + half < len(x))
    if not kept.any():
        return []
    at = at[kept]
    baseline = np.mean(x[at[:, None] + np.arange(before, before + rest)], axis=1)
    waves = x[at[:, None] + np.arange(-half, half + 1)] - baseline[:, None]
    height = np.ptp(waves, axis=1)
    area = np.abs(waves).sum(axis=1) / rate
    return [series("complex", beats.times[kept], height), series("complex", beats.times[kept], area)]


def neurokit(intervals: Series) -> Series | None:
    """neurokit2's breath of the heart rate (van Gent et al. 2019, doi:10.1016/j.trf.2019.09.015); None if it fails."""
    if len(intervals.times) < 8:
        return None
    grid = np.arange(intervals.times[0], intervals.times[-1], 1.0 / GRID)
    heart: Floats = 60.0 / np.interp(grid, intervals.times, intervals.values)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # seconds to import, and needed only here
            import neurokit2

            drawn = np.asarray(neurokit2.ecg_rsp(heart, sampling_rate=round(GRID)), dtype=np.float64)
    except Exception as error:
        # a voter may fail on what it was not made for; its voice is missing then, no more
        _log.info("no second opinion on breath: %s", type(error).__name__)
        return None
    return Series("opinion", grid, drawn) if drawn.shape == grid.shape and np.isfinite(drawn).all() else None

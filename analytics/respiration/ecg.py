"""Breath from an ECG: the beats' intervals, height and area of their QRS complexes, the baseline, and an opinion."""

import logging
import warnings
from collections.abc import Sequence

import numpy as np

from analytics.analyzer import Finding
from analytics.beats import Beats, Floats
from analytics.respiration.answer import Answer, Span, covered, final, within
from analytics.respiration.voices import (
    GRID,
    HOLE,
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
LONGEST = 172_800.0
"""Seconds that neurokit2 is asked about at once: two days."""

_log = logging.getLogger(__name__)


def from_ecg(track: Track, beats: Beats, *, opinion: bool = True) -> Finding:
    """Respiration rate; without `opinion` neurokit2 is not asked.

    After the review of Charlton et al. 2018 (doi:10.1109/RBME.2017.2763681).
    """
    column = column_of(track, beats)
    parts = spans(track)
    seen = covered(parts, HOLE)
    all_series = [timing(beats), *complexes(track, column, beats, seen), level(track, column, beats, seen)]
    if opinion and (theirs := neurokit(all_series[0])) is not None:
        all_series.append(theirs)

    def ask(span: Span) -> Answer | Reason:
        return vote(heard(all_series, span), fastest(beats.times, span))

    return final(ask, parts, METHOD)


def complexes(track: Track, column: int, beats: Beats, seen: Sequence[Span]) -> list[Series]:
    """Height and area of the QRS complexes of normal beats that are seen, over the PQ segment."""
    if track.rate is None or track.rate < SLOWEST or not len(beats.times):
        return []
    rate, count = track.rate, len(track.times)
    times = beats.times[normal(beats) & within(beats.times, seen)]
    at = np.searchsorted(track.times, np.rint(times * SECOND).astype(np.int64))
    before, half = round(BASELINE[0] * rate), max(1, round(HALF * rate))
    rest = max(1, round((BASELINE[1] - BASELINE[0]) * rate))
    first = min(before, -half)
    inside = (at + first >= 0) & (at + half < count)
    waves = track.samples[at[inside, None] + np.arange(first, half + 1), column].astype(np.float64)
    # a complex with a lost sample has no height
    whole = np.isfinite(waves).all(axis=1)
    times, waves = times[inside][whole], waves[whole]
    if not len(times):
        return []
    baseline = waves[:, before - first : before - first + rest].mean(axis=1)
    waves = waves[:, -half - first :] - baseline[:, None]
    height = np.ptp(waves, axis=1)
    area = np.abs(waves).sum(axis=1) / rate
    return [series("complex", times, height), series("complex", times, area)]


def neurokit(intervals: Series) -> Series | None:
    """neurokit2's breath of the heart rate (van Gent et al. 2019, doi:10.1016/j.trf.2019.09.015); None if it fails."""
    if len(intervals.times) < 8 or intervals.times[-1] - intervals.times[0] > LONGEST:
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

"""Breath from a PPG: how high its pulses are, how far apart, and the level that they stand on."""

import numpy as np

from analytics.analyzer import Finding
from analytics.beats import Beats
from analytics.respiration.answer import Answer, Span, covered, final
from analytics.respiration.voices import (
    HOLE,
    Series,
    column_of,
    fastest,
    heard,
    level,
    series,
    sound,
    spans,
    timing,
    vote,
)
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Track

METHOD = "ppg-breath-vote-1"
FEWEST = 4
"""Samples that draw a pulse."""


def from_ppg(track: Track, beats: Beats) -> Finding:
    """Respiration rate from amplitude, frequency and baseline (Karlen et al. 2013, doi:10.1109/TBME.2013.2246160)."""
    column = column_of(track, beats)
    parts = spans(track)
    all_series = [timing(beats), pulses(track, column, beats), level(track, column, beats, covered(parts, HOLE))]

    def ask(span: Span) -> Answer | Reason:
        return vote(heard(all_series, span), fastest(beats.times, span))

    return final(ask, parts, METHOD)


def pulses(track: Track, column: int, beats: Beats) -> Series:
    """From its lowest to its highest point, each pulse whose interval is sound."""
    kept = sound(beats)
    x = track.samples[:, column].astype(np.float64)
    x[np.isinf(x)] = np.nan
    edges = np.searchsorted(track.times, np.rint(beats.times * SECOND))
    kept &= np.diff(edges) >= FEWEST
    parts = [x[begin:end] for begin, end in zip(edges[:-1][kept].tolist(), edges[1:][kept].tolist(), strict=True)]
    # a lost sample makes a height NaN
    heights = np.array([np.ptp(part) for part in parts], dtype=np.float64)
    whole = np.isfinite(heights)
    return series("pulse", beats.times[1:][kept][whole], heights[whole])

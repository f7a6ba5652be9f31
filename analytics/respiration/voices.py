"""Breath as it shows in beats: series with a value per beat, the voice that each has in a window, and their vote.

A rate is told where voices of two kinds say the same (Karlen et al. 2013, doi:10.1109/TBME.2013.2246160, who drop the
window otherwise), or where one kind is certain. Waves of blood pressure near 0.1 Hz (Mayer) move intervals and pulses
as slow breath does, but not the chest: a slow rate takes the QRS complexes, or all the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from analytics.beats import Beats, Flags, Floats, Kind
from analytics.filters import filled
from analytics.respiration.answer import Answer, Span, stretches
from analytics.respiration.rhythm import FASTEST, FEW, Rhythm, rhythm
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Track

Family = Literal["timing", "complex", "pulse", "level", "opinion"]
"""Intervals; QRS complexes, which turn and stretch with the chest; heights of pulses; the level that beats stand on;
and what another program makes of one of these, which is no witness of its own."""

GRID = 10.0
"""Hertz at which waves of breath are looked at."""
NYQUIST = 0.45
"""Breaths per beat that a series of beats can carry: half, less what irregular beats cost."""
HOLE = 4.0
"""Seconds without a beat that may be drawn through."""
FAINT = 0.3
"""Strength from which a voice is heard, and more where it has few breaths to tell of."""
ODD = 3.0
"""Times the usual departure from its neighbours (nine in ten are smaller) from which a beat's value is left out."""
SAME = (1.0, 0.08)
"""Breaths per minute, or share of the rate, by which two voices that agree may differ."""
MAJORITY = 0.6
"""Share of all weight that agrees."""
MAYER = 8.5
"""Breaths per minute below which all that agree must be certain: QRS complexes, or intervals, pulses and level."""
TACHYPNOEA = 45.0
"""Breaths per minute that nobody exceeds at rest. A breath faster than half the heart rate shows in beats as the heart
rate less its own: a rate that is slower than that can be is none of these, and one kind of witness is enough."""
ABOUT = 1.5
"""Breaths per minute about either rate within which its wave is looked for."""
BETTER = 1.1
"""Times the power of the slower wave that the faster one must have."""
_NEIGHBOURS = 7  # beats whose median is what a value is compared with


@dataclass(frozen=True, slots=True)
class Series:
    """Values, one per beat or more, at rising times; `family` says what kind of witness it is."""

    family: Family
    times: Floats
    values: Floats


@dataclass(frozen=True, slots=True)
class Voice:
    """What one series says of a window."""

    family: Family
    rhythm: Rhythm


def series(family: Family, times: Floats, values: Floats) -> Series:
    """One without the values that are far from their neighbours': ectopic beats that nobody found, and slips."""
    if len(values) < _NEIGHBOURS:
        return Series(family, times, values)
    away = np.abs(values - ndimage.median_filter(values, size=_NEIGHBOURS, mode="nearest"))
    kept = away <= ODD * np.percentile(away, 90.0)
    return Series(family, times[kept], values[kept])


def spans(track: Track) -> list[Span]:
    """Begin and end of the track's stretches."""
    times = track.times
    return [(float(times[begin]) / SECOND, float(times[end - 1]) / SECOND) for begin, end in stretches(times)]


def column_of(track: Track, beats: Beats) -> int:
    """The channel that the beats were found in."""
    return track.channels.index(beats.channel) if beats.channel in track.channels else 0


def normal(beats: Beats) -> Flags:
    """Whether each beat is one of the sinus node's."""
    return np.asarray(beats.kinds == Kind.NORMAL)


def sound(beats: Beats) -> Flags:
    """Whether the interval that ends at each beat but the first holds, between two normal beats."""
    good = normal(beats)
    return np.asarray(beats.held & good[1:] & good[:-1])


def timing(beats: Beats) -> Series:
    """The intervals: breath in, and the heart runs (respiratory sinus arrhythmia)."""
    kept = sound(beats)
    return series("timing", beats.times[1:][kept], np.diff(beats.times)[kept])


def level(track: Track, column: int, beats: Beats, seen: Sequence[Span]) -> Series:
    """The mean over one beat about each moment that is seen: it follows breath too fast for values per beat."""
    kept = sound(beats)
    found = [Series("level", np.empty(0), np.empty(0))]
    if kept.sum() >= _NEIGHBOURS:
        ends, lengths = beats.times[1:][kept], np.diff(beats.times)[kept]
        for begin, end in seen:
            first, last = (int(np.ceil((edge - ends[0]) * GRID)) for edge in (max(begin, ends[0]), min(end, ends[-1])))
            grid = ends[0] + np.arange(first, last) / GRID
            # where no interval holds there may be anything
            grid = grid[kept[np.minimum(np.searchsorted(beats.times[1:], grid), len(kept) - 1)]]
            half = 0.5 * np.interp(grid, ends - 0.5 * lengths, lengths)
            rows = slice(*np.searchsorted(track.times, [round(edge * SECOND) for edge in (begin - HOLE, end + HOLE)]))
            means = _means(track.times[rows] / SECOND, track.samples[rows, column], grid, half)
            found.append(Series("level", grid[: len(means)], means))
    times, values = (np.concatenate(each) for each in zip(*((each.times, each.values) for each in found), strict=True))
    return Series("level", times, values)


def _means(seconds: Floats, samples: NDArray[np.float32], grid: Floats, half: Floats) -> Floats:
    """The mean of the samples within half a beat to both sides of each moment."""
    if len(samples) < 2:
        return np.empty(0)
    x = filled(samples.astype(np.float64))
    area = np.concatenate(([0.0], np.cumsum(0.5 * (x[1:] + x[:-1]) * np.diff(seconds))))
    return np.asarray((np.interp(grid + half, seconds, area) - np.interp(grid - half, seconds, area)) / (2.0 * half))


def wave(series: Series, span: Span) -> Floats | None:
    """The series drawn through the window; None where beats are missing for too long."""
    start, end = span
    begin, stop = np.searchsorted(series.times, (start - HOLE, end + HOLE))
    times, values = series.times[begin:stop], series.values[begin:stop]
    inside = times[(times >= start) & (times <= end)]
    if len(inside) < 8 or np.diff(np.concatenate(([start], inside, [end]))).max() > HOLE:
        return None
    grid = np.arange(start, end, 1.0 / GRID)
    return np.asarray(np.interp(grid, times, values))


def fastest(times: Floats, span: Span) -> float:
    """Breaths per minute that the beats of a window can carry."""
    begin, stop = np.searchsorted(times, span)
    if stop - begin < 3:
        return 0.0
    return min(FASTEST, NYQUIST * 60.0 / float(np.median(np.diff(times[begin:stop]))))


def heard(all_series: Sequence[Series], span: Span) -> list[Voice]:
    """Voices of those that have something to say of a window."""
    found = []
    for each in all_series:
        drawn = wave(each, span)
        told = None if drawn is None else rhythm(drawn, GRID)
        if told is None or told.strength < FAINT + FEW / told.breaths:
            continue
        if each.family != "level" and aliased(each, span, told.rate):
            continue
        found.append(Voice(each.family, told))
    return found


def aliased(series: Series, span: Span, rate: float) -> bool:
    """Whether a breath faster than half the heart rate, seen once a beat, is behind a rate.

    Beats are not even: waves of the true rate fit them better than waves of what it looks like (Lomb-Scargle).
    """
    begin, stop = np.searchsorted(series.times, span)
    times, values = series.times[begin:stop], series.values[begin:stop]
    faster = 60.0 / float(np.median(np.diff(times))) - rate
    if faster > FASTEST or faster <= rate:
        return False
    near = np.linspace(-ABOUT, ABOUT, 21)
    power = signal.lombscargle(
        times, values - values.mean(), 2 * np.pi / 60.0 * np.concatenate((rate + near, faster + near))
    )
    return bool(power[21:].max() > BETTER * power[:21].max())


def vote(voices: Sequence[Voice], limit: float) -> Answer | Reason:
    """The rate on which they agree, up to `limit`; its quality is how far they do, times how strong they are."""
    if not voices or any(voice.rhythm.rate > limit and voice.rhythm.certain for voice in voices):
        # a rate that beats cannot carry shows in them as a slower one
        return "noisy"
    best = max((_near(voices, voice.rhythm.rate) for voice in voices), key=_weight)
    share = _weight(best) / _weight(voices)
    rate = sum(voice.rhythm.rate * voice.rhythm.strength for voice in best) / _weight(best)
    if share < MAJORITY or rate > limit or not _witnessed(best, rate, limit):
        return "noisy"
    return Answer(rate, share * _weight(best) / len(best))


def _witnessed(agreeing: Sequence[Voice], rate: float, limit: float) -> bool:
    """Whether those who agree are enough."""
    families = {voice.family for voice in agreeing} - {"opinion"}
    certain = all(voice.rhythm.certain for voice in agreeing)
    if rate < MAYER:
        return certain and ("complex" in families or len(families) >= 3)
    if len(families) == 1:
        # the level is no series of beats: it shows a fast breath as it is
        return certain and (families == {"level"} or rate < limit / NYQUIST - TACHYPNOEA)
    return len(families) > 1


def _near(voices: Sequence[Voice], rate: float) -> list[Voice]:
    room = max(SAME[0], SAME[1] * rate)
    return [voice for voice in voices if abs(voice.rhythm.rate - rate) <= room]


def _weight(voices: Sequence[Voice]) -> float:
    return sum(voice.rhythm.strength for voice in voices)

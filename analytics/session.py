"""A whole recording in, final readings out: the one entry of live close, file, API and re-analysis."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from analytics import intervals
from analytics.beats import Intervals
from analytics.ecg import record
from kiosk.measures import MEASURES, Reason
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording, Track

Floats = NDArray[np.float64]

SHORTEST = 10.0
"""Seconds of usable intervals behind a mean rate (the ten seconds of a standard ECG strip)."""
UNSURE = 0.5
"""Quality below which there is no number: where two detectors agree on fewer than half of the beats, nobody knows."""
SLOWEST = 50.0
"""Hertz below which a QRS complex is not drawn."""
BY_HAND = 0.050
"""Seconds from the nearest detected beat from which a beat was set by hand."""
METHOD = "mean-interval-1"
MEASURES_OF: Mapping[str, tuple[str, ...]] = MappingProxyType({"ecg": ("heart_rate", "mean_rr")})
"""What a signal's final analysis answers: so that a signal that never came can be absent by name."""


@dataclass(frozen=True, slots=True)
class FinalReading:
    """One number of a recording with its doubt - or its absence, with the reason. Times in seconds."""

    measure: str
    value: float | None
    unit: str
    low: float | None
    high: float | None
    quality: float | None
    source: str
    scope: str
    method: str
    start: float
    end: float
    absent: Reason | None
    preferred: bool = False
    note: str = ""
    """What drove it, in plain words, where the method can say so."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at a time that a reader of the result should know."""

    event: str
    time: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a recording says."""

    readings: tuple[FinalReading, ...]
    source: str = ""
    """The preferred source of beats, as in its readings."""
    beats: tuple[float, ...] = ()
    """Its beat times in seconds, corrected."""
    corrected: tuple[int, ...] = ()
    """Indices of beats that were not measured where they stand."""
    removed: tuple[float, ...] = ()
    """Times of detected beats that correction took out."""
    ectopic: tuple[float, ...] = ()
    """Times of beats that came early from elsewhere than the sinus node, as far as their shape and time tell."""
    intervals: Intervals | None = None
    """The intervals behind the numbers."""
    events: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class _Source:
    """Beats of one source, and what may be said of them."""

    name: str
    method: str
    beats: Floats
    intervals: Floats
    quality: float | None
    start: float
    end: float
    absent: Reason | None


def session(recording: Recording, context: Context, *, correction: bool = True, vote: bool = True) -> Result:
    """The readings of a recording; signals whose analysis is not built yet are not reported.

    Without `correction` intervals that do not fit their neighbours are kept; without `vote` nobody is asked for a
    second opinion (seconds faster on first use).
    """
    tracks = recording.of("ecg")
    sources = [
        _from_ecg(track, "ecg" if len(tracks) == 1 else f"ecg.{track.device}", correction=correction, vote=vote)
        for track in tracks
        if len(track.times)
    ]
    if recording.beats is not None:
        sources.append(_from_beats(recording.beats, "rr", "given-beats-1", correction=correction))
    detected = _best(sources)
    if context.corrected_beats:
        sources.insert(0, _from_beats(context.corrected_beats, "manual", "beats-by-hand-1", correction=False))
    best = _best(sources)
    readings = [replace(reading, preferred=source is best) for source in sources for reading in _readings(source)]
    # one measure after the other, the preferred source first
    order = list(dict.fromkeys(reading.measure for reading in readings))
    readings.sort(key=lambda reading: (order.index(reading.measure), not reading.preferred))
    beats = best.beats if best else np.empty(0)
    by_hand = _set_by_hand(beats, detected.beats) if detected and best is not detected else ()
    return Result(
        tuple(readings),
        source=best.name if best else "",
        beats=tuple(beats.tolist()),
        corrected=by_hand,
        events=tuple(_gaps(tracks)),
    )


def _from_ecg(track: Track, name: str, *, correction: bool, vote: bool) -> _Source:
    start = float(track.times[0]) / SECOND
    if track.rate is None or track.rate < SLOWEST:
        end = float(track.times[-1]) / SECOND
        return _Source(name, record.METHOD, np.empty(0), np.empty(0), None, start, end, "unsuitable_rate")
    end = float(track.times[-1]) / SECOND + 1.0 / track.rate
    found = record.beats(track, correction=correction, vote=vote)
    steps = np.diff(found.times)[found.held]
    quality = found.signal_quality * (1.0 if found.agreement is None else found.agreement)
    absent: Reason | None = None
    if steps.sum() < SHORTEST:
        # as long as it should be, and yet not enough of it: say what was in the way
        absent = (found.trouble or "noisy") if end - start >= SHORTEST + 2.0 else "too_short"
    elif quality < UNSURE:
        absent = "noisy"
    return _Source(name, f"{record.METHOD}+{METHOD}", found.times, steps, quality, start, end, absent)


def _from_beats(given: tuple[float, ...], name: str, method: str, *, correction: bool) -> _Source:
    beats = np.asarray(given, dtype=np.float64)
    steps = np.diff(beats)
    held = intervals.possible(steps)
    if correction:
        held = intervals.usual(steps, held)
    start, end = (float(beats[0]), float(beats[-1])) if len(beats) else (0.0, 0.0)
    absent: Reason | None = None
    if steps[held].sum() < SHORTEST:
        absent = "noisy" if end - start >= SHORTEST and not held.all() else "too_short"
    quality = float(held.mean()) if len(held) else None
    return _Source(name, f"{method}+{METHOD}", beats, steps[held], quality, start, end, absent)


def _readings(source: _Source) -> list[FinalReading]:
    mean = float(source.intervals.mean()) if source.absent is None else 0.0
    values = {"heart_rate": 60.0 / mean if mean else None, "mean_rr": 1000.0 * mean if mean else None}
    return [
        FinalReading(
            measure=measure,
            value=value,
            unit=MEASURES[measure].unit,
            # no interval has been validated, and none is better than an invented one
            low=None,
            high=None,
            quality=source.quality,
            source=source.name,
            scope="recording",
            method=source.method,
            start=source.start,
            end=source.end,
            absent=source.absent,
        )
        for measure, value in values.items()
    ]


def _best(sources: list[_Source]) -> _Source | None:
    """Beats set by hand, then a wave, then beats as given; among equals the better quality; a value before none."""
    rank = {"manual": 0, "ecg": 1, "rr": 2}
    return min(
        sources,
        key=lambda source: (source.absent is not None, rank[source.name.partition(".")[0]], -(source.quality or 0.0)),
        default=None,
    )


def _set_by_hand(beats: Floats, detected: Floats) -> tuple[int, ...]:
    if not len(detected):
        return tuple(range(len(beats)))
    right = np.clip(np.searchsorted(detected, beats), 1, max(1, len(detected) - 1))
    after = detected[np.minimum(right, len(detected) - 1)]
    nearest = np.minimum(np.abs(beats - detected[right - 1]), np.abs(beats - after))
    return tuple(np.flatnonzero(nearest > BY_HAND).tolist())


def _gaps(tracks: tuple[Track, ...]) -> list[Mark]:
    marks = []
    for track in tracks:
        parts = list(track.segments())
        for before, after in itertools.pairwise(parts):
            begin, end = int(before.times[-1]) / SECOND, int(after.times[0]) / SECOND
            marks.append(Mark("gap", begin, f"{track.signal} of {track.device}: {end - begin:.3f} s without samples"))
    return marks

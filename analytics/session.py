"""A whole recording in, final readings out: the one entry of live close, file, API and re-analysis."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np

from analytics import answers, arousal, courses, eeg, face, fusion, hrv, rhythm, skin, visitor, voice
from analytics.answers import Told
from analytics.beats import Change, Floats, Intervals, Kind
from analytics.courses import Course
from analytics.sources import Source, ranked, sources
from analytics.stress.evidence import PARTS
from kiosk.measures import MEASURES, Reason
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording, Track

BY_HAND = 0.050
"""Seconds from the nearest detected beat from which a beat was set by hand."""
MEASURES_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ecg": (*hrv.MEASURED, *rhythm.MEASURED, "respiration_rate", "stress", *fusion.OF_BODY),
        "ppg": (*hrv.MEASURED, "respiration_rate", "stress", *fusion.OF_BODY),
        "rgb": (*hrv.MEASURED, "respiration_rate", "stress", *fusion.OF_BODY),
        "rr": (*hrv.MEASURED, *rhythm.MEASURED[1:], "stress", *fusion.OF_BODY),
        "respiration": ("respiration_rate",),
        "eda": skin.CONDUCTANCE,
        "eeg": eeg.MEASURED,
        "skin_temperature": skin.TEMPERATURE,
        "face_motion": ("respiration_rate", face.GAZE),
        "face_scores": (*face.EXPRESSION, *fusion.EXPRESSED),
        "face_units": (*face.EXPRESSION, *face.LIDS_AND_JAW, *fusion.EXPRESSED),
        "voice_functionals": voice.PROSODY,
        "voice_scores": (*voice.FEELING, *fusion.EXPRESSED),
    }
)
"""What a signal's final analysis answers: so that a signal that never came can be absent by name."""
COMPARED = tuple(dict.fromkeys((*(part.measure for part in (*PARTS, *arousal.PARTS)), *voice.PROSODY, *voice.FEELING)))
"""What is held against a person's earlier sessions."""


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
    note_ru: str = ""
    """The note in Russian, where the method speaks it."""


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
    intervals: Intervals | None = field(default=None, compare=False)
    """The intervals behind the numbers."""
    events: tuple[Mark, ...] = ()
    courses: tuple[Course, ...] = field(default=(), compare=False, repr=False)
    """How the numbers went; for drawing."""


def session(
    recording: Recording, context: Context, *, correction: bool = True, vote: bool = True, models: Path | None = None
) -> Result:
    """The readings of a recording; signals whose analysis is not built yet are not reported.

    Without `correction` beats stay as they were detected or given; without `vote` nobody is asked for a second
    opinion (seconds faster on first use). `models` is the folder of installed networks.
    """
    recording, changes = visitor.alone(recording)
    found = sources(recording, context, correct=correction, vote=vote)
    ordered = ranked(found)
    best = ordered[0] if ordered else None
    told = answers.of_hearts(ordered, correction=correction, by_hand=context.by_hand)
    told += answers.of_breath(recording, ordered, vote=vote)
    told += answers.of_skin(recording)
    brains = courses.brains(recording)
    told += answers.of_brain(recording, brains)
    told += answers.of_face(recording)
    told += answers.of_voice(recording, context)
    told += answers.of_stress(told, best, context, recording)
    told += answers.of_affect(told, context, recording)
    told += answers.of_trained(recording, models)
    touched = _touched(best, found) if best else ()
    by_hand = touched if best and best.kind == "manual" else ()
    return Result(
        tuple(_readings(told)),
        source=best.name if best else "",
        beats=tuple(best.corrected.times.tolist()) if best else (),
        corrected=touched,
        removed=tuple(best.corrected.removed.tolist()) if best else (),
        ectopic=tuple(best.beats.times[best.beats.kinds == Kind.ECTOPIC].tolist()) if best else (),
        intervals=best.corrected.intervals if best else None,
        events=(
            *(Mark("visitor_changed", each.time, each.detail) for each in changes),
            *_gaps(recording.tracks),
            *(Mark("annotation", each.time / SECOND, each.text) for each in recording.marks),
        ),
        courses=courses.courses(recording, ordered, told, brains, by_hand=by_hand),
    )


def _readings(told: list[Told]) -> list[FinalReading]:
    """In the order of the catalogue, the preferred source of each measure first."""
    chosen = answers.preferred(told)
    order = list(MEASURES)
    readings = [_reading(each, preferred=chosen[each.finding.measure] is each) for each in told]
    return sorted(readings, key=lambda reading: (order.index(reading.measure), not reading.preferred))


def _reading(told: Told, *, preferred: bool) -> FinalReading:
    finding, measure = told.finding, MEASURES[told.finding.measure]
    possible = finding.value is None or measure.possible(finding.value)
    return FinalReading(
        measure=finding.measure,
        value=finding.value if possible else None,
        unit=measure.unit,
        low=finding.low if possible else None,
        high=finding.high if possible else None,
        quality=finding.quality,
        source=told.source,
        scope="recording",
        method=finding.method,
        start=finding.start_ns / SECOND,
        end=finding.end_ns / SECOND,
        absent=finding.absent if possible else "impossible",
        preferred=preferred,
        note=told.note,
        note_ru=told.russian,
    )


def _touched(best: Source, found: list[Source]) -> tuple[int, ...]:
    """Beats that correction placed - or, where a person set them, those that no detector saw."""
    detected = [source for source in ranked(found) if source.kind != "manual"]
    if best.kind != "manual" or not detected:
        return tuple(np.flatnonzero(best.corrected.changes != Change.MEASURED).tolist())
    return _set_by_hand(best.corrected.times, detected[0].beats.times)


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
        for before, after in itertools.pairwise(track.segments()):
            begin, end = int(before.times[-1]) / SECOND, int(after.times[0]) / SECOND
            marks.append(Mark("gap", begin, f"{track.signal} of {track.device}: {end - begin:.3f} s without samples"))
    return sorted(marks, key=lambda mark: mark.time)

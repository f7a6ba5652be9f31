"""How numbers went over a recording: windows of the very functions that make its final readings; for drawing."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from analytics import eeg
from analytics.answers import Told, preferred
from analytics.courses import body, brain, breath, expressed, heart, sweat
from analytics.courses.brain import BACKGROUND, SPECTRUM
from analytics.courses.course import Course, hop, known
from analytics.courses.heart import BEATS, DENSITY, DENSITY_SLOW, FOUND, Code
from analytics.sources import Source, named
from kiosk.measures import Reason
from kiosk.recording import Recording

FIGURES = (BEATS, FOUND, DENSITY, DENSITY_SLOW, SPECTRUM, BACKGROUND)
"""What is no number over time: beats, and densities over hertz."""
PART = "part:"
"""Before a measure: what one part had to do with it, named as the source; amount, value, and what is usual in turn."""
NOTHING = "nothing"
"""Kept of a recording of which no number went anywhere."""

__all__ = [
    "BACKGROUND",
    "BEATS",
    "DENSITY",
    "DENSITY_SLOW",
    "FIGURES",
    "FOUND",
    "NOTHING",
    "PART",
    "SPECTRUM",
    "Code",
    "Course",
    "brains",
    "courses",
    "known",
]


def brains(recording: Recording) -> dict[str, eeg.Analysed | Reason]:
    """What is found of each EEG, once for its readings and its course."""
    return {name: eeg.analysed(track) for track, name in named(recording, "eeg")}


def courses(
    recording: Recording,
    ordered: Sequence[Source],
    told: Sequence[Told],
    found: Mapping[str, eeg.Analysed | Reason],
    *,
    by_hand: Collection[int] = (),
) -> tuple[Course, ...]:
    """All courses of a recording, after its readings: a number that nobody could tell has none."""
    step = hop(max((float(track.seconds[-1]) for track in recording.tracks if len(track.times)), default=0.0))
    there = {(each.finding.measure, each.source) for each in told if each.finding.value is not None}
    places = {id(track): place for place, track in enumerate(recording.tracks)}
    names = {name: places[id(track)] for track, name in named(recording, "eeg")}
    made = [
        each
        for each in (
            *heart.of_hearts(ordered, step, told=there),
            *breath.of_breath(told),
            *brain.of_brains(recording, found, names, step),
            *sweat.of_sweat(recording, step),
            *expressed.of_faces(recording, step),
            *expressed.of_voices(recording, step),
        )
        if each is not None
    ]
    best = ordered[0] if ordered else None
    minutes = body.minutes(recording, best, made, step)
    made += body.of_body(minutes, best.name if best is not None and best.absent is None else "eda")
    chosen = preferred(told)
    qualities = {
        kind: each.finding.quality
        for kind in ("face", "voice")
        if (each := chosen.get(f"{kind}_neutral")) is not None and each.finding.quality is not None
    }
    made += expressed.together(made, minutes, qualities, step)
    return (*made, *heart.figures(ordered, by_hand=by_hand, told=there), *_parts(chosen.values()))


def _parts(told: Iterable[Told]) -> Iterator[Course]:
    for each in told:
        for part in each.parts:
            values = np.array([part.amount, part.value, np.nan if part.usual is None else part.usual])
            name = f"{PART}{each.finding.measure}"
            yield Course(name, part.part, each.finding.method, 0.0, np.arange(3.0), values)

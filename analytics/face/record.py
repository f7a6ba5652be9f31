"""The final readings of a session's face."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from analytics.analyzer import Finding
from analytics.face import fatigue
from analytics.face.course import Course, Summary, course, summary
from analytics.face.words import AXES, EXPRESSIONS
from kiosk.measures import MEASURES, Reason
from kiosk.messages import SECOND
from kiosk.recording import Recording, Track

EXPRESSION = (*(f"face_{name}" for name in EXPRESSIONS), *(f"face_{axis}" for axis in AXES))
LIDS_AND_JAW = ("blink_rate", "blink_duration", "perclos", "yawns")
GAZE = "gaze_aversion"
SIGNALS = ("face_scores", "face_units", "face_motion")
METHOD = "pool"
RULES = "facs-rules-1"
LEAST_FRONTAL = 0.1
"""Of attention to pose, on average, below which nobody was seen from the front."""
HALF_KNOWN = 0.5
"""Weight of engines that makes a quality of one half: rules alone have less, a good network more."""
LIMITS = "what the face showed, not what was felt"
FATIGUE_METHOD = "landmarks-1"


@dataclass(frozen=True, slots=True)
class Answer:
    """A finding, the signals that it is from, and what there is to say about it."""

    finding: Finding
    signals: tuple[str, ...]
    note: str = ""


def answers(recording: Recording, device: str) -> tuple[Answer, ...]:
    """Expressions and signs of tiredness from one camera; nothing for a device that sent no track of a face."""
    scores, units, motion = (_of(recording, device, signal) for signal in SIGNALS)
    tracks = [track for track in (units, scores, motion) if track is not None]
    if not tracks:
        return ()
    start = min(int(track.times[0]) for track in tracks)
    end = max(int(track.times[-1]) for track in tracks)
    if units is None and scores is None:
        # what moved was a face: its units are missing; else there was none
        seen = motion is not None and bool(np.isfinite(motion.samples[:, 0]).any())
        absent: Reason = "not_delivered" if seen else "no_face"
        told = [Answer(Finding(each, None, RULES, start, end, absent=absent), ("face_motion",)) for each in EXPRESSION]
    else:
        told = _expressions(units, scores, motion, start, end)
    tired = [] if units is None and motion is None else _tired(units, motion, start, end)
    return (*told, *tired)


def seen(recording: Recording, device: str) -> Course | None:
    """What a camera saw of a face over time; None where it saw none from the front."""
    scores, units, motion = (_of(recording, device, signal) for signal in SIGNALS)
    if units is None and scores is None:
        return None
    found = course(units, scores, motion)
    return found if found is not None and float(found.frontal.mean()) >= LEAST_FRONTAL else None


def devices(recording: Recording) -> tuple[str, ...]:
    """The cameras, in the order in which they appear."""
    return tuple(
        dict.fromkeys(track.device for track in recording.tracks if track.signal in SIGNALS and len(track.times))
    )


def _of(recording: Recording, device: str, signal: str) -> Track | None:
    """The device's track of a signal, the longest one where its channels changed."""
    found = [track for track in recording.of(signal) if track.device == device and len(track.times)]
    return max(found, key=lambda track: len(track.times), default=None)


def _expressions(units: Track | None, scores: Track | None, motion: Track | None, start: int, end: int) -> list[Answer]:
    signals = tuple(track.signal for track in (scores, units) if track is not None)
    seen = course(units, scores, motion)
    if seen is None:
        return [Answer(Finding(measure, None, RULES, start, end, absent="no_face"), signals) for measure in EXPRESSION]
    used = {"face_units" if engine == "facs" else "face_scores" for engine in seen.engines}
    signals = tuple(signal for signal in signals if signal in used)
    method = _method(seen.engines)
    behind = seen.weight / (seen.weight + HALF_KNOWN)
    quality = round(behind * float(np.mean(seen.frontal * (0.5 + 0.5 * seen.agreement))) * seen.known, 3)
    span = int(seen.times[0]), int(seen.times[-1])
    if float(seen.frontal.mean()) < LEAST_FRONTAL:
        return [
            Answer(Finding(measure, None, method, *span, quality=quality, absent="insufficient"), signals)
            for measure in EXPRESSION
        ]
    columns = (*seen.probabilities.T, *seen.axes.T)
    said = []
    for measure, values in zip(EXPRESSION, columns, strict=True):
        axis = measure.removeprefix("face_") in AXES
        how = _method(seen.axes_from) if axis and seen.axes_from else f"{method}+circumplex" if axis else method
        told = summary(values, seen.attention)
        if told is None:
            # only some networks know it
            why: Reason = "no_trained_model"
            said.append(Answer(Finding(measure, None, how, *span, absent=why), signals))
        else:
            finding = Finding(measure, _bounded(measure, told.value), how, *span, quality=quality)
            said.append(Answer(finding, signals, _note(told, seen)))
    return said


def _bounded(measure: str, value: float) -> float:
    row = MEASURES[measure]
    return min(max(value, row.low), row.high)


def _method(engines: tuple[str, ...]) -> str:
    return RULES if engines == ("facs",) else f"{METHOD}({'+'.join(engines)})-1"


def _note(told: Summary, seen: Course) -> str:
    """The statistics in words; of a single picture there are none."""
    if len(seen.times) == 1:
        return f"a single picture: {LIMITS}"
    return (
        f"mean {told.mean:.2f}, sd {told.std:.2f}, from {told.low:.2f} to {told.high:.2f} "
        f"over {len(seen.times)} pictures: {LIMITS}"
    )


def _tired(units: Track | None, motion: Track | None, start: int, end: int) -> Iterable[Answer]:
    seconds = (end - start) / SECOND
    for sign in fatigue.signs(units, motion):
        track, signal = (motion, "face_motion") if sign.measure == GAZE or units is None else (units, "face_units")
        if track is None:
            continue
        told = sign.value is not None
        value = None if sign.value is None else _bounded(sign.measure, sign.value)
        quality = round(_coverage(track, seconds), 3) if told and seconds > 0.0 else None
        yield Answer(
            Finding(sign.measure, value, FATIGUE_METHOD, start, end, quality=quality, absent=sign.absent),
            (signal,),
            sign.note,
        )


def _coverage(track: Track, seconds: float) -> float:
    """The share of the session in which a face was in view."""
    there = np.isfinite(track.samples[:, :2]).all(axis=1)
    steps = np.diff(track.times[there]) / SECOND
    return min(1.0, float(steps[steps <= fatigue.HOLE].sum()) / seconds)

"""What face and voice showed over time, and what all modalities said together."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from analytics import face, fusion, voice
from analytics.courses import body
from analytics.courses.body import Minute
from analytics.courses.course import Course, begins
from analytics.face.course import summary
from analytics.face.record import EXPRESSION, seen
from analytics.fusion.opinions import Modality, Opinion
from analytics.fusion.record import UNKNOWN_QUALITY, bodily, expressive
from analytics.fusion.together import METHOD, Fused, fused
from analytics.stress.reference import Against, with_own
from analytics.voice.record import over_time
from analytics.voice.words import AROUSAL, EMOTION, VALENCE, axes, pooled
from kiosk.measures import MEASURES
from kiosk.messages import SECOND
from kiosk.recording import Baseline, Recording

WINDOW = 10.0
"""Seconds of a window: what a face shows lasts up to four (Ekman 2003), a sentence some more."""
METHOD_FACE, METHOD_VOICE = "face-pool-mean", "voice-log-pool"


def of_faces(recording: Recording, step: float) -> Iterator[Course]:
    """Expressions, valence and arousal of every camera: means by attention, as over the whole recording."""
    cameras = face.devices(recording)
    for device in cameras:
        found = seen(recording, device)
        if found is None:
            continue
        signals = dict.fromkeys("face_units" if engine == "facs" else "face_scores" for engine in found.engines)
        source = "+".join(signals if len(cameras) == 1 else (f"{signal}.{device}" for signal in signals))
        times = found.times / SECOND
        at = begins(float(times[0]), float(times[-1]), WINDOW, step)
        edges = np.searchsorted(times, np.stack((at, at + WINDOW), axis=1)).tolist()
        for measure, values in zip(EXPRESSION, (*found.probabilities.T, *found.axes.T), strict=True):
            told = [summary(values[first:last], found.attention[first:last]) for first, last in edges]
            shown = np.array([np.nan if each is None else each.value for each in told], dtype=np.float64)
            yield from _course(measure, source, METHOD_FACE, at, shown)


def of_voices(recording: Recording, step: float) -> Iterator[Course]:
    """Emotions, valence and arousal of every microphone: pooled as over the whole recording."""
    microphones = voice.devices(recording)
    for device in microphones:
        found = over_time(recording, device)
        if found is None:
            continue
        times, told, weights = found[0] / SECOND, found[1], found[2]
        source = "voice_scores" if len(microphones) == 1 else f"voice_scores.{device}"
        at = begins(float(times[0]) - WINDOW, float(times[-1]) + step, WINDOW, step)
        at = at[at >= 0.0]
        rows: dict[str, list[float]] = {f"voice_{name}": [] for name in told.emotions}
        rows |= {VALENCE: [], AROUSAL: []}
        for begin in at.tolist():
            inside = (times >= begin) & (times < begin + WINDOW)
            if not inside.any():
                for values in rows.values():
                    values.append(np.nan)
                continue
            part = type(told)(told.networks, told.emotions, told.logs[inside], told.familiar[inside])
            together = pooled(part, weights[inside])
            for name, value in zip(told.emotions, together.tolist(), strict=True):
                rows[f"voice_{name}"].append(value)
            for name, value in zip((VALENCE, AROUSAL), axes(told.emotions, together), strict=True):
                rows[name].append(value)
        for measure, values in rows.items():
            yield from _course(measure, source, METHOD_VOICE, at, np.array(values, dtype=np.float64))


def together(
    courses: Sequence[Course], found: Sequence[Minute], qualities: Mapping[str, float], step: float
) -> Iterator[Course]:
    """What all modalities said together; the body beside the recording's own first minute."""
    shown = [each for each in courses if each.measure in (*EXPRESSION, *EMOTION, VALENCE, AROUSAL)]
    if not shown:
        return
    first, last = min(each.times[0] for each in shown), max(each.times[-1] for each in shown)
    at = begins(float(first) - WINDOW / 2, float(last) + WINDOW / 2, WINDOW, step)
    usual = body.rest(found)
    said: list[Fused] = []
    for begin in at.tolist():
        opinions = [
            each
            for modality in (Modality.FACE, Modality.VOICE)
            if (each := _shown(modality, shown, begin, qualities.get(modality.value, UNKNOWN_QUALITY))) is not None
        ]
        said.append(fused([*opinions, *_of_body(found, usual, begin)] if opinions else []))
    source = "fusion"
    for measure in fusion.EXPRESSED:
        values = np.array([_value(each, measure) for each in said], dtype=np.float64)
        yield from _course(measure, source, METHOD, at, values)


def _shown(modality: Modality, shown: Sequence[Course], begin: float, quality: float) -> Opinion | None:
    values: dict[str, float] = {}
    for each in shown:
        if each.measure.startswith(f"{modality.value}_") and each.measure not in values:
            place = int(np.searchsorted(each.times, begin + WINDOW / 2 - 1e-6))
            if place < len(each.times) and abs(each.times[place] - begin - WINDOW / 2) < 1e-3:
                value = float(each.values[place])
                if np.isfinite(value):
                    values[each.measure] = value
    return expressive(modality, values, quality) if values else None


def _of_body(found: Sequence[Minute], usual: Sequence[Baseline], begin: float) -> list[Opinion]:
    """Of the minute that is nearest, where it is not the first one itself."""
    if len(found) < 2 or begin + WINDOW <= found[0].begin + body.WINDOW:
        return []
    middle = begin + (WINDOW - body.WINDOW) / 2
    near = min(found[1:], key=lambda each: abs(each.begin - middle))
    quality = dict.fromkeys((Modality.HEART, Modality.SKIN, Modality.BRAIN), near.signs.quality)
    return bodily(with_own(near.signs, usual, Against.REST), quality, {})


def _value(found: Fused, measure: str) -> float:
    if measure in ("arousal", "valence"):
        axis = found.arousal if measure == "arousal" else found.valence
        return np.nan if axis is None or axis.split else axis.pooled.value
    each = {} if found.emotions is None else {emotion.name: emotion.probability for emotion in found.emotions.each}
    return each.get(measure.removeprefix("emotion_"), np.nan)


def _course(measure: str, source: str, method: str, at: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
            values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Iterator[Course]:  # fmt: skip
    row = MEASURES[measure]
    if np.isfinite(values).any():
        yield Course(measure, source, method, WINDOW, at + WINDOW / 2, np.clip(values, row.low, row.high))

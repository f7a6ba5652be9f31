"""What each source answers: heart, breath, skin - and of all that, stress."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from analytics import affect, doubt, eeg, face, fusion, hrv, respiration, rhythm, skin, stress, voice
from analytics.analyzer import Contribution, Finding
from analytics.correction import as_measured
from analytics.sources import Source, named
from analytics.stress.reference import LONG
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording

RATES = ("heart_rate", "mean_rr")
VARIABILITY = ("rmssd", "sdnn", "stress_index")
SPREAD = 0.10
"""Median deviation of two-beat means, relative to their median, up to which they have a rate, corrected or not."""
PAIRS = "median-of-two-beats-1"
PULSES = ("ppg", "rgb")
"""Sources that see a pulse and not where it comes from."""
NEAR, APART = 0.015, 0.04
"""Share by which beats may differ from the rate that hangs on none of them: their own rate is told up to the first, and
beyond the second nothing is: beats were missed or made up."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding with who said it, in the order of preference."""

    source: str
    finding: Finding
    note: str = ""
    russian: str = ""
    """The note in Russian, where the method speaks it."""
    parts: tuple[Contribution, ...] = ()
    """What pulled the value up or down, where the method can say so."""


def of_hearts(found: Iterable[Source], *, correction: bool, by_hand: int = 0) -> list[Told]:
    """What all sources of beats answer. Where the ECG shows a rhythm without variability, the pulse has none either."""
    told = [
        _said_by_hand(each, source, by_hand) if source.kind == "manual" else each
        for source in found
        for each in _of_beats(source, correction=correction)
    ]
    refused = {
        each.finding.measure
        for each in told
        if each.source.startswith("ecg") and each.finding.absent == "irregular" and each.finding.measure not in RATES
    }
    return [
        replace(each, finding=replace(each.finding, value=None, low=None, high=None, absent="irregular"))
        if each.source.startswith(PULSES) and each.finding.value is not None and each.finding.measure in refused
        else each
        for each in told
    ]


def _said_by_hand(told: Told, source: Source, count: int) -> Told:
    """That a person corrected these beats, and how many, beside what automatic correction had done."""
    finding = told.finding
    if finding.measure == "beats_corrected" and finding.value is not None:
        total = len(source.corrected.times) + len(source.corrected.removed)
        share = 100.0 * (source.corrected.count + count) / max(1, total)
        finding = replace(finding, value=min(100.0, share), method=source.method)
    if not count:
        return replace(told, finding=finding)
    return Told(told.source, finding, f"corrected by hand: {count}", f"исправлено вручную: {count}")


def _of_beats(source: Source, *, correction: bool) -> list[Told]:
    """Heart rate and its variability, and the rhythm where beats can tell it."""
    start, end = round(source.start * SECOND), round(source.end * SECOND)
    # a pulse may fail where a beat does not, and only an ECG shows where a beat comes from
    told_of_rhythm = {"ecg": rhythm.MEASURED, **dict.fromkeys(PULSES, ())}.get(source.kind, rhythm.MEASURED[1:])
    strays = _straying(source)
    if source.absent is not None or strays > APART:
        absent = source.absent or "noisy"
        findings = [
            Finding(measure, None, source.method, start, end, quality=source.quality, absent=absent)
            for measure in (*hrv.MEASURED, *told_of_rhythm)
        ]
        if source.rate is not None:
            findings = [source.rate if each.measure == source.rate.measure else each for each in findings]
        return [Told(source.name, each) for each in findings]
    mended = correction and not source.irregular and source.kind != "manual"
    findings = [
        _with_doubt(each, source) if mended else each
        for each in hrv.findings(
            source.corrected, start_ns=start, end_ns=end, quality=source.quality, correction=mended
        )
    ]
    if source.irregular:
        findings = [
            each if each.measure in RATES else replace(each, value=None, absent="irregular") for each in findings
        ]
    rhythms = [
        each
        for each in rhythm.findings(source.beats, source.corrected, start_ns=start, end_ns=end)
        if each.measure in told_of_rhythm
    ]
    told = [_rate(each, source) if each.measure in RATES else each for each in findings] + rhythms
    told = [replace(each, method=f"{source.method}+{each.method}") for each in told]
    if source.rate is not None and strays > NEAR:
        told = [source.rate if each.measure == source.rate.measure else each for each in told]
    return [Told(source.name, each) for each in told]


def _straying(source: Source) -> float:
    """By what share the beats tell another heart rate than what does not hang on them."""
    values = source.corrected.intervals.values
    if source.rate is None or source.rate.value is None or not len(values):
        return 0.0
    return abs(60.0 / float(values.mean()) - source.rate.value) / source.rate.value


def _rate(finding: Finding, source: Source) -> Finding:
    """Correction takes bigeminy for artefacts, which has a rate all the same: that of its pairs."""
    if finding.absent != "too_many_corrected":
        return finding
    beats = as_measured(source.beats).intervals
    pairs = 0.5 * (beats.values[1:] + beats.values[:-1])[beats.follows[1:]]
    middle = float(np.median(pairs)) if len(pairs) else 0.0
    if not len(pairs) or float(np.median(np.abs(pairs - middle))) > SPREAD * middle:
        return finding
    value = 60.0 / middle if finding.measure == "heart_rate" else 1000.0 * middle
    return replace(finding, value=value, method=PAIRS, absent=None)


def _with_doubt(finding: Finding, source: Source) -> Finding:
    if finding.value is None:
        return finding
    bounds = doubt.interval(
        finding.measure,
        finding.value,
        source.corrected.intervals,
        precision=source.beats.precision,
        corrected=source.corrected.share,
        span=source.end - source.start,
    )
    return finding if bounds is None else replace(finding, low=bounds[0], high=bounds[1])


def of_breath(recording: Recording, found: Iterable[Source], *, vote: bool) -> list[Told]:
    """A belt knows best; then what ECG, pulse and camera say together, then each alone."""
    belts = _best_first(
        Told(name, finding)
        for track, name in named(recording, "respiration")
        for finding in respiration.from_belt(track)
    )
    derived = []
    for source in found:
        if source.track is None:
            continue
        if source.absent is not None:
            finding = Finding(
                "respiration_rate", None, source.method, round(source.start * SECOND), round(source.end * SECOND),
                absent=source.absent,
            )  # fmt: skip
        elif source.kind == "ecg":
            finding = respiration.from_ecg(source.track, source.beats, opinion=vote)
        elif source.kind == "rgb":
            finding = respiration.from_skin(source.track, source.beats)
        else:
            finding = respiration.from_ppg(source.track, source.beats)
        derived.append(Told(source.name, finding))
    derived += [Told(name, respiration.from_motion(track)) for track, name in named(recording, "face_motion")]
    answered = [each.finding for each in derived if each.finding.value is not None]
    together = [Told("fused", respiration.fused(answered))] if len(answered) > 1 else []
    return [*belts, *together, *derived]


def of_skin(recording: Recording) -> list[Told]:
    """What sweat and warmth of the skin do."""
    return _best_first(
        Told(name, finding)
        for signal, findings in (("eda", skin.conductance), ("skin_temperature", skin.temperature))
        for track, name in named(recording, signal)
        for finding in findings(track)
    )


def of_brain(recording: Recording, brains: Mapping[str, eeg.Analysed | Reason] | None = None) -> list[Told]:
    """What electrodes on the head show. Whether the eyes were closed a camera knows, and who marked it.

    `brains` is what was found of each source, where somebody has looked already.
    """
    seen = max(recording.of("face_units"), key=lambda track: len(track.times), default=None)
    lids = eeg.lids(seen) if seen else ()
    return _best_first(
        Told(name, each.finding, each.note)
        for track, name in named(recording, "eeg")
        for each in eeg.answers(track, (*lids, *eeg.marked(recording.marks, track)), (brains or {}).get(name))
    )


def of_face(recording: Recording) -> list[Told]:
    """What cameras saw of a face: expressions and signs of tiredness."""
    cameras = face.devices(recording)
    return _best_first(
        Told("+".join(each.signals if len(cameras) == 1 else (f"{signal}.{camera}" for signal in each.signals)),
             each.finding, each.note)
        for camera in cameras
        for each in face.answers(recording, camera)
    )  # fmt: skip


def of_voice(recording: Recording, context: Context) -> list[Told]:
    """What microphones heard of a voice: emotions, and how was spoken."""
    microphones = voice.devices(recording)
    return _best_first(
        Told("+".join(each.signals if len(microphones) == 1 else (f"{signal}.{name}" for signal in each.signals)),
             each.finding, each.note)
        for name in microphones
        for each in voice.answers(recording, name, context)
    )  # fmt: skip


def _best_first(told: Iterable[Told]) -> list[Told]:
    return sorted(told, key=lambda each: (each.finding.value is None, -(each.finding.quality or 0.0)))


def of_stress(told: list[Told], best: Source | None, context: Context, recording: Recording) -> list[Told]:
    """Of what the other readings say, each from its preferred source."""
    fingers = _fingers(recording)
    chosen = preferred(each for each in told if each.finding.measure not in skin.TEMPERATURE or each.source in fingers)
    # the variability of an irregular rhythm says nothing about stress
    if "irregular_rhythm" in chosen and chosen["irregular_rhythm"].finding.value == 1.0:
        chosen = {measure: each for measure, each in chosen.items() if measure not in VARIABILITY}
    # of a short recording SDNN is systematically smaller than norms and earlier sessions have it
    if "sdnn" in chosen and chosen["sdnn"].finding.end_ns - chosen["sdnn"].finding.start_ns < LONG * SECOND:
        del chosen["sdnn"]
    values = {measure: each.finding.value for measure, each in chosen.items()}
    signals = [chosen[measure].finding for measure in ("heart_rate", "eda_slope") if measure in chosen]
    qualities = [each.quality for each in signals if each.value is not None and each.quality is not None]
    evidence = stress.Evidence(
        heart_rate=values.get("heart_rate"),
        rmssd=values.get("rmssd"),
        sdnn=values.get("sdnn"),
        stress_index=values.get("stress_index"),
        eda_slope=values.get("eda_slope"),
        eda_peaks=values.get("eda_peaks"),
        skin_temperature_slope=values.get("skin_temperature_slope"),
        respiration_rate=values.get("respiration_rate"),
        quality=float(np.mean(qualities)) if qualities else 0.0,
    )
    used = [chosen[part.measure] for part, _ in evidence.measured()]
    if best is None and not any(measure in values for measure in skin.CONDUCTANCE):
        return []
    windows = [each.finding for each in used or chosen.values()]
    assessed = stress.finding(
        evidence,
        context,
        start_ns=min(each.start_ns for each in windows),
        end_ns=max(each.end_ns for each in windows),
    )
    # kinds, not devices: their names would not end
    source = "+".join(dict.fromkeys(each.source.partition(".")[0] for each in used)) or (best.kind if best else "none")
    parts = tuple(Contribution(each.measure, each.contribution, each.value, each.usual) for each in assessed.drivers)
    return [Told(source, assessed.finding, assessed.note, assessed.russian, parts)]


def of_affect(told: list[Told], context: Context, recording: Recording) -> list[Told]:
    """Arousal, valence and emotions, of what the other readings say, each from its preferred source."""
    chosen = preferred(told)
    # as for stress: the variability of an irregular rhythm tells nothing of the person's state
    if "irregular_rhythm" in chosen and chosen["irregular_rhythm"].finding.value == 1.0:
        chosen = {measure: each for measure, each in chosen.items() if measure not in VARIABILITY}
    heard = {measure: fusion.Heard(each.source, each.finding) for measure, each in chosen.items()}
    found = fusion.answers(heard, context, coverage=fusion.coverage(recording))
    return [Told(each.source, each.finding, each.note.en, each.note.ru, each.parts) for each in found]


def of_trained(recording: Recording, models: Path | None) -> list[Told]:
    """Valence and arousal by an operator's own network of ECG and EEG: beside what the modalities say together."""
    return [Told("ecg+eeg", each) for each in affect.findings(recording, models)]


def _fingers(recording: Recording) -> set[str]:
    """Sources of a finger's temperature: fingers cool under stress, skin further up does not (Vinkers 2013)."""
    return {
        name
        for track, name in named(recording, "skin_temperature")
        if any("finger" in channel.lower() for channel in track.channels)
    }


def preferred(told: Iterable[Told]) -> dict[str, Told]:
    """The preferred one of each measure: the first that has a value, or the first."""
    chosen: dict[str, Told] = {}
    for each in told:
        measure = each.finding.measure
        known = chosen.get(measure)
        if known is None or (known.finding.value is None and each.finding.value is not None):
            chosen[measure] = each
    return chosen

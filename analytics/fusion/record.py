"""The final readings of affect: from what the other readings say, each from its preferred source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from analytics import arousal, concealment
from analytics.analyzer import Contribution, Finding
from analytics.arousal import Signs
from analytics.fusion import words
from analytics.fusion.opinions import Feature, Modality, Opinion
from analytics.fusion.together import METHOD, Axis, Fused, fused
from analytics.languages import Note
from analytics.stress.evidence import System
from analytics.stress.reference import Against, Compared, with_own
from kiosk.measures import EXPRESSIONS, VOICE_EMOTIONS, Reason
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording

OF_BODY = ("physiological_arousal", "arousal")
EXPRESSED = ("arousal", "valence", *(f"emotion_{name}" for name in EXPRESSIONS))
"""What is answered where there is a heart, and where there is a face or a voice."""
SYSTEMS: Mapping[Modality, frozenset[System]] = {
    Modality.HEART: frozenset({System.RATE, System.VARIABILITY, System.BREATH}),
    Modality.SKIN: frozenset({System.SWEAT}),
    Modality.BRAIN: frozenset({System.BRAIN}),
}
"""Of the body. Breath is told from the heart's own signals more often than not: with it the heart is one voice."""
CARRIER: Mapping[Modality, str] = {
    Modality.HEART: "heart_rate",
    Modality.SKIN: "eda_slope",
    Modality.BRAIN: "eeg_engagement",
}
"""Whose quality and source are the modality's."""
FEATURES: Mapping[Modality, tuple[str, ...]] = {
    Modality.VOICE: ("voice_functionals", "voice_scores"),
}
"""Streams of one row a second in which packets may be missing. Waves and faces tell their gaps in their own quality;
scores of a voice pause when nobody speaks, its functionals do not."""
UNKNOWN_QUALITY = 0.5
"""Of a reading that tells none."""
LEAST_KNOWN = 0.1
"""Of what somebody shows that must be among the eight expressions: of less than a tenth of it nothing is told."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A reading of another analysis, and where it is from."""

    source: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Answer:
    """A finding of affect, where it is from, and what drove it."""

    source: str
    finding: Finding
    note: Note
    parts: tuple[Contribution, ...] = ()


def answers(
    heard: Mapping[str, Heard], context: Context, *, coverage: Mapping[Modality, float] | None = None
) -> tuple[Answer, ...]:
    """The index of arousal, and what all modalities say together: of one reading per measure.

    `coverage` is the share of the time in which a modality's features arrived: its quality is so much smaller.
    """
    there = {measure: each for measure, each in heard.items() if each.finding.value is not None}
    physical = {measure: each for measure, each in heard.items() if measure in arousal.MEASURED}
    seen = {measure for measure in heard if _expressive(measure)}
    if not physical and not seen:
        return ()
    start, end = _window(there or heard)
    signs, index = None, None
    told: list[Answer] = []
    if any(measure in heard for measure in ("heart_rate", "eda_slope", "eda_peaks")):
        signs = of_body(there)
        begin, stop = _window({measure: there[measure] for measure in there if measure in arousal.MEASURED} or physical)
        index = arousal.finding(signs, context, start_ns=begin, end_ns=stop)
        parts = tuple(
            Contribution(each.part.measure, share, each.value, each.usual)
            for each, share in arousal.contributions(index.reference.comparisons)
        )
        told.append(Answer(_sources(physical.values()), index.finding, index.note, parts))
    elif physical:
        signs = of_body(there)
    opinions = [*_shown(there), *_of_body(there, signs, context, start, end)]
    share = coverage or {}
    found = fused(replace(each, quality=each.quality * share.get(each.modality, 1.0)) for each in opinions)
    why: Reason = "insufficient"
    if index is not None and index.finding.absent is not None:
        why = index.finding.absent
    if seen and not seen & there.keys():
        # as the face's own answer has it, or else the voice's: nobody in view, nobody speaks
        missing = (heard[measure].finding.absent for measure in sorted(seen))
        why = next((reason for reason in missing if reason is not None), "insufficient")
    if told or seen or found.arousal is not None:
        told.append(_axis("arousal", found.arousal, found, why, start, end, heard))
    if seen:
        told.append(_axis("valence", found.valence, found, why, start, end, heard))
        told += _emotions(found, why, start, end, heard)
    return tuple(told)


def coverage(recording: Recording) -> dict[Modality, float]:
    """How much arrived of a modality's features, between their first and their last row."""
    return {modality: concealment.arrived(recording, signals) for modality, signals in FEATURES.items()}


def of_body(there: Mapping[str, Heard]) -> Signs:
    """What was measured of the body."""
    values = {measure: each.finding.value for measure, each in there.items()}
    qualities = [_quality(there[measure].finding) for measure in ("heart_rate", "eda_slope") if measure in there]
    return Signs(
        heart_rate=values.get("heart_rate"),
        rmssd=values.get("rmssd"),
        eda_slope=values.get("eda_slope"),
        eda_peaks=values.get("eda_peaks"),
        respiration_rate=values.get("respiration_rate"),
        eeg_engagement=values.get("eeg_engagement"),
        eeg_alpha_relative=values.get("eeg_alpha_relative"),
        quality=sum(qualities) / len(qualities) if qualities else UNKNOWN_QUALITY,
    )


def bodily(beside: Compared, qualities: Mapping[Modality, float], sources: Mapping[Modality, str]) -> list[Opinion]:
    """What heart, skin and brain each say of arousal, beside what is usual; of nothing else."""
    found = []
    for modality, systems in SYSTEMS.items():
        mine = [each for each in beside.comparisons if each.part.system in systems]
        value = arousal.level(mine)
        if value is not None:
            features = tuple(
                Feature(each.part.measure, each.value, each.usual, share) for each, share in arousal.contributions(mine)
            )
            quality = beside.trust * qualities.get(modality, UNKNOWN_QUALITY)
            found.append(Opinion(modality, quality, arousal=value, source=sources.get(modality, ""), features=features))
    return found


def expressive(modality: Modality, values: Mapping[str, float], quality: float, source: str = "") -> Opinion | None:
    """What a face or a voice shows; None where it shows nothing. `values` by measure.

    A voice's calm is its neutral: people keep them apart badly (Livingstone & Russo 2018,
    doi:10.1371/journal.pone.0196391). Its boredom is none of the eight: what is left counts for less.
    """
    kind = modality.value
    known: dict[str, float] = {}
    names = EXPRESSIONS if modality is Modality.FACE else VOICE_EMOTIONS
    found = {name: values[f"{kind}_{name}"] for name in names if f"{kind}_{name}" in values}
    for name, value in found.items():
        into = "neutral" if name == "calm" else name
        if into in EXPRESSIONS:
            known[into] = known.get(into, 0.0) + value
    valence, aroused = values.get(f"{kind}_valence"), values.get(f"{kind}_arousal")
    total, all_of_it = sum(known.values()), sum(found.values())
    inside = total / all_of_it if total > 0.0 else 0.0
    if inside < LEAST_KNOWN:
        known = {}
    if not known and valence is None and aroused is None:
        return None
    emotions = tuple(known.get(name) for name in EXPRESSIONS) if known else None
    strongest = sorted(found.items(), key=lambda each: -each[1])
    features = tuple(Feature(f"{kind}_{name}", value) for name, value in strongest if value >= 0.1)
    return Opinion(modality, quality, valence, aroused, emotions, source, features, inside if known else 1.0)


def _shown(there: Mapping[str, Heard]) -> list[Opinion]:
    found = []
    for modality in (Modality.FACE, Modality.VOICE):
        mine = {
            measure: each
            for measure, each in there.items()
            if measure.startswith(f"{modality.value}_") and _expressive(measure)
        }
        if mine:
            values = {measure: each.finding.value for measure, each in mine.items() if each.finding.value is not None}
            quality = min(_quality(each.finding) for each in mine.values())
            opinion = expressive(modality, values, quality, _sources(mine.values()))
            found += [opinion] if opinion is not None else []
    return found


def _of_body(
    there: Mapping[str, Heard], signs: Signs | None, context: Context, start: int, end: int
) -> Iterable[Opinion]:
    if signs is None:
        return []
    beside = arousal.reference(signs, context, seconds=(end - start) / SECOND)
    if not beside.comparisons:
        # a brain or breath alone carries no index; its opinion is one among others
        beside = with_own(signs, context.baselines, Against.SESSIONS)
    qualities, sources = {}, {}
    for modality, systems in SYSTEMS.items():
        mine = {part.measure for part in arousal.PARTS if part.system in systems and part.measure in there}
        carrier = there.get(CARRIER[modality])
        if mine and carrier is not None:
            qualities[modality] = _quality(carrier.finding)
        elif mine:
            # breath without a heart, responses without a drift
            qualities[modality] = min(_quality(there[measure].finding) for measure in mine)
        sources[modality] = _sources(there[measure] for measure in sorted(mine))
    return bodily(beside, qualities, sources)


def _axis(
    name: str, axis: Axis | None, found: Fused, why: Reason, start: int, end: int, heard: Mapping[str, Heard]
) -> Answer:
    if axis is None:
        note = words.NO_AROUSAL if name == "arousal" else words.NOTHING
        return Answer(_sources(heard.values()), Finding(name, None, METHOD, start, end, absent=why), note)
    source = _of(found, axis.shares)
    note = words.of_axis(name, axis, found)
    parts = tuple(
        Contribution(modality.value, share * axis.said[modality], axis.said[modality])
        for modality, share in axis.shares.items()
    )
    if axis.split:
        missing = Finding(name, None, METHOD, start, end, absent="insufficient")
        return Answer(source, missing, note, parts)
    # an interval would have to be validated against what people felt, and there are no such data
    return Answer(source, Finding(name, axis.pooled.value, METHOD, start, end, quality=axis.quality), note, parts)


def _emotions(found: Fused, why: Reason, start: int, end: int, heard: Mapping[str, Heard]) -> Iterable[Answer]:
    emotions = found.emotions
    known = {each.name: each for each in emotions.each} if emotions is not None else {}
    for name in EXPRESSIONS:
        measure = f"emotion_{name}"
        if emotions is None:
            missing = Finding(measure, None, METHOD, start, end, absent=why)
            shown = any(each.modality in (Modality.FACE, Modality.VOICE) for each in found.opinions)
            yield Answer(_sources(heard.values()), missing, words.NONE_OF_THEM if shown else words.NOTHING)
        elif name not in known:
            # neither the face's nor the voice's engines know it
            missing = Finding(measure, None, METHOD, start, end, absent="no_trained_model")
            yield Answer(_of(found, emotions.shares), missing, Note())
        else:
            value = known[name].probability
            told = Finding(measure, value, METHOD, start, end, quality=emotions.quality)
            yield Answer(_of(found, emotions.shares), told, words.of_emotion(name, emotions, found))


def _of(found: Fused, modalities: Iterable[Modality]) -> str:
    wanted = set(modalities)
    parts = [part for each in found.opinions if each.modality in wanted for part in each.source.split("+")]
    return "+".join(dict.fromkeys(part for part in parts if part)) or "none"


def _sources(heard: Iterable[Heard]) -> str:
    """Kinds, not devices: their names would not end."""
    parts = [part.partition(".")[0] for each in heard for part in each.source.split("+")]
    return "+".join(dict.fromkeys(part for part in parts if part)) or "none"


def _window(heard: Mapping[str, Heard]) -> tuple[int, int]:
    windows = [each.finding for each in heard.values()]
    return min(each.start_ns for each in windows), max(each.end_ns for each in windows)


def _quality(finding: Finding) -> float:
    quality = UNKNOWN_QUALITY if finding.quality is None else finding.quality
    return quality if 0.0 <= quality <= 1.0 else 0.0


def tells(measure: str) -> bool:
    """Whether a measure tells anything of affect."""
    return _expressive(measure) or measure in arousal.MEASURED


def _expressive(measure: str) -> bool:
    kind, _, name = measure.partition("_")
    return (kind == "face" and name in (*EXPRESSIONS, "valence", "arousal")) or (
        kind == "voice" and name in (*VOICE_EMOTIONS, "valence", "arousal")
    )

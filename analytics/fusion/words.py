"""What each modality shows, what it did to the answer and where they contradict each other: English and Russian.

Careful on purpose: a face *shows*, a voice *sounds*, a heart *is faster than usual*; nobody is said to feel anything.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType

from analytics.fusion.opinions import Feature, Modality, Opinion
from analytics.fusion.together import PLAIN, Axis, Emotions, Fused
from analytics.languages import Language, Note, capital, listed
from analytics.stress.evidence import PARTS
from analytics.stress.words import RUSSIAN
from kiosk.measures import EXPRESSIONS
from kiosk.wording import number

STRAINED = 0.46
"""Of arousal, from which a body is called strained: one standard deviation above usual (`analytics.arousal`)."""
PLAINLY = 0.4
"""Probability from which one expression is named."""
MOST_FEATURES = 2
"""Of a modality that are named in a note: it has to be read."""
NAMES: Mapping[Modality, Note] = MappingProxyType(
    {
        Modality.FACE: Note("face", "лицо"),
        Modality.VOICE: Note("voice", "голос"),
        Modality.HEART: Note("heart", "сердце"),
        Modality.SKIN: Note("skin", "кожа"),
        Modality.BRAIN: Note("brain activity", "активность мозга"),
    }
)
SHOWN: Mapping[str, Note] = MappingProxyType(
    {
        "neutral": Note("neutral", "нейтральное выражение"),
        "happiness": Note("happiness", "радость"),
        "sadness": Note("sadness", "грусть"),
        "surprise": Note("surprise", "удивление"),
        "anger": Note("anger", "гнев"),
        "fear": Note("fear", "страх"),
        "disgust": Note("disgust", "отвращение"),
        "contempt": Note("contempt", "презрение"),
        "calm": Note("calm", "спокойствие"),
        "boredom": Note("boredom", "скука"),
    }
)
AXES: Mapping[str, Note] = MappingProxyType(
    {
        "valence": Note("Valence {value} (-1 unpleasant to 1 pleasant).",
                        "Валентность {value} (от -1 неприятно до 1 приятно)."),
        "arousal": Note("Arousal {value} (-1 calm to 1 excited).", "Активация {value} (от -1 покой до 1 возбуждение)."),
    }
)  # fmt: skip
NO_NUMBER: Mapping[str, Note] = MappingProxyType(
    {
        "valence": Note("No common valence: a number between them would stand for none.",
                        "Общей валентности нет: число между ними не отражало бы ничего."),
        "arousal": Note("No common arousal: a number between them would stand for none.",
                        "Общей активации нет: число между ними не отражало бы ничего."),
    }
)  # fmt: skip
CAUTION = Note(
    "What is shown is not what is felt. A kiosk screens; this is no diagnosis.",
    "Показанное - не то же, что чувства. Это скрининг, а не диагноз.",
)
BOTH = Note("Joy and effort can look like this as well.", "Так могут выглядеть и радость, и нагрузка.")
"""Of a face that smiles over a body that works."""
NOTHING = Note(
    "Neither face nor voice was there, and heart, skin and brain alone tell nothing of it.",
    "Ни лица, ни голоса нет, а сердце, кожа и мозг сами по себе об этом не говорят.",
)
NONE_OF_THEM = Note(
    "What is shown is hardly any of the eight expressions.",
    "Показанное почти не похоже ни на одно из восьми выражений.",
)
NO_AROUSAL = Note(
    "Nothing to tell arousal from: no face, no voice, and nothing to compare the body with.",
    "Активацию определить не по чему: нет ни лица, ни голоса, и тело сравнить не с чем.",
)


class State(Enum):
    """What a modality shows, in one word; those of a kind are told together."""

    PLEASANT = "pleasant"
    UNPLEASANT = "unpleasant"
    STRAINED = "strained"
    RAISED = "raised"
    CALM = "calm"
    EVEN = "even"


_FACE: Mapping[State, Note] = MappingProxyType(
    {
        State.PLEASANT: Note("smiles", "улыбается"),
        State.UNPLEASANT: Note("shows displeasure", "выражает недовольство"),
        State.STRAINED: Note("strained", "в напряжении"),
        State.RAISED: Note("lively", "оживлено"),
        State.CALM: Note("subdued", "вялое"),
        State.EVEN: Note("calm", "спокойно"),
    }
)
_VOICE: Mapping[State, Note] = MappingProxyType(
    {
        State.PLEASANT: Note("sounds pleasant", "звучит приятно"),
        State.UNPLEASANT: Note("sounds unpleasant", "звучит неприятно"),
        State.STRAINED: Note("strained", "в напряжении"),
        State.RAISED: Note("lively", "звучит оживлённо"),
        State.CALM: Note("subdued", "звучит вяло"),
        State.EVEN: Note("even", "звучит ровно"),
    }
)
_BODY: Mapping[State, Note] = MappingProxyType(
    {
        State.STRAINED: Note("strained", "в напряжении"),
        State.RAISED: Note("more active than usual", "активнее обычного"),
        State.CALM: Note("calmer than usual", "спокойнее обычного"),
        State.EVEN: Note("as usual", "как обычно"),
    }
)


def state(opinion: Opinion) -> State:
    """What a modality shows."""
    valence, arousal = opinion.valence or 0.0, opinion.arousal or 0.0
    if opinion.modality is Modality.VOICE and arousal >= PLAIN and valence < PLAIN:
        return State.STRAINED if valence <= -PLAIN or arousal >= STRAINED else State.RAISED
    if opinion.modality in (Modality.FACE, Modality.VOICE):
        if abs(valence) >= PLAIN:
            return State.PLEASANT if valence > 0.0 else State.UNPLEASANT
    elif arousal >= STRAINED:
        return State.STRAINED
    return State.RAISED if arousal >= PLAIN else State.CALM if arousal <= -PLAIN else State.EVEN


def disagreement(found: Fused) -> Note:
    """Who contradicts whom: `face smiles, heart and voice strained`; empty where nobody does."""
    states = {each.modality: state(each) for each in found.opinions}
    smiles = states.get(Modality.FACE) is State.PLEASANT
    if _contradict(found) or (smiles and states.get(Modality.VOICE) is State.STRAINED):
        return Note(_disagreement(states, "en"), _disagreement(states, "ru"))
    if smiles and State.STRAINED in states.values():
        return Note(f"{_disagreement(states, 'en')} {BOTH.en}", f"{_disagreement(states, 'ru')} {BOTH.ru}")
    return Note()


def _contradict(found: Fused) -> bool:
    """On an axis, or in the expression that each plainly shows."""
    axes = [axis for axis in (found.valence, found.arousal) if axis is not None]
    firsts = {_first(each) for each in found.opinions} - {None}
    return any(axis.contradicted for axis in axes) or len(firsts) > 1


def _first(opinion: Opinion) -> str | None:
    """The expression that it plainly shows, if any."""
    named = [
        (value, name) for value, name in zip(opinion.emotions or (), EXPRESSIONS, strict=False) if value is not None
    ]
    value, name = max(named, default=(0.0, ""))
    return name if value >= PLAINLY and name != "neutral" else None


def _disagreement(states: Mapping[Modality, State], language: Language) -> str:
    groups: dict[str, list[str]] = {}
    # what is as usual is not part of a quarrel, unless nothing else opposes
    telling = {modality: each for modality, each in states.items() if each is not State.EVEN}
    for modality, each in (telling if len(set(telling.values())) > 1 else states).items():
        groups.setdefault(_predicate(modality, each, language), []).append(NAMES[modality].text(language))
    told = ", ".join(f"{listed(names, language)} {predicate}" for predicate, names in groups.items())
    return f"Расхождение: {told}." if language == "ru" else f"They disagree: {told}."


def _predicate(modality: Modality, shown: State, language: Language) -> str:
    states = {Modality.FACE: _FACE, Modality.VOICE: _VOICE}.get(modality, _BODY)
    return states[shown].text(language)


def of_axis(name: str, axis: Axis, found: Fused) -> Note:
    """What drove valence or arousal."""
    return Note(_of_axis(name, axis, found, "en"), _of_axis(name, axis, found, "ru"))


def _of_axis(name: str, axis: Axis, found: Fused, language: Language) -> str:
    quarrel = disagreement(found).text(language)
    value = number(axis.pooled.value, 2, language)
    head = (NO_NUMBER if axis.split else AXES)[name].text(language).format(value=value)
    opinions = {each.modality: each for each in found.opinions}
    parts = [
        f"{_share(modality, share, language)} {number(axis.said[modality], 2, language)}"
        f"{_features(opinions[modality].features, language)}"
        for modality, share in sorted(axis.shares.items(), key=lambda each: -each[1])
    ]
    return " ".join(each for each in (quarrel, head, capital(f"{'; '.join(parts)}."), CAUTION.text(language)) if each)


def of_emotion(name: str, emotions: Emotions, found: Fused) -> Note:
    """Who made one expression as likely as it is."""
    return Note(_of_emotion(name, emotions, found, "en"), _of_emotion(name, emotions, found, "ru"))


def _of_emotion(name: str, emotions: Emotions, found: Fused, language: Language) -> str:
    index = EXPRESSIONS.index(name)
    parts = []
    for modality, share in sorted(emotions.shares.items(), key=lambda each: -each[1]):
        value = emotions.said[modality][index]
        unknown = "не различает" if language == "ru" else "does not tell it"
        parts.append(f"{_share(modality, share, language)} {unknown if value is None else number(value, 2, language)}")
    title = capital(SHOWN[name].text(language))
    quarrel = disagreement(found).text(language)
    return " ".join(each for each in (quarrel, f"{title}: {'; '.join(parts)}.", CAUTION.text(language)) if each)


def _share(modality: Modality, share: float, language: Language) -> str:
    percent = f"{100.0 * share:.0f} %"
    name = NAMES[modality].text(language)
    return f"{name} (вес {percent})" if language == "ru" else f"{name} (weight {percent})"


def _features(features: Sequence[Feature], language: Language) -> str:
    """The strongest of what is behind an opinion."""
    told = [_feature(each, language) for each in features[:MOST_FEATURES]]
    return f" [{', '.join(told)}]" if told else ""


def _feature(feature: Feature, language: Language) -> str:
    kind, _, name = feature.measure.partition("_")
    if kind in ("face", "voice") and name in SHOWN:
        return f"{SHOWN[name].text(language)} {number(feature.value, 2, language)}"
    part = next((each for each in PARTS if each.measure == feature.measure), None)
    title = RUSSIAN[feature.measure][0] if language == "ru" else part.title if part else _ENGLISH[feature.measure]
    decimals = part.decimals if part else 2
    value = number(feature.value, decimals, language)
    if feature.usual is None:
        return f"{title} {value}"
    against = "против" if language == "ru" else "against"
    return f"{title} {value} {against} {number(feature.usual, decimals, language)}"


_ENGLISH: Mapping[str, str] = MappingProxyType(
    {"eeg_engagement": "EEG engagement", "eeg_alpha_relative": "share of alpha"}
)

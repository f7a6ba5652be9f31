"""The final readings of affect: any subset of what was measured, each with a reason, explained in two languages."""

import re
from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pytest

from analytics import fusion
from analytics.analyzer import Finding
from analytics.fusion import Heard, Modality, answers
from analytics.fusion.record import Answer
from analytics.session import MEASURES_OF, session
from kiosk.measures import EXPRESSIONS, MEASURES, VOICE_EMOTIONS, Reason
from kiosk.messages import SECOND
from kiosk.recording import Baseline, Context, Recording, Track
from sensors.drivers.simulated import Person
from tests.analytics.visitors import ecg, track

MINUTE = 60 * SECOND
OWN = Context(
    baselines=tuple(
        Baseline(name, mean, sd, 6)
        for name, mean, sd in (
            ("heart_rate", 66.0, 4.0),
            ("rmssd", 40.0, 8.0),
            ("eda_slope", 0.0, 8.0),
            ("eeg_engagement", 0.6, 0.15),
            ("eeg_alpha_relative", 0.3, 0.08),
        )
    )
)


def heard(source: str, quality: float | None = 0.8, **values: float | None) -> dict[str, Heard]:
    return {
        name: Heard(
            source, Finding(name, value, "x", 0, MINUTE, quality=quality, absent="noisy" if value is None else None)
        )
        for name, value in values.items()
    }


def expressions(kind: str, *, names: tuple[str, ...] = EXPRESSIONS, **much: float) -> dict[str, float]:
    left = (1.0 - sum(much.values())) / (len(names) - len(much))
    return {f"{kind}_{name}": much.get(name, left) for name in names}


SMILE = heard("face_scores", **expressions("face", happiness=0.85), face_valence=0.7, face_arousal=0.3)
ANGRY = heard(
    "voice_scores", **expressions("voice", names=VOICE_EMOTIONS, anger=0.8), voice_valence=-0.5, voice_arousal=0.7
)
CHEERFUL = heard(
    "voice_scores", **expressions("voice", names=VOICE_EMOTIONS, happiness=0.8), voice_valence=0.6, voice_arousal=0.3
)
FAST = heard("ecg", heart_rate=82.0, rmssd=20.0)
CALM = heard("ecg", heart_rate=66.0, rmssd=39.0)
SWEAT = heard("eda", eda_slope=20.0)
ALERT = heard("eeg", eeg_engagement=1.1, eeg_alpha_relative=0.15, eeg_asymmetry=-0.6)


def told(*parts: Mapping[str, Heard], context: Context = OWN) -> dict[str, Answer]:
    whole = {measure: each for part in parts for measure, each in part.items()}
    return {each.finding.measure: each for each in answers(whole, context)}


def value(found: Mapping[str, Answer], measure: str) -> float:
    number = found[measure].finding.value
    assert number is not None
    return number


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_any_subset_of_modalities_gives_numbers_or_reasons(count: int) -> None:
    for parts in combinations((SMILE, ANGRY, FAST, SWEAT, ALERT), count):
        found = told(*parts)
        for measure, answer in found.items():
            finding = answer.finding
            assert (finding.value is None) == (finding.absent is not None), measure
            assert (finding.low, finding.high) == (None, None)
            if finding.value is not None:
                assert MEASURES[measure].possible(finding.value)
                assert finding.quality is not None
                assert 0.0 <= finding.quality <= 1.0
                assert answer.note.en
                assert re.search("[а-я]", answer.note.ru)
            assert max(len(answer.note.en), len(answer.note.ru)) <= 1000
        shows = SMILE in parts or ANGRY in parts
        assert ("valence" in found) == shows
        assert ("emotion_happiness" in found) == shows


def test_emotions_never_come_from_the_body_alone() -> None:
    found = told(FAST, SWEAT, ALERT)
    assert set(found) == {"physiological_arousal", "arousal"}
    assert value(found, "arousal") > 0.3


def test_the_heart_moves_arousal_and_neither_valence_nor_emotions() -> None:
    fast, calm = told(SMILE, FAST), told(SMILE, CALM)
    assert value(fast, "arousal") > value(calm, "arousal") + 0.1
    for measure in ("valence", *(f"emotion_{name}" for name in EXPRESSIONS)):
        assert fast[measure].finding.value == calm[measure].finding.value


def test_asymmetry_of_the_brain_moves_nothing() -> None:
    other = heard("eeg", eeg_engagement=1.1, eeg_alpha_relative=0.15, eeg_asymmetry=0.9)
    assert told(SMILE, ALERT) == told(SMILE, other)


def test_face_and_voice_that_agree_are_surer_than_each_and_say_so() -> None:
    both = told(SMILE, CHEERFUL)
    assert value(both, "emotion_happiness") == max(value(both, f"emotion_{name}") for name in EXPRESSIONS)
    for alone in (told(SMILE), told(CHEERFUL)):
        better, single = both["valence"].finding.quality, alone["valence"].finding.quality
        assert better is not None
        assert single is not None
        assert better > single
    assert both["valence"].source == "face_scores+voice_scores"
    assert "disagree" not in both["valence"].note.en


def test_a_smile_over_a_strained_voice_and_heart_is_reported_in_words() -> None:
    found = told(SMILE, ANGRY, FAST)
    for measure in ("valence", "arousal", "emotion_happiness"):
        assert found[measure].note.en.startswith("They disagree: face smiles, voice and heart strained.")
        assert found[measure].note.ru.startswith("Расхождение: лицо улыбается, голос и сердце в напряжении.")


def test_a_smile_over_a_working_heart_may_be_joy_as_well() -> None:
    note = told(SMILE, FAST)["valence"].note
    assert note.en.startswith("They disagree: face smiles, heart strained. Joy and effort can look like this as well.")
    assert note.ru.startswith("Расхождение: лицо улыбается, сердце в напряжении. Так могут выглядеть и радость")
    assert "disagree" not in told(SMILE, CALM)["valence"].note.en


def test_a_plain_contradiction_has_words_and_no_number() -> None:
    voice = heard("voice_scores", 0.9, voice_valence=-0.9, voice_arousal=0.0)
    face = heard("face_scores", 0.6, face_valence=0.8, face_arousal=0.0)
    valence = told(face, voice)["valence"]
    assert (valence.finding.value, valence.finding.absent) == (None, "insufficient")
    assert "face smiles" in valence.note.en
    assert "would stand for none" in valence.note.en
    assert "не отражало бы ничего" in valence.note.ru


def test_contributions_and_features_are_in_the_note() -> None:
    note = told(SMILE, FAST)["arousal"].note
    assert re.search(r"(?i)heart \(weight \d+ %\) 0\.\d\d \[heart rate 82 against 66, RMSSD 20 against 39\]", note.en)
    assert re.search(r"(?i)face \(weight \d+ %\) 0\.30 \[happiness 0\.85\]", note.en)
    assert "сердце (вес " in note.ru.lower()
    assert "частота пульса 82 против 66" in note.ru
    assert note.en.endswith("What is shown is not what is felt. A kiosk screens; this is no diagnosis.")


def test_nobody_is_said_to_feel_anything() -> None:
    for parts in ((SMILE, ANGRY, FAST), (SMILE,), (ANGRY, SWEAT), (FAST, ALERT)):
        for answer in told(*parts).values():
            assert not re.search(r"\b(feels?|is (happy|angry|sad|stressed))\b", answer.note.en)


@pytest.mark.parametrize("why", ["no_face", "insufficient"])
def test_nothing_seen_is_absent_as_the_face_has_it(why: Reason) -> None:
    gone = {
        name: Heard("face_units", Finding(name, None, "x", 0, MINUTE, absent=why))
        for name in (*(f"face_{each}" for each in EXPRESSIONS), "face_valence", "face_arousal")
    }
    found = told(gone)
    assert {each.finding.absent for each in found.values()} == {why}
    assert set(found) == set(fusion.EXPRESSED)


def test_without_a_reference_the_body_says_nothing_and_the_face_still_does() -> None:
    found = told(SMILE, FAST, context=Context())
    assert found["physiological_arousal"].finding.absent == "no_reference"
    assert value(found, "arousal") == pytest.approx(0.3)
    assert told(FAST, context=Context())["arousal"].finding.absent == "no_reference"


def test_boredom_is_none_of_the_eight_and_calm_is_neutral() -> None:
    names = ("neutral", "happiness", "sadness", "anger", "fear", "disgust", "boredom")
    bored = told(heard("voice_scores", **expressions("voice", names=names, boredom=0.8)))
    glad = told(heard("voice_scores", **expressions("voice", names=names, happiness=0.9)))
    assert max(value(bored, f"emotion_{name}") for name in names[:-1]) < 0.3
    assert value(glad, "emotion_happiness") > 0.3
    assert bored["emotion_surprise"].finding.absent == "no_trained_model"
    calm = told(heard("voice_scores", **expressions("voice", names=(*names, "calm"), calm=0.8)))
    assert value(calm, "emotion_neutral") > value(calm, "emotion_anger") + 0.1


def test_boredom_costs_the_expressions_their_weight_and_not_valence_and_arousal() -> None:
    axes = {"voice_valence": -0.6, "voice_arousal": -0.6}
    names = ("neutral", "happiness", "sadness", "anger", "fear", "disgust", "boredom")
    glad, bored, only_bored = (
        told(heard("voice_scores", **expressions("voice", names=names, **much), **axes))
        for much in ({"happiness": 0.8}, {"boredom": 0.8}, {"boredom": 0.99})
    )
    for measure in ("valence", "arousal"):
        qualities = {each[measure].finding.quality for each in (glad, bored, only_bored)}
        assert len(qualities) == 1, measure
    assert (bored["emotion_anger"].finding.quality or 1.0) < (glad["emotion_anger"].finding.quality or 0.0)
    # of a hundredth of what is heard nothing is told, and it says so
    missing = only_bored["emotion_anger"]
    assert (missing.finding.value, missing.finding.absent) == (None, "insufficient")
    assert "hardly any" in missing.note.en
    assert "не похоже" in missing.note.ru


def test_lost_packets_cost_quality_and_then_the_modality() -> None:
    whole = {**SMILE, **CHEERFUL}
    found = [
        {each.finding.measure: each.finding for each in answers(whole, OWN, coverage={Modality.FACE: share})}["valence"]
        for share in (1.0, 0.5, 0.1, 0.0)
    ]
    known = [each.quality for each in found if each.quality is not None]
    assert known == sorted(known, reverse=True)
    assert len(set(known)) == 4
    assert told(CHEERFUL)["valence"].finding.value == found[-1].value


def scores(probabilities: Mapping[str, float], *, keep: slice = slice(None)) -> Track:
    times = np.arange(600, dtype=np.int64)[keep] * (SECOND // 5)
    channels = tuple(f"net.{name}" for name in probabilities)
    rows = np.tile(np.array(list(probabilities.values()), np.float32), (len(times), 1))
    return Track("face_scores", "camera", channels, None, times, rows)


def test_a_recording_of_heart_and_face_has_all_of_it_and_the_same_each_time() -> None:
    happy = {name: 0.88 if name == "happiness" else 0.02 for name in EXPRESSIONS[:-1]}
    samples, _ = ecg(Person(seed=3, heart_rate=84), 250.0, 120.0)
    recording = Recording((track(samples, 250.0), scores(happy)))
    result = session(recording, OWN, vote=False)
    found = {each.measure: each for each in result.readings if each.preferred}
    assert {*MEASURES_OF["ecg"], *MEASURES_OF["face_scores"]} <= found.keys()
    assert found["emotion_contempt"].absent == "no_trained_model"
    happiness, valence, arousal = (found[name].value for name in ("emotion_happiness", "valence", "arousal"))
    assert happiness is not None
    assert happiness > 0.5
    assert valence is not None
    assert valence > 0.4
    assert arousal is not None
    assert arousal > 0.3
    assert found["arousal"].source == "face_scores+ecg"
    assert "heart rate" in found["arousal"].note
    assert "частота пульса" in found["arousal"].note_ru
    assert "Индекс стресса" in found["stress"].note_ru
    assert session(recording, OWN, vote=False) == result


@pytest.mark.parametrize("burst", [False, True])
def test_a_face_that_loses_packets_keeps_its_answer_and_loses_quality_with_its_bursts(burst: bool) -> None:
    """85 % lost: at random there is still a row in most seconds, in one burst the rest of the visit is not known."""
    rng = np.random.default_rng(3)
    happy = {name: 0.88 if name == "happiness" else 0.02 for name in EXPRESSIONS[:-1]}
    whole = scores(happy)
    rows = np.sort(rng.choice(600, 90, replace=False)) if not burst else np.r_[0:89, 599]
    lossy = Track(whole.signal, whole.device, whole.channels, None, whole.times[rows], whole.samples[rows])
    answered = [{each.measure: each for each in session(Recording((track,)), OWN).readings} for track in (whole, lossy)]
    before, after = (found["face_happiness"] for found in answered)
    assert before.value == pytest.approx(after.value)
    assert before.quality is not None
    assert after.quality is not None
    assert after.quality < (0.3 if burst else 1.0) * before.quality
    fused = answered[1]["emotion_happiness"]
    assert fused.value is None or fused.quality is not None
    if not burst:
        assert fused.value is not None


@pytest.mark.parametrize(
    ("part", "name", "measures"),
    [
        (FAST, "Heart", {"heart rate", "RMSSD"}),
        (SWEAT, "Skin", {"drift of skin conductance"}),
        (ALERT, "Brain activity", {"EEG engagement", "share of alpha"}),
    ],
)
def test_each_modality_speaks_of_its_own_measures(part: dict[str, Heard], name: str, measures: set[str]) -> None:
    note = told(part)["arousal"].note.en
    behind = re.search(rf"{name} \(weight 100 %\) -?\d\.\d\d \[(.*)\]", note)
    assert behind is not None
    assert all(measure in behind[1] for measure in measures)
    assert behind[1].count(" against ") == len(measures)

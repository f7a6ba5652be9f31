"""The assistant that works by rules: what it says, what it never says, in both languages."""

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk import wording
from kiosk.assistant import Audience, Facts, Spoken
from kiosk.assistant.flags import flags
from kiosk.assistant.guard import allowed
from kiosk.assistant.perspectives import weights
from kiosk.assistant.rules import RuleAssistant, warning
from kiosk.assistant.understanding import WORDS, feelings, intents, measures
from kiosk.messages import Shown

CALM = Facts(
    (
        Shown("heart_rate", 62.0, 61.2, 62.9, 0.9, source="ecg", usual=(52.0, 88.0), usual_source="Dantas et al. 2018"),
        Shown("rmssd", 18.0, quality=0.4, usual=(20.0, 60.0)),
        Shown("sdnn", None, absent="too_short"),
        Shown("systolic", 121.0, quality=0.9),
        Shown("diastolic", 78.0, quality=0.9),
    ),
    age=44,
    sex="female",
)
HIGH = Facts((Shown("systolic", 185.0, quality=0.9), Shown("heart_rate", 72.0, quality=0.9)))
ASSISTANT = RuleAssistant("112")


def answer(said: str, facts: Facts = CALM, language: str = "en", audience: Audience = "visitor") -> str:
    return " ".join(ASSISTANT.sentences([Spoken("visitor", said)] if said else [], facts, language, audience))


def test_both_languages_say_and_understand_the_same() -> None:
    assert all(not keys for keys in wording.missing(files("kiosk.assistant")).values())


def test_a_value_is_told_with_its_unit_its_doubt_and_what_is_usual() -> None:
    said = answer("What is my pulse?")
    for part in ("62", "between 61 and 63", "between 52 and 88", "within"):
        assert part in said


def test_a_weak_value_below_what_is_usual_is_said_with_care() -> None:
    said = answer("how is my recovery")
    assert "18.0" in said
    assert "below that" in said
    assert "common" in said
    assert "with care" in said


def test_numbers_are_written_as_the_language_writes_them() -> None:
    assert "18,0" in answer("rmssd?", language="ru")


def test_pressure_is_one_value_of_two() -> None:
    assert "121/78" in answer("and my blood pressure?")


def test_what_was_not_measured_has_its_reason() -> None:
    for said in (answer("what is sdnn"), answer("what is missing?")):
        assert "SDNN" in said
        assert "0" not in said.split("SDNN")[1][:60]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "do I have diabetes?"), ("en", "Is it serious?"), ("en", "am I healthy"),
        ("ru", "у меня диабет?"), ("ru", "я болен?"), ("ru", "это серьёзно?"),
    ],
)  # fmt: skip
def test_no_diagnosis_is_made_or_denied(language: str, said: str) -> None:
    told = answer(said, language=language)
    assert told == WORDS[language]["say.diagnosis"]


@pytest.mark.parametrize("said", ["should I take aspirin pills", "which medication helps", "Какие таблетки принимать?"])
def test_no_medicine_is_advised(said: str) -> None:
    language = "ru" if said[0] == "К" else "en"
    assert answer(said, language=language) == WORDS[language]["say.medicine"]


@pytest.mark.parametrize(
    ("language", "said", "red"),
    [
        ("en", "I have chest pain and what is my pulse", "emergency"),
        ("en", "I CAN\u2019T BREATHE", "emergency"),
        ("en", "sometimes I want to die", "harm"),
        ("ru", "у меня болит в груди", "emergency"),
        ("ru", "я не хочу жить", "harm"),
    ],
)
@pytest.mark.parametrize("audience", ["visitor", "clinician"])
@pytest.mark.parametrize("stage", ["talk", "results"])
def test_danger_is_answered_first_and_alone(language: str, said: str, red: str, audience: Audience, stage: str) -> None:
    told = answer(said, Facts(CALM.values, stage=stage), language, audience)  # type: ignore[arg-type]
    assert told == WORDS[language][f"red.{red}"].replace("{number}", "112")


def test_a_flag_is_said_before_anything_else_and_once() -> None:
    first = ASSISTANT.sentences([Spoken("visitor", "what is my pulse")], HIGH, "en")
    assert "185" in first[0]
    assert "doctor" in first[0]
    talk = [Spoken("visitor", "what is my pulse"), Spoken("assistant", " ".join(first)), Spoken("visitor", "thanks")]
    assert ASSISTANT.sentences(talk, HIGH, "en") == [WORDS["en"]["say.thanks"]]


@pytest.mark.parametrize(
    ("shown", "is_one"),
    [
        (Shown("systolic", 180.0), True), (Shown("systolic", 179.0), False), (Shown("systolic", 90.0), True),
        (Shown("diastolic", 120.0), True), (Shown("diastolic", 40.0), False),
        (Shown("heart_rate", 131.0), True), (Shown("heart_rate", 130.0), False), (Shown("heart_rate", 40.0), True),
        (Shown("heart_rate", 180.0, quality=0.2), False),
        (Shown("spo2", 91.0), True), (Shown("spo2", 92.0), False),
        (Shown("temperature", 39.1), True), (Shown("temperature", 35.1), False),
        (Shown("respiration_rate", 25.0, source="respiration"), True),
        (Shown("respiration_rate", 25.0, source="rgb.whole"), False),
        (Shown("heart_rate", None, absent="noisy"), False),
    ],
)  # fmt: skip
def test_flags_are_the_published_bounds(shown: Shown, is_one: bool) -> None:
    assert flags([shown]) == ((shown.measure,) if is_one else ())


def test_what_stands_above_results_is_the_warning_or_nothing() -> None:
    assert "185" in warning(HIGH, "en", "112")
    assert "112" in warning(HIGH, "ru", "112")
    assert warning(CALM, "en", "112") == ""


def test_feelings_are_heard_unless_denied() -> None:
    assert feelings("I am so tired and not happy", "en") == ("tired",)
    assert feelings("Мне грустно, я не злюсь", "ru") == ("sadness",)


def test_what_was_said_is_louder_than_what_was_estimated() -> None:
    values = (Shown("emotion_sadness", 0.9, quality=1.0), Shown("stress", 90.0, quality=1.0))
    assert next(iter(weights(values))) == "sadness"
    assert next(iter(weights(values, ["joy"]))) == "joy"
    assert not weights((Shown("emotion_anger", 0.1), Shown("valence", None, absent="no_face")))


def test_the_talk_asks_three_things_and_ends() -> None:
    talk: list[Spoken] = []
    told = []
    for said in ("", "I am fine", "badly, I am so tired", "my job", "ok"):
        if said:
            talk.append(Spoken("visitor", said))
        told.append(" ".join(ASSISTANT.sentences(talk, Facts(stage="talk"), "en")))
        talk.append(Spoken("assistant", told[-1]))
    for place, key in enumerate(("talk.q1", "talk.q2", "talk.q3", "talk.close")):
        assert told[place].endswith(WORDS["en"][key])
    assert "?" not in told[-1]


def test_the_clinician_is_told_tersely_with_interval_quality_and_source() -> None:
    told = answer("pulse and rmssd", audience="clinician")
    for part in ("62", "61–63", "52–88", "Dantas", "90 %", "ecg", "18.0"):
        assert part in told


def test_what_is_not_understood_is_said_to_be() -> None:
    assert answer("xyzzy") == WORDS["en"]["say.unknown"]


def test_stems_begin_words_only() -> None:
    assert "harm" not in intents("a charming suit", "en")
    assert measures("depressure", "en") == ()
    assert "medicine" in intents("20 mg", "en")


@given(st.text(max_size=700), st.sampled_from(["en", "ru", "xx"]), st.sampled_from(["visitor", "clinician"]),
       st.sampled_from([CALM, HIGH, Facts(stage="talk"), Facts()]))  # fmt: skip
def test_whatever_is_said_the_answer_is_some_sentences_that_the_guard_lets_through(
    said: str, language: str, audience: Audience, facts: Facts
) -> None:
    told = ASSISTANT.sentences([Spoken("visitor", said)], facts, language, audience)
    assert told
    assert all(sentence and "{" not in sentence and allowed(sentence) for sentence in told)


def test_every_text_of_the_catalogues_passes_the_guard() -> None:
    for language, words in WORDS.items():
        for key, text in words.items():
            if not key.startswith("understand"):
                assert allowed(text.replace("{number}", "112")), (language, key)

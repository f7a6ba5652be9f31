"""Tiles: numbers as a language writes them, with what is usual - or why there is none, in words."""

from collections.abc import Sequence
from typing import get_args

import pytest

from kiosk.measures import EXPRESSIONS, MEASURES, Reason
from kiosk.messages import Shown
from kiosk.visitor import WORDS
from kiosk.visitor.tiles import ADULTS, DIAGNOSTICS, SCORES, Reader, Tile, number, tiles

LANGUAGES = sorted(WORDS)


def reader(language: str = "en", age: float | None = 44.0, sex: str | None = "female") -> Reader:
    return Reader(WORDS[language], language, age, sex)


def tile(measure: str, values: Sequence[Shown] = (), to: Reader | None = None) -> Tile:
    (found,) = [each for each in tiles(values, to or reader()) if each.measure == measure]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_measure_and_every_reason_has_its_words(language: str) -> None:
    words = WORDS[language]
    for reason in get_args(Reason):
        assert words.get(f"absent.{reason}"), reason
    for expression in EXPRESSIONS:
        assert words.get(f"emotion.{expression}"), expression
    for measure in {"emotion", "age", "sex", "bmi", *SCORES, *DIAGNOSTICS}:
        assert words.get(f"tile.{measure}.name"), measure
        assert words.get(f"tile.{measure}.plain"), measure
    for measure in (*SCORES, *(set(DIAGNOSTICS) - {"blood_pressure"}), "bmi"):
        assert f"unit.{MEASURES[measure].unit}" in words, measure


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_nothing_was_measured_every_tile_says_why(language: str) -> None:
    found = tiles((), reader(language, age=None, sex=None))
    assert [each.measure for each in found] == ["emotion", "bmi", "findrisc", "age", "sex", *DIAGNOSTICS]
    for each in found:
        assert each.value == each.unit == each.usual == ""
        assert each.absent
        assert (each.quality, each.place) == (None, None)


@pytest.mark.parametrize(
    ("value", "decimals", "english", "russian"),
    [(66.4, 0, "66", "66"), (0.5, 0, "1", "1"), (24.25, 1, "24.3", "24,3"), (-0.04, 1, "0.0", "0,0"),
     (-1.5, 1, "−1.5", "−1,5"), (0.05, 2, "0.05", "0,05"), (9.96, 1, "10.0", "10,0"), (1234.5, 1, "1234.5", "1234,5")],
    ids=str,
)  # fmt: skip
def test_numbers_are_written_as_the_language_does(value: float, decimals: int, english: str, russian: str) -> None:
    assert (number(value, decimals, "en"), number(value, decimals, "ru")) == (english, russian)


def test_a_value_stands_where_it_is_within_what_is_usual() -> None:
    given = Shown("heart_rate", 66.4, quality=0.9, usual=(55.0, 81.0), usual_source="Dantas 2018")
    found = tile("heart_rate", [given])
    assert (found.value, found.unit, found.absent, found.quality) == ("66", "a minute", "", 0.9)
    assert found.place == pytest.approx((66.4 - 55) / 26)
    assert "55 to 81" in found.usual
    assert "Dantas 2018" in found.usual
    russian = tile("sdnn", [Shown("sdnn", 31.8, usual=(14.0, 69.8), usual_source="S")], reader("ru"))
    assert (russian.value, russian.unit) == ("31,8", "мс")
    assert "14,0–69,8 мс" in russian.usual


def test_ranges_for_adults_are_for_adults() -> None:
    for measure in ADULTS.keys() - {"systolic", "diastolic"}:
        given = [Shown(measure, 20.0)]
        assert tile(measure, given).usual, measure
        assert tile(measure, given, reader(age=None)).usual, measure
        assert not tile(measure, given, reader(age=17.0)).usual, measure
        assert tile(measure, given, reader(age=17.0)).place is None, measure
    # an open end has no place in between
    assert tile("hba1c", [Shown("hba1c", 5.4)]).place is None
    assert "below 5.7 %" in tile("hba1c", [Shown("hba1c", 5.4)]).usual


def test_what_the_clinic_says_goes_before_what_is_said_of_all_adults() -> None:
    given = Shown("respiration_rate", 14.0, usual=(9.0, 21.0), usual_source="by age and sex")
    assert "by age and sex" in tile("respiration_rate", [given]).usual


def test_blood_pressure_is_one_tile_and_needs_both() -> None:
    upper, lower = Shown("systolic", 124.0, quality=0.9), Shown("diastolic", 79.0, quality=0.6)
    found = tile("blood_pressure", [upper, lower])
    assert (found.value, found.unit, found.quality) == ("124/79", "mmHg", 0.6)
    assert "130/85" in found.usual
    assert tile("blood_pressure", [upper]).absent == WORDS["en"]["absent.not_measured"]
    assert (
        tile("blood_pressure", [upper, Shown("diastolic", None, absent="noisy")]).absent == WORDS["en"]["absent.noisy"]
    )


def test_the_emotional_state_is_the_one_that_stands_out() -> None:
    given = [Shown("emotion_neutral", 0.6, quality=0.7), Shown("emotion_fear", 0.2), Shown("emotion_anger", 0.05)]
    assert (tile("emotion", given).value, tile("emotion", given).quality) == ("appears calm", 0.7)
    even = [Shown(f"emotion_{name}", 0.125) for name in EXPRESSIONS]
    assert tile("emotion", even).absent == WORDS["en"]["absent.insufficient"]
    away = [Shown(f"emotion_{name}", None, absent="no_face") for name in EXPRESSIONS]
    assert tile("emotion", away).absent == WORDS["en"]["absent.no_face"]


def test_the_risk_of_diabetes_has_its_published_band_and_is_never_guessed() -> None:
    found = tile("findrisc", [Shown("findrisc", 14.0)])
    assert found.value == "14"
    assert found.plain.startswith("Moderate risk: about 1 in 6. Points")
    assert "10.2337/diacare.26.3.725" in found.usual
    assert tile("findrisc", [Shown("bmi", 24.0)]).absent == WORDS["en"]["absent.not_answered"]
    # others are there where they were asked
    assert "phq2" not in {each.measure for each in tiles([], reader())}
    assert tile("phq2", [Shown("phq2", 1.0)]).group == "basic"


@pytest.mark.parametrize(
    ("age", "language", "words"),
    [(1.0, "en", "1 year"), (44.9, "en", "44 years"), (21.0, "ru", "21 год"), (44.0, "ru", "44 года"),
     (11.0, "ru", "11 лет"), (112.0, "ru", "112 лет"), (45.0, "ru", "45 лет")],
    ids=str,
)  # fmt: skip
def test_years_have_their_forms(age: float, language: str, words: str) -> None:
    found = tile("age", (), reader(language, age))
    assert f"{found.value} {found.unit}" == words


def test_reasons_that_nobody_knows_are_said_in_general() -> None:
    given = [Shown("spo2", None, absent="cuff_on_fire")]
    assert tile("spo2", given).absent == WORDS["en"]["absent.other"]

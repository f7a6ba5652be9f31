"""The catalogue of questionnaires says what was published: ranges, scores worked out by hand, cut-offs."""

import itertools

import pytest

from kiosk.measures import MEASURES
from kiosk.questionnaires import BadAnswers, Questionnaire, listed

ALL = [pytest.param(each, id=each.id) for each in listed().values()]


@pytest.mark.parametrize("given", ALL)
def test_a_questionnaire_holds_together(given: Questionnaire) -> None:
    assert len({item.id for item in given.items}) == len(given.items)
    extremes = []
    for item in given.items:
        values = [option.value for option in given.options(item)]
        assert len(set(values)) == len(values) > 1, item.id
        extremes.append({item.id: (min(values), max(values))})
    ends = [
        given.score({name: pair[end if not item.reverse else 1 - end] for item in given.items
                     for each in extremes for name, pair in each.items() if name == item.id})
        for end in (0, 1)
    ]  # fmt: skip
    assert ends == [given.low, given.high]
    measure = MEASURES[given.measure]
    assert (measure.low, measure.high) == (given.low, given.high)
    bands = sorted(given.bands, key=lambda band: band.low)
    assert all(given.low <= band.low <= band.high <= given.high for band in bands)
    assert all(before.high < after.low for before, after in itertools.pairwise(bands))
    texts = [given.title, given.instruction, *(item.text for item in given.items), *(band.text for band in bands)]
    texts += [option.text for scale in given.scales for option in scale.options]
    for text in texts:
        assert text.en.strip()
        assert any("а" <= letter.lower() <= "я" or letter == "ё" for letter in text.ru), text.en
    assert given.translation.ru == "ours, not validated"
    assert given.licence
    assert "doi:" in given.source


@pytest.mark.parametrize(
    ("name", "answers", "score", "band"),
    [
        # raw 13 of 25; Topp 2015: the raw score times four
        ("who5", {"q1": 4, "q2": 3, "q3": 3, "q4": 1, "q5": 2}, 52.0, None),
        ("who5", {"q1": 3, "q2": 3, "q3": 3, "q4": 1, "q5": 2}, 48.0, "low well-being"),
        # 50 years 2, BMI 27 1, waist 96 cm 3, inactive 2, greens not daily 1, no pills, no glucose, a father 5
        (
            "findrisc",
            {"age": 2, "bmi": 1, "waist": 3, "activity": 2, "greens": 1, "medication": 0, "glucose": 0, "family": 5},
            14.0,
            "moderate risk",
        ),
        ("phq9", {f"q{n}": 1 for n in range(1, 10)}, 9.0, "mild"),
        ("phq9", {**{f"q{n}": 1 for n in range(1, 9)}, "q9": 2}, 10.0, "moderate symptoms"),
        ("phq2", {"q1": 1, "q2": 2}, 3.0, "worth asking"),
        ("phq2", {"q1": 1, "q2": 1}, 2.0, None),
        ("cbi_personal", {"q1": 75, "q2": 50, "q3": 50, "q4": 25, "q5": 50, "q6": 50}, 50.0, None),
        # the last is reversed: seldom enough energy counts 75
        (
            "cbi_work",
            {"q1": 75, "q2": 75, "q3": 75, "q4": 75, "q5": 75, "q6": 75, "q7": 25},
            75.0,
            None,
        ),
    ],
)
def test_scores_worked_out_by_hand(name: str, answers: dict[str, int], score: float, band: str | None) -> None:
    given = listed()[name]
    assert given.score(answers) == score
    found = given.band(score)
    assert (found is None) if band is None else (found is not None and found.text.en.startswith(band))


@pytest.mark.parametrize("given", ALL)
def test_one_missing_answer_leaves_no_score(given: Questionnaire) -> None:
    full = {item.id: given.options(item)[0].value for item in given.items}
    assert given.score(full) is not None
    for item in given.items:
        assert given.score({name: value for name, value in full.items() if name != item.id}) is None
    with pytest.raises(BadAnswers, match="no such item"):
        given.score({**full, "q99": 1})
    with pytest.raises(BadAnswers, match="one of"):
        given.score({**full, given.items[0].id: 17})


def test_only_question_nine_is_urgent_and_even_where_the_rest_is_missing() -> None:
    phq9 = listed()["phq9"]
    assert phq9.is_urgent({"q9": 1})
    assert not phq9.is_urgent({"q9": 0})
    assert not phq9.is_urgent({"q1": 3})
    assert [each.id for each in listed().values() if each.urgent] == ["phq9"]

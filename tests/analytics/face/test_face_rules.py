import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.face import rules
from analytics.face.engines import LEAST, Engine, of_rules, of_scores, pooled
from analytics.face.words import BASIC, EXPRESSIONS
from kiosk.signals import UNIT_CHANNELS

# the prototypes of the coding manual's guide (Ekman, Friesen & Hager 2002, table 10-2), units at their strongest
PROTOTYPES = {
    "neutral": (),
    "happiness": (6, 12, 25),
    "sadness": (1, 4, 15, 17),
    "surprise": (1, 2, 5, 25, 26),
    "anger": (4, 5, 7, 23, 24),
    "fear": (1, 2, 4, 5, 20, 25),
    "disgust": (9, 10, 17),
}


def shown(*units: int, intensity: float = 5.0) -> np.ndarray:
    row = np.zeros((1, len(UNIT_CHANNELS)))
    for unit in units:
        row[0, UNIT_CHANNELS.index(f"au{unit:02}")] = intensity
    return row


@pytest.mark.parametrize(("expression", "units"), PROTOTYPES.items())
def test_a_prototype_is_its_expression(expression: str, units: tuple[int, ...]) -> None:
    told = rules.expressions(shown(*units))[0]

    assert BASIC[int(np.argmax(told))] == expression
    assert told.max() > 0.5


def test_a_stronger_smile_is_more_surely_happiness() -> None:
    told = [
        rules.expressions(shown(6, 12, intensity=strength))[0][BASIC.index("happiness")]
        for strength in (0.0, 0.5, 1.0, 1.5, 2.0)
    ]

    assert np.all(np.diff(told) > 0)


def test_closed_eyes_are_no_expression() -> None:
    np.testing.assert_array_equal(rules.expressions(shown(43)), rules.expressions(shown()))


def test_a_missing_unit_is_no_guess() -> None:
    row = shown(12)
    row[0, 0] = np.nan

    assert np.isnan(rules.expressions(row)).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-10, 1e6), min_size=len(UNIT_CHANNELS), max_size=len(UNIT_CHANNELS)))
def test_whatever_the_units_these_are_probabilities(units: list[float]) -> None:
    told = rules.expressions(np.array([units]))

    assert told.min() >= 0.0
    assert told.sum() == pytest.approx(1.0)
    assert np.abs(rules.valence_arousal(told)).max() <= 1.0


def test_no_row_gives_no_row() -> None:
    assert rules.expressions(np.empty((0, len(UNIT_CHANNELS)))).shape == (0, len(BASIC))


def test_valence_and_arousal_lie_where_people_put_the_words() -> None:
    of = {name: rules.valence_arousal(np.eye(len(BASIC))[[place]])[0] for place, name in enumerate(BASIC)}

    assert of["happiness"][0] > 0 > of["sadness"][0]
    assert of["anger"][1] > 0 > of["sadness"][1]
    assert tuple(of["neutral"]) == (0.0, 0.0)


def engine(name: str, weight: float, *rows: tuple[float, ...]) -> Engine:
    return Engine(name, weight, np.array(rows))


SEVEN = (0.4, 0.3, 0.1, 0.1, 0.05, 0.03, 0.02)
NONE = (np.nan,) * 8


def test_one_engine_alone_is_believed() -> None:
    told = pooled((engine("one", 0.3, (*SEVEN, np.nan)),))

    np.testing.assert_allclose(told[0, :-1], SEVEN, atol=1e-9)
    assert np.isnan(told[0, -1])


def test_the_pool_is_the_weighted_geometric_mean() -> None:
    other = tuple(reversed(SEVEN))
    told = pooled((engine("a", 2.0, (*SEVEN, np.nan)), engine("b", 1.0, (*other, np.nan))))[0, :-1]

    expected = (np.array(SEVEN) ** 2 * np.array(other)) ** (1 / 3)
    np.testing.assert_allclose(told, expected / expected.sum(), atol=1e-9)


def test_an_engine_without_a_word_changes_nothing() -> None:
    one = engine("a", 1.0, (*SEVEN, np.nan), (*SEVEN, np.nan))
    silent = engine("b", 5.0, NONE, (*SEVEN, np.nan))

    np.testing.assert_allclose(pooled((one, silent))[:, :-1], pooled((one,))[:, :-1], atol=1e-9)
    assert np.isnan(pooled((engine("b", 5.0, NONE),))).all()


def test_no_engine_can_overrule_the_others_by_being_certain() -> None:
    certain = engine("a", 1.0, (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, np.nan))
    others = engine("b", 4.0, (0.02, 0.9, 0.02, 0.02, 0.02, 0.01, 0.01, np.nan))

    assert np.argmax(pooled((certain, others))[0, :-1]) == EXPRESSIONS.index("happiness")
    assert pooled((certain,))[0, 1] == pytest.approx(LEAST, rel=0.1)


def test_contempt_comes_from_those_who_know_it_and_all_sums_to_one() -> None:
    knows = engine("a", 2.0, (0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2))
    ignorant = engine("b", 1.0, (*SEVEN, np.nan))

    told = pooled((knows, ignorant))[0]

    assert told[-1] == pytest.approx(0.2)
    assert told.sum() == pytest.approx(1.0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), engines=st.integers(1, 5))
def test_the_order_of_engines_does_not_matter(seed: int, engines: int) -> None:
    chance = np.random.default_rng(seed)
    made = tuple(
        Engine(str(number), float(chance.uniform(0.1, 3)), chance.dirichlet(np.ones(8), size=4))
        for number in range(engines)
    )

    told = pooled(made)

    np.testing.assert_allclose(told, pooled(made[::-1]), atol=1e-12)
    np.testing.assert_allclose(told.sum(axis=1), 1.0)


def test_channels_become_engines_by_their_names() -> None:
    labels = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    channels = (*(f"mini_xception.{label}" for label in labels), "other.happiness", "nonsense")
    rows = np.array([[0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1, 0.9, 7.0]])

    (found,) = of_scores(channels, rows)

    assert (found.name, found.axes) == ("mini_xception", None)
    assert found.probabilities[0, EXPRESSIONS.index("happiness")] == 0.4


@pytest.mark.parametrize("row", [[0.5] * 7, [-1.0] + [2 / 6] * 6, [np.nan] * 7, [np.inf] + [0.0] * 6])
def test_rows_that_are_no_probabilities_say_nothing(row: list[float]) -> None:
    (found,) = of_scores(tuple(f"x.{label}" for label in BASIC), np.array([row]))

    assert np.isnan(found.probabilities).all()


def test_rules_are_an_engine_that_does_not_know_contempt() -> None:
    found = of_rules(rules.expressions(shown(12)))

    assert np.isnan(found.probabilities[0, -1])
    assert found.probabilities[0, :-1].sum() == pytest.approx(1.0)

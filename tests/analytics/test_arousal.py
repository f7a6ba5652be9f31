"""The index of physiological arousal: against the person's own sessions, in words, and never without a reference."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import arousal, norms, stress
from analytics.arousal import PARTS, Signs
from analytics.stress.evidence import System
from kiosk.measures import MEASURES
from kiosk.messages import SECOND
from kiosk.recording import Baseline, Context

FIVE_MINUTES = 300 * SECOND
OWN = Context(
    baselines=(
        Baseline("heart_rate", 66.0, 4.0, 6),
        Baseline("rmssd", 40.0, 8.0, 6),
        Baseline("eda_slope", 0.0, 8.0, 6),
        Baseline("eda_peaks", 3.0, 1.5, 6),
        Baseline("respiration_rate", 14.0, 2.0, 6),
        Baseline("eeg_engagement", 0.6, 0.15, 6),
        Baseline("eeg_alpha_relative", 0.3, 0.08, 6),
    )
)
AT_REST = Signs(66.0, 39.2, 0.0, 3.0, 14.0, 0.58, 0.29)


def assessed(signs: Signs, context: Context = OWN) -> arousal.Index:
    return arousal.finding(signs, context, start_ns=0, end_ns=FIVE_MINUTES)


def value(signs: Signs, context: Context = OWN) -> float:
    found = assessed(signs, context).finding.value
    assert found is not None
    return found


def test_what_is_usual_is_no_arousal() -> None:
    assert value(AT_REST) == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize(
    ("measure", "raised"),
    [
        ("heart_rate", 76.0),
        ("rmssd", 22.0),
        ("eda_slope", 25.0),
        ("eda_peaks", 9.0),
        ("respiration_rate", 19.0),
        ("eeg_engagement", 1.1),
        ("eeg_alpha_relative", 0.15),
    ],
)
def test_each_sign_of_activation_raises_it_and_its_opposite_lowers_it(measure: str, raised: float) -> None:
    rest = {part.measure: getattr(AT_REST, part.measure) for part in PARTS}
    other = 2 * rest[measure] - raised
    assert value(Signs(**{**rest, measure: raised})) > value(AT_REST) + 0.05
    if other > 0 or measure == "eda_slope":
        assert value(Signs(**{**rest, measure: other})) < value(AT_REST) - 0.03


def test_one_standard_deviation_of_everything_is_46_hundredths() -> None:
    """By hand: tanh(1 / 2)."""
    few = Context(baselines=(Baseline("heart_rate", 60.0, 4.0, 10_000),))
    assert value(Signs(heart_rate=64.0), few) == pytest.approx(math.tanh(0.5), abs=2e-3)
    assert value(Signs(heart_rate=200.0), few) == pytest.approx(math.tanh(1.5), abs=1e-9)


def test_without_a_baseline_and_without_norms_there_is_no_reference() -> None:
    found = assessed(AT_REST, Context())
    assert (found.finding.value, found.finding.absent) == (None, "no_reference")
    assert "nothing to compare with" in found.note.en
    assert "сравнить не с чем" in found.note.ru


def test_norms_stand_in_with_less_trust_and_are_named() -> None:
    known = assessed(AT_REST, Context(age=50, sex="male")).finding
    assert known.value is not None
    assert known.method == f"{arousal.METHOD}+{norms.VERSION}"
    own = assessed(AT_REST).finding
    assert known.quality is not None
    assert own.quality is not None
    assert known.quality < own.quality / 2


def test_a_brain_or_breath_alone_does_not_carry_it() -> None:
    for signs in (Signs(eeg_engagement=2.0, eeg_alpha_relative=0.05), Signs(respiration_rate=25.0), Signs()):
        assert assessed(signs).finding.absent == "insufficient"


def test_the_method_says_that_it_is_an_index_and_no_interval_is_claimed() -> None:
    found = assessed(AT_REST).finding
    assert found.method.endswith("-index-1")
    assert (found.measure, found.low, found.high) == ("physiological_arousal", None, None)


def test_frontal_asymmetry_enters_nowhere() -> None:
    assert "eeg_asymmetry" not in {part.measure for part in PARTS}
    assert not hasattr(Signs(), "eeg_asymmetry")


def test_contributions_add_up_to_the_index() -> None:
    found = assessed(Signs(80.0, 25.0, 12.0, 6.0, 18.0, 0.9, 0.2))
    shares = arousal.contributions(found.reference.comparisons)
    assert len(shares) == len(PARTS)
    assert math.tanh(sum(share for _, share in shares) / 2) == pytest.approx(found.finding.value)
    heart = arousal.level(found.reference.comparisons, (System.RATE,))
    assert heart is not None
    assert heart > 0.5


def test_a_stretch_is_told_beside_the_recordings_own_beginning() -> None:
    rest = stress.baselines([stress.Evidence(heart_rate=rate) for rate in (60.0, 61.0, 59.0)])
    found = arousal.against_rest(Signs(heart_rate=72.0), rest, start_ns=0, end_ns=60 * SECOND)
    assert found.finding.value is not None
    assert found.finding.value > 0.5
    assert "beginning of this recording" in found.note.en
    assert "с началом этой записи" in found.note.ru


def test_the_note_says_what_moved_it_in_two_languages() -> None:
    note = assessed(Signs(heart_rate=78.0, rmssd=24.0, eda_slope=-20.0, eda_peaks=3.0)).note
    assert "Raised by: heart rate higher (78 against 66 /min) and RMSSD lower (24 against 39 ms)." in note.en
    assert "Lowered by: drift of skin conductance lower (-20 against 0 %/min)." in note.en
    assert "Повышают: частота пульса выше (78 против 66 /мин) и RMSSD ниже (24 против 39 мс)." in note.ru
    assert "Понижают: дрейф проводимости кожи ниже (-20 против 0 %/мин)." in note.ru
    assert "not about pleasant or unpleasant" in note.en
    assert note.ru.endswith("Это скрининг, а не диагноз.")


def test_stress_is_explained_in_russian_too() -> None:
    found = stress.finding(
        stress.Evidence(heart_rate=78.0, rmssd=24.0, eda_slope=-20.0), OWN, start_ns=0, end_ns=FIVE_MINUTES
    )
    assert "Как при стрессе: частота пульса выше (78 против 66 /мин)" in found.russian
    assert "Против: дрейф проводимости кожи ниже" in found.russian
    assert "прежними сеансами того же человека (их 6)" in found.russian
    assert "Индекса стресса нет" in stress.finding(stress.Evidence(), OWN, start_ns=0, end_ns=SECOND).russian


anything = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(0.0, 200.0))


@given(
    signs=st.builds(Signs, **{part.measure: anything for part in PARTS}, quality=st.floats(allow_nan=True)),
    age=anything,
    baselines=st.lists(
        st.builds(
            Baseline,
            measure=st.sampled_from([part.measure for part in PARTS]),
            mean=st.floats(allow_nan=True, allow_infinity=True) | st.floats(1.0, 100.0),
            sd=st.floats(allow_nan=True, allow_infinity=True) | st.floats(0.0, 50.0),
            sessions=st.integers(-1, 1000),
        ),
        max_size=8,
    ),
)
def test_any_numbers_give_an_index_or_a_reason(signs: Signs, age: float | None, baselines: list[Baseline]) -> None:
    found = assessed(signs, Context(age=age, sex="female", baselines=tuple(baselines)))
    assert (found.finding.value is None) == (found.finding.absent is not None)
    if found.finding.value is not None:
        assert MEASURES["physiological_arousal"].possible(found.finding.value)
        assert found.finding.quality is not None
        assert 0.0 <= found.finding.quality <= 1.0
    assert max(len(found.note.en), len(found.note.ru)) <= 1000

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import norms, stress
from analytics.stress.evidence import PARTS
from kiosk.measures import MEASURES
from kiosk.messages import SECOND
from kiosk.recording import Baseline, Context

FIVE_MINUTES = 300 * SECOND
USUAL = (
    Baseline("heart_rate", 66.0, 4.0, 6),
    Baseline("rmssd", 40.0, 8.0, 6),
    Baseline("eda_slope", 0.0, 8.0, 6),
    Baseline("eda_peaks", 3.0, 1.5, 6),
)
OWN = Context(baselines=USUAL)
AT_REST = stress.Evidence(heart_rate=66.0, rmssd=39.0, eda_slope=0.0, eda_peaks=3.0)


def assessed(evidence: stress.Evidence, context: Context, *, end_ns: int = FIVE_MINUTES) -> stress.Assessment:
    return stress.finding(evidence, context, start_ns=0, end_ns=end_ns)


def index(evidence: stress.Evidence, context: Context = OWN) -> float:
    value = assessed(evidence, context).finding.value
    assert value is not None
    return value


def quality(evidence: stress.Evidence, context: Context = OWN) -> float:
    value = assessed(evidence, context).finding.quality
    assert value is not None
    return value


def test_what_is_usual_for_a_person_reads_fifty() -> None:
    assert index(AT_REST) == pytest.approx(50.0, abs=1.0)


@pytest.mark.parametrize(
    "stressed",
    [
        stress.Evidence(heart_rate=76.0, rmssd=39.0, eda_slope=0.0, eda_peaks=3.0),
        stress.Evidence(heart_rate=66.0, rmssd=22.0, eda_slope=0.0, eda_peaks=3.0),
        stress.Evidence(heart_rate=66.0, rmssd=39.0, eda_slope=25.0, eda_peaks=3.0),
        stress.Evidence(heart_rate=66.0, rmssd=39.0, eda_slope=0.0, eda_peaks=9.0),
    ],
)
def test_each_answer_to_stress_raises_the_index(stressed: stress.Evidence) -> None:
    assert index(stressed) > index(AT_REST) + 3.0


def test_the_same_person_is_judged_by_the_own_baseline_and_not_by_norms() -> None:
    fast = tuple(Baseline("heart_rate", 88.0, 4.0, 6) if each.measure == "heart_rate" else each for each in USUAL)
    evidence = stress.Evidence(heart_rate=88.0, rmssd=39.0)
    assert index(evidence, Context(age=50, sex="male", baselines=fast)) == pytest.approx(50.0, abs=1.0)
    assert index(evidence, Context(age=50, sex="male", baselines=USUAL)) > 80.0
    assert index(evidence, Context(age=50, sex="male")) > 60.0


def test_one_standard_deviation_of_the_only_system_reads_seventy_three() -> None:
    woman = Context(age=50, sex="female")
    found = norms.norm("heart_rate", age=50, sex="female")
    assert found is not None
    assert found.values == (68.0, 8.0)
    assert index(stress.Evidence(heart_rate=76.0), woman) == pytest.approx(100 / (1 + math.exp(-1)))


def test_contributions_add_up_to_the_logit_of_the_index() -> None:
    evidence = stress.Evidence(
        heart_rate=75.0, rmssd=30.0, eda_slope=9.0, eda_peaks=5.0, skin_temperature_slope=-0.1, respiration_rate=17.0
    )
    more = (*USUAL, Baseline("skin_temperature_slope", 0.0, 0.05, 6), Baseline("respiration_rate", 14.0, 1.5, 6))
    found = assessed(evidence, Context(baselines=more))
    assert found.finding.value is not None
    share = found.finding.value / 100.0
    assert sum(driver.contribution for driver in found.drivers) == pytest.approx(math.log(share / (1 - share)))
    assert len(found.drivers) == 6
    strengths = [abs(driver.contribution) for driver in found.drivers]
    assert strengths == sorted(strengths, reverse=True)


def test_measures_of_one_system_count_as_one() -> None:
    more = (*USUAL, Baseline("sdnn", 50.0, 8.0, 6), Baseline("stress_index", 10.0, 2.0, 6))
    one = stress.Evidence(heart_rate=66.0, rmssd=20.0)
    three = stress.Evidence(heart_rate=66.0, rmssd=20.0, sdnn=24.0, stress_index=20.0)
    assert index(three, Context(baselines=more)) == pytest.approx(index(one), abs=3.0)


def test_without_sweat_the_heart_decides_and_quality_falls() -> None:
    heart = stress.Evidence(heart_rate=76.0, rmssd=25.0)
    whole = stress.Evidence(heart_rate=76.0, rmssd=25.0, eda_slope=0.0, eda_peaks=3.0)
    assert index(heart) > index(whole) > 50.0
    assert quality(heart) < quality(whole) < 1.0


def test_quality_falls_with_the_signals_and_with_few_sessions_and_most_with_norms() -> None:
    once = Context(baselines=tuple(Baseline(each.measure, each.mean, 0.0, 1) for each in USUAL))
    poor = stress.Evidence(heart_rate=70.0, rmssd=35.0, quality=0.4)
    good = stress.Evidence(heart_rate=70.0, rmssd=35.0, quality=0.8)
    assert quality(poor) == pytest.approx(quality(good) / 2)
    assert quality(good, once) < quality(good)
    assert quality(good, Context(age=50, sex="male")) < quality(good, once)


def test_a_single_earlier_session_tells_less_than_six() -> None:
    once = Context(baselines=tuple(Baseline(each.measure, each.mean, 0.0, 1) for each in USUAL))
    stressed = stress.Evidence(heart_rate=74.0, rmssd=28.0)
    assert 50.0 < index(stressed, once) < index(stressed)


def test_one_artefact_cannot_decide_alone() -> None:
    wild = stress.Evidence(heart_rate=66.0, rmssd=39.0, eda_slope=0.0, eda_peaks=50.0)
    assert index(wild) < 70.0


@pytest.mark.parametrize("context", [Context(), Context(age=20, sex="male"), Context(age=50, sex=None)])
def test_nothing_to_compare_with_is_no_reference(context: Context) -> None:
    found = assessed(stress.Evidence(heart_rate=70.0, rmssd=35.0), context)
    assert found.finding.absent == "no_reference"
    assert found.finding.value is None
    assert found.drivers == ()
    assert "nothing to compare with" in found.note


@pytest.mark.parametrize(
    "evidence",
    [
        stress.Evidence(),
        stress.Evidence(rmssd=30.0),
        stress.Evidence(rmssd=30.0, respiration_rate=15.0, skin_temperature_slope=0.0),
        stress.Evidence(heart_rate=math.nan),
        stress.Evidence(heart_rate=900.0),
    ],
)
def test_too_little_was_measured_for_an_index(evidence: stress.Evidence) -> None:
    found = assessed(evidence, OWN)
    assert found.finding.absent == "insufficient"
    assert found.finding.value is None


def test_a_short_sdnn_is_not_held_against_five_minute_norms() -> None:
    man = Context(age=50, sex="male")
    evidence = stress.Evidence(heart_rate=64.0, sdnn=20.0)
    short = assessed(evidence, man, end_ns=60 * SECOND)
    assert [driver.measure for driver in short.drivers] == ["heart_rate"]
    assert {driver.measure for driver in assessed(evidence, man).drivers} == {"heart_rate", "sdnn"}


def test_the_method_names_the_norms_that_were_used() -> None:
    assert norms.VERSION in assessed(AT_REST, Context(age=50, sex="male")).finding.method
    assert norms.VERSION not in assessed(AT_REST, OWN).finding.method


def test_no_interval_is_claimed() -> None:
    found = assessed(AT_REST, OWN).finding
    assert (found.low, found.high) == (None, None)
    assert (found.measure, found.start_ns, found.end_ns) == ("stress", 0, FIVE_MINUTES)


def test_the_note_says_what_drove_it_with_whom_it_was_compared_and_what_it_is_not() -> None:
    note = assessed(stress.Evidence(heart_rate=78.0, rmssd=24.0, eda_slope=-20.0, eda_peaks=3.0), OWN).note
    assert "6 earlier sessions of the same person" in note
    assert "As under stress: heart rate higher (78 against 66 /min) and RMSSD lower (24 against 39 ms)." in note
    assert "Against it: drift of skin conductance lower (-20 against 0 %/min)." in note
    assert "Skin conductance responses as usual." in note
    assert note.endswith("this is no diagnosis.")


def test_a_note_from_norms_says_that_people_differ() -> None:
    note = assessed(AT_REST, Context(age=50, sex="male")).note
    assert "published norms" in note
    assert "more from constitution" in note


def test_every_measure_of_the_catalogue_that_enters_has_its_range() -> None:
    for part in PARTS:
        if part.measure in MEASURES:
            low, high = part.possible
            assert MEASURES[part.measure].possible(low)
            assert MEASURES[part.measure].possible(high)


anything = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(0.0, 200.0))


@given(
    evidence=st.builds(
        stress.Evidence,
        **{part.measure: anything for part in PARTS},
        quality=st.floats(allow_nan=True, allow_infinity=True),
    ),
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
    age=anything,
    sex=st.sampled_from([None, "female", "male", "other"]),
)
def test_any_numbers_give_an_index_or_a_reason(
    evidence: stress.Evidence,
    baselines: list[Baseline],
    age: float | None,
    sex: str | None,
) -> None:
    found = assessed(evidence, Context(age=age, sex=sex, baselines=tuple(baselines))).finding
    assert (found.value is None) == (found.absent is not None)
    if found.value is not None:
        assert 0.0 < found.value < 100.0
        assert found.quality is not None
        assert 0.0 <= found.quality <= 1.0


def minutes(*evidence: stress.Evidence) -> list[stress.Stretch]:
    return [
        stress.Stretch(60 * SECOND * number, 60 * SECOND * (number + 1), each) for number, each in enumerate(evidence)
    ]


def beats(rate: float) -> stress.Evidence:
    return stress.Evidence(heart_rate=rate)


def test_a_course_is_told_beside_the_recordings_own_beginning() -> None:
    found = stress.course(minutes(*map(beats, (60, 61, 59, 60, 60, 72, 60))), rest_until_ns=240 * SECOND)
    values = [each.finding.value for each in found]
    assert [each.finding.start_ns for each in found] == [240 * SECOND, 300 * SECOND, 360 * SECOND]
    assert values[0] == values[2] == pytest.approx(50.0)
    assert values[1] is not None
    assert values[1] > 80.0
    assert "beginning of this recording" in found[1].note


def test_a_stretch_that_straddles_the_end_of_rest_is_neither() -> None:
    found = stress.course(minutes(*map(beats, (60, 60, 90, 60))), rest_until_ns=150 * SECOND)
    assert [each.finding.start_ns for each in found] == [180 * SECOND]
    assert found[0].finding.value == pytest.approx(50.0)


def test_later_stretches_never_change_a_course() -> None:
    short = stress.course(minutes(*map(beats, (60, 62, 70))), rest_until_ns=120 * SECOND)
    long = stress.course(minutes(*map(beats, (60, 62, 70, 140, 45))), rest_until_ns=120 * SECOND)
    assert long[:1] == short


def test_a_course_without_rest_has_no_reference() -> None:
    found = stress.course(minutes(*map(beats, (60, 62))), rest_until_ns=0)
    assert [each.finding.absent for each in found] == ["no_reference"] * 2


def test_baselines_are_mean_and_spread_of_what_was_measured() -> None:
    found = stress.baselines([beats(60.0), beats(66.0), stress.Evidence(rmssd=40.0, heart_rate=math.nan)])
    assert [(each.measure, each.mean, each.sessions) for each in found] == [("heart_rate", 63.0, 2), ("rmssd", 40.0, 1)]
    assert [each.sd for each in found] == pytest.approx([math.sqrt(18.0), 0.0])

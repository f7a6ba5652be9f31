"""The 95 % interval of an HRV value: for the five-minute value of the same state, and only where it was validated."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from analytics import hrv
from analytics.beats import Intervals
from analytics.doubt import interval
from analytics.doubt.jitter import of_root_mean_square
from analytics.doubt.laws import LAWS
from kiosk.measures import MEASURES
from tests.benchmarks._hearts import from_times, real, simulated
from tests.benchmarks._windows import VALUES, Case, cases, jittered, part

MEASURED = sorted(LAWS)
FRESH = range(50_000, 50_040)
"""Hearts of the generative model that the laws were not fitted on."""
TOLERANCE = 0.05
"""Below 0.95: 40 hearts with three windows each have a standard error of about 0.02."""


def ours(measure: str, case: Case, *, corrected: float = 0.0) -> tuple[float, float]:
    value = VALUES[measure](case.window)
    assert value is not None
    found = interval(measure, value, case.window, precision=case.precision, corrected=corrected, span=case.seconds)
    assert found is not None
    low, high = found
    assert MEASURES[measure].low <= low <= value <= high <= MEASURES[measure].high
    return found


def whole(seed: int) -> Intervals:
    return part(simulated(seed, 400.0).series, 50.0, 350.0)


def width(measure: str, series: Intervals, *, precision: float = 0.0, corrected: float = 0.0, span: float) -> float:
    value = VALUES[measure](series)
    assert value is not None
    found = interval(measure, value, series, precision=precision, corrected=corrected, span=span)
    assert found is not None
    return found[1] - found[0]


@pytest.fixture(scope="module")
def fresh() -> list[Case]:
    return [
        case for seed in FRESH for case in cases(simulated(seed, 900.0), (30.0, 60.0, 120.0), seed=seed, step=300.0)
    ]


@pytest.mark.parametrize("measure", MEASURED)
@pytest.mark.parametrize("seconds", [30.0, 60.0, 120.0])
def test_it_holds_the_five_minute_value_of_hearts_never_seen(fresh: list[Case], measure: str, seconds: float) -> None:
    held = []
    for case in fresh:
        if case.seconds == seconds:
            low, high = ours(measure, case)
            true = VALUES[measure](case.truth)
            assert true is not None
            held.append(low <= true <= high)
    assert len(held) > 100
    assert np.mean(held) > 0.95 - TOLERANCE


@pytest.mark.parametrize("measure", MEASURED)
def test_it_holds_the_value_that_was_before_beat_times_erred(measure: str) -> None:
    held = []
    for seed in FRESH:
        for case in cases(simulated(seed, 700.0), (300.0,), seed=seed, each=0, step=300.0):
            low, high = ours(measure, jittered(case, 0.005, seed))
            true = VALUES[measure](case.truth)
            assert true is not None
            held.append(low - 1e-9 <= true <= high + 1e-9)
    assert np.mean(held) > 0.95 - TOLERANCE


def test_real_hearts_that_nothing_was_fitted_on_are_held(recordings: Path) -> None:
    hearts = [heart for heart in real(recordings) if not heart.fitted and heart.source == "pyhrv"]
    for measure in ("heart_rate", "rmssd", "sdnn", "pnn50"):
        held = []
        for seed, heart in enumerate(hearts):
            for case in cases(heart, (60.0, 120.0), seed=seed):
                low, high = ours(measure, case)
                true = VALUES[measure](case.truth)
                assert true is not None
                held.append(low <= true <= high)
        assert len(held) == 100
        assert np.mean(held) > 0.95 - TOLERANCE


@pytest.mark.parametrize("measure", MEASURED)
def test_a_shorter_window_is_wider(fresh: list[Case], measure: str) -> None:
    mean = [np.mean([np.diff(ours(measure, case)) for case in fresh if case.seconds == each]) for each in (30, 60, 120)]
    assert mean[0] > mean[1] > mean[2]


@pytest.mark.parametrize("measure", MEASURED)
def test_the_same_intervals_from_less_signal_are_wider(measure: str) -> None:
    series = whole(1)
    widths = [width(measure, series, span=span) for span in (60.0, 120.0, 240.0, 299.0, 310.0)]
    assert all(more >= less for more, less in itertools.pairwise(widths))
    assert widths[0] > widths[2] > widths[-1]


@pytest.mark.parametrize("measure", MEASURED)
@pytest.mark.parametrize("span", [60.0, 300.0])
def test_beats_that_err_more_are_wider(measure: str, span: float) -> None:
    series = whole(2)
    widths = [width(measure, series, precision=error, span=span) for error in (0.0, 0.001, 0.003, 0.0075)]
    assert all(more > less for less, more in itertools.pairwise(widths))


@pytest.mark.parametrize("measure", MEASURED)
@pytest.mark.parametrize("span", [60.0, 300.0])
def test_more_corrected_beats_are_wider(measure: str, span: float) -> None:
    series = whole(3)
    widths = [width(measure, series, corrected=share, span=span) for share in (0.0, 0.005, 0.01, 0.02)]
    assert all(more > less for less, more in itertools.pairwise(widths))


@pytest.mark.parametrize("measure", MEASURED)
def test_five_minutes_of_exact_beats_have_no_doubt(measure: str) -> None:
    series = whole(4)
    value = VALUES[measure](series)
    assert value is not None
    found = interval(measure, value, series, precision=0.0, corrected=0.0, span=300.0)
    assert found == pytest.approx((value, value), rel=1e-12)


def test_a_short_sdnn_is_expected_to_grow(fresh: list[Case]) -> None:
    for case in fresh:
        if case.seconds == 30.0:
            low, high = ours("sdnn", case)
            value = VALUES["sdnn"](case.window)
            assert value is not None
            assert high - value > value - low


@pytest.mark.parametrize(("kind", "gain"), [("sdnn", 2.0), ("rmssd", 6.0), ("sd2", 1.0)])
def test_beat_time_error_adds_to_the_mean_square_what_the_filter_says(kind: str, gain: float) -> None:
    rng = np.random.default_rng(5)
    error, clean = 0.004, np.cumsum(0.8 + 0.02 * np.sin(np.arange(4000) * 1.3))
    before, after = (from_times(times) for times in (clean, clean + error * rng.standard_normal(4000)))
    added = (VALUES[kind](after) or 0.0) ** 2 - (VALUES[kind](before) or 0.0) ** 2
    assert added == pytest.approx(1e6 * gain * error**2, rel=0.15)
    bias = of_root_mean_square(kind, after, error).bias
    assert (VALUES[kind](after) or 0.0) * np.exp(-bias) == pytest.approx(VALUES[kind](before), rel=0.02)


def test_what_may_be_error_alone_reaches_down_to_zero() -> None:
    times = np.arange(400) * 0.75 + 0.006 * np.random.default_rng(6).standard_normal(400)
    series = from_times(times)
    value = hrv.rmssd(series)
    assert value is not None
    found = interval("rmssd", value, series, precision=0.006, corrected=0.0, span=300.0)
    assert found is not None
    assert found[0] == 0.0


def test_heart_rate_and_mean_interval_say_the_same() -> None:
    series = part(simulated(7, 400.0).series, 50.0, 110.0)
    rate, mean = hrv.heart_rate(series), hrv.mean_rr(series)
    assert rate is not None
    assert mean is not None
    of_rate = interval("heart_rate", rate, series, precision=0.002, corrected=0.01, span=60.0)
    of_mean = interval("mean_rr", mean, series, precision=0.002, corrected=0.01, span=60.0)
    assert of_rate is not None
    assert of_mean is not None
    assert of_rate == pytest.approx((60_000.0 / of_mean[1], 60_000.0 / of_mean[0]))


@pytest.mark.parametrize(
    ("measure", "precision", "corrected", "span"),
    [
        ("dfa_alpha1", 0.001, 0.0, 300.0),
        ("lf_hf", 0.001, 0.0, 300.0),
        ("rmssd", 0.001, 0.0, 29.0),
        ("rmssd", 0.001, 0.0, 331.0),
        ("rmssd", 0.016, 0.0, 300.0),
        ("pnn50", 0.008, 0.0, 300.0),
        ("rmssd", 0.001, 0.06, 300.0),
        ("pnn50", 0.001, 0.03, 300.0),
        ("rmssd", float("nan"), 0.0, 300.0),
        ("rmssd", 0.001, float("nan"), 300.0),
        ("rmssd", 0.001, 0.0, float("inf")),
        ("rmssd", -0.001, 0.0, 300.0),
    ],
)
def test_there_is_none_where_none_was_validated(measure: str, precision: float, corrected: float, span: float) -> None:
    assert interval(measure, 40.0, whole(8), precision=precision, corrected=corrected, span=span) is None


def test_there_is_none_of_few_intervals_for_the_signal() -> None:
    series = part(simulated(9, 400.0).series, 50.0, 70.0)
    value = hrv.rmssd(series)
    assert value is not None
    assert interval("rmssd", value, series, precision=0.001, corrected=0.0, span=60.0) is None


@pytest.mark.parametrize("values", [[], [0.8], [0.8] * 400, [np.nan] * 400, [np.inf] * 400, [-0.8] * 400, [0.0] * 400])
def test_senseless_intervals_have_none_and_raise_nothing(values: list[float]) -> None:
    given = np.array(values)
    follows = np.ones(len(given), np.bool_)
    follows[:1] = False
    with np.errstate(invalid="ignore"):
        series = Intervals(np.cumsum(given), given, follows)
    for measure in MEASURED:
        for value in (50.0, float("nan"), float("inf"), -1.0):
            assert interval(measure, value, series, precision=0.001, corrected=0.0, span=300.0) is None


def test_the_same_question_has_the_same_answer() -> None:
    series = part(simulated(10, 400.0).series, 50.0, 110.0)
    value = hrv.sdnn(series)
    assert value is not None
    first, second = (interval("sdnn", value, series, precision=0.002, corrected=0.0, span=60.0) for _ in range(2))
    assert first == second

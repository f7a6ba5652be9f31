"""Every measure answers in its place: with a number, or with the reason why not."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.analyzer import Finding
from analytics.beats import Corrected
from analytics.hrv import MEASURED, findings
from kiosk.measures import MEASURES
from kiosk.messages import SECOND
from sensors.drivers.simulated import Body, Person

Floats = NDArray[np.float64]
METHODS = Path(__file__).parents[2] / "docs" / "methods.md"


def corrected(times: Floats, *, moved: int = 0) -> Corrected:
    changes = np.zeros(len(times), np.uint8)
    changes[np.linspace(1, len(times) - 2, moved).astype(int)] = 1
    return Corrected(times, np.ones(max(0, len(times) - 1), np.bool_), changes, np.empty(0))


def found(given: Corrected, seconds: float, *, quality: float | None = 0.9) -> dict[str, Finding]:
    end = round(seconds * SECOND)
    return {each.measure: each for each in findings(given, start_ns=0, end_ns=end, quality=quality)}


def beats(seconds: float) -> Floats:
    return np.asarray(Body(Person(seed=8, heart_rate=72)).truth(0.0, seconds).beats)


def test_five_minutes_answer_every_measure_in_order() -> None:
    answers = findings(corrected(beats(300)), start_ns=5, end_ns=300 * SECOND, quality=0.8)
    assert [each.measure for each in answers] == list(MEASURED)
    for each in answers:
        assert each.value is not None, each
        assert MEASURES[each.measure].possible(each.value)
        assert (each.absent, each.quality, each.start_ns, each.end_ns) == (None, 0.8, 5, 300 * SECOND)
        assert (each.low, each.high) == (None, None)
        assert each.method


@pytest.mark.parametrize(
    ("seconds", "answered"),
    [
        (5, set()),
        (11, {"heart_rate", "mean_rr"}),
        (31, {"heart_rate", "mean_rr", "rmssd", "sdsd", "sd1"}),
        (62, {"heart_rate", "mean_rr", "rmssd", "sdsd", "sd1", "sdnn", "cvnn", "pnn50", "pnn20", "sd2", "sd_ratio",
              "hf_power"}),
        (125, {*MEASURED} - {"beats_corrected", "triangular_index", "total_power", "vlf_power", "dfa_alpha1",
                             "sample_entropy"}),
    ],
)  # fmt: skip
def test_a_measure_has_a_shortest_window(seconds: float, answered: set[str]) -> None:
    answers = found(corrected(beats(seconds)), seconds)
    assert {name for name, each in answers.items() if each.value is not None} == answered | {"beats_corrected"}
    assert {each.absent for name, each in answers.items() if each.value is None} <= {"too_short"}


def test_a_window_that_is_long_enough_and_mostly_unusable_is_noisy() -> None:
    times = beats(300)
    held = np.ones(len(times) - 1, np.bool_)
    held[30:] = False
    answers = found(Corrected(times, held, np.zeros(len(times), np.uint8), np.empty(0)), 300)
    assert answers["heart_rate"].value is not None
    assert answers["sdnn"].absent == "noisy"


def test_low_quality_is_noisy_and_no_number() -> None:
    answers = found(corrected(beats(300)), 300, quality=0.49)
    assert {each.absent for name, each in answers.items() if name != "beats_corrected"} == {"noisy"}


@pytest.mark.parametrize(
    ("share", "refused"),
    [(0.02, ()), (0.04, ("rmssd",)), (0.08, ("rmssd", "sdnn")), (0.25, ("rmssd", "sdnn", "heart_rate"))],
)
def test_the_more_beats_were_corrected_the_less_is_told(share: float, refused: tuple[str, ...]) -> None:
    times = beats(300)
    answers = found(corrected(times, moved=round(share * len(times))), 300)
    for name in ("rmssd", "sdnn", "heart_rate"):
        assert (answers[name].absent == "too_many_corrected") == (name in refused), name
    assert answers["beats_corrected"].value == pytest.approx(100 * share, abs=0.5)


def test_equal_intervals_have_no_ratio_and_no_entropy_but_a_rate() -> None:
    answers = found(corrected(np.arange(0.0, 300.0, 0.75)), 300)
    assert answers["heart_rate"].value == pytest.approx(80)
    assert answers["rmssd"].value == pytest.approx(0, abs=1e-9)
    for name in ("dfa_alpha1", "stress_index"):
        assert answers[name].absent == "insufficient"


@pytest.mark.parametrize("times", [np.empty(0), np.array([3.0])])
def test_without_beats_nothing_is_known(times: Floats) -> None:
    answers = found(corrected(times), 300)
    assert {each.value for each in answers.values()} == {None}
    assert answers["heart_rate"].absent == "noisy"
    assert answers["beats_corrected"].absent == "too_short"


def test_the_method_says_what_was_done() -> None:
    times = beats(1000)
    assert found(corrected(beats(300)), 300)["lf_power"].method.endswith("welch-1967+smoothness-priors-2002")
    assert found(corrected(times), 1000)["lf_power"].method.endswith("+mean-of-3")
    plain = findings(corrected(times), start_ns=0, end_ns=1000 * SECOND, quality=None, correction=False)
    assert all("lipponen" not in each.method for each in plain if each.measure != "beats_corrected")


def test_every_measure_has_its_row_on_the_methods_page() -> None:
    page = METHODS.read_text()
    for name in MEASURED:
        assert f"| `{name}` |" in page, name

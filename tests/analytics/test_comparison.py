"""Whether two sessions differ: intervals of differences, what is usual from visit to visit, what is worthwhile."""

import math

import numpy as np
import pytest

from analytics.comparison import FEWEST, Value, difference
from kiosk.recording import Baseline

USUAL = Baseline("rmssd", 40.0, 6.0, 12)


def test_symmetric_intervals_add_in_squares() -> None:
    found = difference("rmssd", Value(40.0, 37.0, 43.0), Value(34.0, 30.0, 38.0), None)
    assert (found.difference, found.low, found.high) == pytest.approx((-6.0, -11.0, -1.0))
    assert found.measured is True
    assert (found.usual, found.unusual, found.worthwhile, found.matters) == (None, None, None, None)


def test_a_difference_s_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.normal(40.0, 2.0, 4000), rng.normal(45.0, 3.0, 4000)
    held = 0
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        found = difference("rmssd", Value(one, one - 3.92, one + 3.92), Value(other, other - 5.88, other + 5.88), None)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 5.0 <= found.high
    assert held / 4000 == pytest.approx(0.95, abs=0.012)


def test_without_a_validated_interval_nobody_says_whether_it_is_more_than_measuring() -> None:
    found = difference("lf_power", Value(600.0), Value(200.0, 150.0, 260.0), None)
    assert (found.low, found.high, found.measured) == (None, None, None)


def test_usual_and_worthwhile_changes_are_those_of_the_person() -> None:
    found = difference("rmssd", Value(40.0), Value(31.0), USUAL)
    assert found.usual == pytest.approx(2.200985 * math.sqrt(2.0) * 6.0, rel=1e-5)
    assert found.unusual is False
    # half of the spread of the logarithms (Buchheit 2014), as a share of the first value
    spread = math.sqrt(math.log1p((6.0 / 40.0) ** 2))
    assert found.worthwhile == pytest.approx(40.0 * math.expm1(0.5 * spread), rel=1e-6)
    assert found.matters is True
    assert difference("heart_rate", Value(70.0), Value(71.0), Baseline("heart_rate", 68.0, 4.0, 8)).matters is False
    assert difference("stress", Value(50.0), Value(90.0), Baseline("stress", 50.0, 9.0, 8)).worthwhile is None


def test_few_other_sessions_tell_nothing_of_what_is_usual() -> None:
    few = Baseline("rmssd", 40.0, 6.0, FEWEST - 1)
    assert difference("rmssd", Value(40.0), Value(20.0), few).unusual is None
    assert difference("rmssd", Value(40.0), Value(20.0), Baseline("rmssd", 40.0, 0.0, 9)).unusual is None

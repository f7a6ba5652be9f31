"""Intervals that artefacts made are in no mean."""

import numpy as np
import pytest

from analytics.intervals import possible, usual


def test_a_heart_can_have_intervals_of_a_fifth_of_a_second_to_three() -> None:
    assert possible(np.array([0.19, 0.2, 1.0, 3.0, 3.01, np.nan])).tolist() == [False, True, True, True, False, False]


def test_a_hole_and_an_invented_beat_are_unusual_and_a_breath_is_not() -> None:
    rr = 0.9 + 0.15 * np.sin(np.arange(60) / 2)
    rr[[20, 40]] = (2.0, 0.3)
    assert np.flatnonzero(~usual(rr, np.ones(60, np.bool_))).tolist() == [20, 40]


def test_the_pause_after_an_early_beat_is_usual() -> None:
    rr = np.full(40, 0.8)
    rr[[20, 21]] = (0.45, 1.5)
    assert usual(rr, np.ones(40, np.bool_)).all()


@pytest.mark.parametrize("count", [0, 1])
def test_what_has_no_neighbourhood_is_never_usual(count: int) -> None:
    assert not usual(np.full(count, 0.8), np.ones(count, np.bool_)).any()

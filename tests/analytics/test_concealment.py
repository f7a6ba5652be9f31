"""Packets lost from streams of features: what is weighed, what is left, and that nothing is made up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics import concealment
from kiosk.messages import SECOND
from kiosk.recording import Recording, Track
from tests.benchmarks._affect_loss import kept

Times = NDArray[np.int64]


def seconds(*times: float) -> Times:
    return np.asarray(np.rint(np.array(times) * SECOND), dtype=np.int64)


def every(period: float, until: float) -> Times:
    return seconds(*np.arange(0.0, until, period).tolist())


@pytest.mark.parametrize(("period", "until"), [(1.0, 60.0), (0.1, 60.0), (1.0, 600.0), (0.2, 30.0)])
def test_with_every_row_each_counts_the_same_and_all_is_left(period: float, until: float) -> None:
    times = every(period, until)
    found = concealment.left(times, 0, round(until * SECOND))
    assert found.known == pytest.approx(1.0, abs=1e-3)
    assert found.weights * len(times) == pytest.approx(np.ones(len(times)), rel=0.02)


@given(
    places=st.lists(st.integers(0, 3_000), min_size=1, max_size=80, unique=True),
    end=st.integers(1, 4_000),
)
def test_weights_are_shares_whatever_arrived(places: list[int], end: int) -> None:
    times = seconds(*sorted(float(place) / 10 for place in places))
    found = concealment.left(times, 0, end * SECOND // 10)
    assert found.weights.shape == times.shape
    assert (found.weights >= 0.0).all()
    assert found.weights.sum() == pytest.approx(1.0)
    assert 0.0 <= found.known <= 1.0


def test_nothing_that_arrived_leaves_nothing() -> None:
    found = concealment.left(seconds(), 0, 60 * SECOND)
    assert (len(found.weights), found.known) == (0, 0.0)
    assert concealment.arrived(Recording(()), ("face_units",)) == 1.0


def test_a_row_after_a_gap_stands_for_more_than_one_in_a_crowd() -> None:
    crowd = [*np.arange(0.0, 20.0, 0.5).tolist(), 40.0, *np.arange(55.0, 60.0, 0.5).tolist()]
    weights = concealment.left(seconds(*crowd), 0, 60 * SECOND).weights
    assert weights[40] > 5 * weights[20]


def test_less_is_left_the_longer_the_bursts_and_the_more_is_lost() -> None:
    rng = np.random.default_rng(8)
    times = every(1.0, 120.0)

    def mean(loss: float, burst: float) -> float:
        known = []
        for _ in range(20):
            rows = kept(len(times), 1.0, loss, burst, rng)
            known.append(concealment.left(times[rows], 0, 120 * SECOND).known)
        return float(np.mean(known))

    single, bursts = [mean(loss, 0.0) for loss in (0.1, 0.5, 0.85)], [mean(loss, 20.0) for loss in (0.1, 0.5, 0.85)]
    assert single == sorted(single, reverse=True)
    assert bursts == sorted(bursts, reverse=True)
    assert all(one > other for one, other in zip(single, bursts, strict=True))
    assert single[0] > 0.98
    assert bursts[-1] < 0.6


def test_weighing_beats_leaving_gaps_out_on_a_course_that_wanders() -> None:
    """Synthetic: a course that fades in 20 s, bursts of 5 s, half of it lost."""
    rng = np.random.default_rng(5)
    times = every(0.2, 120.0)
    errors = []
    for _ in range(150):
        steps = rng.standard_normal(len(times)) * np.sqrt(1 - np.exp(-0.02))
        course = np.empty(len(times))
        course[0] = rng.standard_normal()
        for place in range(1, len(times)):
            course[place] = np.exp(-0.01) * course[place - 1] + steps[place]
        rows = kept(len(times), 0.2, 0.5, 5.0, rng)
        weights = concealment.left(times[rows], 0, 120 * SECOND).weights
        errors.append((abs(weights @ course[rows] - course.mean()), abs(course[rows].mean() - course.mean())))
    weighed, plain = np.mean(errors, axis=0)
    assert weighed < 0.8 * plain


def test_a_row_without_a_face_arrived_all_the_same() -> None:
    times = every(0.1, 30.0)
    rows = np.full((len(times), 2), np.nan, np.float32)
    track = Track("face_scores", "camera", ("a", "b"), None, times, rows)
    assert concealment.arrived(Recording((track,)), ("face_scores",)) == pytest.approx(1.0, abs=1e-3)

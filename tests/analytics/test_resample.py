"""Irregular samples on a regular grid: what was seen stays, what was not is not invented."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics.resample import regular
from kiosk.messages import SECOND
from kiosk.recording import Track

Times = NDArray[np.int64]


def frames(times: Times, values: NDArray[np.float64]) -> Track:
    samples = np.atleast_2d(values.T).T.astype(np.float32)
    return Track("ppg", "camera", tuple("rgb"[: samples.shape[1]]), None, times, samples)


steps = st.lists(st.integers(1, 400_000_000), min_size=1, max_size=60)
values = st.floats(-1000, 1000, width=32)


@given(steps=steps, data=st.data(), rate=st.sampled_from([10.0, 29.97, 100.0, 256.0]), start=st.integers(0, 10**15))
def test_nothing_is_beyond_the_neighbours_or_across_a_gap(
    steps: list[int], data: st.DataObject, rate: float, start: int
) -> None:
    times = start + np.concatenate(([0], np.cumsum(steps))).astype(np.int64)
    given_values = data.draw(st.lists(values | st.just(np.nan), min_size=len(times), max_size=len(times)))
    x = np.array(given_values, dtype=np.float32)
    drawn = regular(frames(times, x.astype(np.float64)), rate, longest=0.2)
    assert drawn.rate == rate
    finite = np.isfinite(x)
    at, seen = times[finite], x[finite]
    for time, value in zip(drawn.times, drawn.samples[:, 0], strict=True):
        right = int(np.searchsorted(at, time))
        left = right if right < len(at) and at[right] == time else right - 1
        if left < 0 or right >= len(at) or at[right] - at[left] > 0.2 * SECOND:
            assert np.isnan(value)
        else:
            assert min(seen[left], seen[right]) <= value <= max(seen[left], seen[right])


@given(steps=steps, rate=st.sampled_from([10.0, 29.97, 100.0, 256.0]))
def test_the_grid_is_regular_and_its_gaps_are_where_no_sample_came(steps: list[int], rate: float) -> None:
    times = np.concatenate(([0], np.cumsum(steps))).astype(np.int64)
    drawn = regular(frames(times, np.zeros(len(times))), rate, longest=0.2)
    places = drawn.times * rate / SECOND
    assert np.allclose(places, np.rint(places), atol=1e-6)
    # each moment of the grid is there, unless it lies between two samples too far apart
    everywhere = np.rint(np.arange(int(times[-1] * rate / SECOND) + 1) * SECOND / rate).astype(np.int64)
    right = np.clip(np.searchsorted(times, everywhere), 1, len(times) - 1)
    bridged = (times[right] - times[right - 1] <= 0.2 * SECOND) | np.isin(everywhere, times)
    inner = bridged & (np.abs(everywhere - times[right]) > 1) & (np.abs(everywhere - times[right - 1]) > 1)
    assert set(everywhere[inner].tolist()) <= set(drawn.times.tolist())
    assert set(drawn.times.tolist()) <= set(everywhere[bridged].tolist()) | {int(times[0])} | set(times.tolist())


def test_a_gap_of_the_frames_is_a_gap_of_the_grid() -> None:
    times = np.concatenate((np.arange(60), np.arange(90, 150))).astype(np.int64) * (SECOND // 30)
    pieces = list(regular(frames(times, np.arange(120.0)), 100.0).segments())
    assert [len(piece.times) for piece in pieces] == [197, 197]
    assert pieces[1].times[0] == 3 * SECOND


def test_a_sine_of_jittered_frames_is_drawn_true() -> None:
    rng = np.random.default_rng(1)
    seconds = np.arange(0, 20, 1 / 30) + rng.uniform(-0.01, 0.01, 600)
    seconds -= seconds[0]
    times = np.rint(seconds * SECOND).astype(np.int64)
    drawn = regular(frames(times, np.sin(2 * np.pi * 1.2 * times / SECOND)), 100.0)
    assert np.abs(drawn.samples[:, 0] - np.sin(2 * np.pi * 1.2 * drawn.seconds)).max() < 0.02


def test_samples_on_the_grid_stay_what_they_are() -> None:
    times = np.rint(np.arange(300) * SECOND / 64).astype(np.int64)
    given_values = np.random.default_rng(0).standard_normal((300, 3))
    drawn = regular(frames(times, given_values), 64.0)
    assert np.array_equal(drawn.times, times)
    assert np.allclose(drawn.samples, given_values, atol=1e-6)


def test_one_lost_channel_does_not_take_the_others_along() -> None:
    times = np.arange(90).astype(np.int64) * (SECOND // 30)
    both = np.ones((90, 2))
    both[30:60, 1] = np.nan
    drawn = regular(frames(times, both), 50.0)
    assert np.isfinite(drawn.samples[:, 0]).all()
    assert np.isnan(drawn.samples[:, 1]).sum() == pytest.approx(50, abs=3)


@pytest.mark.parametrize("count", [0, 1])
def test_next_to_nothing_stays_next_to_nothing(count: int) -> None:
    drawn = regular(frames(np.arange(count, dtype=np.int64), np.ones(count)), 100.0)
    assert (len(drawn.times), drawn.rate) == (count, 100.0)


@pytest.mark.parametrize(("rate", "longest"), [(0.0, 0.2), (-1.0, 0.2), (float("nan"), 0.2), (10.0, 0.0)])
def test_an_impossible_grid_is_refused(rate: float, longest: float) -> None:
    with pytest.raises(ValueError, match="no grid"):
        regular(frames(np.arange(3, dtype=np.int64), np.ones(3)), rate, longest=longest)

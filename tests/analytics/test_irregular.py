"""A grid as it comes: what `resample.regular` draws of the whole, from any chunking, one sample behind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics.analyzer import Analyzer, Finding
from analytics.irregular import GRID, SLOWEST, Grid, OnGrid, Stretch
from analytics.ppg import LivePulse
from analytics.ppg import wave as pulse_wave
from analytics.registry import factory
from analytics.resample import LONGEST, regular
from kiosk.messages import SECOND
from kiosk.recording import Track
from sensors.drivers.simulated import Body, Person
from tests.analytics.visitors import cuts

Samples = NDArray[np.float32]
Times = NDArray[np.int64]

CALM = Person(seed=41, heart_rate=72)


def frames(seconds: float, *, rate: float = 30.0, seed: int = 0, lost: float = 0.05, start: float = 3.0) -> Times:
    """When a webcam took its pictures: late by up to a third of a period, some lost."""
    rng = np.random.default_rng(seed)
    even = start + np.arange(round(seconds * rate)) / rate
    times = np.rint((even + rng.uniform(0.0, 0.3 / rate, len(even))) * SECOND).astype(np.int64)
    return times[rng.random(len(times)) >= lost]


def finger(times: Times) -> Samples:
    return Body(CALM).ppg(times / SECOND)[:, :1].astype(np.float32)


def drawn(times: Times, samples: Samples, sizes: list[int]) -> list[Stretch]:
    grid = Grid(GRID, samples.shape[1])
    return [stretch for cut in cuts(len(times), sizes) for stretch in grid.feed(times[cut], samples[cut])]


def joined(stretches: list[Stretch], channels: int) -> tuple[Times, Samples]:
    times = [np.empty(0, dtype=np.int64), *(each.times for each in stretches)]
    rows = [np.empty((0, channels), dtype=np.float32), *(each.samples for each in stretches)]
    return np.concatenate(times), np.concatenate(rows)


steps = st.lists(st.one_of(st.integers(1, 70_000_000), st.integers(200_000_000, 900_000_000)), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(
    steps=steps,
    start=st.integers(0, 10**15),
    seed=st.integers(0, 1000),
    holes=st.sampled_from([0.0, 0.1, 0.5]),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5),
)
def test_any_chunking_draws_the_same_grid_as_the_whole(
    steps: list[int], start: int, seed: int, holes: float, sizes: list[int]
) -> None:
    times = start + np.cumsum(steps).astype(np.int64)
    rng = np.random.default_rng(seed)
    samples = rng.normal(0.0, 10.0, (len(times), 2)).astype(np.float32)
    samples[rng.random(samples.shape) < holes] = np.nan
    grid, rows = joined(drawn(times, samples, sizes), 2)
    again, same = joined(drawn(times, samples, [len(times)]), 2)
    np.testing.assert_array_equal(grid, again)
    np.testing.assert_array_equal(rows, same)
    whole = regular(Track("ppg", "camera", ("a", "b"), None, times, samples), GRID)
    count = len(grid)
    np.testing.assert_array_equal(grid, whole.times[:count])
    np.testing.assert_array_equal(np.isnan(rows), np.isnan(whole.samples[:count]))
    if not holes:
        np.testing.assert_allclose(rows, whole.samples[:count], atol=1e-4)
        # what is held back is the last interval alone
        joined_up = len(times) > 1 and times[-1] - times[-2] <= LONGEST * SECOND
        assert (whole.times[count:] > (times[-2] if joined_up else times[-1])).all()


def test_beside_a_hole_no_value_is_beyond_its_neighbours() -> None:
    times = frames(20.0)
    samples = np.random.default_rng(1).normal(0.0, 1.0, (len(times), 1)).astype(np.float32)
    samples[100:130] = np.nan
    grid, rows = joined(drawn(times, samples, [7]), 1)
    finite = np.isfinite(samples[:, 0])
    for time, value in zip(grid, rows[:, 0], strict=True):
        right = int(np.searchsorted(times[finite], time))
        near = samples[finite, 0][max(0, right - 1) : right + 1]
        assert np.isnan(value) or near.min() - 1e-6 <= value <= near.max() + 1e-6
    hole = (grid > times[99]) & (grid < times[130])
    assert np.isnan(rows[hole]).all()
    assert np.isfinite(rows[~hole]).all()


def test_a_pause_is_a_whole_number_of_rows_and_is_told() -> None:
    times = np.concatenate((frames(3.0), frames(3.0, start=7.1234)))
    found = drawn(times, finger(times), [5])
    begins = [place for place, each in enumerate(found) if not each.follows]
    assert len(begins) == 2
    before, after = found[begins[1] - 1].times[-1], found[begins[1]].times[0]
    assert (after - before) * GRID / SECOND == pytest.approx(round((after - before) * GRID / SECOND), abs=1e-6)
    assert after - before > LONGEST * SECOND


def test_what_is_remembered_is_bounded() -> None:
    grid = Grid(GRID, 1)
    times = frames(120.0)
    x = finger(times)
    for cut in cuts(len(times), [30]):
        grid.feed(times[cut], x[cut])
        assert len(grid._times) < 60
    x[:] = np.nan
    grid.reset()
    for cut in cuts(len(times), [30]):
        grid.feed(times[cut], x[cut])
        assert len(grid._times) < 60


def test_a_grid_that_makes_no_sense_is_refused() -> None:
    for rate, longest in ((0.0, 0.25), (float("nan"), 0.25), (100.0, 0.0)):
        with pytest.raises(ValueError, match="no grid"):
            Grid(rate, 1, longest=longest)


def fed(analyzer: Analyzer, times: Times, samples: Samples, sizes: list[int]) -> list[Finding]:
    return [each for cut in cuts(len(times), sizes) for each in analyzer.feed(times[cut], samples[cut])]


@pytest.mark.parametrize("sizes", [[1], [2, 1, 40], [17], [1000]])
def test_a_cameras_finger_has_the_findings_of_its_grid(sizes: list[int]) -> None:
    """Two stretches of one visit, however they are cut: those of LivePulse on what the whole is drawn on."""
    times = np.concatenate((frames(12.0), frames(11.0, start=18.0, seed=1)))
    samples = finger(times)
    live = fed(OnGrid(LivePulse, ("green",)), times, samples, sizes)
    whole = regular(Track("ppg", "camera", ("green",), None, times, samples), GRID)
    expected = list[Finding]()
    for part in whole.segments():
        expected += LivePulse(GRID, ("green",)).feed(part.times, part.samples)
    # the last second may still be waiting for a frame
    assert len(expected) - 1 <= len(live) <= len(expected)
    for one, other in zip(live, expected, strict=False):
        assert (one.start_ns, one.end_ns, one.absent) == (other.start_ns, other.end_ns, other.absent)
        assert one.value == (None if other.value is None else pytest.approx(other.value, abs=0.05))
    assert live[10].value is not None


def test_a_cameras_finger_has_a_live_pulse() -> None:
    """Synthetic, 72/min; a webcam loses one frame in twenty."""
    times = frames(30.0, seed=3)
    live = fed(factory("ppg")(None, ("green",)), times, finger(times), [3])
    assert len(live) == 29
    assert [each.absent for each in live[:5]] == ["too_short"] * 5
    truth = Body(CALM).truth(23.0, 33.0).heart_rate
    assert live[-1].value == pytest.approx(truth, abs=2)


def test_too_few_frames_are_a_reason_though_the_grid_is_full() -> None:
    times = frames(20.0, rate=10.0, lost=0.0)
    live = fed(factory("ppg")(None, ("green",)), times, finger(times), [4])
    assert len(live) > 15
    assert {each.absent for each in live} == {"unsuitable_rate"}
    assert SLOWEST == pulse_wave.SLOWEST
    assert pulse_wave.FINEST <= GRID


def test_the_same_analyzer_takes_a_regular_finger_as_it_is() -> None:
    assert isinstance(factory("ppg")(100.0, ("green",)), LivePulse)


def test_what_is_no_number_is_no_pulse() -> None:
    times = frames(15.0)
    for value in (np.nan, 0.0, 3e38, -3e38):
        live = fed(factory("ppg")(None, ("green",)), times, np.full((len(times), 1), value, dtype=np.float32), [9])
        assert live
        assert {each.value for each in live} == {None}
    assert factory("ppg")(None, ("green",)).feed(times[:0], np.empty((0, 1), dtype=np.float32)) == []


def test_after_a_reset_nothing_is_left() -> None:
    times = frames(12.0)
    samples = finger(times)
    analyzer = factory("ppg")(None, ("green",))
    first = fed(analyzer, times, samples, [11])
    analyzer.reset()
    assert fed(analyzer, times, samples, [13]) == first

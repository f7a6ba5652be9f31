"""A sender's clock and its stamps: offsets followed, jumps found, holes counted, nothing doubled, nothing invented."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kiosk.messages import SECOND
from sensors.drivers.lsl.offset import Offset
from sensors.drivers.lsl.stamps import Grid, Order


def followed(offset: Offset, values: list[tuple[float, float]]) -> list[float]:
    """The jumps that an offset sees in (time, estimate)."""
    return [jump for time, value in values if (jump := offset.observe(time, value)) is not None]


def test_a_drift_is_followed_between_and_beyond_the_estimates() -> None:
    offset, noise = Offset(), np.random.default_rng(1).normal(0, 2e-4, 25)
    values = [(5.0 * i, 3.5 + 80e-6 * 5 * i + noise[i]) for i in range(25)]
    assert followed(offset, values) == []
    assert offset.drift_ppm == pytest.approx(80, abs=8)
    for at in (62.5, 130.0):
        assert offset.at(at) == pytest.approx(3.5 + 80e-6 * at, abs=5e-4)


def test_outlying_estimates_change_nothing() -> None:
    offset = Offset()
    values = [(5.0 * i, 1.0 + 1e-6 * (i % 3)) for i in range(20)]
    for i in (6, 11, 17):
        values[i] = (values[i][0], 1.0 + 0.3)
    assert followed(offset, values) == []
    assert offset.at(100.0) == pytest.approx(1.0, abs=1e-4)
    assert abs(offset.drift_ppm) < 1


def test_a_jump_is_seen_once_and_followed() -> None:
    offset = Offset()
    values = [(5.0 * i, (2.0 if i < 8 else 2.4) + 1e-6 * (i % 3)) for i in range(16)]
    assert followed(offset, values) == [pytest.approx(0.4, abs=1e-3)]
    assert offset.at(80.0) == pytest.approx(2.4, abs=1e-3)


def test_a_clock_that_is_set_by_seconds_is_seen_at_once() -> None:
    offset = Offset()
    assert followed(offset, [(0.0, 2.0), (5.0, 2.000001), (10.0, 3602.0)]) == [pytest.approx(3600, abs=1e-3)]
    assert offset.at(10.0) == pytest.approx(3602.0)


def test_a_stream_that_was_found_again_has_its_offset_at_once() -> None:
    offset = Offset()
    offset.observe(0.0, 2.0)
    assert offset.observe(5.0, 2.05, reset=True) == pytest.approx(0.05)
    assert offset.at(5.0) == pytest.approx(2.05)


def test_an_estimate_that_is_repeated_or_no_number_counts_nothing() -> None:
    offset = Offset()
    assert followed(offset, [(0.0, 2.0), (1.0, 2.1), (2.0, 2.1), (3.0, 2.1), (4.0, np.nan), (5.0, np.inf)]) == []
    assert offset.at(5.0) == pytest.approx(2.0)


def gridded(times: NDArray[np.int64], sizes: list[int], *, rate: float) -> tuple[Grid, list[int | None]]:
    """Indices of what came, None for what is missing, read in pieces when it was due."""
    grid = Grid(rate)
    found: list[int | None] = []
    at = turn = 0
    while at < len(times):
        part = times[at : at + sizes[turn % len(sizes)]]
        for piece in grid.pieces(part, int(part[-1])):
            found += [None] * piece.lost
            found += range(at + piece.start, at + piece.stop)
        turn, at = turn + 1, at + len(part)
    return grid, found


def stamped(indices: NDArray[np.int64], rate: float, jitter: float = 0.0, seed: int = 0) -> NDArray[np.int64]:
    """Stamps of samples; jitter in periods."""
    stray = np.random.default_rng(seed).uniform(0, jitter, len(indices))
    return 5_000 * SECOND + np.rint((indices + stray) / rate * SECOND).astype(np.int64)


@given(st.sets(st.integers(300, 1900), max_size=30), st.lists(st.integers(1, 60), min_size=1, max_size=4))
def test_precise_stamps_tell_every_missing_sample(lost: set[int], sizes: list[int]) -> None:
    kept = np.array([i for i in range(2000) if i not in lost])
    grid, found = gridded(stamped(kept, 250.0, 0.1), sizes, rate=250.0)
    assert grid.lost == len(lost)
    indices = iter(kept.tolist())
    for place, each in enumerate(found):
        if each is None:
            assert place in lost
        else:
            assert next(indices) == place


def test_stamps_that_jitter_claim_no_loss() -> None:
    kept = np.array([i for i in range(3000) if i % 97])
    grid, found = gridded(stamped(kept, 250.0, 3.0), [10], rate=250.0)
    assert grid.lost == 0
    assert found == list(range(len(kept)))


def test_chunks_whose_stamps_jitter_claim_no_loss() -> None:
    # in a chunk the library gives deduced stamps; only a chunk's own one is from the sender
    starts = np.arange(0, 3000, 32) / 250 + np.random.default_rng(3).uniform(0, 0.012, 94)
    times = np.rint((starts[:, None] + np.arange(32) / 250).reshape(-1) * SECOND).astype(np.int64)
    grid, _ = gridded(times, [32], rate=250.0)
    assert grid.lost == 0


def test_a_clock_that_is_set_forward_is_no_loss() -> None:
    grid = Grid(250.0)
    times = stamped(np.arange(1000), 250.0)
    for begin in range(0, 1000, 10):
        part = times[begin : begin + 10]
        grid.pieces(part + (3600 * SECOND if begin >= 500 else 0), int(part[-1]))
    assert grid.lost == 0


@pytest.mark.parametrize(("true", "said"), [(250.0, False), (250.02, False), (244.0, True), (256.0, True)])
def test_a_rate_that_is_not_the_streams_own_is_noticed(true: float, said: bool) -> None:
    grid = Grid(250.0)
    times = stamped(np.arange(int(30 * true)), true, 2.0)
    for begin in range(0, len(times), 10):
        grid.pieces(times[begin : begin + 10], int(times[min(begin + 9, len(times) - 1)]))
    assert (grid.wrong_pace is not None) == said
    if said:
        assert grid.wrong_pace == pytest.approx(true, abs=0.5)


def test_a_pause_is_no_wrong_rate() -> None:
    grid = Grid(250.0)
    times = stamped(np.arange(10_000), 250.0)
    times[5_000:] += 8 * SECOND
    for begin in range(0, len(times), 10):
        grid.pieces(times[begin : begin + 10], int(times[begin + 9]))
    assert grid.wrong_pace is None


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=50))
def test_irregular_times_always_increase_by_whole_microseconds(times: list[int]) -> None:
    order = Order()
    found, kept = order.ordered(np.array(times, dtype=np.int64))
    assert len(found) == np.count_nonzero(kept) == len(times) - order.dropped
    assert (np.diff(found) >= 1000).all()
    assert (found % 1000 == 0).all()
    assert (np.abs(found - np.array(times)[kept]) <= 1_000_000 + 1000 * len(times)).all()


def test_samples_of_one_moment_are_kept_and_old_ones_are_not() -> None:
    order = Order()
    found, kept = order.ordered(np.array([5_000_000_000] * 3 + [1_000_000_000, 6_000_000_000], dtype=np.int64))
    assert found.tolist() == [5_000_000_000, 5_000_001_000, 5_000_002_000, 6_000_000_000]
    assert kept.tolist() == [True, True, True, False, True]
    assert order.dropped == 1

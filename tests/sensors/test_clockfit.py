"""The clock fit: jitter stays out, drift is found, a stall is not a pause and a pause is not a stall."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.messages import SECOND
from sensors.clockfit import ClockFit

RATE = 250.0
BASE = 7_000 * SECOND
Late = Callable[[float], float]
"""How many seconds after it was taken a block arrives, by the time at which it was taken."""


class Stamped(NamedTuple):
    """Times given to the first sample of each block, and when it was really taken, in seconds."""

    true: NDArray[np.float64]
    given: NDArray[np.float64]
    fit: ClockFit

    @property
    def error(self) -> NDArray[np.float64]:
        return self.given - self.true

    def after(self, seconds: float) -> NDArray[np.float64]:
        return self.error[self.true >= seconds]

    def interval_errors(self, after: float = 0.0) -> NDArray[np.float64]:
        """By how much second-long intervals are wrong, at the worst place."""
        error = self.after(after)
        step = round(1 / (self.true[1] - self.true[0]))
        return np.abs(error[step:] - error[:-step])


def stamped(late: Late, *, seconds: float = 60, ppm: float = 0, every: float = 0.1, skip: float = 0) -> Stamped:
    """A device whose blocks arrive late; at 30 s it takes no samples for `skip` seconds, and does not say so."""
    fit, size = ClockFit(RATE), round(RATE * every)
    count = done = last = 0
    true, given = [], []

    def taken(index: int) -> float:
        at = index / (RATE * (1 + ppm * 1e-6))
        return at + (skip if at >= 30 else 0)

    for _ in range(int(seconds / every)):
        count += size
        read = taken(count - size) + size / RATE
        # a connection keeps the order
        last = max(last, BASE + round((read + late(read)) * SECOND))
        fit.observe(count, last)
        while fit.ready and done < count:
            true.append(taken(done))
            given.append((fit.time_of(done) - BASE) / SECOND)
            done += size
    return Stamped(np.array(true), np.array(given), fit)


def constant(seconds: float) -> Late:
    return lambda _: seconds


def jittery(mean: float, seed: int = 0) -> Late:
    chance = np.random.default_rng(seed)
    return lambda _: min(float(chance.exponential(mean)), 0.05)


def bursts(seed: int = 0) -> Late:
    """As over Bluetooth: each 7 s nothing comes for a second, then all at once."""
    chance = np.random.default_rng(seed)
    return lambda at: (1 - at % 1 if int(at) % 7 == 3 else 0) + float(chance.exponential(0.003))


def test_a_constant_latency_gives_an_even_grid() -> None:
    got = stamped(constant(0.02))
    assert np.allclose(got.error, 0.02, rtol=0, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("mean", [0.005, 0.015, 0.05])
def test_jitter_stays_out_of_intervals(mean: float, seed: int) -> None:
    got = stamped(jittery(mean, seed), seconds=180)
    assert got.interval_errors().max() < 0.5e-3
    assert np.abs(got.after(60)).max() < 3e-3


@pytest.mark.parametrize("ppm", [-100.0, 100.0])
@pytest.mark.parametrize("late", [partial(jittery, 0.01, 1), partial(jittery, 0.05, 2), partial(bursts, 3)])
def test_drift_is_found_within_two_minutes_and_followed_for_ten(ppm: float, late: Callable[[], Late]) -> None:
    found = stamped(late(), seconds=122, ppm=ppm).fit.drift_ppm
    assert found == pytest.approx(ppm, abs=10)
    got = stamped(late(), seconds=600, ppm=ppm)
    assert got.fit.drift_ppm == pytest.approx(ppm, abs=5)
    assert np.abs(got.after(60)).max() < 5e-3
    assert got.interval_errors(30).max() < 0.5e-3


def test_drift_is_not_named_before_it_is_known() -> None:
    assert stamped(jittery(0.01), seconds=15, ppm=80).fit.drift_ppm is None


def test_a_stall_that_is_caught_up_moves_nothing() -> None:
    got = stamped(bursts())
    assert got.fit.pauses == 0
    assert np.abs(got.after(10)).max() < 3e-3
    assert len(got.true) >= 590


@pytest.mark.parametrize("speed", [1.5, 2.0, 5.0])
def test_a_long_stall_that_is_caught_up_slowly_is_no_pause(speed: float) -> None:
    # ten seconds of nothing, then the backlog at so many times the pace
    def late(at: float) -> float:
        return max(0.0, 10 - (at - 20) * (1 - 1 / speed)) if at >= 20 else 0.0

    got = stamped(late, seconds=120)
    assert got.fit.pauses == 0
    assert np.abs(got.error).max() < 1e-3


@pytest.mark.parametrize("first", [0.05, 0.2, 0.4])
def test_a_late_first_block_moves_nothing(first: float) -> None:
    got = stamped(lambda at: first if at < 0.11 else 0.0)
    assert np.abs(got.error).max() < 1e-3


def test_a_start_that_was_late_altogether_is_mended_and_stays_in_order() -> None:
    got = stamped(lambda at: 0.3 if at < 1 else 0.0, seconds=300)
    assert got.error[0] == pytest.approx(0.3, abs=1e-3)
    assert np.abs(got.after(130)).max() < 1e-3
    assert got.interval_errors().max() < 5.1e-3
    assert (np.diff(got.given) > 0).all()


@pytest.mark.parametrize("pause", [0.4, 2.0, 20.0])
@pytest.mark.parametrize("late", [partial(constant, 0.01), partial(jittery, 0.01, 4), partial(bursts, 5)])
def test_a_pause_that_the_device_does_not_count_is_a_gap(pause: float, late: Callable[[], Late]) -> None:
    got = stamped(late(), seconds=90, skip=pause)
    assert got.fit.pauses == 1
    (place,) = np.flatnonzero(np.diff(got.given) > 0.25)
    assert got.given[place + 1] - got.given[place] == pytest.approx(pause + 0.1, abs=0.01)
    before, after = (got.true > 10) & (got.true < 30), got.true >= 30
    assert np.abs(got.error[before]).max() < 15e-3
    assert np.abs(got.error[after] - got.error[before].mean()).max() < 8e-3


def test_a_run_that_ends_in_a_pause_keeps_the_gap_and_in_a_stall_has_none() -> None:
    def observed(late: Iterator[float]) -> int:
        fit = ClockFit(RATE)
        for number in range(1, 121):
            extra = next(late) if number > 100 else 0.0
            fit.observe(25 * number, BASE + round((number / 10 + extra) * SECOND))
        assert not fit.ready
        fit.finish()
        fit.time_of(25 * 99)
        return fit.time_of(25 * 119) - BASE

    paused = observed(iter([2.0] * 20))
    stalled = observed(iter([3.0 - number / 10 for number in range(20)]))
    assert paused / SECOND == pytest.approx(13.9, abs=0.01)
    assert stalled / SECOND == pytest.approx(11.9, abs=0.01)


def test_one_block_a_second_is_enough() -> None:
    got = stamped(jittery(0.005, 6), seconds=300, ppm=50, every=1.0)
    assert got.fit.drift_ppm == pytest.approx(50, abs=10)
    assert np.abs(got.after(60)).max() < 5e-3

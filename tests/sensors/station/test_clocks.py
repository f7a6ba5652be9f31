"""The page's clock against the boot clock: the quickest message counts, and a machine that slept is found again."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.clock import SystemClock
from sensors.station.clocks import Moment, PageClock

OFFSET = 5_000_000_000_000


def arrived(boot: int, slept: int = 0) -> Moment:
    return Moment(boot, boot - slept)


def test_the_quickest_message_tells_the_offset() -> None:
    clock, chance = PageClock(), random.Random(1)
    for message in range(600):
        sent = 1000 + message * 33.3
        late = 400_000 + round(chance.expovariate(1 / 5_000_000))
        clock.hear(sent, arrived(OFFSET + round(sent * 1e6) + late))
    assert 0 <= clock.boot(21_000) - (OFFSET + 21_000_000_000) - 400_000 < 300_000


def test_a_clock_that_drifts_is_followed() -> None:
    clock = PageClock()
    for second in range(600):
        # 20 ppm slow: after ten minutes 12 ms
        page = second * 1000 * (1 - 2e-5)
        clock.hear(page, arrived(OFFSET + second * 1_000_000_000 + 500_000))
    assert abs(clock.boot(599_000 * (1 - 2e-5)) - (OFFSET + 599_000_000_000)) < 4_000_000


@pytest.mark.parametrize("seconds", [0.01, 0.1, 0.3, 0.45, 1.0, 3.0, 6.0, 3600.0])
def test_a_machine_that_slept_is_found_again_at_once(seconds: float) -> None:
    clock, slept, late = PageClock(), 0, 1_000_000
    for number in range(300):
        if number in (155, 230):
            slept += round(seconds * 1e9)
        page = number * 33.333
        taken = OFFSET + round(page * 1e6) + slept
        clock.hear(page, arrived(taken + late, slept))
        assert abs(clock.boot(page) - taken - late) <= 1000


def test_a_busy_machine_has_not_slept() -> None:
    # both clocks are read a little apart: what was heard before still counts
    clock = PageClock()
    clock.hear(1000, Moment(OFFSET + 1_000_000_000, OFFSET + 1_000_000_000))
    clock.hear(1040, Moment(OFFSET + 1_540_000_000, OFFSET + 1_540_400_000))
    assert clock.boot(1040) == OFFSET + 1_040_000_000


def test_both_clocks_are_read_at_one_moment() -> None:
    clock = SystemClock()
    before = clock.now(), time.monotonic_ns()
    moments = [Moment.now(clock) for _ in range(50)]
    after = clock.now(), time.monotonic_ns()
    assert all(before[0] <= each.boot <= after[0] and before[1] <= each.awake <= after[1] for each in moments)
    asleep = [each.boot - each.awake for each in moments]
    assert max(asleep) - min(asleep) < 1_000_000


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 50_000_000)), min_size=1, max_size=60))
def test_no_message_arrives_before_it_was_sent(messages: list[tuple[float, int]]) -> None:
    clock, sent = PageClock(), 0.0
    for pause, late in messages:
        sent += pause
        now = OFFSET + round(sent * 1e6) + late
        clock.hear(sent, arrived(now))
        assert clock.boot(sent) <= now

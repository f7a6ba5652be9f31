"""The page's clock against the boot clock: the quickest message counts, and a machine that slept is found again."""

import random

from hypothesis import given
from hypothesis import strategies as st

from sensors.station.clocks import PageClock

OFFSET = 5_000_000_000_000


def test_the_quickest_message_tells_the_offset() -> None:
    clock, chance = PageClock(), random.Random(1)
    for message in range(600):
        sent = 1000 + message * 33.3
        late = 400_000 + round(chance.expovariate(1 / 5_000_000))
        clock.hear(sent, OFFSET + round(sent * 1e6) + late)
    assert clock.known
    assert 0 <= clock.boot(21_000) - (OFFSET + 21_000_000_000) - 400_000 < 300_000


def test_a_clock_that_drifts_is_followed() -> None:
    clock = PageClock()
    for second in range(600):
        # 20 ppm slow: after ten minutes 12 ms
        page = second * 1000 * (1 - 2e-5)
        clock.hear(page, OFFSET + second * 1_000_000_000 + 500_000)
    assert abs(clock.boot(599_000 * (1 - 2e-5)) - (OFFSET + 599_000_000_000)) < 4_000_000


def test_a_machine_that_slept_is_found_again() -> None:
    clock = PageClock()
    for second in range(10):
        clock.hear(second * 1000.0, OFFSET + second * 1_000_000_000)
    slept = 3_600_000_000_000
    for second in range(10, 15):
        clock.hear(second * 1000.0, OFFSET + slept + second * 1_000_000_000)
    assert abs(clock.boot(14_000) - (OFFSET + slept + 14_000_000_000)) < 1_000_000


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 50_000_000)), min_size=1, max_size=60))
def test_no_message_arrives_before_it_was_sent(messages: list[tuple[float, int]]) -> None:
    clock, sent = PageClock(), 0.0
    for pause, late in messages:
        sent += pause
        arrived = OFFSET + round(sent * 1e6) + late
        clock.hear(sent, arrived)
        assert clock.boot(sent) <= arrived

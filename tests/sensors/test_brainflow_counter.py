"""Package numbers -> lost samples: every kind of counter, every loss counted once, no loss invented."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.messages import SECOND
from sensors.allowance import Allowance
from sensors.drivers.brainflow.counter import PackageCounter


def sent(
    count: int, *, size: int, step: int = 1, rows: int = 1, first: int = 0
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The number of each sample of an undisturbed stream."""
    packages = first + np.arange(-(-count // rows)) * step
    return np.repeat(packages % size, rows)[:count].astype(np.float64)


def heard(
    numbers: np.ndarray[tuple[int], np.dtype[np.float64]],
    keep: np.ndarray[tuple[int], np.dtype[np.bool_]],
    rate: float,
    sizes: list[int],
) -> tuple[PackageCounter, list[int | None]]:
    """What a counter makes of a stream with holes, read in pieces: sample indices, None for a lost one."""
    counter = PackageCounter(rate)
    places = np.flatnonzero(keep)
    found: list[int | None] = []
    at = turn = 0
    while at < len(places):
        part = places[at : at + sizes[turn % len(sizes)]]
        turn += 1
        at += len(part)
        now = round((int(part[-1]) + 1) / rate * SECOND)
        for piece in counter.pieces(numbers[part], now):
            found += [None] * piece.lost
            found += part[piece.start : piece.stop].tolist()
    return counter, found


@pytest.mark.parametrize(
    ("size", "step", "rows", "rate"),
    [(256, 1, 1, 250.0), (256, 2, 1, 125.0), (65536, 1, 12, 256.0), (201, 1, 2, 200.0), (2**32, 1, 1, 512.0)],
    ids=["one-byte", "every-second", "twelve-a-package", "odd-size", "four-bytes"],
)
def test_a_stream_without_losses_loses_nothing(size: int, step: int, rows: int, rate: float) -> None:
    numbers = sent(5000, size=size, step=step, rows=rows, first=60_000)
    counter, found = heard(numbers, np.ones(5000, bool), rate, [5, 7, 1])
    assert found == list(range(5000))
    assert (counter.lost, counter.doubtful) == (0, 0)


@pytest.mark.parametrize(("size", "step", "rows"), [(256, 1, 1), (256, 2, 1), (65536, 1, 12), (201, 1, 2)])
def test_every_lost_sample_is_counted_in_its_place(size: int, step: int, rows: int) -> None:
    numbers = sent(6000, size=size, step=step, rows=rows)
    keep = np.ones(6000, bool)
    for package in (300, 301, 302, 400, 407, 450):
        keep[package * rows : (package + 1) * rows] = False
    counter, found = heard(numbers, keep, 250.0, [5, 11, 2])
    assert counter.lost == np.count_nonzero(~keep)
    assert found == [index if kept else None for index, kept in enumerate(keep.tolist())]


def test_a_loss_where_the_counter_begins_again_is_counted() -> None:
    numbers = sent(2000, size=256)
    keep = np.ones(2000, bool)
    keep[[511, 512, 1023]] = False
    counter, found = heard(numbers, keep, 250.0, [5])
    assert counter.lost == 3
    assert found == [index if kept else None for index, kept in enumerate(keep.tolist())]


@given(st.sets(st.integers(30, 1990), max_size=60), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_the_grid_stays_whatever_is_lost_and_however_it_is_read(lost: set[int], sizes: list[int]) -> None:
    keep = np.ones(2000, bool)
    keep[sorted(lost)] = False
    _, found = heard(sent(2000, size=256), keep, 250.0, sizes)
    assert found == [index if kept else None for index, kept in enumerate(keep.tolist())]


def test_a_damaged_number_invents_no_loss() -> None:
    numbers = sent(1000, size=256)
    numbers[500] = (numbers[500] + 240) % 256
    counter, found = heard(numbers, np.ones(1000, bool), 250.0, [5])
    assert counter.doubtful >= 1
    # what is believed of it is a few samples at most, and it cannot be more than the clock has room for
    assert counter.lost <= 16
    assert [index for index in found if index is not None] == list(range(1000))


def test_packages_in_the_wrong_order_invent_no_loss() -> None:
    numbers = sent(1000, size=65536)
    numbers[[500, 501]] = numbers[[501, 500]]
    counter, _ = heard(numbers, np.ones(1000, bool), 250.0, [10])
    assert counter.lost <= 1


@pytest.mark.parametrize("number", [0.0, np.nan, np.inf], ids=["constant", "nan", "infinite"])
def test_a_board_that_does_not_count_loses_nothing_that_could_be_known(number: float) -> None:
    counter, found = heard(np.full(1000, number), np.ones(1000, bool), 250.0, [5])
    assert (counter.lost, counter.doubtful, len(found)) == (0, 0, 1000)


def test_a_burst_after_a_stall_may_hold_losses_and_a_quiet_clock_may_not() -> None:
    allowance = Allowance(100.0)
    allowance.arrived(10, 0)
    assert not allowance.grants(200)
    allowance.arrived(10, 3 * SECOND)
    assert allowance.grants(200)
    assert not allowance.grants(200)

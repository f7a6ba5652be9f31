"""What is remembered of a stream."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.windows import Blocks, Window
from tests.analytics.visitors import clock, cuts


@given(sizes=st.lists(st.integers(0, 70), min_size=1, max_size=8).filter(any))
def test_a_window_holds_the_newest_rows_whatever_the_chunks(sizes: list[int]) -> None:
    x, times = np.arange(400.0)[:, None] * [1.0, -1.0], clock(400, 100.0)
    window = Window(50, 2)
    for cut in cuts(400, sizes):
        window.append(times[cut], x[cut])
        end = min(cut.stop, 400)
        assert window.end == end
        assert window.start == max(0, end - 50)
        assert np.array_equal(window.rows(window.start, end), x[window.start : end])
        assert np.array_equal(window.times(window.start, end), times[window.start : end])


def test_rows_that_are_gone_are_not_given() -> None:
    window = Window(10, 1)
    window.append(clock(30, 100.0), np.zeros((30, 1)))
    for begin, end in ((19, 25), (25, 31), (26, 25)):
        with pytest.raises(IndexError):
            window.rows(begin, end)


def test_a_broken_index_lies_between_its_neighbours_in_time() -> None:
    window = Window(20, 1)
    window.append(clock(40, 100.0), np.zeros((40, 1)))
    assert window.time_at(30) == 300_000_000
    assert window.time_at(30.25) == 302_500_000
    assert window.time_at(39.5) == 395_000_000


@given(sizes=st.lists(st.integers(0, 90), min_size=1, max_size=8).filter(any))
def test_blocks_are_the_same_whatever_the_chunks(sizes: list[int]) -> None:
    x, times = np.arange(500, dtype=np.float32)[:, None], clock(500, 100.0)
    blocks = Blocks(33)
    got = [block for cut in cuts(500, sizes) for block in blocks.feed(times[cut], x[cut])]
    assert len(got) == 500 // 33
    for place, (block_times, block) in enumerate(got):
        assert np.array_equal(block, x[place * 33 : (place + 1) * 33])
        assert np.array_equal(block_times, times[place * 33 : (place + 1) * 33])

"""Decimation loses no peak, and no decimation loses nothing."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from api.waveform import Block, Envelope, Whole, draw, filled, gaps, join, marked, times_of
from kiosk.messages import SECOND, Chunk, Stream
from kiosk.recording import track

RATE = 250.0
PERIOD = round(SECOND / RATE)


def floats() -> st.SearchStrategy[float]:
    return st.one_of(st.just(float("nan")), st.floats(-1e6, 1e6, width=32))


@st.composite
def cut_waves(draw_: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.float32], list[Block]]:
    """A wave with gaps, cut into blocks anywhere."""
    count = draw_(st.integers(1, 300))
    channels = draw_(st.integers(1, 3))
    values = draw_(st.lists(floats(), min_size=count * channels, max_size=count * channels))
    steps = draw_(st.lists(st.sampled_from([1, 1, 1, 1, 2, 40]), min_size=count, max_size=count))
    times = np.cumsum(np.array(steps, np.int64)) * PERIOD + draw_(st.integers(-SECOND, SECOND))
    samples = np.array(values, np.float32).reshape(count, channels)
    cuts = sorted(draw_(st.sets(st.integers(1, count), max_size=6)) | {0, count})
    blocks = [Block(times[a:b], samples[a:b]) for a, b in pairwise(cuts)]
    return times, samples, blocks


def equal_bits(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    return a.shape == b.shape and a.tobytes() == b.tobytes()


@given(cut_waves(), st.integers(1, 60), st.data())
def test_the_extremes_of_any_window_always_appear(
    wave: tuple[NDArray[np.int64], NDArray[np.float32], list[Block]], points: int, data: st.DataObject
) -> None:
    times, samples, blocks = wave
    start = data.draw(st.integers(int(times[0]) - PERIOD, int(times[-1])))
    end = data.draw(st.integers(start + 1, int(times[-1]) + PERIOD))
    drawn = draw(blocks, start, end, points, samples.shape[1])
    inside = samples[(times >= start) & (times < end)]
    low, high = (drawn.low, drawn.high) if isinstance(drawn, Envelope) else (drawn.samples, drawn.samples)
    assert isinstance(drawn, Envelope) == (len(inside) > 2 * points)
    for channel in range(samples.shape[1]):
        column = inside[:, channel]
        known = column[~np.isnan(column)]
        if len(known) == 0:
            assert np.isnan(low[:, channel]).all()
            continue
        assert np.nanmin(low[:, channel]) == known.min()
        assert np.nanmax(high[:, channel]) == known.max()


@given(cut_waves(), st.integers(1, 60))
def test_a_bucket_is_the_extremes_of_its_own_samples(
    wave: tuple[NDArray[np.int64], NDArray[np.float32], list[Block]], points: int
) -> None:
    times, samples, blocks = wave
    start, end = int(times[0]), int(times[-1]) + 1
    drawn = draw(blocks, start, end, points, samples.shape[1])
    if isinstance(drawn, Whole):
        return
    for bucket in range(points):
        # in whole numbers, as promised: bucket k holds k <= (t - start) * points / length < k + 1
        place = (times - start) * points
        inside = samples[(place >= bucket * (end - start)) & (place < (bucket + 1) * (end - start))]
        for channel in range(samples.shape[1]):
            known = inside[:, channel][~np.isnan(inside[:, channel])]
            if len(known):
                assert drawn.low[bucket, channel] == known.min()
                assert drawn.high[bucket, channel] == known.max()
            else:
                assert np.isnan(drawn.low[bucket, channel])
                assert np.isnan(drawn.high[bucket, channel])


@given(cut_waves())
def test_a_short_window_comes_back_bit_for_bit(
    wave: tuple[NDArray[np.int64], NDArray[np.float32], list[Block]],
) -> None:
    times, samples, blocks = wave
    drawn = draw(blocks, int(times[0]), int(times[-1]) + 1, len(times), samples.shape[1])
    assert isinstance(drawn, Whole)
    assert equal_bits(drawn.samples, samples)
    assert (drawn.times == times).all()


@given(cut_waves())
def test_gaps_stay_gaps(wave: tuple[NDArray[np.int64], NDArray[np.float32], list[Block]]) -> None:
    times, samples, blocks = wave
    whole = join(blocks, samples.shape[1])
    steps = np.diff(times) // PERIOD
    assert gaps(times, RATE)[1:].tolist() == (steps - 1).tolist()
    shown = marked(whole, RATE)
    added = ~np.isin(shown.times, times)
    assert int(added.sum()) == int((steps > 1).sum())
    assert np.isnan(shown.samples[added]).all()
    assert equal_bits(shown.samples[~added], samples)
    grid = filled(whole, RATE)
    assert len(grid) == (times[-1] - times[0]) // PERIOD + 1
    assert equal_bits(grid[(times - times[0]) // PERIOD], samples)


@given(
    st.lists(st.integers(1, 70), min_size=1, max_size=20),
    st.sampled_from([1.0, 29.97, 100.0, 250.0, 256.0, 360.0, 1000.0]),
)
def test_times_are_those_that_the_chunks_say(counts: list[int], rate: float) -> None:
    chunks = []
    start = 12_345
    for seq, count in enumerate(counts):
        chunks.append(Chunk(Stream("s", "d", "ecg", "r"), seq, start, rate, ("I",), np.zeros(count, "<f4").tobytes()))
        start += round(count * SECOND / rate) + (seq % 3 - 1)
    ours = times_of(np.array([chunk.start for chunk in chunks]), np.array(counts), rate)
    assert (ours == np.concatenate([chunk.times() for chunk in chunks])).all()
    # and a recording of the same chunks has the same samples
    whole = join([Block(ours, np.zeros((len(ours), 1), np.float32))], 1)
    assert (whole.times == track(chunks).times).all()


def test_runs_follow_each_other_in_the_order_of_their_times() -> None:
    late = Block(np.array([30, 40], np.int64), np.array([[3], [4]], np.float32))
    early = Block(np.array([10, 20], np.int64), np.array([[1], [2]], np.float32))
    assert join([late, early], 1).samples[:, 0].tolist() == [1, 2, 3, 4]


def test_an_empty_window_is_empty() -> None:
    drawn = draw([], 0, SECOND, 10, 2)
    assert isinstance(drawn, Whole)
    assert drawn.samples.shape == (0, 2)

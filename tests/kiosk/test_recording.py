"""Chunks become tracks: in order, with their gaps, whatever order they come in."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kiosk.errors import BadRecording
from kiosk.messages import SECOND, Chunk, Stream
from kiosk.recording import Context, Recording, Track, track

RATE = 100.0
PERIOD = int(SECOND / RATE)


def chunk(
    start: int, values: Sequence[float], *, seq: int = 0, run: str = "r1", rate: float | None = RATE, **changes: object
) -> Chunk:
    samples = np.asarray(values, dtype="<f4").tobytes()
    fields = {"channels": ("I",), **changes}
    return Chunk(Stream("s", "d", "ecg", run), seq, start, rate, samples=samples, **fields)  # type: ignore[arg-type]


def chunks_of(values: NDArray[np.float32], sizes: Sequence[int], *, start: int = 0) -> list[Chunk]:
    """A wave cut into chunks of these sizes."""
    ends = np.cumsum(sizes)
    return [
        chunk(start + int(end - size) * PERIOD, values[end - size : end].tolist(), seq=seq)
        for seq, (size, end) in enumerate(zip(sizes, ends, strict=True))
    ]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.randoms())
def test_any_cutting_and_any_order_give_the_same_track(sizes: list[int], random: "object") -> None:
    values = np.arange(sum(sizes), dtype=np.float32)
    chunks = chunks_of(values, sizes)
    random.shuffle(chunks)  # type: ignore[attr-defined]
    whole = track(chunks)
    assert whole.samples[:, 0].tolist() == values.tolist()
    assert whole.times.tolist() == [index * PERIOD for index in range(len(values))]
    assert len(list(whole.segments())) == 1


@given(
    st.lists(st.integers(1, 20), min_size=2, max_size=8),
    st.lists(st.integers(0, 5), min_size=8, max_size=8),
)
def test_every_gap_ends_a_segment_and_nothing_is_lost(sizes: list[int], missing: list[int]) -> None:
    start, seq, chunks, gaps = 0, 0, [], 0
    for index, (size, lost) in enumerate(zip(sizes, missing, strict=False)):
        chunks.append(chunk(start, [float(index)] * size, seq=seq))
        start, seq = start + (size + lost) * PERIOD, seq + 1
        gaps += lost > 0 and index < len(sizes) - 1
    whole = track(chunks)
    segments = list(whole.segments())
    assert len(segments) == gaps + 1
    assert sum(len(each.times) for each in segments) == sum(sizes)
    assert np.concatenate([each.samples for each in segments]).tolist() == whole.samples.tolist()


def test_a_fitted_clock_makes_no_gap_and_no_double() -> None:
    # the fit moves each chunk's start by a few parts per million, forwards or back
    starts = [0, 10 * PERIOD + 40_000, 20 * PERIOD - 40_000, 30 * PERIOD]
    whole = track([chunk(start, range(10), seq=seq) for seq, start in enumerate(starts)])
    assert len(whole.times) == 40
    assert len(list(whole.segments())) == 1


def test_chunks_that_overlap_keep_the_earlier_samples() -> None:
    whole = track([chunk(0, [1] * 10), chunk(5 * PERIOD, [2] * 10, seq=1, run="r2")])
    assert whole.samples[:, 0].tolist() == [1.0] * 10 + [2.0] * 5
    assert (np.diff(whole.times) == PERIOD).all()


def test_a_chunk_inside_another_adds_nothing() -> None:
    whole = track([chunk(0, [1] * 10), chunk(2 * PERIOD, [2] * 3, seq=1), chunk(10 * PERIOD, [3], seq=2)])
    assert whole.samples[:, 0].tolist() == [1.0] * 10 + [3.0]


def test_the_same_chunk_twice_is_one() -> None:
    whole = track([chunk(0, [1, 2, 3]), chunk(0, [1, 2, 3])])
    assert whole.samples[:, 0].tolist() == [1.0, 2.0, 3.0]


def test_lost_samples_stay_where_they_were() -> None:
    whole = track([chunk(0, [1, float("nan"), 3])])
    assert np.isnan(whole.samples[:, 0]).tolist() == [False, True, False]
    assert len(list(whole.segments())) == 1


def test_samples_with_times_of_their_own_keep_them() -> None:
    offsets = np.array([0, 30_000, 71_000], dtype="<i4").tobytes()
    whole = track([chunk(5, [1, 2, 3], rate=None, offsets=offsets)])
    assert whole.times.tolist() == [5, 30_000_005, 71_000_005]
    assert len(list(whole.segments())) == 1


@pytest.mark.parametrize(
    "other",
    [chunk(0, [1], seq=1, rate=200.0), chunk(0, [1, 2], seq=1, channels=("I", "II")), chunk(0, [1], channels=("II",))],
)
def test_a_track_never_mixes_rates_or_channels(other: Chunk) -> None:
    with pytest.raises(BadRecording, match="channels or rate change"):
        track([chunk(PERIOD, [1]), other])


def test_no_chunks_are_no_track() -> None:
    with pytest.raises(BadRecording, match="no chunks"):
        track([])


def made(times: Sequence[int], *, dtype: type = np.int64, width: int = 1) -> Track:
    samples = np.zeros((len(times), width), dtype=np.float32)
    return Track("ecg", "d", ("I",), RATE, np.asarray(times, dtype=dtype), samples)


@pytest.mark.parametrize(
    ("times", "options"),
    [([0, 0], {}), ([1, 0], {}), ([0, 1], {"width": 2}), ([0, 1], {"dtype": np.int32})],
)
def test_a_track_that_makes_no_sense_is_refused(times: list[int], options: dict[str, object]) -> None:
    with pytest.raises(BadRecording):
        made(times, **options)  # type: ignore[arg-type]


@given(st.integers(-50, 150), st.integers(-50, 150))
def test_between_takes_the_start_and_leaves_the_end(start: int, end: int) -> None:
    whole = track([chunk(0, range(100))])
    part = whole.between(start * PERIOD, end * PERIOD)
    assert part.samples[:, 0].tolist() == [float(value) for value in range(100) if start <= value < end]


def test_an_empty_track_has_no_segment() -> None:
    assert list(made([]).segments()) == []


def test_a_channel_is_found_by_its_name() -> None:
    whole = track([chunk(0, [1, 2, 3, 4], channels=("I", "II"))])
    assert whole.channel("II").tolist() == [2.0, 4.0]
    assert whole.channel("II").dtype == np.float64


def test_a_recording_lasts_from_the_first_sample_to_the_end_of_the_last() -> None:
    recording = Recording((track([chunk(SECOND, range(100))]), made([0, 10 * PERIOD])))
    assert recording.duration == pytest.approx(2.0)
    assert [each.signal for each in recording.of("ecg")] == ["ecg", "ecg"]
    assert recording.of("ppg") == ()
    assert Recording(()).duration == 0.0
    assert Recording((), beats=(1.0, 2.5)).duration == pytest.approx(1.5)
    assert Context() == Context()

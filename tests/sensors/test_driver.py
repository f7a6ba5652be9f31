"""Stamping: from blocks that a driver read to chunks whose times can be relied on."""

import asyncio
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kiosk.errors import DriverFailed
from kiosk.messages import MAX_PAYLOAD, SECOND, Chunk, Origin, Stream, address, decode, encode
from sensors.clock import ManualClock
from sensors.driver import Block, Port, Stamper, Visit
from sensors.drivers.simulated.driver import signal_factory

ORIGIN = Origin(1_700_000_000 * SECOND, 500 * SECOND, "boot-1")
BOOT = ORIGIN.boot
ECG = Port("ecg", ("II",), 250.0)
RR = Port("rr", ("rr",), None)


def stamper(port: Port = ECG) -> Stamper:
    return Stamper(Stream("s1", "d1", port.signal, "r1"), port, ORIGIN)


def ramp(first: int, count: int, channels: int = 1) -> NDArray[np.float64]:
    return np.repeat(np.arange(first, first + count, dtype=float)[:, None], channels, axis=1)


def blocks(count: int, size: int = 25, rate: float = 250.0, late: float = 0.01) -> list[Block]:
    """So many blocks, each read a little after its last sample was taken."""
    return [
        Block("ecg", ramp(n * size, size), BOOT + round(((n + 1) * size / rate + late) * SECOND)) for n in range(count)
    ]


def stamp(using: Stamper, given_blocks: Iterable[Block]) -> list[Chunk]:
    return [chunk for block in given_blocks for chunk in using.stamp(block)] + using.flush()


def samples_of(chunks: Iterable[Chunk]) -> NDArray[np.float32]:
    return np.concatenate([chunk.values() for chunk in chunks])


def times_of(chunks: Iterable[Chunk]) -> NDArray[np.int64]:
    return np.concatenate([chunk.times() for chunk in chunks])


def test_samples_are_unchanged_and_on_their_grid() -> None:
    chunks = stamp(stamper(), blocks(100))
    assert samples_of(chunks)[:, 0].tolist() == list(range(2500))
    expected = np.arange(2500) * 4_000_000 + 10_000_000
    assert np.abs(times_of(chunks) - expected).max() < 2000


@pytest.mark.parametrize(
    ("port", "size"),
    [
        (ECG, 25),  # drawn live: a tenth of a second
        (Port("eeg", tuple(f"e{n}" for n in range(8)), 250.0), 250),  # else a second
        (Port("eda", ("eda",), 4.0), 4),
        (Port("skin_temperature", ("skin",), 0.1), 1),
        (Port("eeg", tuple(f"electrode {n}" for n in range(256)), 4000.0), 128),  # as much as a payload holds
    ],
)
def test_chunks_are_as_long_as_their_use_allows(port: Port, size: int) -> None:
    assert port.rate
    using, chunks = stamper(port), list[Chunk]()
    for second in range(12):
        count = max(1, round(port.rate))
        read_at = BOOT + round((second + 1) * count / port.rate * SECOND)
        chunks += using.stamp(Block(port.signal, ramp(0, count, len(port.channels)), read_at))
    assert {chunk.count for chunk in chunks} == {size}
    for chunk in chunks[:3]:
        payload = encode(chunk)
        assert len(payload) < MAX_PAYLOAD
        decode(address("k1", chunk), payload)


def test_what_is_left_at_the_end_is_not_lost() -> None:
    chunks = stamp(stamper(), [*blocks(10), Block("ecg", ramp(250, 7), BOOT + SECOND + 40_000_000)])
    assert samples_of(chunks)[:, 0].tolist() == list(range(257))
    assert chunks[-1].count == 7
    assert stamper().flush() == []


def test_a_run_of_one_block_has_times_too() -> None:
    (chunk,) = stamp(stamper(), blocks(1))
    assert abs(chunk.start - 10_000_000) < 1000


def test_what_the_device_lost_is_not_a_number_and_keeps_the_grid() -> None:
    made = blocks(20)
    kept = [*made[:8], *made[11:]]
    kept[8] = Block("ecg", kept[8].samples, kept[8].read_at, lost=75)
    chunks = stamp(stamper(), kept)
    got = samples_of(chunks)[:, 0]
    assert np.flatnonzero(np.isnan(got)).tolist() == list(range(200, 275))
    assert got[275:].tolist() == list(range(275, 500))
    assert (np.abs(np.diff(times_of(chunks)) - 4_000_000) < 2000).all()


def test_losses_are_known_even_when_nothing_else_came() -> None:
    made = blocks(10)
    lost = Block("ecg", np.empty((0, 1)), made[4].read_at, lost=25)
    got = samples_of(stamp(stamper(), [*made[:4], lost, *made[5:]]))[:, 0]
    assert np.flatnonzero(np.isnan(got)).tolist() == list(range(100, 125))


@pytest.mark.parametrize("lost", [-1, 250 * 61, 10**15])
def test_a_counter_that_makes_no_sense_ends_the_run(lost: int) -> None:
    with pytest.raises(DriverFailed, match="lost"):
        stamper().stamp(Block("ecg", ramp(0, 25), BOOT + SECOND, lost=lost))


def test_infinite_samples_are_lost_ones() -> None:
    made = blocks(10)
    made[3].samples[:4, 0] = [np.inf, -np.inf, 1e300, np.nan]
    chunks = stamp(stamper(), made)
    assert np.flatnonzero(np.isnan(samples_of(chunks)[:, 0])).tolist() == [75, 76, 77, 78]
    for chunk in chunks:
        decode(address("k1", chunk), encode(chunk))
    # what the driver keeps is its own
    assert np.isinf(made[3].samples[0, 0])


@pytest.mark.parametrize("shape", [(25,), (25, 2), (25, 0), (1, 25, 1)])
def test_a_block_of_the_wrong_shape_ends_the_run(shape: tuple[int, ...]) -> None:
    with pytest.raises(DriverFailed, match="shape"):
        stamper().stamp(Block("ecg", np.zeros(shape), BOOT))


def test_empty_blocks_change_nothing() -> None:
    made = blocks(100)
    nothing = [Block("ecg", np.empty((0, 1)), block.read_at + 90_000_000) for block in made]
    between = [each for pair in zip(made, nothing, strict=True) for each in pair]
    assert stamp(stamper(), between) == stamp(stamper(), made)
    assert stamper(RR).stamp(Block("rr", np.empty((0, 1)), BOOT, times=np.empty(0, np.int64))) == []


@settings(max_examples=100, deadline=None)
@given(
    latencies=st.lists(st.floats(0, 3) | st.floats(0, 0.05), min_size=1, max_size=150),
    pauses=st.lists(st.integers(0, 149), max_size=3),
    sizes=st.lists(st.integers(1, 80), min_size=1, max_size=10),
)
def test_time_never_runs_backwards_and_no_sample_goes_missing(
    latencies: list[float], pauses: list[int], sizes: list[int]
) -> None:
    made, count, at = list[Block](), 0, 0.0
    for number, late in enumerate(latencies):
        size = sizes[number % len(sizes)]
        at += size / 250 + (2 if number in pauses else 0)
        made.append(Block("ecg", ramp(count, size), BOOT + round((at + late) * SECOND)))
        count += size
    # a connection keeps the order
    read = np.maximum.accumulate([block.read_at for block in made])
    made = [Block("ecg", block.samples, int(when)) for block, when in zip(made, read, strict=True)]
    chunks = stamp(stamper(), made)
    assert samples_of(chunks)[:, 0].tolist() == list(range(count))
    assert (np.diff(times_of(chunks)) > 0).all()


@settings(max_examples=50, deadline=None)
@given(cuts=st.lists(st.integers(1, 60), min_size=1, max_size=30))
def test_times_hardly_depend_on_how_a_steady_stream_was_cut_into_blocks(cuts: list[int]) -> None:
    made, count = list[Block](), 0
    while count < 15_000:
        size = cuts[len(made) % len(cuts)]
        made.append(Block("ecg", ramp(count, size), BOOT + round((count + size) / 250 * (1 - 50e-6) * SECOND)))
        count += size
    chunks = stamp(stamper(), made)
    true = np.arange(count) / 250 * (1 - 50e-6)
    error = times_of(chunks) / SECOND - true
    assert np.abs(error).max() < 1.5e-3
    assert np.abs(error[250:] - error[:-250]).max() < 0.5e-3


# --- samples with times of their own


def irregular(times: Iterable[float], read_at: float) -> Block:
    moments = np.array([BOOT + round(each * SECOND) for each in times], dtype=np.int64)
    return Block("rr", ramp(0, len(moments)), BOOT + round(read_at * SECOND), times=moments)


def test_irregular_samples_keep_their_own_times() -> None:
    times = [0.1, 0.9, 1.75, 2.5, 3.3, 60.0, 60.000001]
    chunks = stamp(stamper(RR), [irregular(times[:2], 1), irregular(times[2:5], 3.5), irregular(times[5:], 61)])
    assert times_of(chunks).tolist() == [round(each * 1e6) * 1000 for each in times]
    for chunk in chunks:
        assert chunk.rate is None
        decode(address("k1", chunk), encode(chunk))


def test_a_span_that_is_over_does_not_wait_for_the_next_sample() -> None:
    using = stamper(RR)
    assert using.stamp(irregular([0.0, 0.5], 0.9)) == []
    (chunk,) = using.stamp(irregular([0.9], 1.0))
    assert chunk.count == 3


@pytest.mark.parametrize("times", [[1.0, 1.0], [2.0, 1.0], [0.4, 1.0], [1.0, 1.0000001]])
def test_times_that_do_not_increase_end_the_run(times: list[float]) -> None:
    using = stamper(RR)
    using.stamp(irregular([0.5], 0.5))
    with pytest.raises(DriverFailed, match="increase"):
        using.stamp(irregular(times, 2))


def test_each_irregular_sample_needs_its_time() -> None:
    for times in (None, np.arange(3), np.zeros((2, 1), np.int64)):
        with pytest.raises(DriverFailed, match="time"):
            stamper(RR).stamp(Block("rr", ramp(0, 2), BOOT, times=times))


def test_a_row_that_tells_of_a_second_waits_for_no_other() -> None:
    # whoever stops talking has no next row that would push out the last one
    using = stamper(Port("voice_scores", ("net.neutral", "net.anger"), None))
    at = BOOT + 4 * SECOND
    (chunk,) = using.stamp(Block("voice_scores", np.array([[0.7, 0.3]]), at, times=np.array([at])))
    assert chunk.times().tolist() == [4 * SECOND]
    assert using.flush() == []


# --- the wall clock


@pytest.mark.parametrize("jump", [-20.0, 20.0])
async def test_a_wall_clock_that_is_set_moves_no_sample(jump: float) -> None:
    async def recorded(set_at: int | None) -> NDArray[np.int64]:
        clock = ManualClock()
        visit = Visit("s1", Origin(clock.utc(), clock.now(), clock.boot_id), simulated=True)
        device = signal_factory("ecg")(visit, clock)
        using = Stamper(Stream("s1", device.name, "ecg", "r1"), device.ports[0], visit.origin)
        chunks = list[Chunk]()
        items = device.items()
        for tenth in range(200):
            if tenth == set_at:
                clock.set_utc_by(jump)
            waiting = asyncio.ensure_future(anext(items))
            await clock.advance(0.1)
            block = await waiting
            assert isinstance(block, Block)
            chunks += using.stamp(block)
        return times_of(chunks + using.flush())

    undisturbed, disturbed = await recorded(None), await recorded(100)
    assert len(undisturbed) == 5000
    assert np.abs(undisturbed - disturbed).max() < 1_000_000
    assert np.abs(disturbed - np.arange(5000) * 4_000_000).max() < 1_000_000

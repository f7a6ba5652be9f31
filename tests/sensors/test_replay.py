"""A recording played as a device: every sample once, at its own time, at any speed."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.errors import BadRecording
from kiosk.messages import SECOND, Origin, Stream
from kiosk.recording import Recording, Track, track
from sensors.clock import ManualClock
from sensors.driver import Block, Stamper, Visit
from sensors.drivers.replay import Replay, replay
from sensors.files.played import blocks


def regular(signal: str, rate: float, keep: Sequence[bool] | None = None, count: int = 1000, start: int = 0) -> Track:
    """A track on a grid, some samples of which may be missing."""
    kept = np.array(keep if keep is not None else [True] * count)
    index = np.flatnonzero(kept)
    times = start + np.rint(index * (SECOND / rate)).astype(np.int64)
    samples = np.random.default_rng(5).normal(size=(len(index), 1)).astype(np.float32)
    return Track(signal, "desk", ("one",), rate, times, samples)


def camera(count: int = 300) -> Track:
    """A track with times of its own, in whole microseconds as on the wire."""
    rng = np.random.default_rng(6)
    times = np.cumsum(rng.integers(25_000, 45_000, count)).astype(np.int64) * 1000
    return Track("ppg", "phone", ("R", "G", "B"), None, times, rng.normal(size=(count, 3)).astype(np.float32))


def visit(clock: ManualClock) -> Visit:
    """A visit that begins now."""
    return Visit("visit", Origin(clock.utc(), clock.now(), clock.boot_id), True)


async def played(recording: Recording, speed: float | None = None) -> list[Track]:
    """What the session has after the recording was played: the chunks of all its devices, stamped and joined."""
    clock = ManualClock()
    begun = visit(clock)
    result = []
    for factory in replay(recording, speed=speed):
        driver = factory(begun, clock)
        stampers = {
            port.signal: Stamper(Stream("visit", driver.name, port.signal, "run"), port, begun.origin)
            for port in driver.ports
        }
        chunks: dict[str, list[object]] = {port.signal: [] for port in driver.ports}
        async with driver:
            async for item in driver.items():
                assert isinstance(item, Block)
                chunks[item.signal] += stampers[item.signal].stamp(item)
        for signal, stamper in stampers.items():
            result.append(track([*chunks[signal], *stamper.flush()]))  # type: ignore[list-item]
    return result


@given(
    keep=st.lists(st.booleans(), min_size=30, max_size=400).filter(lambda keep: sum(keep) > 1),
    seconds=st.sampled_from([0.01, 0.1, 0.37, 1.0, 60.0]),
    rate=st.sampled_from([50.0, 250.0, 360.0]),
)
@settings(max_examples=80, deadline=None)
def test_blocks_hold_every_sample_once_and_count_the_missing(keep: list[bool], seconds: float, rate: float) -> None:
    whole = regular("ecg", rate, keep)
    got = list(blocks([whole], seconds))
    np.testing.assert_array_equal(np.concatenate([block.times for block in got]), whole.times)
    np.testing.assert_array_equal(np.concatenate([block.samples for block in got]), whole.samples)
    first, last = np.flatnonzero(keep)[[0, -1]]
    assert sum(block.lost for block in got) == (last - first + 1) - sum(keep)
    assert all(block.complete <= block.due for block in got)
    assert all(before.due <= after.due for before, after in pairwise(got))
    for block in got:
        assert len(block.times) == 1 or (np.diff(block.times) < 1.5 * SECOND / rate).all()


def test_tracks_play_in_step_and_a_long_gap_takes_no_turns() -> None:
    late = regular("ppg", 100, start=10 * 86_400 * SECOND)
    got = list(blocks([regular("ecg", 250), late, camera()], 0.1))
    assert len(got) < 1000
    assert all(before.due <= after.due for before, after in pairwise(got))


async def test_what_was_played_is_what_the_file_has_to_the_nanosecond() -> None:
    recording = Recording((regular("ecg", 360, count=4000), regular("ppg", 100, start=3 * SECOND), camera()))
    for before, after in zip(recording.tracks, await played(recording), strict=True):
        assert (before.signal, before.rate, before.channels) == (after.signal, after.rate, after.channels)
        np.testing.assert_array_equal(after.samples, before.samples)
        assert np.abs(after.times - before.times).max() <= 3


async def test_missing_samples_come_out_as_lost_samples_on_the_same_grid() -> None:
    keep = np.ones(5000, bool)
    keep[1000:1100] = keep[3000] = False
    before = regular("ecg", 250, keep.tolist())
    (after,) = await played(Recording((before,)))
    np.testing.assert_array_equal(np.isnan(after.samples[:, 0]), ~keep)
    np.testing.assert_array_equal(after.samples[keep], before.samples)
    assert np.abs(after.times[keep] - before.times).max() <= 3


async def arrivals(driver: Replay, clock: ManualClock, seconds: float) -> list[float]:
    """When blocks came, in seconds of the clock, while it moved on."""
    begin = clock.now()
    came: list[float] = []

    async def listen() -> None:
        async for _ in driver.items():
            came.append((clock.now() - begin) / SECOND)  # noqa: PERF401 - cancelled, extend would add nothing

    listening = asyncio.create_task(listen())
    await clock.advance(seconds)
    listening.cancel()
    return came


@pytest.mark.parametrize("speed", [1.0, 4.0])
async def test_blocks_fall_due_at_the_speed_that_was_asked_for(speed: float) -> None:
    clock = ManualClock()
    driver = Replay("desk", (regular("ecg", 250),), visit(clock), clock, speed=speed)
    came = await arrivals(driver, clock, 10)
    np.testing.assert_allclose(came, np.arange(1, 41) * 0.1 / speed, atol=1e-6)


async def test_a_restart_goes_on_where_the_recording_is_by_now() -> None:
    clock = ManualClock()
    begun = visit(clock)
    await clock.advance(20)
    driver = Replay("desk", (regular("ecg", 250, count=25 * 250),), begun, clock)
    first = await anext(aiter(driver.items()))
    assert isinstance(first, Block)
    assert first.read_at - begun.origin.boot == pytest.approx(20 * SECOND, abs=0.1 * SECOND)


def test_what_the_wire_would_refuse_is_refused_before_the_visit() -> None:
    own_times = camera()
    ecg = Track("ecg", "file", ("one",), None, own_times.times, own_times.samples[:, :1])
    for bad, cause in ((ecg, "ecg at irregular times"), (regular("ecg", 10), "ecg at 10 Hz")):
        with pytest.raises(BadRecording, match=cause):
            replay(Recording((bad,), "x.csv"))
    with pytest.raises(BadRecording, match="no signal to play"):
        replay(Recording(()))
    with pytest.raises(BadRecording, match="times as fast"):
        replay(Recording((regular("ecg", 250),)), speed=0)


def test_a_replayed_visitor_never_passes_for_a_live_one() -> None:
    clock = ManualClock()
    (factory,) = replay(Recording((regular("ecg", 250),)))
    assert factory(visit(clock), clock).simulated

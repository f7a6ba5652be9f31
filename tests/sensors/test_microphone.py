"""The microphone as a device: true times, a bounded queue, failures, checks, and no sound in what it emits."""

import asyncio
import logging
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from kiosk.bus import MemoryBus
from kiosk.commands.services import _devices_of, _is_simulated
from kiosk.errors import BadSettings, DriverFailed
from kiosk.messages import SECOND, Chunk, Event, Message, Origin, Stream, check, decode
from kiosk.settings import Settings
from kiosk.signals import VOICE_CHANNELS
from sensors.driver import Block, Item, Stamper, Visit
from sensors.drivers.microphone.devices import is_played, microphone, source_of
from sensors.drivers.microphone.driver import Microphone, Microphones
from sensors.listener import FUNCTIONALS, SCORES, Heard
from sensors.outbox import Outbox
from sensors.registry import resolve
from sensors.service import Sensors
from tests.sensors.hearing import CLOCK, RATE, SPOKEN, Script, cut, items_of, listener, marks, rows


async def test_what_leaves_are_the_listeners_rows_at_the_times_of_the_sound() -> None:
    source = Script(cut(SPOKEN))
    items = await items_of(Microphone(CLOCK, lambda _: source, listener))
    alone = listener(RATE)
    expected = alone.feed(SPOKEN, 1000 * SECOND) + alone.finish()
    assert [(at, row.tobytes()) for at, row in rows(items)] == [
        (each.time, each.values.tobytes()) for each in expected if each.signal == FUNCTIONALS
    ]
    assert [at for at, _ in rows(items)] == [1001 * SECOND, 1002 * SECOND, 1003 * SECOND, 1004 * SECOND]
    assert marks(items) == []
    assert (source.entered, source.left) == (1, 1)


async def test_sound_that_is_missing_is_marked_and_what_follows_begins_anew() -> None:
    pieces = cut(SPOKEN[: 2 * RATE]) + cut(SPOKEN[2 * RATE :], begin=3.5)
    items = await items_of(Microphone(CLOCK, lambda _: Script(pieces), listener))
    assert [(mark.event, mark.detail) for mark in marks(items)] == [("sound_lost", "1.50 s")]
    assert [at / SECOND - 1000 for at, _ in rows(items)] == [1, 2, 4.5, 5.5]


async def test_a_clock_that_goes_back_sends_no_row_into_the_past() -> None:
    pieces = cut(SPOKEN[: 2 * RATE]) + cut(SPOKEN[2 * RATE :], begin=0.5)
    items = await items_of(Microphone(CLOCK, lambda _: Script(pieces), listener))
    times = [at for at, _ in rows(items)]
    assert times == sorted(set(times))
    stamper = Stamper(
        Stream("s", "microphone", FUNCTIONALS, "r"), Microphone(CLOCK, lambda _: Script([]), listener).ports[0],
        Origin(1, 999 * SECOND, "boot"),
    )  # fmt: skip
    for item in items:
        if isinstance(item, Block):
            stamper.stamp(item)


async def test_another_rate_begins_anew_and_goes_on() -> None:
    pieces = cut(SPOKEN[:40_000]) + cut(np.repeat(SPOKEN[:32_000], 3), rate=48_000, begin=2.5)
    items = await items_of(Microphone(CLOCK, lambda _: Script(pieces), listener))
    assert [at / SECOND - 1000 for at, _ in rows(items)] == [1, 2, 3.5, 4.5]


class Slow:
    """A listener that takes longer than the sound lasts."""

    score_channels = ("net.calm", "net.anger")

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.heard = 0.0
        self.open = threading.Event()

    def feed(self, samples: NDArray[np.floating], start: int) -> list[Heard]:
        self.threads.add(threading.get_ident())
        self.open.wait(10)
        self.heard += len(samples) / RATE
        if np.isnan(samples).any():
            raise ValueError(f"a bug, and what it was listening to: {samples.tobytes().hex()}")
        return [Heard(SCORES, start, np.array([0.5, 0.5], np.float32))]

    def finish(self) -> list[Heard]:
        return []


async def test_a_slow_listener_loses_sound_counts_it_and_leaves_the_loop_alone() -> None:
    slow, source = Slow(), Script(cut(np.zeros(12 * RATE, np.float32)) + cut(SPOKEN[:RATE], begin=12))
    driver = Microphone(CLOCK, lambda _: source, lambda rate: slow, score_channels=slow.score_channels)
    found: list[Item] = []
    async with driver:
        while driver.lost < 7:
            await asyncio.sleep(0.01)
        slow.open.set()
        async for item in driver.items():
            found.append(item)  # noqa: PERF401
    assert 7 < driver.lost <= 13 - 5
    assert slow.heard == pytest.approx(13 - driver.lost, abs=0.01)
    assert threading.get_ident() not in slow.threads
    assert all(mark.event == "sound_lost" for mark in marks(found))


async def test_a_bug_in_the_listener_is_told_without_the_sound(caplog: pytest.LogCaptureFixture) -> None:
    bad = np.full(1600, np.nan, np.float32)
    slow = Slow()
    slow.open.set()
    driver = Microphone(
        CLOCK, lambda _: Script([(bad, 0, RATE)]), lambda rate: slow, score_channels=slow.score_channels
    )
    with caplog.at_level(logging.DEBUG), pytest.raises(DriverFailed, match="listening failed: ValueError"):
        await asyncio.wait_for(items_of(driver), 5)
    assert "ValueError at feed:" in caplog.text
    assert bad[:4].tobytes().hex() not in caplog.text


async def test_a_source_that_fails_fails_the_run_after_its_last_row() -> None:
    found: list[Item] = []
    driver = Microphone(CLOCK, lambda _: Script(cut(SPOKEN), failure="it went away"), listener)

    async def run() -> None:
        async with driver:
            async for item in driver.items():
                found.append(item)  # noqa: PERF401

    with pytest.raises(DriverFailed, match="it went away"):
        await run()
    assert len(rows(found)) == 4


async def test_networks_that_were_added_meanwhile_are_told_of() -> None:
    made = Microphones(lambda _: Script(cut(SPOKEN)), lambda rate: Slow(), score_channels=())
    with pytest.raises(DriverFailed, match="networks have changed"):
        await asyncio.wait_for(items_of(made(Visit("s", Origin(1, 0, "b"), simulated=True), CLOCK)), 5)
    with pytest.raises(BadSettings, match="30 outputs, at most 24"):
        Microphones(lambda _: Script([]), listener, score_channels=tuple(f"n.{k}" for k in range(30)))


# --- what is played


async def test_a_file_is_played_in_real_time_and_simulated(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", SPOKEN[:20_000], RATE)
    began = time.monotonic()
    driver = Microphone(CLOCK, source_of(str(tmp_path / "a.wav")), listener)
    started = CLOCK.now()
    items = await items_of(driver)
    assert driver.simulated
    assert 1.2 < time.monotonic() - began < 5
    [(at, row)] = rows(items)
    assert at - started == pytest.approx(SECOND, abs=0.5 * SECOND)
    alone = listener(RATE).feed((SPOKEN[:20_000] * 32768).round().astype(np.float32) / 32768, 0)
    assert row[VOICE_CHANNELS.index("f0_p50")] == pytest.approx(alone[0].values[VOICE_CHANNELS.index("f0_p50")], 1e-3)


async def test_a_folder_is_played_file_by_file(tmp_path: Path) -> None:
    for name, rate in (("b.flac", 8_000), ("a.wav", 16_000)):
        soundfile.write(tmp_path / name, SPOKEN[:rate], rate)
    (tmp_path / "notes.txt").write_text("nothing")
    items = await items_of(Microphone(CLOCK, source_of(str(tmp_path)), listener))
    (first, _), (second, _) = rows(items)
    assert second - first == pytest.approx(2 * SECOND, abs=0.01 * SECOND)


async def test_a_folder_of_many_files_holds_one_of_them_open(tmp_path: Path) -> None:
    for number in range(300):
        soundfile.write(tmp_path / f"{number:03}.wav", SPOKEN[:200], RATE)
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 60, most))
    try:
        async with source_of(str(tmp_path))(CLOCK) as source:
            assert source is not None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


async def test_a_file_that_is_no_sound_fails_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"nothing at all")
    (tmp_path / "empty").mkdir()
    for name, cause in (("a.wav", "is no sound that can be read"), ("empty", "no sound file in this folder")):
        with pytest.raises(DriverFailed, match=cause):
            await items_of(Microphone(CLOCK, source_of(str(tmp_path / name)), listener))


# --- what an operator names


def test_a_microphone_is_named_by_default_number_name_file_folder_or_page(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"1")
    assert [is_played(each) for each in ("default", "0", "USB Audio", "page", str(path), str(tmp_path))] == [
        *[False] * 4, True, True,
    ]  # fmt: skip
    for wrong in ("", "gone.wav", "/dev/nothing"):
        with pytest.raises(BadSettings, match="no such file or folder"):
            source_of(wrong)
    for name in ("USB 2.0 Audio", "Link 2.0", "3"):
        assert not source_of(name)(CLOCK).simulated
    with pytest.raises(BadSettings, match="needs the page"):
        source_of("page")
    assert resolve("microphone") is microphone
    assert _is_simulated(["microphone"], Settings(microphone=str(path)))
    assert not _is_simulated(["microphone"], Settings(microphone="default"))
    assert not _is_simulated(["camera"], Settings(microphone=str(path)))


@pytest.mark.parametrize("value", ["", "  ", "http://somewhere/sound"])
def test_a_wrong_setting_is_named(value: str) -> None:
    with pytest.raises(ValueError, match="microphone"):
        Settings(microphone=value)


async def test_the_command_makes_the_device_that_is_set(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", SPOKEN[:RATE], RATE)
    made = await _devices_of("microphone", Settings(data=tmp_path, microphone=str(tmp_path / "a.wav")), None)
    [factory] = made()
    driver = factory(Visit("s", Origin(1, CLOCK.now(), "boot"), simulated=True), CLOCK)
    assert driver.simulated
    assert driver.ports[0].signal == FUNCTIONALS


# --- a visit


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.sqlite", "k1", limit=10**9) as made:
        yield made


async def test_a_visit_with_a_microphone_sends_its_rows_within_the_budget(tmp_path: Path, outbox: Outbox) -> None:
    soundfile.write(tmp_path / "a.wav", SPOKEN[: 3 * RATE + 800], RATE)
    bus, heard = MemoryBus(), list[Message]()
    factories = microphone(str(tmp_path / "a.wav"), listener=listener)
    sensors = Sensors(kiosk="k1", bus=bus, outbox=outbox, clock=CLOCK, simulated=True, visitor=lambda: factories)
    async with bus.subscribe("kiosk/v1/#") as arriving:

        async def note() -> None:
            async for topic, payload in arriving:
                if payload:
                    heard.append(decode(topic, payload)[1])

        noting = asyncio.create_task(note())
        async with sensors.running():
            await sensors.start_visit()
            await sensors.devices_finished()
            await sensors.end_visit()
            await asyncio.sleep(0.3)
        noting.cancel()
    chunks = {(each.stream, each.seq): each for each in heard if isinstance(each, Chunk)}.values()
    assert {chunk.name for chunk in chunks} == {FUNCTIONALS}
    for chunk in chunks:
        check(chunk)
        assert chunk.channels == VOICE_CHANNELS
    assert sum(chunk.count for chunk in chunks) == 3
    assert not [each for each in heard if isinstance(each, Event) and each.event == "sound_lost"]

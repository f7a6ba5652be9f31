"""The sensors' service: devices fail alone, nothing that they said is lost, and it always comes to an end."""

import asyncio
import itertools
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
import pytest

from kiosk import topics
from kiosk.bus import MemoryBus, Subscription, send
from kiosk.errors import DriverFailed
from kiosk.messages import Chunk, Command, End, Event, Message, Reading, Session, Status, Stream, decode
from sensors import service as module
from sensors.clock import Clock, ManualClock
from sensors.committer import Committer
from sensors.driver import Block, Driver, DriverFactory, Item, Mark, Port, Spot, Visit
from sensors.outbox import Outbox
from sensors.service import Sensors

Kind = TypeVar("Kind", bound=Message)
ECG = (Port("ecg", ("II",), 250.0),)
Script = Callable[["Device"], AsyncIterator[Item]]


class Device:
    """A device that does what its script says, and remembers when it was opened."""

    simulated = True
    trouble = ""

    def __init__(self, name: str, clock: Clock, script: Script, ports: tuple[Port, ...] = ECG) -> None:
        self.name, self.clock, self.ports, self._script = name, clock, ports, script
        self.made = 0
        self.close: Callable[[], Awaitable[object]] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.close is not None:
            await self.close()

    def items(self) -> AsyncIterator[Item]:
        return self._script(self)

    async def tenth(self) -> Block:
        """The samples of the next tenth of a second."""
        await self.clock.sleep_until(self.clock.now() + 100_000_000)
        self.made += 25
        return Block("ecg", np.arange(self.made - 25.0, self.made)[:, None], self.clock.now())


async def endless(device: Device) -> AsyncIterator[Item]:
    while True:
        yield await device.tenth()


async def failing(device: Device) -> AsyncIterator[Item]:
    yield Block("ecg", np.zeros((25, 1)), device.clock.now())
    raise DriverFailed("the lead is off")


async def spots(device: Device) -> AsyncIterator[Item]:
    yield Spot("systolic", 121.0, device.clock.now(), "oscillometric", quality=0.9)
    yield Spot("diastolic", None, device.clock.now(), "oscillometric", absent="noisy")
    yield Mark("moved", device.clock.now(), "a bit")


def factory(name: str, script: Script, ports: tuple[Port, ...] = ECG) -> DriverFactory:
    return lambda _, clock: Device(name, clock, script, ports)


class Room:
    """A kiosk on a clock that is moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "outbox.sqlite"
        self.clock, self.bus = ManualClock(), MemoryBus()
        self.outbox = Outbox(self.path, "k1", limit=50_000_000)
        self.factories: list[DriverFactory] = []
        self.statuses: list[Status] = []
        self.sensors = self.make()

    def make(self) -> Sensors:
        return Sensors(
            kiosk="k1", bus=self.bus, outbox=self.outbox, clock=self.clock, visitor=lambda: self.factories,
            simulated=True,
        )  # fmt: skip

    def restart(self, boot_id: str | None = None) -> None:
        """The process died and is there again."""
        self.outbox.close()
        self.outbox = Outbox(self.path, "k1", limit=50_000_000)
        if boot_id is not None:
            self.clock.boot_id = boot_id
        self.sensors = self.make()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Sensors]:
        async with self.bus.subscribe(topics.pattern("status")) as arriving:
            listener = asyncio.create_task(self._listen(arriving))
            async with self.sensors.running() as sensors:
                yield sensors
            await asyncio.sleep(0.01)
            listener.cancel()
            await asyncio.wait([listener])

    async def _listen(self, arriving: Subscription) -> None:
        async for each in arriving:
            message = decode(*each)[1]
            assert isinstance(message, Status)
            self.statuses.append(message)

    async def pass_time(self, seconds: float, *, devices: int = 1) -> None:
        """Once so many devices wait for their next samples, time passes, and what they said is on the disk."""
        await until(lambda: len(self.clock._sleepers) >= devices)
        await self.clock.advance(seconds)
        await self.sensors._committer.flush()

    def held(self, kind: type[Kind], device: str | None = None) -> list[Kind]:
        messages = [decode(item.topic, item.payload)[1] for item in self.outbox.waiting(0, 100_000)]
        found = [message for message in messages if isinstance(message, kind)]
        return [each for each in found if device is None or each.stream.device == device]  # type: ignore[union-attr]

    def samples(self, device: str) -> list[float]:
        return [float(value) for chunk in self.held(Chunk, device) for value in chunk.values()[:, 0]]

    def seated(self) -> str | None:
        """The session in progress."""
        return self.sensors.visit.session if self.sensors.visit else None

    def said(self, device: str) -> list[tuple[str, str]]:
        """Its states in order, without the heartbeat's repetitions."""
        said = [(status.state, status.detail) for status in self.statuses if status.device == device]
        return [each for each, _ in groupby(said)]


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    # pauses are what they are on average, and nothing else waits for real
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    monkeypatch.setattr(module, "HEARTBEAT", 0.05)
    monkeypatch.setattr("sensors.committer.DISK_PAUSE", 0.02)
    made = Room(tmp_path)
    yield made
    made.outbox.close()


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def test_samples_of_a_visit_are_emitted_as_they_were_read(room: Room) -> None:
    room.factories = [factory("ecg-1", endless), factory("cuff", spots, ())]
    async with room.running() as sensors:
        session = await sensors.start_visit()
        await room.pass_time(3.05)
        await until(lambda: ("stopped", "finished") in room.said("cuff"))
        await sensors.end_visit()
    assert room.samples("ecg-1") == list(range(750))
    assert [(r.measure, r.value, r.absent, r.scope) for r in room.held(Reading)] == [
        ("systolic", 121.0, None, "spot"), ("diastolic", None, "noisy", "spot"),
    ]  # fmt: skip
    assert [(event.event, event.detail) for event in room.held(Event)] == [("moved", "a bit")]
    assert {chunk.stream.session for chunk in room.held(Chunk)} == {session}
    assert room.said("ecg-1") == [("starting", ""), ("running", ""), ("stopped", "")]
    assert room.said("cuff") == [("starting", ""), ("running", ""), ("stopped", "finished")]


async def test_a_spot_device_is_ready_before_it_is_used(room: Room) -> None:
    async def unused(_: Device) -> AsyncIterator[Item]:
        await asyncio.sleep(3600)
        yield Spot("systolic", 121.0, 0, "oscillometric")

    room.factories = [factory("cuff", unused, ()), factory("ecg-1", unused)]
    async with room.running() as sensors:
        await sensors.start_visit()
        await until(lambda: ("running", "") in room.said("cuff"))
        assert ("running", "") not in room.said("ecg-1")
        await sensors.end_visit()


async def test_the_end_of_a_visit_keeps_the_last_sample_and_lists_every_stream(room: Room) -> None:
    async def odd(device: Device) -> AsyncIterator[Item]:
        yield await device.tenth()
        yield Block("ecg", np.full((7, 1), 99.0), device.clock.now() + 28_000_000)
        await asyncio.sleep(3600)

    async def silent(device: Device) -> AsyncIterator[Item]:
        await asyncio.sleep(3600)
        yield Mark("never", 0)

    room.factories = [factory("odd", odd), factory("silent", silent), factory("cuff", spots, ())]
    async with room.running() as sensors:
        await sensors.start_visit()
        await room.pass_time(0.3)
        await until(lambda: ("stopped", "finished") in room.said("cuff") and room.said("silent"))
        await sensors.end_visit()
        assert sensors.visit is None
    assert room.samples("odd") == [*range(25), *[99.0] * 7]
    opened, ended = room.held(Session)
    assert (opened.state, ended.state, ended.ended) == ("open", "ended", 300_000_000)
    ends = {end.stream: end.last for end in room.held(End) if end.stream.device != "kiosk"}
    assert set(ended.streams) == set(ends)
    assert sorted((stream.device, stream.signal, last) for stream, last in ends.items()) == [
        ("cuff", "events", 0), ("cuff", "readings", 1), ("odd", "ecg", 1), ("silent", "ecg", -1),
    ]  # fmt: skip


async def test_a_failing_device_is_tried_again_with_a_growing_pause_and_a_run_each(room: Room) -> None:
    room.factories = [factory("ecg-1", failing)]
    pauses = []
    async with room.running() as sensors:
        await sensors.start_visit()
        for number in range(1, 10):
            await until(lambda: room.clock._sleepers)
            assert len(room.held(End, "ecg-1")) == number
            pauses.append((room.clock._sleepers[0][0] - room.clock.now()) / 1e9)
            await room.clock.advance(pauses[-1])
        await sensors.end_visit()
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    chunks, ends = room.held(Chunk), room.held(End, "ecg-1")
    assert len({chunk.stream.run for chunk in chunks}) == len(chunks) >= 9
    assert [end.last for end in ends[:9]] == [0] * 9
    failed = [status for status in room.statuses if status.state == "failed"]
    assert len(failed) >= 9
    assert {(status.device, status.detail, status.simulated) for status in failed} == {
        ("ecg-1", "the lead is off", True)
    }


async def test_a_device_that_ran_for_long_is_tried_again_soon(room: Room) -> None:
    async def steady(device: Device) -> AsyncIterator[Item]:
        for _ in range(700 if runs else 1):
            yield await device.tenth()
        runs.append(1)
        raise DriverFailed("unplugged")

    runs: list[int] = []
    room.factories = [factory("ecg-1", steady)]
    async with room.running() as sensors:
        await sensors.start_visit()
        for _ in range(3):
            await room.clock.advance(0.1)
            await until(lambda: len(room.clock._sleepers) == 1)
            await room.clock.advance((room.clock._sleepers[0][0] - room.clock.now()) / 1e9)
            runs_before = len(runs)
            while len(runs) == runs_before:
                await room.clock.advance(1)
            await until(lambda: room.clock._sleepers)
            # after a minute of work the first pause again, not the next longer one
            assert room.clock._sleepers[0][0] - room.clock.now() <= 500_000_000


def _broken(_: Visit, __: Clock) -> Driver:
    raise ZeroDivisionError


async def _foreign(device: Device) -> AsyncIterator[Item]:
    yield Block("eeg", np.zeros((25, 1)), device.clock.now())


async def _shapeless(device: Device) -> AsyncIterator[Item]:
    yield Block("ecg", np.zeros(25), device.clock.now())


async def _impossible(device: Device) -> AsyncIterator[Item]:
    yield Spot("systolic", 9e9, device.clock.now(), "x")


async def _talkative(device: Device) -> AsyncIterator[Item]:
    yield Mark("moved", device.clock.now(), "x" * 1000)


async def _bug(device: Device) -> AsyncIterator[Item]:
    yield await device.tenth()
    raise KeyError("secret")


async def test_what_troubles_a_device_that_goes_on_is_in_its_status(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensors.service.HEARTBEAT", 0.02)

    async def ailing(device: Device) -> AsyncIterator[Item]:
        for trouble in ("3 pictures a second", ""):
            device.trouble = trouble
            for _ in range(20):
                yield await device.tenth()

    def said() -> list[str]:
        told = [status.detail for status in room.statuses if status.device == "ecg" and status.state == "running"]
        return [detail for detail, _ in itertools.groupby(told)]

    room.factories = [factory("ecg", ailing)]
    async with room.running() as sensors:
        await sensors.start_visit()
        for _ in range(20):
            await room.pass_time(0.1)
        await until(lambda: said()[-1:] == ["3 pictures a second"])
        await room.pass_time(0.1)
        await until(lambda: said()[-1:] == [""])


@pytest.mark.parametrize(
    ("broken", "name", "detail"),
    [
        (_broken, "device-0", "ZeroDivisionError"),
        (factory("no/name", endless), "device-0", "no name"),
        (factory("x", _foreign), "x", "not among"),
        (factory("x", _shapeless), "x", "shape"),
        (factory("x", _impossible), "x", "impossible_value"),
        (factory("x", _talkative), "x", "malformed"),
        (factory("x", _bug), "x", "KeyError"),
        (factory("x", endless, (Port("nonsense", ("a",), 10.0),)), "x", "KeyError"),
    ],
)
async def test_a_bug_in_one_driver_does_not_touch_the_others(
    room: Room, broken: DriverFactory, name: str, detail: str
) -> None:
    room.factories = [broken, factory("ecg-1", endless)]
    async with room.running() as sensors:
        await sensors.start_visit()
        await room.pass_time(2.05, devices=2)
        await until(lambda: any(state == "failed" for state, _ in room.said(name)))
        await sensors.end_visit()
    assert room.samples("ecg-1") == list(range(500))
    (reason, *_) = [said for state, said in room.said(name) if state == "failed"]
    assert detail in reason
    assert "secret" not in reason
    assert not any(state == "failed" for state, _ in room.said("ecg-1"))


async def test_a_device_that_hangs_while_it_closes_does_not_hold_the_visit(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_WITHIN", 0.05)

    def stuck(_: Visit, clock: Clock) -> Driver:
        device = Device("stuck", clock, endless)
        device.close = asyncio.Event().wait
        return device

    async def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await released.wait()
        await released.wait()

    def stubborn_one(_: Visit, clock: Clock) -> Driver:
        device = Device("stubborn", clock, endless)
        device.close = stubborn
        return device

    released = asyncio.Event()
    room.factories = [stuck, stubborn_one, factory("ecg-1", endless)]
    async with room.running() as sensors:
        await sensors.start_visit()
        await room.pass_time(1.05, devices=3)
        await asyncio.wait_for(sensors.end_visit(), 5)
        released.set()
    assert room.samples("ecg-1") == room.samples("stuck") == list(range(250))
    assert room.held(Session)[-1].state == "ended"


# --- commands


async def test_commands_start_and_end_a_visit_and_a_repeated_one_is_obeyed_once(room: Room) -> None:
    def obeyed(command: str) -> Callable[[], bool]:
        return lambda: any(status.command == command for status in room.statuses)

    room.factories = [factory("ecg-1", endless)]
    async with room.running():
        start, stop = Command("c1", "start"), Command("c2", "stop")
        for _ in range(3):
            await send(room.bus, "k1", start)
        await until(obeyed("c1"))
        session = room.seated()
        await send(room.bus, "k1", Command("c1b", "start", device="ecg-1"))
        await send(room.bus, "other", Command("c1c", "cancel"))
        await room.bus.publish("kiosk/v1/k1/command/sensors", b"nonsense")
        for _ in range(2):
            await send(room.bus, "k1", stop)
        await until(obeyed("c2"))
        assert room.seated() is None
        # a copy that a reconnect brought once more must not seat a new visitor
        await send(room.bus, "k1", start)
        await send(room.bus, "k1", Command("c3", "start"))
        await until(obeyed("c3"))
        assert room.seated()
        await send(room.bus, "k1", Command("c4", "cancel"))
        await until(obeyed("c4"))
    sessions = room.held(Session)
    assert [each.state for each in sessions] == ["open", "ended", "open", "ended"]
    assert sessions[0].stream.session == session


async def test_a_start_during_a_visit_ends_it_first(room: Room) -> None:
    async with room.running() as sensors:
        first = await sensors.start_visit()
        second = await sensors.start_visit()
    assert [(each.stream.session, each.state) for each in room.held(Session)] == [
        (first, "open"), (first, "ended"), (second, "open"),
    ]  # fmt: skip


async def test_a_command_that_failed_is_not_called_obeyed(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    async with room.running() as sensors:
        with monkeypatch.context() as broken:
            broken.setattr(room.outbox, "open_session", full)
            await send(room.bus, "k1", Command("c1", "start"))
            await asyncio.sleep(0.15)
            assert not any(status.command for status in room.statuses)
        await send(room.bus, "k1", Command("c1", "start"))
        await until(lambda: sensors.visit)
    assert len(room.held(Session)) == 1


# --- crashes


async def test_a_visit_that_a_crash_interrupted_goes_on(room: Room, tmp_path: Path) -> None:
    room.factories = [factory("ecg-1", endless)]
    async with room.running() as sensors:
        session = await sensors.start_visit()
        await room.pass_time(1.05)
        # what kill -9 would leave on the disk
        image = tmp_path / "image"
        image.mkdir()
        for each in tmp_path.glob("outbox.*"):
            shutil.copy(each, image)
    room.path = image / "outbox.sqlite"
    room.restart()
    assert room.held(End) == []
    async with room.running() as sensors:
        assert sensors.visit
        assert sensors.visit.session == session
        await room.pass_time(1.05)
        await sensors.end_visit()
    runs = [end.stream.run for end in room.held(End, "ecg-1")]
    assert len(set(runs)) == 2
    chunks = room.held(Chunk)
    assert [chunk.seq for chunk in chunks if chunk.stream.run == runs[0]] == list(range(10))
    assert room.samples("ecg-1")[-250:] == list(range(250))
    # one time base: the second run lies after the first
    assert chunks[10].start >= chunks[9].start + 100_000_000
    assert len(room.held(Session)[-1].streams) == 2


async def test_after_a_reboot_an_open_visit_ends(room: Room) -> None:
    async with room.running() as sensors:
        await sensors.start_visit()
    room.restart(boot_id="boot-2")
    async with room.running() as sensors:
        assert sensors.visit is None
    assert [each.state for each in room.held(Session)] == ["open", "ended"]


async def test_a_service_that_stops_leaves_the_visit_open_and_its_samples_kept(room: Room) -> None:
    room.factories = [factory("ecg-1", endless)]
    async with room.running() as sensors:
        await sensors.start_visit()
        await room.pass_time(1.05)
    assert room.samples("ecg-1") == list(range(250))
    assert [each.state for each in room.held(Session)] == ["open"]
    assert room.said("sensors")[-1][0] == "stopped"


@pytest.mark.parametrize("part", ["sender", "committer"])
async def test_a_bug_in_the_service_itself_ends_it_and_does_not_hang(
    room: Room, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def bug(*_: object) -> None:
        raise RuntimeError("bug")

    room.factories = [factory("ecg-1", endless)]

    async def work() -> None:
        async with asyncio.timeout(10), room.running() as sensors:
            await sensors.start_visit()
            await until(lambda: room.clock._sleepers)
            if part == "committer":
                monkeypatch.setattr(room.outbox, "emit", bug)
            await room.clock.advance(1.05)
            if part == "sender":
                monkeypatch.setattr(room.outbox, "still", bug)
                monkeypatch.setattr(room.outbox, "waiting", bug)
            await asyncio.sleep(10)

    with pytest.raises(ExceptionGroup) as failed:
        await work()
    assert failed.group_contains(RuntimeError, match="bug")
    monkeypatch.undo()
    if part == "sender":
        assert room.samples("ecg-1") == list(range(250))


# --- trouble with the disk


def fill(room: Room) -> None:
    pages = room.outbox._db.execute("PRAGMA page_count").fetchone()[0]
    room.outbox._db.execute(f"PRAGMA max_page_count={pages}")


async def test_a_full_disk_keeps_everything_and_says_so(room: Room) -> None:
    room.factories = [factory("ecg-1", endless)]
    async with room.running() as sensors:
        await sensors.start_visit()
        await room.pass_time(1.05)
        fill(room)
        await room.clock.advance(20)
        await until(lambda: any("full" in detail for _, detail in room.said("sensors")))
        ending = asyncio.create_task(sensors.end_visit())
        await asyncio.sleep(0.1)
        assert not ending.done()
        room.outbox._db.execute("PRAGMA max_page_count=100000")
        await asyncio.wait_for(ending, 10)
        await until(lambda: room.said("sensors")[-1] == ("running", ""))
    assert room.samples("ecg-1") == list(range(21 * 250))
    assert [chunk.seq for chunk in room.held(Chunk)] == list(range(210))
    assert room.held(Session)[-1].state == "ended"


async def test_a_full_disk_does_not_keep_the_service_from_stopping(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_WITHIN", 0.05)
    room.factories = [factory("ecg-1", endless)]
    async with asyncio.timeout(10), room.running() as sensors:
        await sensors.start_visit()
        await room.pass_time(1.05)
        fill(room)
        await room.clock.advance(20)


async def test_a_flush_does_not_wait_for_those_who_never_stop_talking(room: Room) -> None:
    committer = Committer(room.outbox, room.sensors.sender)
    message = Event(_stream(), 0, "moved", 0)
    running = asyncio.create_task(committer.run())

    async def talk() -> None:
        while True:
            await committer.put(message)
            await asyncio.sleep(0.0001)

    talking = asyncio.create_task(talk())
    for _ in range(5):
        await asyncio.wait_for(committer.flush(), 2)
    for task in (talking, running):
        task.cancel()
    await asyncio.wait([talking, running])


async def test_one_message_that_cannot_be_emitted_does_not_hold_the_others(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    committer = Committer(room.outbox, room.sensors.sender)
    monkeypatch.setattr(room.outbox, "check", lambda _: None)
    for number in range(10):
        await committer.put(Event(_stream(), 0, "moved", 10**18 if number == 4 else number))
    running = asyncio.create_task(committer.run())
    await asyncio.wait_for(committer.flush(), 5)
    running.cancel()
    await asyncio.wait([running])
    events: Sequence[Event] = room.held(Event)
    assert [(event.seq, event.time) for event in events] == list(
        enumerate(number for number in range(10) if number != 4)
    )


def _stream() -> Stream:
    return Stream("s1", "d1", "events", "r1")

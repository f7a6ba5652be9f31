"""The camera as a device: true times, budgets, a slow observer, failures, and nothing of a picture in what it emits."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from kiosk.bus import MemoryBus
from kiosk.errors import BadSettings, DriverFailed
from kiosk.messages import SECOND, Chunk, End, Event, Message, Origin, Stream, check, decode
from kiosk.signals import MOTION_CHANNELS, RGB_CHANNELS, SIGNALS, UNIT_CHANNELS
from sensors.clock import Clock, SystemClock
from sensors.driver import Block, DriverFactory, Item, Mark, Stamper, Visit
from sensors.drivers.camera.devices import camera, is_played, source_of
from sensors.drivers.camera.driver import Camera, Cameras
from sensors.drivers.camera.exposure import Exposure
from sensors.drivers.camera.pace import Pace
from sensors.drivers.camera.watch import most_rate
from sensors.face.seen import Frame, Pixels, Sight
from sensors.frames.latest import Latest
from sensors.frames.played import Played
from sensors.outbox import Outbox
from sensors.registry import resolve
from sensors.service import Sensors
from tests.sensors.station.portrait import film, number_of, numbered

PLAIN = np.full((48, 64, 3), 100, np.uint8)
SCORES = ("net.happiness", "net.neutral", "net.valence")
CLOCK = SystemClock()


class Looker:
    """An observer whose sights can be foretold: the first colour is the number in the picture's corner."""

    def __init__(self, *, takes: float = 0.0, fails_at: int | None = None, scores: tuple[str, ...] = SCORES) -> None:
        self.score_channels = scores
        self.takes, self.fails_at = takes, fails_at
        self.closed = threading.Event()
        self.threads: set[int] = set()
        self.seen = 0

    def see(self, frame: Frame) -> Sight:
        self.threads.add(threading.get_ident())
        time.sleep(self.takes)
        number = number_of(frame.pixels)
        if number == self.fails_at:
            raise ValueError(f"a bug, and what it was looking at: {frame.pixels.tobytes().hex()}")
        self.seen += 1
        face = self.seen % 2 == 0
        rgb = np.full(len(RGB_CHANNELS), number, np.float32)
        return Sight(
            frame.at, rgb, np.ones(len(MOTION_CHANNELS), np.float32),
            units=np.zeros(len(UNIT_CHANNELS), np.float32) if face else None,
            scores=np.full(len(self.score_channels), 0.5, np.float32) if self.seen % 5 == 0 else None,
            marks=(("visitor_changed", "somebody else"),) if number == 4 else (),
        )  # fmt: skip

    def close(self) -> None:
        self.closed.set()


class Script:
    """A source that puts in pictures at given moments since it began, and may fail after them."""

    simulated = True
    trouble = ""

    def __init__(
        self, clock: Clock, moments: Iterable[float], *, picture: Pixels = PLAIN, failure: str = "", wait: bool = True
    ) -> None:
        self.clock, self.moments, self.picture = clock, moments, picture
        self.failure, self.wait = failure, wait
        self.entered = self.left = self.fetched = 0
        self.sights: list[Sight] = []

    async def __aenter__(self) -> Self:
        self.entered += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.left += 1

    async def feed(self, into: Latest) -> None:
        start = self.clock.now()
        for number, moment in enumerate(self.moments):
            at = start + round(moment * SECOND)
            if self.wait:
                await self.clock.sleep_until(at)
            else:
                # as fast as they are looked at, with times of their own
                while self.fetched < number:
                    await asyncio.sleep(0.001)
            into.put_packed(partial(self.fetch, at, number))
        if self.failure:
            raise DriverFailed(self.failure)

    def fetch(self, at: int, number: int) -> Frame:
        self.fetched += 1
        return Frame(at, numbered(self.picture, number))

    def saw(self, sight: Sight) -> None:
        self.sights.append(sight)


async def items_of(driver: Camera) -> list[Item]:
    async with driver:
        return [item async for item in driver.items()]


def of(items: list[Item], signal: str) -> tuple[list[int], list[float]]:
    blocks = [item for item in items if isinstance(item, Block) and item.signal == signal]
    times = [int(at) for block in blocks for at in (block.times if block.times is not None else ())]
    return times, [float(value) for block in blocks for value in block.samples[:, 0]]


async def test_what_leaves_has_the_times_of_the_pictures() -> None:
    looker, sources = Looker(), []
    moments = [0, 0.033, 0.07, 0.2, 0.21, 0.3, 0.34, 0.4, 0.45, 0.5]

    def source(clock: Clock) -> Script:
        sources.append(Script(clock, moments, wait=False))
        return sources[-1]

    items = await items_of(Camera(CLOCK, source, lambda: looker, score_channels=SCORES))
    # one of them came 10 ms after another: more than the wire has room for
    shown = [0, 1, 2, 3, 5, 6, 7, 8, 9]
    times, numbers = of(items, "rgb")
    assert numbers == shown
    assert np.diff(times).tolist() == np.diff([round(moments[each] * 1e9) for each in shown]).tolist()
    assert of(items, "face_motion")[0] == times
    assert of(items, "face_units")[0] == times[1::2]
    assert of(items, "face_scores")[0] == times[4::5]
    marks = [item for item in items if isinstance(item, Mark)]
    assert [(mark.event, mark.detail) for mark in marks] == []
    assert [sight.at for sight in sources[0].sights] == times
    assert (sources[0].entered, sources[0].left) == (1, 1)
    assert looker.closed.is_set()
    assert len(looker.threads) == 1
    assert threading.get_ident() not in looker.threads


async def test_what_the_observer_marks_is_an_event_at_its_picture() -> None:
    items = await items_of(
        Camera(CLOCK, lambda clock: Script(clock, np.arange(8) / 30, wait=False), Looker, score_channels=SCORES)
    )
    marks = [item for item in items if isinstance(item, Mark)]
    assert [(mark.event, mark.detail, mark.read_at) for mark in marks] == [
        ("visitor_changed", "somebody else", of(items, "rgb")[0][4])
    ]


async def test_a_slow_observer_drops_pictures_counts_them_and_leaves_the_loop_alone() -> None:
    looker = Looker(takes=0.25)
    driver = Camera(CLOCK, lambda clock: Script(clock, np.arange(30) / 30), lambda: looker, score_channels=SCORES)
    longest = 0.0

    async def watch_the_loop() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - before)

    watching = asyncio.create_task(watch_the_loop())
    items = await items_of(driver)
    watching.cancel()
    times, numbers = of(items, "rgb")
    assert 3 <= len(times) <= 8
    assert driver.dropped == 30 - len(times)
    # each kept its own time: what it is seen late by does not matter
    first = times[0] - round(numbers[0] / 30 * 1e9)
    expected = [first + round(number / 30 * 1e9) for number in numbers]
    assert max(abs(at - should) for at, should in zip(times, expected, strict=True)) < 1000
    assert longest < 0.2


async def test_rates_that_the_wire_has_no_room_for_are_thinned() -> None:
    most = most_rate(tuple(f"net.{number}" for number in range(24)))
    assert 60 < most < 72
    looker = Looker(scores=tuple(f"net.{number}" for number in range(24)))
    source = lambda clock: Script(clock, np.arange(240) / 120, wait=False)  # noqa: E731
    driver = Camera(CLOCK, source, lambda: looker, score_channels=looker.score_channels)
    origin = Origin(1, CLOCK.now(), "boot")
    stampers = {port.signal: Stamper(Stream("s", "camera", port.signal, "r"), port, origin) for port in driver.ports}
    chunks: list[Chunk] = []
    for item in await items_of(driver):
        if isinstance(item, Block):
            chunks += stampers[item.signal].stamp(item)
    for stamper in stampers.values():
        chunks += stamper.flush()
    assert {chunk.name for chunk in chunks} == {"rgb", "face_motion", "face_units", "face_scores"}
    for chunk in chunks:
        check(chunk)
    rgb = [chunk for chunk in chunks if chunk.name == "rgb"]
    assert sum(chunk.count for chunk in rgb) == 120


async def test_no_signal_exceeds_its_budget_at_the_fastest_rate() -> None:
    for scores in ((), SCORES, tuple(f"net.{number}" for number in range(24))):
        widths = {"rgb": 20, "face_motion": 12, "face_units": 19, "face_scores": len(scores)}
        for signal, width in widths.items():
            assert (most_rate(scores) + 1) * (4 * width + 4) <= SIGNALS[signal].budget


async def test_a_source_that_fails_fails_the_run_after_its_last_picture() -> None:
    looker = Looker()
    driver = Camera(
        CLOCK, lambda clock: Script(clock, [0, 0.04, 0.08], wait=False, failure="the camera went away"),
        lambda: looker, score_channels=SCORES,
    )  # fmt: skip
    items: list[Item] = []

    async def run() -> None:
        async with driver:
            async for item in driver.items():
                items.append(item)  # noqa: PERF401

    with pytest.raises(DriverFailed, match="the camera went away"):
        await run()
    assert of(items, "rgb")[1] == [0, 1, 2]
    assert looker.closed.is_set()


async def test_a_bug_in_the_observer_is_told_without_the_picture(caplog: pytest.LogCaptureFixture) -> None:
    looker = Looker(fails_at=2)
    driver = Camera(
        CLOCK, lambda clock: Script(clock, np.arange(9) / 30, wait=False), lambda: looker, score_channels=SCORES
    )
    with caplog.at_level(logging.DEBUG), pytest.raises(DriverFailed, match="looking at a picture failed: ValueError"):
        await asyncio.wait_for(items_of(driver), 5)
    assert "ValueError at see:" in caplog.text
    assert PLAIN[20:24].tobytes().hex() not in caplog.text
    assert looker.closed.is_set()


async def test_networks_that_were_added_meanwhile_are_there_in_the_next_run() -> None:
    installed: tuple[str, ...] = SCORES
    cameras = Cameras(
        lambda clock: Script(clock, np.arange(6) / 30, wait=False),
        lambda: Looker(scores=installed), score_channels=SCORES,
    )  # fmt: skip
    visit = Visit("s", Origin(1, CLOCK.now(), "boot"), simulated=True)
    installed = ("other.anger",)
    with pytest.raises(DriverFailed, match="networks have changed"):
        await asyncio.wait_for(items_of(cameras(visit, CLOCK)), 5)
    driver = cameras(visit, CLOCK)
    assert driver.ports[-1].channels == ("other.anger",)
    assert len(of(await items_of(driver), "face_scores")[0]) == 1
    installed = ()
    with pytest.raises(DriverFailed):
        await asyncio.wait_for(items_of(cameras(visit, CLOCK)), 5)
    assert [port.signal for port in cameras(visit, CLOCK).ports] == ["rgb", "face_motion", "face_units"]


def test_more_scores_than_the_wire_takes_are_refused_at_the_start() -> None:
    too_many = tuple(f"net.{number}" for number in range(25))
    with pytest.raises(BadSettings, match="25 outputs, at most 24"):
        camera("0", looker=lambda: Looker(scores=too_many))


async def test_leaving_in_the_middle_of_a_picture_ends_soon_and_gives_everything_back() -> None:
    looker, sources = Looker(takes=0.2), []

    def source(clock: Clock) -> Script:
        sources.append(Script(clock, np.arange(3000) / 30))
        return sources[-1]

    driver = Camera(CLOCK, source, lambda: looker, score_channels=SCORES)
    started = time.monotonic()
    async with driver:
        async for _ in driver.items():
            break
    assert time.monotonic() - started < 1.5
    assert looker.closed.is_set()
    assert sources[0].left == 1
    assert not [task for task in asyncio.all_tasks() if "feed" in task.get_name()]


# --- what an operator names


def test_a_camera_is_named_by_number_device_file_folder_or_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = film(tmp_path / "a.mkv", [PLAIN])
    assert not source_of("0")(CLOCK).simulated
    assert not source_of("/dev/video2")(CLOCK).simulated
    assert source_of(str(path))(CLOCK).simulated
    assert source_of(str(tmp_path))(CLOCK).simulated
    # a folder may be named by a number that is no camera's
    monkeypatch.chdir(tmp_path)
    for name in ("1234", "²", "12"):
        Path(name).mkdir()
        assert source_of(name)(CLOCK).simulated == is_played(name) == (name != "12")
    for name in ("1234", "²"):
        Path(name).rmdir()
    for wrong in ("", "nothing-there.mp4", "12345", "²"):
        with pytest.raises(BadSettings, match=r"camera '.*': no number"):
            source_of(wrong)
    with pytest.raises(BadSettings, match="needs the page"):
        source_of("page")


def test_the_registry_knows_the_camera() -> None:
    assert resolve("camera") is camera


# --- exposure and pace


ROOM = np.random.default_rng(5).uniform(40, 150, (12, 16, 1)).repeat(20, axis=0).repeat(20, axis=1) * np.ones(3)


def shown(factor: float, at: float, *, moved: int = 0) -> Frame:
    room = ROOM.copy()
    room[60 + moved : 180 + moved, 100 + moved : 200 + moved] = 90
    return Frame(round(at * 1e9), np.clip(room * factor, 0, 255).astype(np.uint8))


def jumps(factors: list[float], *, moved: Iterator[int] | None = None) -> list[tuple[int, float]]:
    exposure = Exposure()
    found = []
    for number, factor in enumerate(factors):
        jump = exposure.jump(shown(factor, number / 30, moved=next(moved) if moved else 0))
        if jump is not None:
            found.append((number, jump))
    return found


def test_a_jump_of_the_exposure_is_found_with_its_size() -> None:
    for factor in (0.8, 0.95, 1.06, 1.3):
        [(number, jump)] = jumps([1.0] * 30 + [factor] * 60)
        assert number == 30
        assert jump == pytest.approx(factor, abs=0.012)


def test_a_correction_over_some_pictures_is_told_once() -> None:
    ramp = [1 + 0.01 * step for step in range(11)]
    [(number, _)] = jumps([1.0] * 30 + ramp + [1.1] * 20)
    assert 32 <= number <= 36


def test_a_pulse_a_slow_drift_and_a_person_who_moves_are_no_jumps() -> None:
    seconds = np.arange(120) / 30
    assert jumps(list(1 + 0.005 * np.sin(2 * np.pi * 1.2 * seconds))) == []
    assert jumps(list(1 + 0.02 * seconds / 4)) == []
    assert jumps([1.0] * 60, moved=iter(range(60))) == []


def test_dark_bright_and_odd_pictures_are_no_jumps() -> None:
    exposure = Exposure()
    for value, shape in ((0, (48, 64)), (255, (48, 64)), (100, (480, 640)), (120, (7, 9)), (130, (2, 2))):
        assert exposure.jump(Frame(value, np.full((*shape, 3), value, np.uint8))) is None


async def test_a_jump_is_marked() -> None:
    class Darker(Script):
        async def feed(self, into: Latest) -> None:
            for number in range(20):
                while into.taken - len(self.sights) > 1:
                    await asyncio.sleep(0.001)
                at = self.clock.now() + number * SECOND // 30
                into.put(Frame(at, shown(1.0 if number < 10 else 0.8, 0).pixels))

    items = await items_of(Camera(CLOCK, lambda clock: Darker(clock, ()), Looker, score_channels=SCORES))
    marks = [item for item in items if isinstance(item, Mark) and item.event == "exposure_changed"]
    assert [mark.detail for mark in marks] == ["-20%"]
    assert marks[0].read_at == of(items, "rgb")[0][10]


def test_a_steady_camera_is_no_trouble_and_a_slow_one_is_said_in_words() -> None:
    steady, slow, dropping = Pace(), Pace(), Pace()
    for number in range(300):
        steady.note(number * SECOND // 30, number, number // 20)
        slow.note(number * SECOND // 10, number, 0)
        dropping.note(number * SECOND // 20, 3 * number // 2, number // 2)
    assert steady.trouble() == ""
    assert slow.trouble() == "10 pictures a second, at least 15 are needed"
    assert dropping.trouble() == "33% of the pictures are passed over: this machine is too slow for them"


def test_nothing_is_said_of_the_first_moments() -> None:
    pace = Pace()
    assert pace.trouble() == ""
    pace.note(0, 1, 0)
    pace.note(2 * SECOND, 2, 1)
    assert pace.trouble() == ""


# --- from a file to the outbox


class Room:
    """A kiosk with a camera, on the machine's clock."""

    def __init__(self, folder: Path, factories: list[DriverFactory]) -> None:
        self.path = folder / "outbox.sqlite"
        self.outbox = Outbox(self.path, "k1", limit=50_000_000)
        self.sensors = Sensors(
            kiosk="k1", bus=MemoryBus(), outbox=self.outbox, clock=CLOCK, visitor=lambda: factories, simulated=True
        )

    def held(self) -> list[Message]:
        return [decode(item.topic, item.payload)[1] for item in self.outbox.waiting(0, 100_000)]


@asynccontextmanager
async def _visit(room: Room) -> AsyncIterator[str]:
    yield await room.sensors.start_visit()
    await room.sensors.end_visit()


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_two_visits_in_a_row_each_end_cleanly_and_hold_no_byte_of_a_picture(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noise = np.random.default_rng(8).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    path = film(tmp_path / "visit.mkv", [numbered(noise, number) for number in range(31)])
    made: list[Looker] = []

    def looker() -> Looker:
        made.append(Looker())
        return made[-1]

    with caplog.at_level(logging.DEBUG):
        room = Room(tmp_path, camera(str(path), looker=looker))
        sessions = []
        async with room.sensors.running():
            for _ in range(2):
                async with _visit(room) as session:
                    sessions.append(session)
                    await room.sensors.devices_finished()
        messages = room.held()
        room.outbox.close()
    for session in sessions:
        chunks = [m for m in messages if isinstance(m, Chunk) and m.stream.session == session]
        rgb = [chunk for chunk in chunks if chunk.name == "rgb"]
        numbers = np.concatenate([chunk.values()[:, 0] for chunk in rgb])
        times = np.concatenate([chunk.times() for chunk in rgb])
        # the file's times: the pictures' own steps, to the wire's microsecond, whatever gave way
        assert len(numbers) > 20
        assert np.abs(np.diff(times) - np.diff(numbers) * 1e9 / 30).max() < 1.1e6
        ends = {m.stream.signal: m.last for m in messages if isinstance(m, End) and m.stream.session == session}
        assert {"rgb", "face_motion", "face_units", "face_scores"} <= ends.keys()
        assert ends["rgb"] == len(rgb) - 1
        assert {chunk.stream.device for chunk in chunks} == {"camera"}
        events = [m for m in messages if isinstance(m, Event) and m.stream.session == session]
        assert [event.event for event in events] == ["visitor_changed"]
    assert len(made) == 3
    assert all(each.closed.is_set() for each in made)
    stored = b"".join(each.read_bytes() for each in tmp_path.iterdir() if each.name.startswith("outbox"))
    for row in noise[20::9]:
        assert row.tobytes()[:16] not in stored
        assert row.tobytes()[:16].hex() not in caplog.text


async def test_a_damaged_film_fails_in_words_and_the_visit_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "bad.mp4"
    path.write_bytes(b"")
    room = Room(tmp_path, camera(str(path), looker=Looker))
    async with room.sensors.running(), _visit(room):
        await until(lambda: "camera" in room.sensors._statuses and room.sensors._statuses["camera"].state == "failed")
        assert room.sensors._statuses["camera"].detail == "bad.mp4: is empty"
        assert room.sensors.visit is not None
    room.outbox.close()


async def test_a_film_is_played_in_its_own_time(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", [numbered(PLAIN, number) for number in range(16)], rate=30)
    into = Latest(depth=100)
    async with Played(path, CLOCK) as source:
        started = CLOCK.now()
        await source.feed(into)
        took = CLOCK.now() - started
    assert 0.5e9 <= took < 1.5e9
    into.end()
    frames = []
    while (frame := into.get()) is not None:
        frames.append(frame)
    assert [number_of(frame.pixels) for frame in frames] == list(range(16))
    steps = np.diff([frame.at for frame in frames])
    assert np.abs(steps - 1e9 / 30).max() < 1.1e6
    assert started <= frames[0].at <= started + 0.5e9

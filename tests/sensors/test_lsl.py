"""The LSL driver: on senders of our own on this machine, unseen by any other, and on one that does what a test says."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import aclosing
from itertools import count
from uuid import uuid4

import numpy as np
import pylsl
import pytest
from numpy.typing import NDArray

from kiosk.errors import DriverFailed
from kiosk.messages import SECOND, Chunk, Origin, Stream
from sensors.clock import SystemClock
from sensors.driver import Block, DriverFactory, Item, Mark, Port, Stamper, Visit
from sensors.drivers.lsl import driver as made
from sensors.drivers.lsl.driver import Lsl
from sensors.drivers.lsl.library import Heard, Inlet, Network
from sensors.drivers.lsl.network import Listening, lsl
from sensors.drivers.lsl.stream import Channel, Found, Wanted, reading, wanted
from sensors.registry import resolve

pylsl.set_config_content(
    "[lab]\nKnownPeers = {127.0.0.1}\nSessionID = " + uuid4().hex + "\n[multicast]\nResolveScope = machine\n"
    "[ports]\nIPv6 = disable\n[log]\nlevel = -2\n"
)
CLOCK = SystemClock()
IDS = count()


def visit() -> Visit:
    """A visit that begins now."""
    return Visit("s" * 32, Origin(CLOCK.utc(), CLOCK.now(), CLOCK.boot_id), simulated=True)


async def taken(device: Lsl, enough: Callable[[list[Item]], bool]) -> list[Item]:
    """What a device says until it is enough, or its end."""
    items: list[Item] = []
    async with device, aclosing(device.items()) as coming:  # type: ignore[type-var]
        async for item in coming:
            items.append(item)
            if enough(items):
                break
    return items


def blocks_of(items: list[Item], signal: str = "eeg") -> list[Block]:
    """The blocks of a signal."""
    return [item for item in items if isinstance(item, Block) and item.signal == signal]


def values_of(items: list[Item], signal: str = "eeg") -> list[float]:
    """The first channel's samples."""
    return [value for block in blocks_of(items, signal) for value in block.samples[:, 0].tolist()]


def marks_of(items: list[Item]) -> list[str]:
    """The events that were marked."""
    return [item.event for item in items if isinstance(item, Mark)]


def amount(number: int, signal: str = "eeg") -> Callable[[list[Item]], bool]:
    """Enough: so many samples."""
    return lambda items: len(values_of(items, signal)) >= number


# ---- real senders


def outlet(
    type_: str = "EEG", rate: float = 250.0, *, name: str = "", source: str = "",
    labels: tuple[str, ...] = ("F3", "F4"), unit: str = "microvolts", format_: str = "float32",
) -> pylsl.StreamOutlet:  # fmt: skip
    """A sender on this machine."""
    info = pylsl.StreamInfo(name or f"amp-{next(IDS)}", type_, len(labels), rate, format_, source)
    described = info.desc().append_child("channels")
    for label in labels:
        channel = described.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", unit)
    return pylsl.StreamOutlet(info)


@pytest.fixture
def listening() -> Iterator[Callable[[str], Listening]]:
    """Listens, until the test ends."""
    open_: list[Listening] = []

    def listen(text: str = "") -> Listening:
        open_.append(Listening(Heard, wanted(text)))
        return open_[-1]

    yield listen
    for each in open_:
        each.close()


def run_of(factory: DriverFactory) -> Lsl:
    """A run."""
    device = factory(visit(), CLOCK)
    assert isinstance(device, Lsl)
    return device


async def sending(sender: pylsl.StreamOutlet, *, rate: float = 250.0, first: int = 0, channels: int = 2) -> None:
    """Samples 0, 1, 2 ... as they fall due, with exact stamps."""
    begun = pylsl.local_clock()
    done = 0
    while True:
        due = int((pylsl.local_clock() - begun) * rate)
        for i in range(done, due):
            sender.push_sample([float(first + i)] * channels, begun + i / rate)
        done = due
        await asyncio.sleep(0.01)


async def test_a_stream_comes_with_its_names_and_units_and_each_sample_once(
    listening: Callable[[str], Listening],
) -> None:
    name = f"amp-{uuid4().hex[:8]}"
    sender = outlet(name=name, source="amp-1", unit="V")
    heard = listening(f"name={name}")
    await asyncio.to_thread(heard.settle, 10.0)
    device = run_of(heard.devices()[0])
    assert device.name == f"lsl-{name}"
    assert device.ports == (Port("eeg", ("F3", "F4"), 250.0),)
    async with device:
        pushing = asyncio.create_task(sending(sender))
        items: list[Item] = []
        async with aclosing(device.items()) as coming:  # type: ignore[type-var]
            async for item in coming:
                items.append(item)
                if len(values_of(items)) >= 400:
                    break
        pushing.cancel()
    values = values_of(items)
    np.testing.assert_allclose(values, 1e6 * (np.arange(len(values)) + values[0] / 1e6), rtol=1e-5)
    assert device.trouble == ""
    assert items[0].event == "lsl_stream"  # type: ignore[union-attr]
    # a sample is stamped when it was taken, not when it was read
    assert all(block.read_at <= CLOCK.now() for block in blocks_of(items))


async def test_a_sender_that_starts_again_is_taken_up_and_nothing_comes_twice(
    listening: Callable[[str], Listening],
) -> None:
    source = uuid4().hex
    sender = outlet(name="again", source=source)
    heard = listening(f"source_id={source}")
    await asyncio.to_thread(heard.settle, 10.0)
    device = run_of(heard.devices()[0])
    items: list[Item] = []

    async def collect() -> None:
        async for item in device.items():
            items.append(item)  # noqa: PERF401 - looked at while it grows

    async with device:
        collecting = asyncio.create_task(collect())
        pushing = asyncio.create_task(sending(sender))
        await until(lambda: len(values_of(items)) > 50)
        pushing.cancel()
        del sender
        await asyncio.sleep(0.3)
        before = len(values_of(items))
        sender = outlet(name="again", source=source)
        pushing = asyncio.create_task(sending(sender, first=100_000))
        await until(lambda: len(values_of(items)) > before + 100)
        pushing.cancel()
        collecting.cancel()
        await asyncio.wait([collecting])
    values = values_of(items)
    assert (np.diff(values) >= 1).all()
    assert len(set(values)) == len(values)
    assert max(values) > 100_000
    times = [block.read_at for block in blocks_of(items)]
    assert times == sorted(times)


async def until(there: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something."""
    async with asyncio.timeout(seconds):
        while not there():
            await asyncio.sleep(0.02)


async def test_a_stream_that_is_not_there_is_a_failure_until_it_is(listening: Callable[[str], Listening]) -> None:
    name = f"late-{uuid4().hex[:8]}"
    heard = listening(f"name={name}")
    factory = heard.devices()[0]
    with pytest.raises(DriverFailed, match=f"no LSL stream name={name} on the network"):
        factory(visit(), CLOCK)
    sender = outlet(name=name)
    await asyncio.to_thread(heard.settle, 10.0)
    device = run_of(factory)
    assert device.ports[0].signal == "eeg"
    del sender


async def test_marks_of_texts_come_as_events_bounded_and_in_one_line(listening: Callable[[str], Listening]) -> None:
    name = f"marks-{uuid4().hex[:8]}"
    sender = outlet("Markers", 0.0, name=name, labels=("m",), format_="string")
    heard = listening(f"name={name}")
    await asyncio.to_thread(heard.settle, 10.0)
    device = run_of(heard.devices()[0])
    assert device.ports == ()
    async with device:
        for text in ("eyes closed", "a\nb\x00c", "x" * 100_000, "äöü"):
            sender.push_sample([text])
        items: list[Item] = []
        async with aclosing(device.items()) as coming:  # type: ignore[type-var]
            async for item in coming:
                items.append(item)
                if marks_of(items).count("lsl_mark") == 4:
                    break
    details = [item.detail for item in items if isinstance(item, Mark) and item.event == "lsl_mark"]
    assert details == ["eyes closed", "a b c", "x" * 200, "äöü"]


async def test_two_streams_of_one_description_are_refused_and_one_is_read_once(
    listening: Callable[[str], Listening],
) -> None:
    tag = uuid4().hex[:8]
    senders = [outlet(name=f"{tag}-{i}", source=f"{tag}{i}") for i in range(2)]
    heard = listening(f"name={tag}-*")
    await until(lambda: len(heard.there()) == 2)
    with pytest.raises(DriverFailed, match=r"2 LSL streams are .*add name= or source_id="):
        heard.devices()[0](visit(), CLOCK)
    one = listening(f"name={tag}-1, source_id={tag}1")
    await asyncio.to_thread(one.settle, 10.0)
    first, second = one.devices()
    device = run_of(first)
    async with device:
        with pytest.raises(DriverFailed, match="is read already"):
            second(visit(), CLOCK)
    assert run_of(second).name == device.name
    del senders


async def test_without_names_every_stream_of_a_known_type_is_read(listening: Callable[[str], Listening]) -> None:
    tag = uuid4().hex[:8]
    senders = [
        outlet(name=f"{tag} eeg", source="a"),
        outlet("GSR", 10.0, name=f"{tag} gsr", labels=("a",), unit="uS"),
        outlet("Weather", 10.0, name=f"{tag} weather", labels=("a",)),
    ]
    heard = listening("")
    await until(lambda: sum(tag in found.name for found in heard.there()) == 2)
    devices = {device.name: device.ports for device in map(run_of, heard.devices()) if tag in device.name}
    assert {name: ports[0].signal for name, ports in devices.items()} == {
        f"lsl-{tag}-eeg": "eeg",
        f"lsl-{tag}-gsr": "eda",
    }
    del senders


async def test_the_makers_of_the_registry_listen() -> None:
    assert resolve("lsl") is lsl
    device = await asyncio.to_thread(lsl, "name=nobody", wait=0.1)
    with pytest.raises(DriverFailed, match="no LSL stream name=nobody"):
        device[0](visit(), CLOCK)


# ---- a sender that does what a test says


class Fake:
    """An inlet: what it delivers is put into it, on a clock that may differ from ours."""

    def __init__(self, *, ahead: float = 0.0) -> None:
        self.ahead = ahead
        self.waiting: deque[tuple[NDArray[np.generic], NDArray[np.float64]]] = deque()
        self.reset = False
        self.closed = False
        self.failure: Exception | None = None

    def push(self, values: NDArray[np.generic], ages: NDArray[np.float64] | None = None) -> None:
        """Samples that were taken so many seconds ago."""
        ages = np.zeros(len(values)) if ages is None else ages
        self.waiting.append((values, self.now() - ages + self.ahead))

    def open(self) -> None:
        return None

    def pull(self) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
        if self.failure is not None:
            raise self.failure
        return self.waiting.popleft() if self.waiting else (np.empty((0, 1)), np.empty(0))

    def correction(self) -> float | None:
        return -self.ahead

    def now(self) -> float:
        return time.monotonic()

    def was_reset(self) -> bool:
        was, self.reset = self.reset, False
        return was

    def close(self) -> None:
        self.closed = True


def of(inlet: Fake, type_: str = "EEG", rate: float = 250.0, *, gone: float = 20.0, unit: str = "uV") -> Lsl:
    """A run of a stream of one channel."""
    found = Found("u", "amp", type_, "s", "lab", 1, rate, type_ == "Markers", (Channel("Fz", unit),))
    return Lsl("lsl-amp", reading(found, Wanted()), lambda: inlet, CLOCK, rate=rate or None, gone=gone)


def column(values: NDArray[np.float64] | range) -> NDArray[np.float64]:
    """As samples of one channel."""
    return np.array(values, dtype=np.float64)[:, None]


async def test_samples_keep_their_own_times_whatever_the_senders_clock_says() -> None:
    for ahead in (0.0, 5000.0, -1e6):
        inlet = Fake(ahead=ahead)
        begun = CLOCK.now()
        inlet.push(column(range(100)), np.arange(100, 0, -1) / 250)
        blocks = blocks_of(await taken(of(inlet), amount(100)))
        assert blocks[0].read_at == pytest.approx(begun, abs=0.05 * SECOND)
        assert inlet.closed


async def test_stamps_of_another_clock_are_not_believed() -> None:
    inlet = Fake()
    inlet.push(column(range(100)), np.arange(100, 0, -1) / 250 - 1.7e9)
    device = of(inlet)
    begun = CLOCK.now()
    blocks = blocks_of(await taken(device, amount(100)))
    assert begun <= blocks[0].read_at <= CLOCK.now()
    assert "timed by their arrival" in device.trouble


async def test_a_clock_that_jumps_is_marked_and_followed() -> None:
    inlet = Fake()
    device = of(inlet)
    items: list[Item] = []

    def enough(all_: list[Item]) -> bool:
        items[:] = all_
        if len(values_of(all_)) == 100 and inlet.ahead == 0:
            inlet.ahead, inlet.reset = 77.0, True
            inlet.push(column(range(100, 200)), np.arange(100, 0, -1) / 250)
        return len(values_of(all_)) >= 200

    inlet.push(column(range(100)), np.arange(100, 0, -1) / 250 + 0.5)
    await taken(device, enough)
    jumps = [item.detail for item in items if isinstance(item, Mark) and item.event == "lsl_clock_jump"]
    assert jumps == ["-77.000 s"]
    first, second = (blocks_of(items)[0], blocks_of(items)[-1])
    assert 0.4 * SECOND < second.read_at - first.read_at < 2 * SECOND
    assert values_of(items) == list(range(200))


async def test_what_was_handed_on_before_a_break_does_not_come_twice() -> None:
    inlet = Fake()
    device = of(inlet)
    stamps = inlet.now() - np.arange(140, 0, -1) / 250
    inlet.waiting.append((column(range(100)), stamps[:100]))
    again = False

    def enough(items: list[Item]) -> bool:
        nonlocal again
        if len(values_of(items)) == 100 and not again:
            again = inlet.reset = True
            # the sender repeats its last forty, and goes on
            inlet.waiting.append((column(range(60, 140)), stamps[60:]))
        return len(values_of(items)) >= 140

    values = values_of(await taken(device, enough))
    assert values == list(range(140))
    assert "40 samples left out" in device.trouble


async def test_silence_is_marked_and_a_stream_that_stays_silent_is_given_up() -> None:
    inlet = Fake()
    inlet.push(column(range(10)))
    device = of(inlet, gone=0.5)
    seen: list[Item] = []

    def never(items: list[Item]) -> bool:
        seen[:] = items
        return False

    with pytest.raises(DriverFailed, match="no samples for"):
        await taken(device, never)
    assert len(values_of(seen)) == 10
    assert inlet.closed


async def test_a_stream_that_falls_silent_and_comes_back_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "SILENT", 0.2)
    inlet = Fake()
    inlet.push(column(range(10)))
    device = of(inlet)

    def enough(items: list[Item]) -> bool:
        if marks_of(items)[-1] == "lsl_silent":
            assert "silent" in device.trouble
            inlet.push(column(range(10, 20)), np.arange(10, 0, -1) / 250)
        return len(values_of(items)) >= 20

    items = await taken(device, enough)
    assert marks_of(items) == ["lsl_stream", "lsl_silent", "lsl_back"]
    assert values_of(items) == list(range(20))


async def test_missing_samples_of_precise_stamps_are_lost_ones() -> None:
    inlet = Fake()
    kept = [i for i in range(600) if not 400 <= i < 405]
    inlet.push(column(np.array(kept, dtype=float)), (600 - np.array(kept)) / 250)
    device = of(inlet)
    session = visit()
    stamper = Stamper(Stream(session.session, device.name, "eeg", "r1"), device.ports[0], session.origin)
    chunks: list[Chunk] = []
    for block in blocks_of(await taken(device, amount(595))):
        chunks += stamper.stamp(block)
    chunks += stamper.flush()
    values = np.concatenate([chunk.values()[:, 0] for chunk in chunks])
    expected = np.arange(600.0)
    expected[400:405] = np.nan
    np.testing.assert_array_equal(values, expected.astype(np.float32))
    assert "5 samples missing" in device.trouble


async def test_irregular_samples_have_their_own_times() -> None:
    inlet = Fake()
    ages = np.array([3.0, 2.2, 1.3, 0.4])
    inlet.push(column(np.array([800.0, 810.0, 900.0, 905.0])), ages)
    begun = CLOCK.now()
    items = await taken(of(inlet, "RR", 0.0, unit="ms"), amount(4, "rr"))
    times = np.concatenate([block.times for block in blocks_of(items, "rr") if block.times is not None])
    np.testing.assert_allclose((times - begun) / SECOND, -ages, atol=0.05)


async def test_nan_is_a_lost_sample_and_stamps_that_are_nan_are_a_failure() -> None:
    inlet = Fake()
    inlet.push(column(np.array([1.0, np.nan, 3.0])), np.arange(3, 0, -1) / 250)
    values = values_of(await taken(of(inlet), amount(3)))
    assert np.isnan(values[1])
    for wrong in (np.nan, np.inf, 1e300):
        inlet = Fake()
        inlet.waiting.append((column(range(2)), np.array([0.0, wrong])))
        with pytest.raises(DriverFailed, match="no numbers"):
            await taken(of(inlet), lambda _: False)


async def test_a_flood_of_marks_is_bounded_and_said() -> None:
    inlet = Fake()
    inlet.push(np.full((5000, 1), b"\xff\xfeboo", dtype=object), np.linspace(1, 0, 5000))
    device = of(inlet, "Markers", 0.0)
    items = await taken(device, lambda items: marks_of(items).count("lsl_mark") >= 150)
    assert marks_of(items).count("lsl_mark") <= 201
    assert "marks left out" in device.trouble


async def test_a_stream_that_is_gone_fails_in_words_and_is_closed() -> None:
    inlet = Fake()
    inlet.failure = DriverFailed("the LSL stream is gone")
    with pytest.raises(DriverFailed, match="gone"):
        await taken(of(inlet), lambda _: False)
    assert inlet.closed


class Deaf:
    """A network whose one stream never says what it is, and one that has ten thousand channels."""

    def __init__(self) -> None:
        self.asked = 0

    def found(self) -> list[tuple[Found, object]]:
        big = Found("b", "big", "EEG", "", "lab", 10_000, 250.0)
        return [(Found("a", "shy", "EEG", "", "lab", 2, 250.0), "a"), (big, "b")]

    def described(self, handle: object) -> Found:
        assert handle == "a"
        self.asked += 1
        raise DriverFailed("an LSL stream does not say what it is")

    def inlet(self, handle: object) -> Fake:
        return Fake()


async def test_streams_that_make_no_sense_hide_no_other_and_are_refused_unasked() -> None:
    network = Deaf()
    hear: Callable[[], Network] = lambda: network  # noqa: E731
    heard = Listening(hear, wanted("name=big, name=shy"))
    await until(lambda: network.asked >= 2)
    big, shy = heard.devices()
    with pytest.raises(DriverFailed, match="10000 channels"):
        big(visit(), CLOCK)
    with pytest.raises(DriverFailed, match="no LSL stream name=shy"):
        shy(visit(), CLOCK)
    heard.close()


def test_what_goes_on_failing_is_logged_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    turns = threading.Semaphore(0)

    class Broken:
        def found(self) -> list[tuple[Found, object]]:
            turns.release()
            raise RuntimeError("no resolver")

        def described(self, handle: object) -> Found:
            raise NotImplementedError

        def inlet(self, handle: object) -> Inlet:
            raise NotImplementedError

    monkeypatch.setattr("sensors.drivers.lsl.network.EVERY", 0.01)
    listening = Listening(Broken)
    for _ in range(5):
        assert turns.acquire(timeout=5)
    listening.close()
    assert len([each for each in caplog.records if "listening for LSL" in each.message]) == 1

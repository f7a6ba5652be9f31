"""The BrainFlow driver, on the library's own synthetic and playback boards and on boards that misbehave."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.errors import BadSettings, DriverFailed
from kiosk.messages import Origin, Stream
from kiosk.signals import SIGNALS
from sensors import reader
from sensors.clock import SystemClock
from sensors.driver import Block, Item, Mark, Port, Stamper, Visit
from sensors.drivers.brainflow import driver as made
from sensors.drivers.brainflow.boards import Feed, Plan, Preset, Wanted, plan, wanted
from sensors.drivers.brainflow.library import Board, failure, library
from sensors.registry import resolve

CLOCK = SystemClock()


def visit() -> Visit:
    """A visit that begins now."""
    return Visit("s" * 32, Origin(CLOCK.utc(), CLOCK.now(), CLOCK.boot_id), simulated=True)


async def taken(device: made.BrainFlow, enough: Callable[[list[Item]], bool]) -> list[Item]:
    """What a device says until it is enough, or its end."""
    items: list[Item] = []
    async with device, aclosing(device.items()) as coming:  # type: ignore[type-var]
        async for item in coming:
            items.append(item)
            if enough(items):
                break
    return items


def samples_of(items: list[Item], signal: str) -> NDArray[np.float64]:
    """All samples of a signal."""
    return np.vstack([item.samples for item in items if isinstance(item, Block) and item.signal == signal])


def of(board: str, params: str = "") -> made.BrainFlow:
    """A run of a board of the library."""
    device = made.brainflow(board, params)[0](visit(), CLOCK)
    assert isinstance(device, made.BrainFlow)
    return device


async def test_the_synthetic_board_delivers_every_signal_that_it_has() -> None:
    device = of("synthetic")
    assert device.simulated
    ports = {port.signal: port for port in device.ports}
    assert ports["eeg"].channels[:4] == ("Fz", "C3", "Cz", "C4")
    assert set(ports) == {"eeg", "ppg", "eda", "acceleration"}
    begun = CLOCK.now()
    items = await taken(device, lambda all_: sum(len(i.samples) for i in all_ if isinstance(i, Block)) > 4 * 350)
    mark = items[0]
    assert isinstance(mark, Mark)
    assert "eeg 16 at 250 Hz" in mark.detail
    assert "gyro" in mark.detail
    lengths = {signal: len(samples_of(items, signal)) for signal in ports}
    assert max(lengths.values()) - min(lengths.values()) <= 20
    assert samples_of(items, "eeg").shape[1] == 16
    assert np.isfinite(samples_of(items, "eeg")).all()
    blocks = [item for item in items if isinstance(item, Block)]
    assert all(begun < block.read_at <= CLOCK.now() for block in blocks)
    assert not any(block.lost for block in blocks)
    assert device.trouble == ""


async def test_its_auxiliary_preset_can_be_chosen() -> None:
    device = of("SYNTHETIC_BOARD", "presets=auxiliary")
    assert {port.signal for port in device.ports} == {"ppg", "eda", "acceleration"}
    items = await taken(device, lambda all_: len(all_) > 10)
    # the descriptor's skin temperature comes faster than temperature may
    assert "skin_temperature (250 Hz is out of its range)" in items[0].detail  # type: ignore[union-attr]


async def test_the_event_loop_goes_on_while_a_board_connects_and_reads() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    counting = asyncio.create_task(count())
    await taken(of("-1"), lambda all_: len(all_) > 100)
    counting.cancel()
    assert turns > 5


def played_file(path: Path, *, lost: range = range(0), count: int = 500) -> NDArray[np.float64]:
    """Writes rows as the synthetic board has them, each EEG sample its own index, and returns what is in the file."""
    from brainflow.data_filter import DataFilter

    rows = np.zeros((32, count))
    rows[0] = np.arange(count) % 256
    rows[1:17] = np.arange(count)
    rows[30] = 1.7e9 + np.arange(count) / 250
    rows = np.ascontiguousarray(np.delete(rows, list(lost), axis=1))
    DataFilter.write_file(rows, str(path), "w")
    return rows


async def test_a_played_file_comes_whole_with_its_lost_packages_and_ends(tmp_path: Path) -> None:
    library()
    rows = played_file(tmp_path / "a.csv", lost=range(100, 107))
    device = of("playback_file", f"file={tmp_path / 'a.csv'},master_board=synthetic")
    assert device.simulated
    port = next(port for port in device.ports if port.signal == "eeg")
    session = visit()
    stamper = Stamper(Stream(session.session, "brainflow", "eeg", "r1"), port, session.origin)
    items = await taken(device, lambda _: False)
    blocks = [item for item in items if isinstance(item, Block) and item.signal == "eeg"]
    np.testing.assert_allclose(np.vstack([block.samples for block in blocks])[:, 0], rows[1])
    assert [block.lost for block in blocks if block.lost] == [7]
    assert "7 samples lost" in device.trouble
    chunks = [chunk for block in blocks for chunk in stamper.stamp(block)] + stamper.flush()
    values = np.concatenate([chunk.values()[:, 0] for chunk in chunks])
    expected = np.arange(500.0)
    expected[100:107] = np.nan
    np.testing.assert_array_equal(values, expected.astype(np.float32))


async def test_a_file_that_is_not_there_is_a_failure_in_words(tmp_path: Path) -> None:
    device = of("playback_file", f"file={tmp_path / 'none.csv'},master_board=synthetic")
    with pytest.raises(DriverFailed, match="PLAYBACK_FILE_BOARD"):
        await taken(device, lambda _: False)


async def test_a_port_that_is_not_there_is_a_failure_in_words() -> None:
    with pytest.raises(DriverFailed, match="CYTON_BOARD: its port cannot be opened"):
        await taken(of("cyton", "serial_port=/dev/ttyNoSuchPort"), lambda _: False)


async def test_a_board_that_is_in_use_is_a_failure_in_words() -> None:
    async with of("synthetic"):
        with pytest.raises(DriverFailed, match="in use"):
            await taken(of("synthetic"), lambda _: False)
    # and is free again afterwards
    assert await taken(of("synthetic"), lambda all_: len(all_) > 2)


class Fake:
    """A board with one row of samples and a counter; what it does is told by the test."""

    def __init__(self, rows: Callable[[int], int], *, connect: Callable[[], None] = lambda: None) -> None:
        self._rows, self._connect = rows, connect
        self.turn = self.done = 0
        self.released = False

    def prepare_session(self) -> None:
        self._connect()

    def start_stream(self, num_samples: int) -> None:
        assert num_samples >= 1000

    def get_board_data(self, *, preset: int) -> NDArray[np.float64]:
        self.turn += 1
        count = self._rows(self.turn)
        values = np.arange(self.done, self.done + count, dtype=np.float64)
        self.done += count
        return np.vstack([values % 256, values])

    def stop_stream(self) -> None:
        return None

    def release_session(self) -> None:
        self.released = True


def fake(board: Fake, *, silent: float = 5.0) -> made.BrainFlow:
    """A run of a fake board."""
    feed = Feed(Port("eeg", ("Fz",), 250.0), (1,), 1.0)
    what = Wanted(0, "CYTON_BOARD", 0, "CYTON_BOARD", {})

    def connect() -> Board:
        return board

    return made.BrainFlow(Plan(what, (Preset(0, 250.0, 0, (feed,)),), "words"), connect, CLOCK, silent=silent)


async def test_a_board_that_falls_silent_fails_and_is_let_go() -> None:
    board = Fake(lambda turn: 5 if turn < 10 else 0)
    device = fake(board, silent=0.2)
    seen: list[Item] = []

    def never(items: list[Item]) -> bool:
        seen[:] = items
        return False

    with pytest.raises(DriverFailed, match="no samples for"):
        await taken(device, never)
    assert len(samples_of(seen, "eeg")) == 45
    assert board.released


async def test_a_group_of_sensors_that_is_silent_is_trouble_and_the_others_go_on() -> None:
    feeds = (Feed(Port("eeg", ("Fz",), 250.0), (1,), 1.0), Feed(Port("ppg", ("ppg",), 64.0), (1,), 1.0))
    what = Wanted(0, "MUSE_2_BOARD", 0, "MUSE_2_BOARD", {})
    presets = (Preset(0, 250.0, 0, feeds[:1]), Preset(2, 64.0, 0, feeds[1:]))

    class Half(Fake):
        def get_board_data(self, *, preset: int) -> NDArray[np.float64]:
            return np.empty((2, 0)) if preset == 2 else super().get_board_data(preset=preset)

    board = Half(lambda _: 5)
    device = made.BrainFlow(Plan(what, presets, ""), lambda: board, CLOCK, silent=0.2)
    items = await taken(device, lambda _: "ancillary" in device.trouble)
    assert device.trouble == "nothing from its ancillary preset"
    assert len(samples_of(items, "eeg")) > 20


async def test_a_board_that_never_samples_says_nothing_and_fails() -> None:
    seen: list[Item] = []

    def never(items: list[Item]) -> bool:
        seen[:] = items
        return False

    device = fake(Fake(lambda _: 0), silent=0.1)
    with pytest.raises(DriverFailed, match="no samples for"):
        await taken(device, never)
    # a device is said to run when it says something
    assert seen == []


async def test_a_reader_that_is_slow_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_WAITING", 3)
    board = Fake(lambda turn: 5)
    device = fake(board)
    async with device:
        await asyncio.sleep(0.4)
        assert board.turn <= 6
        items: list[Item] = []
        async for item in device.items():
            items.append(item)
            if len(items) > 20:
                break
    values = samples_of(items, "eeg")[:, 0]
    np.testing.assert_array_equal(values, np.arange(len(values)))


async def test_a_visit_that_ends_while_a_board_connects_leaves_no_board_behind() -> None:
    import threading

    going = threading.Event()

    def slow() -> None:
        going.wait(5)

    board = Fake(lambda _: 5, connect=slow)
    opening = asyncio.create_task(fake(board).__aenter__())
    await asyncio.sleep(0.05)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    going.set()
    for _ in range(200):
        if board.released:
            break
        await asyncio.sleep(0.01)
    assert board.released


async def test_what_the_library_raises_has_no_trace_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise failure()("serial XY-1234 says no", 7)

    with pytest.raises(DriverFailed, match="does not answer"):
        await taken(fake(Fake(lambda _: 5, connect=broken)), lambda _: False)
    assert not caplog.records


def test_every_board_of_the_library_has_a_plan_that_the_wire_accepts_or_a_reason() -> None:
    known, planned = library(), 0
    reasons: list[tuple[str, str]] = []
    for name, number in known.names().items():
        if number in (-3, -2):
            continue
        try:
            found = plan(known, wanted(known, name))
        except BadSettings as error:
            reasons.append((name, str(error)))
            continue
        planned += 1
        for port in found.ports:
            signal = SIGNALS[port.signal]
            assert signal.leaves
            assert signal.accepts_rate(port.rate)
            assert signal.accepts_channels(port.channels)
        assert len({port.signal for port in found.ports}) == len(found.ports)
        assert found.wanted.simulated == (number == -1)
    assert planned > 40
    assert all(name in reason for name, reason in reasons)


def test_electrodes_go_where_the_operator_put_them() -> None:
    known = library()
    found = plan(known, wanted(known, "cyton", "ecg=7+8,names=F3+F4+P3+P4+O1+O2+X+Y"))
    ports = {port.signal: port.channels for port in found.ports}
    assert ports["eeg"] == ("F3", "F4", "P3", "P4", "O1", "O2")
    assert ports["ecg"] == ("ch7", "ch8")
    feeds = {feed.port.signal: feed for preset in found.presets for feed in preset.feeds}
    assert (feeds["ecg"].factor, feeds["ecg"].rows) == (1e-3, (7, 8))
    assert (feeds["eeg"].factor, feeds["eeg"].rows) == (1.0, (1, 2, 3, 4, 5, 6))


def test_the_temperature_of_a_chip_is_nobodys_skin() -> None:
    known = library()
    skin = plan(known, wanted(known, "emotibit"))
    assert "skin_temperature" in {port.signal for port in skin.ports}
    chip = plan(known, wanted(known, "explore_8_chan"))
    assert "skin_temperature" not in {port.signal for port in chip.ports}
    assert "temperature (the board's own)" in chip.words


@pytest.mark.parametrize(
    ("board", "params", "words"),
    [
        ("cytron", "", "no board 'cytron'"),
        ("9999", "", "no board '9999'"),
        ("cyton", "serial=/dev/x", "no parameter 'serial'"),
        ("cyton", "serial_port", "NAME=VALUE is meant"),
        ("cyton", "ip_port=abc", "a whole number is meant"),
        ("cyton", "ecg=9", "has 8 electrodes"),
        ("cyton", "names=F3+F3", "each needs a name of its own"),
        ("cyton", "presets=extra", "no preset 'extra'"),
        ("cyton", "presets=ancillary", "has no ancillary preset"),
        ("playback_file", "file=a.csv", "needs master_board"),
        ("playback_file", "master_board=cyton", "needs file="),
    ],
)
def test_what_an_operator_gets_wrong_is_said_at_once(board: str, params: str, words: str) -> None:
    with pytest.raises(BadSettings, match=words):
        made.brainflow(board, params)


def test_the_registry_knows_it() -> None:
    assert resolve("brainflow") is made.brainflow

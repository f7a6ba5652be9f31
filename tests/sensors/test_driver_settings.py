"""`kiosk sensors --driver brainflow` and `--driver lsl`: from the settings to chunks on the bus."""

import asyncio
from pathlib import Path

import pytest

from kiosk import settings, topics
from kiosk.bus import MemoryBus
from kiosk.commands.doctor import _device_libraries
from kiosk.commands.services import _devices_of, _is_simulated
from kiosk.errors import BadSettings, DriverFailed
from kiosk.messages import Chunk, End, Event, Message, Origin, Status, decode
from kiosk.settings import Settings
from sensors.clock import SystemClock
from sensors.driver import Visit
from sensors.drivers.lsl import library as lsl_library
from sensors.outbox import Outbox
from sensors.service import Sensors

CLOCK = SystemClock()
VISIT = Visit("s" * 32, Origin(CLOCK.utc(), CLOCK.now(), CLOCK.boot_id), simulated=True)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"KIOSK_{name.upper()}", raising=False)


def test_a_board_and_streams_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (settings.load().brainflow_board, settings.load().lsl_streams) == (None, "")
    monkeypatch.setenv("KIOSK_BRAINFLOW_BOARD", "-1")
    monkeypatch.setenv("KIOSK_BRAINFLOW_PARAMS", "presets=auxiliary")
    monkeypatch.setenv("KIOSK_LSL_STREAMS", "type=EEG;name=Muse*, type=ECG")
    loaded = settings.load()
    assert (loaded.brainflow_board, loaded.brainflow_params) == ("-1", "presets=auxiliary")
    assert loaded.lsl_streams == "type=EEG;name=Muse*, type=ECG"


async def test_a_board_that_nobody_named_is_a_setting_that_is_missing() -> None:
    with pytest.raises(BadSettings, match="KIOSK_BRAINFLOW_BOARD names no board"):
        await _devices_of("brainflow", settings.load(), None)


@pytest.mark.parametrize(
    ("board", "params", "simulated"),
    [("synthetic", "", True), ("cyton", "serial_port=/dev/ttyUSB0", False), ("muse_2", "", False),
     ("playback_file", "file=a.csv,master_board=cyton", True), ("streaming", "master_board=cyton", False),
     ("streaming", "master_board=synthetic", True)],
)  # fmt: skip
def test_what_no_body_is_behind_is_simulated(
    monkeypatch: pytest.MonkeyPatch, board: str, params: str, simulated: bool
) -> None:
    monkeypatch.setenv("KIOSK_BRAINFLOW_BOARD", board)
    monkeypatch.setenv("KIOSK_BRAINFLOW_PARAMS", params)
    assert _is_simulated(("brainflow",), settings.load()) == simulated
    assert not _is_simulated(("lsl",), settings.load())


async def test_streams_that_are_not_there_make_a_device_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_LSL_STREAMS", "name=nobody-sends-this")
    made = (await _devices_of("lsl", settings.load(), None))()
    assert len(made) == 1
    with pytest.raises(DriverFailed, match="no LSL stream name=nobody-sends-this"):
        made[0](VISIT, CLOCK)


async def test_a_board_runs_a_visit_from_its_settings_to_the_bus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KIOSK_BRAINFLOW_BOARD", "synthetic")
    made = await _devices_of("brainflow", settings.load(), None)
    bus, seen = MemoryBus(), list[Message]()

    async def listen() -> None:
        async with bus.subscribe(topics.pattern("+", kiosk="k1")) as arriving:
            async for delivery in arriving:
                seen.append(decode(delivery.topic, delivery.payload)[1])

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    with Outbox(tmp_path / "outbox.sqlite", "k1", limit=50_000_000) as outbox:
        service = Sensors(kiosk="k1", bus=bus, outbox=outbox, clock=CLOCK, visitor=made, simulated=True)
        async with service.running():
            await service.start_visit()
            async with asyncio.timeout(20):
                while sum(isinstance(each, Chunk) and each.stream.signal == "eeg" for each in seen) < 2:
                    await asyncio.sleep(0.05)
            await service.end_visit()
            async with asyncio.timeout(20):
                while not any(isinstance(each, End) and each.stream.signal == "eeg" for each in seen):
                    await asyncio.sleep(0.05)
    listening.cancel()
    chunks = [each for each in seen if isinstance(each, Chunk)]
    assert {each.stream.signal for each in chunks} == {"eeg", "ppg", "eda", "acceleration"}
    eeg = sorted((each for each in chunks if each.stream.signal == "eeg"), key=lambda each: each.seq)
    assert eeg[0].channels[:3] == ("Fz", "C3", "Cz")
    assert all(0 <= each.start < 20e9 for each in eeg)
    marks = [each for each in seen if isinstance(each, Event)]
    assert marks[0].event == "brainflow_board"
    statuses = [each for each in seen if isinstance(each, Status) and each.device == "brainflow"]
    assert statuses
    assert all(each.simulated for each in statuses)
    # the library has a great deal to say to stderr, serial numbers included
    assert capfd.readouterr().err == ""


def test_the_doctor_says_whether_the_libraries_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {each.what: each.state for each in _device_libraries(settings.load())}
    # whether there is a microphone is the machine's business
    assert there.pop("PortAudio") in ("ok", "note")
    assert there == {"BrainFlow": "ok", "liblsl": "ok"}

    def missing() -> str:
        raise BadSettings("the lab streaming layer is not usable here: no liblsl.so")

    monkeypatch.setattr(lsl_library, "version", missing)
    found = {each.what: each for each in _device_libraries(settings.load())}
    assert found["liblsl"].state == "note"
    assert "no liblsl.so" in found["liblsl"].words

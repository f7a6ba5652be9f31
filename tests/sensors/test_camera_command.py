"""`kiosk sensors --driver camera`: the settings that name a camera, and the processes' own way to it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx2
import numpy as np
import pytest

from kiosk import settings, topics
from kiosk.commands.services import _devices_of, _is_simulated, _station_of
from kiosk.errors import BadSettings
from kiosk.messages import Chunk, Event, Session, Status, decode
from kiosk.mqtt import MqttBus
from kiosk.settings import Settings
from tests.brokers import find, mosquitto
from tests.conftest import require
from tests.sensors.station.portrait import film, scene


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"KIOSK_{name.upper()}", raising=False)


def test_a_camera_has_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = settings.load()
    assert (loaded.camera, loaded.camera_pixels, loaded.camera_rate, loaded.camera_lock) == (
        "0",
        (640, 480),
        None,
        True,
    )
    monkeypatch.setenv("KIOSK_CAMERA_SIZE", "1280x720")
    monkeypatch.setenv("KIOSK_CAMERA", " page ")
    assert settings.load().camera_pixels == (1280, 720)
    assert settings.load().camera == "page"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KIOSK_CAMERA", " "),
        ("KIOSK_CAMERA", "rtsp://user:hunter2@camera/stream"),
        ("KIOSK_CAMERA_SIZE", "640"),
        ("KIOSK_CAMERA_SIZE", "640x480x3"),
        ("KIOSK_CAMERA_SIZE", "10x10"),
        ("KIOSK_CAMERA_SIZE", "9999x9999"),
        ("KIOSK_CAMERA_RATE", "0"),
        ("KIOSK_CAMERA_RATE", "1000"),
        ("KIOSK_CAMERA_RATE", "nan"),
        ("KIOSK_CAMERA_LOCK", "perhaps"),
        ("KIOSK_STATION_PORT", "70123"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=f"^{name}: ") as caught:
        settings.load()
    assert "hunter2" not in str(caught.value)


def test_what_is_played_is_told_from_what_looks() -> None:
    names = ("0", "2", "/dev/video0", "page", "clip.mp4", "/data/pictures", "1234", "²")
    assert [_is_simulated(["camera"], Settings(camera=each)) for each in names] == [False] * 4 + [True] * 4
    assert not _is_simulated([], Settings(camera="clip.mp4"))
    assert all(_is_simulated(["simulated", *camera], Settings()) for camera in ([], ["camera"]))


async def test_an_unknown_camera_is_refused_before_any_visit(tmp_path: Path) -> None:
    loaded = Settings(data=tmp_path, camera="nothing.mp4")
    with pytest.raises(BadSettings, match=r"camera 'nothing\.mp4': no number"):
        await _devices_of("camera", loaded, None)
    with pytest.raises(BadSettings, match=r"no driver 'kamera'; there are .*camera, .*simulated"):
        await _devices_of("kamera", loaded, None)


async def test_the_page_is_served_while_the_station_runs(tmp_path: Path) -> None:
    loaded = Settings(data=tmp_path, camera="page", station_port=0)
    station = _station_of(["camera"], loaded, wanted=False)
    assert station is not None
    made = await _devices_of("camera", loaded, station)
    async with station.running():
        assert len(made()) == 1
        address = station.address
        async with httpx2.AsyncClient() as client:
            assert "<video" in (await client.get(address)).text
    async with httpx2.AsyncClient() as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get(address)


def test_there_is_a_page_where_a_device_or_somebody_wants_one(tmp_path: Path) -> None:
    page, local = Settings(data=tmp_path, camera="page", microphone="page"), Settings(data=tmp_path)
    assert _station_of([], page, wanted=False) is None
    assert _station_of(["camera", "microphone"], local, wanted=False) is None
    for drivers, loaded, wanted, own in (
        (["camera"], page, False, (True, False)),
        (["microphone"], page, False, (False, True)),
        (["camera"], local, True, (False, False)),
    ):
        station = _station_of(drivers, loaded, wanted=wanted)
        assert station is not None
        assert (station.camera is not None, station.microphone is not None) == own


async def test_the_command_runs_a_visit_with_two_drivers(tmp_path: Path) -> None:
    require(find() is not None, "mosquitto")
    path = film(tmp_path / "face.mkv", [scene(320, 240)] * 60)
    with mosquitto(tmp_path) as (host, port):
        environment = {
            **os.environ, "KIOSK_DATA": str(tmp_path / "data"), "KIOSK_BROKER_HOST": host,
            "KIOSK_BROKER_PORT": str(port), "KIOSK_CAMERA": str(path), "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        command = ("sensors", "--driver", "simulated", "--driver", "camera", "--visit", "6", "--pause", "60")
        (tmp_path / "data").mkdir()
        async with MqttBus(host=host, port=port, name="listener") as bus:
            await bus.wait_first_connection(10)
            heard = []
            async with bus.subscribe(topics.pattern("+")) as arriving:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-c", "from kiosk.__main__ import main; main()", *command,
                    env=environment, stderr=asyncio.subprocess.PIPE,
                )  # fmt: skip
                try:
                    async with asyncio.timeout(60):
                        async for delivery in arriving:
                            heard.append(decode(*delivery)[1])
                            if isinstance(heard[-1], Session) and heard[-1].state == "ended":
                                break
                finally:
                    if process.returncode is None:
                        process.send_signal(signal.SIGTERM)
                    _, said = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, said.decode()
    chunks = [message for message in heard if isinstance(message, Chunk)]
    names = {(chunk.stream.device, chunk.name) for chunk in chunks}
    assert {("camera", "rgb"), ("camera", "face_motion"), ("camera", "face_units"), ("simulated-ecg", "ecg")} <= names
    rgb = np.concatenate([chunk.values() for chunk in chunks if (chunk.stream.device, chunk.name) == ("camera", "rgb")])
    assert len(rgb) > 20
    assert np.isfinite(rgb[:, 0]).mean() > 0.9
    states = [message for message in heard if isinstance(message, Status) and message.device == "camera"]
    assert {"running", "stopped"} <= {each.state for each in states}
    assert all(each.simulated for each in states)
    assert all(message.simulated for message in heard if isinstance(message, Session))
    assert all(isinstance(message.event, str) for message in heard if isinstance(message, Event))

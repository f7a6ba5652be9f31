"""The real observer behind the camera: a film of a portrait becomes colours, motion and units, and no picture."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk import topics
from kiosk.bus import MemoryBus, Subscription
from kiosk.messages import Chunk, End, Message, decode
from kiosk.signals import MOTION_CHANNELS, RGB_CHANNELS, SIGNALS
from sensors.clock import SystemClock
from sensors.drivers.camera.devices import camera
from sensors.outbox import Outbox
from sensors.service import Sensors
from tests.sensors.station.portrait import film, retimed, scene

CLOCK = SystemClock()
Floats = NDArray[np.float64]


@asynccontextmanager
async def overheard(bus: MemoryBus) -> AsyncIterator[list[tuple[str, bytes]]]:
    """Everything that goes over the bus, as bytes."""
    kept: list[tuple[str, bytes]] = []

    async def listen(arriving: Subscription) -> None:
        async for topic, payload in arriving:
            kept.append((topic, payload))

    async with bus.subscribe(topics.pattern("+")) as arriving:
        listening = asyncio.create_task(listen(arriving))
        yield kept
        await asyncio.sleep(0.05)
        listening.cancel()


async def played(path: Path, folder: Path, networks: Path | None = None) -> tuple[list[Message], bytes]:
    """One visit with a film before the camera: what was on the bus, and every byte of bus and outbox."""
    bus = MemoryBus()
    outbox = Outbox(folder / "outbox.sqlite", "k1", limit=50_000_000)
    devices = camera(str(path), models=networks)
    service = Sensors(kiosk="k1", bus=bus, outbox=outbox, clock=CLOCK, visitor=lambda: devices, simulated=True)
    async with overheard(bus) as kept, service.running():
        await service.start_visit()
        await service.devices_finished()
        await service.end_visit()
        stored = [(item.topic, item.payload) for item in outbox.waiting(0, 100_000)]
    outbox.close()
    disk = b"".join(each.read_bytes() for each in folder.iterdir() if each.name.startswith("outbox"))
    everything = b"".join(payload for _, payload in kept) + disk
    return [decode(topic, payload)[1] for topic, payload in stored], everything


def tracks(messages: list[Message]) -> dict[str, tuple[Floats, Floats]]:
    """Seconds and values of each signal."""
    chunks: dict[str, list[Chunk]] = defaultdict(list)
    for message in messages:
        if isinstance(message, Chunk):
            chunks[message.name].append(message)
    return {
        name: (
            np.concatenate([c.times() for c in found]) / 1e9,
            np.concatenate([c.values() for c in found]).astype(float),
        )
        for name, found in chunks.items()
    }


async def test_a_film_of_a_face_becomes_colours_motion_and_units_at_the_films_times(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    near = scene()
    # a phone's times: uneven, with a hole, as no rate could make them
    steps = [33, 34, 33, 50, 33, 33, 34, 100, 33, 33] * 6
    times = [0, *np.cumsum(steps).tolist()][:-1]
    path = retimed(film(tmp_path / "face.mkv", [near] * len(times)), times)
    with caplog.at_level(logging.DEBUG):
        messages, everything = await played(path, tmp_path)
    found = tracks(messages)
    assert found.keys() == {"rgb", "face_motion", "face_units"}
    seconds, rgb = found["rgb"]
    assert len(seconds) >= 15
    # each picture that was looked at has its own of the film's times, to the wire's microsecond
    at = seconds - seconds[0]
    film_times = np.array(times) / 1000
    first = min(film_times, key=lambda start: np.abs(at[:, None] + start - film_times).min(axis=1).max())
    assert np.abs(at[:, None] + first - film_times).min(axis=1).max() < 2e-6
    face = dict(zip(RGB_CHANNELS, np.nanmedian(rgb, axis=0), strict=True))
    assert face["whole_pixels"] > 2000
    # of its level, which is told coarsely, and not of its hue
    assert face["whole_r"] == pytest.approx(face["whole_b"], rel=0.1)
    assert 60 < face["whole_g"] < 220
    motion = dict(zip(MOTION_CHANNELS, np.nanmedian(found["face_motion"][1], axis=0), strict=True))
    assert motion["faces"] == 1
    assert 0.45 < motion["x"] < 0.55
    assert 0.2 < motion["size"] < 0.45
    assert motion["motion"] < 0.05
    assert abs(motion["yaw"]) < 15
    for row in (near[200, 260:276], near[150, 300:316], near[300, 280:296]):
        assert row.tobytes() not in everything
        assert row.tobytes().hex() not in caplog.text
    ends = {message.stream.signal for message in messages if isinstance(message, End)}
    assert {"rgb", "face_motion", "face_units"} <= ends


async def test_an_empty_room_is_absence_and_no_colour(tmp_path: Path) -> None:
    room = np.full((240, 320, 3), (150, 140, 130), np.uint8)
    messages, _ = await played(film(tmp_path / "empty.mkv", [room] * 20), tmp_path)
    found = tracks(messages)
    assert found.keys() == {"rgb", "face_motion"}
    colours = found["rgb"][1]
    parts = [number for number, name in enumerate(RGB_CHANNELS) if not name.endswith("_pixels")]
    assert np.isnan(colours[:, parts]).all()
    assert (np.delete(colours, parts, axis=1) == 0).all()
    assert (found["face_motion"][1][:, MOTION_CHANNELS.index("faces")] == 0).all()


async def test_budgets_hold_with_every_network_installed(tmp_path: Path, networks: Path) -> None:
    messages, _ = await played(film(tmp_path / "face.mkv", [scene(320, 240)] * 75), tmp_path, networks)
    chunks = [message for message in messages if isinstance(message, Chunk)]
    assert {chunk.name for chunk in chunks} == {"rgb", "face_motion", "face_units", "face_scores"}
    sizes: dict[str, int] = defaultdict(int)
    for chunk in chunks:
        sizes[chunk.name] += len(chunk.samples) + len(chunk.offsets or b"")
    span = max(int(chunk.times()[-1]) for chunk in chunks) - min(chunk.start for chunk in chunks)
    for name, size in sizes.items():
        assert size <= SIGNALS[name].budget * span / 1e9
    scores = tracks(messages)["face_scores"][1]
    assert np.isfinite(scores).all()
    assert (np.abs(scores) <= 1).all()

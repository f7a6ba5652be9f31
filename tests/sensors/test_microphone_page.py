"""The page's microphone: what a browser takes arrives whole and in time, and nobody else is let in."""

import asyncio
import contextlib
import json
import re
import shutil
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from playwright.async_api import async_playwright, expect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from kiosk.errors import DriverFailed, Refused
from kiosk.messages import SECOND, Origin
from kiosk.signals import VOICE_CHANNELS
from sensors.clock import SystemClock
from sensors.driver import Block, Visit
from sensors.drivers.microphone.devices import microphone
from sensors.drivers.microphone.driver import Microphone
from sensors.drivers.microphone.page import PageSound
from sensors.drivers.microphone.waiting import Piece, Waiting
from sensors.drivers.simulated.voice import speech
from sensors.station import sounds
from sensors.station.camera import BAD_MESSAGE, FLOOD, MOST_REFUSED, NO_TOKEN, TAKEN, PageCamera
from sensors.station.clocks import Moment
from sensors.station.microphone import PageMicrophone
from sensors.station.server import Station
from tests.conftest import require

CLOCK = SystemClock()
RATE = 48_000
Sound = NDArray[np.float32]


def message(frame: float, samples: Sound, *, rate: float = RATE, sent: float = 0.0, number: int = 1) -> bytes:
    return sounds.HEAD.pack(sounds.MAGIC, number, frame, rate, sent, len(samples), 0) + samples.astype("<f4").tobytes()


@pytest.fixture
async def station() -> AsyncIterator[Station]:
    async with Station(None, 0, microphone=PageMicrophone(CLOCK)).running() as made:
        yield made


async def token_of(station: Station, name: str = "microphone") -> str:
    async with httpx2.AsyncClient() as client:
        found = re.search(f'name="{name}" content="([^"]*)"', (await client.get(station.address)).text)
    assert found
    return found[1]


@asynccontextmanager
async def opened(station: Station, token: str | None = None) -> AsyncIterator[ClientConnection]:
    address = station.address.replace("http", "ws") + "microphone"
    async with connect(address, origin=station.address.rstrip("/")) as socket:  # type: ignore[arg-type]
        given = await token_of(station) if token is None else token
        await socket.send(json.dumps({"kind": "hello", "token": given}))
        yield socket


async def said(socket: ClientConnection) -> dict[str, object]:
    found = json.loads(await asyncio.wait_for(socket.recv(), 5))
    assert isinstance(found, dict)
    return found


async def closed(socket: ClientConnection) -> int:
    async def heard() -> None:
        async for _ in socket:
            pass

    with contextlib.suppress(ConnectionClosed):
        await asyncio.wait_for(heard(), 5)
    assert socket.close_code is not None
    return socket.close_code


@asynccontextmanager
async def wanted(station: Station) -> AsyncIterator[Waiting]:
    """A run of the driver that wants the sound."""
    into = Waiting()
    assert station.microphone
    source = PageSound(station.microphone, CLOCK)
    feeding = asyncio.create_task(source.feed(into))
    await asyncio.sleep(0)
    try:
        yield into
    finally:
        feeding.cancel()
        await asyncio.wait([feeding])
        into.end()


def all_of(into: Waiting) -> list[Piece]:
    into.end()
    found = []
    while (piece := into.get()) is not None:
        found.append(piece)
    return found


async def test_what_a_page_sends_arrives_whole_with_steady_times(station: Station) -> None:
    sound = np.random.default_rng(1).uniform(-1, 1, 2048 * 12).astype(np.float32)
    async with wanted(station) as into, opened(station) as socket:
        assert (await said(socket))["kind"] == "listening"
        assert await said(socket) == {"kind": "visit", "going": True}
        before = CLOCK.now()
        for number, piece in enumerate(np.split(sound, 12)):
            await socket.send(message(number * 2048, piece, number=number))
            await asyncio.sleep(0.02 if number % 3 else 2048 * 3 / RATE - 0.04)
        await asyncio.sleep(0.1)
        found = all_of(into)
    assert np.array_equal(np.concatenate([piece.samples for piece in found]), sound)
    steps = np.diff([piece.start for piece in found]) / SECOND
    assert np.abs(steps - 2048 / RATE).max() < 0.01
    assert abs(found[0].start - before) < 0.5 * SECOND


async def test_a_piece_that_is_missing_leaves_its_place(station: Station) -> None:
    piece = np.zeros(2048, np.float32)
    async with wanted(station) as into, opened(station) as socket:
        for number in (0, 1, 2, 6, 7):
            await asyncio.sleep(2048 / RATE * (4 if number == 6 else 1))  # as fast as sound comes
            await socket.send(message(number * 2048, piece))
        await asyncio.sleep(0.1)
        starts = np.array([each.start for each in all_of(into)])
    assert len(starts) == 5
    assert np.diff(starts)[2] / SECOND == pytest.approx(4 * 2048 / RATE, abs=0.04)
    assert np.diff(starts)[[0, 1, 3]] / SECOND == pytest.approx(2048 / RATE, abs=0.01)


async def test_without_a_visit_nothing_is_taken(station: Station) -> None:
    async with opened(station) as socket:
        await said(socket)
        assert await said(socket) == {"kind": "visit", "going": False}
        await socket.send(message(0, np.zeros(2048, np.float32)))
        await asyncio.sleep(0.1)
        assert station.microphone
        assert station.microphone.taken == 0
        assert station.microphone.trouble == ""
    await asyncio.sleep(0.1)
    assert "no page" in station.microphone.trouble


async def test_only_a_page_of_ours_is_let_in(station: Station) -> None:
    address = station.address.replace("http", "ws") + "microphone"
    for origin in (None, "http://evil.example", "null"):
        with pytest.raises(InvalidStatus):
            async with connect(address, origin=origin):  # type: ignore[arg-type]
                pass
    for token in ("", "x" * 32, "x" * 1000):
        async with opened(station, token) as socket:
            assert await closed(socket) == NO_TOKEN
    token = await token_of(station)
    async with opened(station, token) as first:
        assert (await said(first))["kind"] == "listening"
        async with opened(station, token) as again:
            assert await closed(again) == NO_TOKEN
        async with opened(station) as second:
            assert await closed(second) == TAKEN


async def test_nonsense_and_floods_are_put_out(station: Station) -> None:
    piece = np.zeros(2048, np.float32)
    async with opened(station) as socket:
        for number in range(MOST_REFUSED):
            await socket.send(b"nonsense" if number % 2 else "text")
        assert await closed(socket) == BAD_MESSAGE
    await asyncio.sleep(0.05)
    async with opened(station) as socket:
        with contextlib.suppress(ConnectionClosed):
            for number in range(5_000):
                await socket.send(message(number * 2048, piece))
                await asyncio.sleep(0.001)
        assert await closed(socket) == FLOOD
    await asyncio.sleep(0.05)
    async with opened(station) as socket:
        with contextlib.suppress(ConnectionClosed):
            await socket.send(bytes(8_000_000))
        assert await closed(socket) == 1009


@pytest.mark.parametrize(
    "wrong",
    [
        b"", bytes(sounds.HEAD.size), message(0, np.zeros(100, np.float32)), message(-1, np.zeros(256, np.float32)),
        message(0, np.full(256, np.nan, np.float32)), message(0, np.full(256, 1e9, np.float32)),
        message(float("nan"), np.zeros(256, np.float32)), message(0, np.zeros(256, np.float32), rate=7_000),
        message(0, np.zeros(256, np.float32), rate=44_100.5), message(0, np.zeros(256, np.float32), sent=float("inf")),
        message(0, np.zeros(256, np.float32))[:-1], b"HKF1" + message(0, np.zeros(256, np.float32))[4:],
        message(0, np.zeros(20_000, np.float32)), struct.pack("<4sI", b"HKA1", 1) * 100,
    ],
    ids=range(14),
)  # fmt: skip
def test_a_message_that_is_no_sound_is_refused(wrong: bytes) -> None:
    with pytest.raises(Refused):
        sounds.read(wrong)


async def test_a_page_has_tokens_for_what_is_wanted_alone() -> None:
    for camera, heard in (
        (PageCamera(CLOCK), None),
        (None, PageMicrophone(CLOCK)),
        (PageCamera(CLOCK), PageMicrophone(CLOCK)),
    ):
        async with Station(camera, 0, microphone=heard).running() as station:
            assert bool(await token_of(station, "token")) == (camera is not None)
            assert bool(await token_of(station)) == (heard is not None)
            if heard is None:
                with pytest.raises(InvalidStatus):
                    async with opened(station, "x"):
                        pass


async def test_two_runs_do_not_share_a_microphone(station: Station) -> None:
    assert station.microphone
    async with wanted(station):
        with pytest.raises(DriverFailed, match="in use by another driver"):
            station.microphone.attach(self_ := object(), lambda *_: None)
    station.microphone.attach(self_, lambda *_: None)
    station.microphone.detach(self_)


async def test_a_page_that_goes_away_ends_the_run(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.drivers.microphone.page.SILENT", 0.3)
    assert station.microphone
    feeding = asyncio.create_task(PageSound(station.microphone, CLOCK).feed(Waiting()))
    await asyncio.sleep(0.7)
    # one that was never there is waited for
    assert not feeding.done()
    async with opened(station) as socket:
        for number in range(5):
            await socket.send(message(number * 2048, np.zeros(2048, np.float32)))
            await asyncio.sleep(0.05)
    with pytest.raises(DriverFailed, match="sends no sound"):
        await asyncio.wait_for(feeding, 5)


class Sending:
    """A page's socket: each message and the boot-clock second at which it arrives."""

    def __init__(self, messages: list[tuple[float, bytes]]) -> None:
        self.now, self._messages = 0.0, iter(messages)

    async def receive(self) -> dict[str, object]:
        arrival, piece = next(self._messages, (self.now, None))
        self.now = arrival
        return {"type": "websocket.disconnect"} if piece is None else {"type": "websocket.receive", "bytes": piece}


async def starts(messages: list[tuple[float, bytes]], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    socket, found = Sending(messages), list[float]()
    monkeypatch.setattr(
        "sensors.station.microphone.Moment.now",
        lambda _: Moment(round(socket.now * SECOND), round(socket.now * SECOND)),
    )
    page = PageMicrophone(CLOCK)
    page.attach(page, lambda samples, start, rate, broken: found.append(start / SECOND))
    assert await page._listen(socket) == 0  # type: ignore[arg-type]
    return found


async def test_sound_that_stood_still_in_the_browser_is_not_told_as_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    # a context that was suspended counts on where it stopped: 30 s later there is no gap in the index
    piece, step = np.zeros(4_800, np.float32), 0.1
    pause = [0.0] * 50 + [30.0] * 50
    found = await starts(
        [(100 + (n + 1) * step + away, message(n * 4_800, piece)) for n, away in enumerate(pause)], monkeypatch
    )
    true = np.array([100 + n * step + away for n, away in enumerate(pause)])
    assert found[:50] == pytest.approx(true[:50], abs=1e-3)
    assert found[75:] == pytest.approx(true[75:], abs=1e-3)


async def test_sound_that_was_only_held_up_keeps_its_times(monkeypatch: pytest.MonkeyPatch) -> None:
    piece, step = np.zeros(4_800, np.float32), 0.1
    # what was taken from 103 s on comes at once at 104.5 s
    arrivals = [100 + (n + 1) * step for n in range(60)]
    arrivals = [max(at, 104.5) if at > 103 else at for at in arrivals]
    found = await starts([(at, message(n * 4_800, piece)) for n, at in enumerate(arrivals)], monkeypatch)
    assert found == pytest.approx([100 + n * step for n in range(60)], abs=1e-3)


@pytest.mark.timeout(90)
async def test_a_voice_before_the_browsers_microphone_is_heard_and_the_bar_moves(
    station: Station, tmp_path: Path
) -> None:
    path = tmp_path / "voice.wav"
    soundfile.write(path, speech(12, f0=180, phrase=1.6, pause=0.3, level=-18, seed=1).samples, 16_000)
    complaints: list[str] = []
    found: list[Sound] = []
    async with async_playwright() as player:
        browser_at = shutil.which("chromium") or player.chromium.executable_path
        require(Path(browser_at).exists(), "chromium")
        browser = await player.chromium.launch(
            executable_path=browser_at,
            args=[
                "--no-sandbox", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={path}",
            ],
        )  # fmt: skip
        page = await (await browser.new_context(locale="ru-RU")).new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(station.address)
        await expect(page.locator("#sound")).to_be_hidden(timeout=20_000)
        [make] = await asyncio.to_thread(microphone, "page", page=station.microphone)
        driver = make(Visit("s", Origin(1, CLOCK.now(), "boot"), simulated=False), CLOCK)
        assert isinstance(driver, Microphone)
        assert not driver.simulated
        began = CLOCK.now()
        async with driver:
            async for item in driver.items():
                if isinstance(item, Block) and item.signal == "voice_functionals":
                    found.append(item.samples[0].astype(np.float32))
                    assert item.times is not None
                    assert began < int(item.times[0]) <= CLOCK.now()
                    if len(found) == 1:
                        await expect(page.locator("h1")).to_have_text("Говорите, пожалуйста")
                        async with asyncio.timeout(10):
                            # between two phrases the bar falls
                            while int(await page.locator("#level").get_attribute("aria-valuenow") or 0) <= 40:
                                await asyncio.sleep(0.05)
                if len(found) >= 4:
                    break
        await expect(page.locator("body")).not_to_have_attribute("data-hears", "")
        await browser.close()
    pitches = [float(row[VOICE_CHANNELS.index("f0_p50")]) for row in found]
    # the browser begins the file anew again and again
    assert np.nanmedian(pitches) == pytest.approx(180, rel=0.1)
    assert [each for each in complaints if "requestVideoFrame" not in each] == []
    assert driver.trouble in ("", "no page with a microphone is open in the kiosk's browser")

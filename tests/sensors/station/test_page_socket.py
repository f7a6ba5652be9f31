"""The socket of the kiosk's page: whom it lets in, what it takes, and whom it puts out."""

import asyncio
import itertools
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from kiosk.errors import BadSettings, DriverFailed
from kiosk.signals import MOTION_CHANNELS, RGB_CHANNELS
from sensors.clock import SystemClock
from sensors.face.seen import Frame, Pixels, Sight
from sensors.frames import page as page_module
from sensors.frames.latest import Latest
from sensors.frames.page import Page
from sensors.station import camera as module
from sensors.station.camera import BAD_MESSAGE, FLOOD, NO_TOKEN, TAKEN, PageCamera, Tokens
from sensors.station.pictures import HEAD, MAGIC, MOST_BYTES, Layout, Matrix, Sent, read
from sensors.station.server import Station

CLOCK = SystemClock()
WIDTH, HEIGHT = 128, 96
_numbers = itertools.count(1)


@pytest.fixture
async def station() -> AsyncIterator[Station]:
    async with Station(PageCamera(CLOCK), 0).running() as made:
        yield made


def camera_of(station: Station) -> PageCamera:
    assert station.camera is not None
    return station.camera


def milliseconds() -> float:
    """The page's clock: it counts from somewhere else than ours."""
    return time.monotonic() * 1000 - 12_345


def picture(*, age: float = 20.0, grey: int = 100, body: bytes | None = None, number: int | None = None) -> bytes:
    sent = milliseconds()
    if body is None:
        body = bytes([grey, grey, grey, 255]) * (WIDTH * HEIGHT)
    return HEAD.pack(MAGIC, number or next(_numbers), sent - age, sent, WIDTH, HEIGHT, Layout.RGBA, 1, 1, 1) + body


async def token_of(station: Station) -> str:
    async with httpx2.AsyncClient() as client:
        text = (await client.get(station.address)).text
    return text.split('name="token" content="')[1].split('"')[0]


def address_of(station: Station) -> str:
    return station.address.replace("http", "ws") + "camera"


@asynccontextmanager
async def opened(
    station: Station, *, token: str | None = None, origin: str | None = "own"
) -> AsyncIterator[ClientConnection]:
    own = Origin(station.address.rstrip("/")) if origin == "own" else Origin(origin) if origin else None
    async with connect(address_of(station), origin=own, compression=None, max_size=None, ping_interval=None) as socket:
        await socket.send(json.dumps({"kind": "hello", "token": token or await token_of(station)}))
        yield socket


async def word(socket: ClientConnection, kind: str, seconds: float = 5) -> dict[str, Any]:
    async with asyncio.timeout(seconds):
        while True:
            found = json.loads(await socket.recv())
            if found["kind"] == kind:
                return dict(found)


async def code_of(socket: ClientConnection, seconds: float = 5) -> int | None:
    async with asyncio.timeout(seconds):
        await socket.wait_closed()
    return socket.close_code


async def until(condition: Callable[[], object], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def sight(at: int, **motion: float) -> Sight:
    values = {"x": 0.5, "y": 0.5, "size": 0.4, "light": 0.5, "faces": 1.0, **motion}
    row = np.array([values.get(each, 0.0) for each in MOTION_CHANNELS], np.float32)
    return Sight(at, np.zeros(len(RGB_CHANNELS), np.float32), row)


# --- the page


async def test_the_page_is_strict_about_what_it_may_do(station: Station) -> None:
    async with httpx2.AsyncClient() as client:
        answer = await client.get(station.address)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["permissions-policy"].startswith("camera=(self), microphone=()")
        assert "<script>" not in answer.text
        assert "style=" not in answer.text
        assert "onclick" not in answer.text
        other = await client.get(station.address)
        assert answer.text != other.text  # a token each
        for name in ("main.js", "camera.css", "icon.svg"):
            found = await client.get(f"{station.address}static/{name}")
            assert found.status_code == 200
            assert found.headers["x-content-type-options"] == "nosniff"
        for name in ("camera.html", "../server.py", "..%2fserver.py", "nothing.js", "main.js/x"):
            assert (await client.get(f"{station.address}static/{name}")).status_code in (404, 405) or name.endswith(
                ".."
            )
        assert (await client.post(station.address)).status_code == 405


async def test_another_name_for_this_machine_is_refused(station: Station) -> None:
    async with httpx2.AsyncClient() as client:
        port = station.address.rstrip("/").rsplit(":", 1)[1]
        answer = await client.get(station.address, headers={"Host": f"evil.example:{port}"})
        assert answer.status_code == 400
        assert "token" not in answer.text


async def test_it_listens_on_this_machine_alone(station: Station) -> None:
    assert station.address.startswith("http://127.0.0.1:")
    port = int(station.address.rstrip("/").rsplit(":", 1)[1])
    with pytest.raises(BadSettings, match=f"KIOSK_STATION_PORT: {port} cannot be had"):
        async with Station(PageCamera(CLOCK), port).running():
            pass


# --- whom it lets in


@pytest.mark.parametrize("origin", [None, "http://evil.example", "http://127.0.0.1:1", "null", "https://127.0.0.1"])
async def test_a_page_of_another_origin_is_not_let_in(station: Station, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with opened(station, origin=origin):
            pass
    assert caught.value.response.status_code == 403
    assert not camera_of(station).connected


async def test_a_token_opens_one_connection(station: Station) -> None:
    token = await token_of(station)
    async with opened(station, token=token) as socket:
        following = (await word(socket, "welcome"))["token"]
    await until(lambda: not camera_of(station).connected)
    async with opened(station, token=token) as socket:
        assert await code_of(socket) == NO_TOKEN
    async with opened(station, token=following) as socket:
        assert (await word(socket, "welcome"))["width"] == 640


@pytest.mark.parametrize(
    "hello",
    ["", "{}", "no json", '{"kind":"hello"}', '{"kind":"hello","token":7}', '{"kind":"now","at":1}',
     '{"kind":"hello","token":"guess"}', '{"kind":"hello","token":"é"}', "x" * 10_000, b"\x00" * 100],
)  # fmt: skip
async def test_without_a_token_nobody_is_let_in(station: Station, hello: str | bytes) -> None:
    async with connect(address_of(station), origin=Origin(station.address.rstrip("/"))) as socket:
        await socket.send(hello)
        assert await code_of(socket) == NO_TOKEN
    assert not camera_of(station).connected


async def test_silence_is_no_token(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELLO_WITHIN", 0.1)
    async with connect(address_of(station), origin=Origin(station.address.rstrip("/"))) as socket:
        assert await code_of(socket) == NO_TOKEN


async def test_a_second_page_does_not_take_the_camera_over(station: Station) -> None:
    async with opened(station) as first:
        await word(first, "welcome")
        async with opened(station) as second:
            assert await code_of(second) == TAKEN
        await first.send(json.dumps({"kind": "now", "at": milliseconds()}))
        assert camera_of(station).connected
    await until(lambda: not camera_of(station).connected)
    async with opened(station) as third:
        await word(third, "welcome")


def test_old_tokens_are_forgotten() -> None:
    tokens = Tokens()
    first = tokens.give()
    later = [tokens.give() for _ in range(module.MOST_TOKENS)]
    assert not tokens.take(first)
    assert all(tokens.take(each) for each in later)
    assert not any(tokens.take(each) for each in later)


# --- pictures


async def test_pictures_are_taken_during_a_visit_at_their_own_times(station: Station) -> None:
    into = Latest(depth=100)
    async with opened(station) as socket:
        assert (await word(socket, "visit"))["going"] is False
        await socket.send(picture())  # on its way when the visit ended: acknowledged, not looked at
        await word(socket, "arrived")
        camera_of(station).attach(self := object(), into)
        assert (await word(socket, "visit"))["going"] is True
        moments = []
        for number in range(10):
            moments.append(CLOCK.now() - 20_000_000)
            await socket.send(picture(grey=10 * number, number=number + 1))
            assert (await word(socket, "arrived"))["number"] == number + 1
        camera_of(station).detach(self)
        assert (await word(socket, "visit"))["going"] is False
    into.end()
    frames: list[Frame] = []
    while (frame := into.get()) is not None:
        frames.append(frame)
    assert [int(frame.pixels[5, 5, 0]) for frame in frames] == [10 * number for number in range(10)]
    assert max(abs(frame.at - moment) for frame, moment in zip(frames, moments, strict=True)) < 15_000_000
    assert all(one.at < other.at for one, other in itertools.pairwise(frames))
    assert camera_of(station).taken == 10


class Sleepy(SystemClock):
    """The boot clock of a machine that has slept for so long, while the monotonic one stood still."""

    slept = 0.0

    def now(self) -> int:
        return super().now() + round(self.slept * 1e9)


async def test_a_machine_that_slept_has_right_times_from_its_first_picture_on() -> None:
    clock, into = Sleepy(), Latest(depth=100)
    moments = []
    async with Station(PageCamera(clock), 0).running() as station, opened(station) as socket:
        camera_of(station).attach(object(), into)
        for number in range(20):
            clock.slept = 0.3 * (number // 5)
            moments.append(clock.now() - 20_000_000)
            await socket.send(picture())
            await word(socket, "arrived")
    into.end()
    found = []
    while (frame := into.get()) is not None:
        found.append(frame.at)
    assert max(abs(at - moment) for at, moment in zip(found, moments, strict=True)) < 50_000_000


async def test_pictures_are_unpacked_by_who_looks_at_them(monkeypatch: pytest.MonkeyPatch, station: Station) -> None:
    threads: list[int] = []
    unpacked = Sent.pixels

    def noted(sent: Sent) -> Pixels:
        threads.append(threading.get_ident())
        return unpacked(sent)

    monkeypatch.setattr(Sent, "pixels", noted)
    into, planes = Latest(depth=2), np.random.default_rng(1).integers(0, 256, WIDTH * HEIGHT * 3 // 2, np.uint8)
    camera_of(station).attach(object(), into)
    async with opened(station) as socket:
        sent = milliseconds()
        head = HEAD.pack(MAGIC, 1, sent - 5, sent, WIDTH, HEIGHT, Layout.NV12, Matrix.BT709, 1, 1)
        for each in (picture(age=60), picture(age=40), head + planes.tobytes()):
            await socket.send(each)
            await word(socket, "arrived")
    assert (into.taken, into.dropped, threads) == (3, 1, [])

    def look() -> list[Frame | None]:
        return [into.get(), into.get()]

    _, last = await asyncio.to_thread(look)
    assert len(threads) == 2
    assert threading.get_ident() not in threads
    assert last is not None
    assert np.array_equal(last.pixels, read(head + planes.tobytes()).pixels())


async def test_a_picture_that_is_not_newer_is_left_out(station: Station) -> None:
    into = Latest(depth=100)
    camera_of(station).attach(object(), into)
    async with opened(station) as socket:
        for age in (5.0, 400.0, 5.0):
            await socket.send(picture(age=age))
            await word(socket, "arrived")
    assert into.taken == 2


@pytest.mark.parametrize(
    "nonsense",
    [b"", b"\xff" * 500, picture(body=b"short"), HEAD.pack(MAGIC, 1, 0, 0, 0, 0, 0, 0, 0, 0), "text", '{"kind":"now"}',
     '{"kind":"now","at":-5}', '{"kind":"now","at":1,"dropped":-1}', '{"kind":"now","at":1,"more":1}', "9" * 5000,
     '{"kind":"hello","token":"again"}'],
    ids=range(11),
)  # fmt: skip
async def test_nonsense_is_counted_and_then_the_page_is_put_out(
    station: Station, nonsense: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    into = Latest(depth=100)
    camera_of(station).attach(object(), into)
    with caplog.at_level(logging.DEBUG):
        async with opened(station) as socket:
            await socket.send(nonsense)
            await socket.send(picture())
            await word(socket, "arrived")
            assert camera_of(station).refused == 1
            for _ in range(module.MOST_REFUSED):
                await socket.send(nonsense)
            assert await code_of(socket) == BAD_MESSAGE
    assert into.taken == 1
    assert "messages without sense" in caplog.text
    await until(lambda: not camera_of(station).connected)
    async with opened(station) as socket:
        await word(socket, "welcome")


async def test_a_picture_that_was_too_long_on_its_way_is_refused(station: Station) -> None:
    into = Latest(depth=100)
    camera_of(station).attach(object(), into)
    async with opened(station) as socket:
        await socket.send(picture(age=20))
        await socket.send(picture(age=9_000))
        await socket.send(picture(age=1))
        await until(lambda: into.taken == 2)
    assert camera_of(station).refused == 1


async def test_a_flood_is_put_out(station: Station) -> None:
    into = Latest()
    camera_of(station).attach(object(), into)
    async with opened(station) as socket:

        async def flood() -> None:
            while True:
                await socket.send(json.dumps({"kind": "now", "at": milliseconds()}))

        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(flood(), 10)
        assert await code_of(socket) == FLOOD
    await until(lambda: not camera_of(station).connected)


async def test_a_huge_message_is_cut_off_by_its_length(station: Station) -> None:
    async with opened(station) as socket:
        await word(socket, "welcome")
        await socket.send(bytes(MOST_BYTES + 1))
        assert await code_of(socket) == 1009
    await until(lambda: not camera_of(station).connected)


# --- what the page is told, and what an operator is


async def test_the_page_is_told_how_the_visitor_sits(station: Station) -> None:
    async with opened(station) as socket:
        await word(socket, "welcome")
        camera_of(station).attach(object(), Latest())
        camera_of(station).guide(sight(1_000_000_000, size=0.14))
        told = await word(socket, "guide")
        assert (told["advice"], told["near"], told["x"]) == ("closer", 0.5, 0.5)
        for number in range(60):
            camera_of(station).guide(sight(1_000_000_000 + number * 33_000_000))
        said = [await word(socket, "guide")]
        assert said[-1]["advice"] == "good"
        # of what waits only the latest is said
        with pytest.raises(TimeoutError):
            await word(socket, "guide", 0.2)


async def test_trouble_is_said_in_words(station: Station) -> None:
    camera = camera_of(station)
    assert camera.trouble == "no page is open in the kiosk's browser"
    camera.attach(object(), Latest())
    async with opened(station) as socket:
        await word(socket, "welcome")
        assert camera.trouble == ""
        await socket.send(json.dumps({"kind": "now", "at": milliseconds(), "dropped": 3, "held": False}))
        sent = milliseconds()
        body = bytes(WIDTH * HEIGHT * 4)
        await socket.send(HEAD.pack(MAGIC, 1, sent, sent, WIDTH, HEIGHT, Layout.RGBA, 1, 1, 2) + body)
        await word(socket, "arrived")
        assert "does not say when a picture was taken" in camera.trouble
        assert "goes on changing its exposure" in camera.trouble
        assert camera.left_out == 3


async def test_a_run_waits_for_a_page_and_ends_when_it_goes(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "SILENT", 0.2)
    source, into = Page(camera_of(station), CLOCK), Latest(depth=100)
    async with source:
        feeding = asyncio.create_task(source.feed(into))
        await asyncio.sleep(0.5)
        assert not feeding.done()
        async with opened(station) as socket:
            await word(socket, "welcome")
            for _ in range(4):
                await socket.send(picture())
                await word(socket, "arrived")
                await asyncio.sleep(0.05)
        with pytest.raises(DriverFailed, match="the kiosk's page sends no pictures"):
            await asyncio.wait_for(feeding, 2)
    # the next run has the camera again
    async with Page(camera_of(station), CLOCK) as again:
        feeding = asyncio.create_task(again.feed(into))
        await asyncio.sleep(0.01)
        with pytest.raises(DriverFailed, match="in use by another driver"):
            await Page(camera_of(station), CLOCK).feed(into)
        feeding.cancel()


async def test_a_station_that_ends_puts_its_page_out() -> None:
    async with Station(PageCamera(CLOCK), 0).running() as made:
        camera = camera_of(made)
        manager = opened(made)
        socket = await manager.__aenter__()
        await word(socket, "welcome")
        started = time.monotonic()
    assert time.monotonic() - started < 5
    assert await code_of(socket) == 1012
    assert not camera.connected
    with pytest.raises(ConnectionClosed):
        await socket.send("anybody?")
    await manager.__aexit__(None, None, None)

"""The live socket: bytes as they came, to those who watch, as fast as each of them can take it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from websockets.asyncio import client
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.live import Client, Hub
from api.metrics import Metrics
from api.server import server
from api.store import Database, sessions
from kiosk.bus import MemoryBus, send
from kiosk.messages import Chunk, Event, Message, Reading, Status, Stream, address, encode
from tests import databases
from tests.api import staff
from tests.api.conftest import opened, record

SAMPLES = np.arange(25, dtype="<f4").tobytes()


def chunk(session: str, seq: int, signal: str = "ecg", samples: bytes = SAMPLES) -> Chunk:
    return Chunk(Stream(session, "d", signal, "r1"), seq, seq * 100_000_000, 250.0, ("I",), samples)


def reading(session: str) -> Reading:
    return Reading(Stream(session, "analytics", "readings", "r1"), 0, "heart_rate", 61.0, "d", "live", "m", 0, 1)


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """One kind of database is enough here: only the look-up of a session touches it."""
    (tmp_path / "kiosk.sqlite").write_bytes(sqlite_template.read_bytes())
    opened_ = databases.database(tmp_path)
    staff.let_in(opened_)
    record(opened_, opened("s-a", simulated=True))
    record(opened_, opened("s-b"))
    record(opened_, opened("s-c"), kiosk="kiosk-2")
    yield opened_
    opened_.close()


@pytest.fixture
async def place(app: FastAPI) -> AsyncIterator[str]:
    """Where a real server of the app listens."""
    running = server(app, "127.0.0.1", 0)
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0.005)
    yield f"127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    running.should_exit = True
    await task


def connect(address: str, **options: Any) -> client.connect:
    """A socket of somebody who is logged in."""
    return client.connect(address, additional_headers=staff.KNOWN, **options)


async def watch(place: str, session: str, query: str = "", **options: Any) -> ClientConnection:
    """A socket that has said hello."""
    socket = await connect(f"ws://{place}/api/v1/sessions/{session}/live{query}", compression=None, **options)
    hello = json.loads(await socket.recv())
    assert hello["kind"] == "hello"
    assert hello["session"] == session
    return socket


async def frame(socket: ClientConnection) -> bytes:
    async with asyncio.timeout(5):
        got = await socket.recv(decode=False)
    assert isinstance(got, bytes)
    return got


async def test_payloads_pass_through_byte_for_byte(place: str, bus: MemoryBus) -> None:
    socket = await watch(place, "s-a")
    messages: list[Message] = [
        chunk("s-a", 0), reading("s-a"), Event(Stream("s-a", "st", "events", "r"), 0, "moved", 1), opened("s-a"),
        Status("d", "running"), chunk("s-a", 1),
    ]  # fmt: skip
    for message in messages:
        await send(bus, "kiosk-1", message)
        assert await frame(socket) == encode(message)
    # white space of the sender's own: still the bytes that came
    spaced = encode(chunk("s-a", 2)).replace(b",", b" ,\n ")
    await bus.publish(address("kiosk-1", chunk("s-a", 2)), spaced)
    assert await frame(socket) == spaced
    await socket.close()


async def test_the_hello_tells_what_is_watched(place: str) -> None:
    async with connect(f"ws://{place}/api/v1/sessions/s-a/live?signals=ecg,ppg") as socket:
        hello = json.loads(await socket.recv())
    assert hello.pop("now") > "2025-01-01"
    assert hello == {
        "kind": "hello",
        "session": "s-a",
        "kiosk": "kiosk-1",
        "state": "open",
        "simulated": True,
        "revision": 0,
        "started": "2025-01-02T09:00:00+00:00",
        "signals": ["ecg", "ppg"],
    }


async def test_two_sessions_never_mix(place: str, bus: MemoryBus) -> None:
    sockets = {session: await watch(place, session) for session in ("s-a", "s-b", "s-c")}
    kiosks = {"s-a": "kiosk-1", "s-b": "kiosk-1", "s-c": "kiosk-2"}
    for seq in range(20):
        for session, kiosk in kiosks.items():
            await send(bus, kiosk, chunk(session, seq))
    # a kiosk that speaks of another one's session is not heard
    await send(bus, "kiosk-2", chunk("s-a", 99))
    await send(bus, "kiosk-1", Status("d", "running", session="s-b"))
    for session, kiosk in kiosks.items():
        await send(bus, kiosk, chunk(session, 20))
    for session, socket in sockets.items():
        got = [await frame(socket) for _ in range(22 if session == "s-b" else 21)]
        assert [message for message in got if b'"status"' not in message] == [
            encode(chunk(session, seq)) for seq in range(21)
        ]
        assert (b'"status"' in b"".join(got)) == (session == "s-b")
        await socket.close()


async def test_only_the_wanted_waveforms_come(place: str, bus: MemoryBus) -> None:
    socket = await watch(place, "s-a", "?signals=ppg")
    await send(bus, "kiosk-1", chunk("s-a", 0, "ecg"))
    await send(bus, "kiosk-1", chunk("s-a", 0, "ppg"))
    await send(bus, "kiosk-1", reading("s-a"))
    assert await frame(socket) == encode(chunk("s-a", 0, "ppg"))
    assert await frame(socket) == encode(reading("s-a"))
    await socket.close()


async def test_what_is_malformed_reaches_no_browser(place: str, bus: MemoryBus, app: FastAPI) -> None:
    socket = await watch(place, "s-a")
    good = encode(chunk("s-a", 0))
    topic = address("kiosk-1", chunk("s-a", 0))
    for bad in (
        good[:-5],
        b"{}",
        b"\xff\xfe",
        good.replace(b'"channels"', b'"note":"\xff","channels"'),
        good.replace(b'"rate":250.0', b'"rate":-1'),
        good.replace(b'{"kind":"chunk"', b'{"kind":"event"'),
        good.replace(b'"signal":"ecg"', b'"signal":"audio"'),
        # the second stream is the one that counts, and it is of another session
        good.replace(b',"seq"', b',"stream":{"session":"s-b","device":"d","signal":"ecg","run":"r1"},"seq"'),
    ):
        await bus.publish(topic, bad)
    await send(bus, "kiosk-1", chunk("s-a", 1))
    assert await frame(socket) == encode(chunk("s-a", 1))
    assert app.state.metrics.registry.get_sample_value(
        "kiosk_live_messages_refused_total", {"reason": "malformed"}
    )  # fmt: skip
    await socket.close()


async def test_a_later_watcher_is_told_what_devices_last_said(place: str, bus: MemoryBus) -> None:
    first = await watch(place, "s-a")
    await send(bus, "kiosk-1", Status("d", "starting"))
    await send(bus, "kiosk-1", Status("d", "running"))
    await frame(first)
    await frame(first)
    second = await watch(place, "s-b")
    assert await frame(second) == encode(Status("d", "running"))
    await first.close()
    await second.close()


async def test_a_slow_client_loses_the_oldest_and_holds_up_nobody(place: str, bus: MemoryBus, app: FastAPI) -> None:
    big = np.zeros(4096 * 8, "<f4").tobytes()
    stream = Stream("s-a", "d", "eeg", "r1")
    channels = tuple(f"e{number}" for number in range(64))
    messages = [Chunk(stream, seq, seq, 1000.0, channels, big) for seq in range(200)]
    slow = await watch(place, "s-a", max_queue=1)
    # its reader stops here: the socket fills, then the queue
    slow.transport.pause_reading()
    quick = await watch(place, "s-a", max_size=None)
    for message in messages:
        await send(bus, "kiosk-1", message)
        assert await frame(quick) == encode(message)
    dropped = app.state.metrics.registry.get_sample_value("kiosk_live_messages_dropped_total")
    assert dropped
    slow.transport.resume_reading()
    got: list[dict[str, Any]] = []
    while not got or got[-1].get("seq") != 199:
        got.append(json.loads(await frame(slow)))
    said = [message["total"] for message in got if message["kind"] == "dropped"]
    seqs = [message["seq"] for message in got if message["kind"] == "chunk"]
    assert said[-1] == dropped
    assert len(seqs) == 200 - dropped
    assert seqs == sorted(seqs)
    await slow.close()
    await quick.close()


async def test_a_queue_is_bounded_in_number_and_in_size() -> None:
    client = Client("s", None, Metrics())
    for number in range(2000):
        client.put(str(number))
    assert client.dropped == 1000
    assert await client.take() == "1000"
    wide = Client("s", None, Metrics())
    for _ in range(5):
        wide.put("x" * 1_500_000)
    assert wide.dropped == 3
    wide.put("y" * 9_000_000)
    assert len(await wide.take() or "") == 9_000_000


async def test_a_kiosk_is_listened_to_only_while_somebody_watches() -> None:
    bus = MemoryBus()
    async with Hub(bus, Metrics()) as hub:
        async with hub.watch("k", "s-a"), hub.watch("k", "s-b"), hub.watch("k2", "s-c"):
            assert len(bus._subscriptions) == 2
        assert not bus._subscriptions
        async with hub.watch("k", "s-a") as client:
            assert len(bus._subscriptions) == 1
            bus._subscriptions[0].close()
            assert await client.take() is None
    assert not bus._subscriptions


@pytest.mark.parametrize(
    ("path", "code", "slug"),
    [
        ("nobody/live", 4404, "unknown-session"),
        ("no%20body/live", 4404, "unknown-session"),
        ("s-a/live?signals=luck", 4422, "invalid"),
    ],
)
async def test_a_refusal_is_a_problem_and_a_code(place: str, path: str, code: int, slug: str) -> None:
    async with connect(f"ws://{place}/api/v1/sessions/{path}") as socket:
        problem = json.loads(await socket.recv())
        assert problem["kind"] == "problem"
        assert problem["type"].endswith(f"/{slug}")
        assert problem["status"] == code - 4000
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == code
        assert socket.close_reason == problem["title"]


async def test_a_database_that_is_away_closes_with_its_problem(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    monkeypatch.setattr(sessions, "get", away)
    async with connect(f"ws://{place}/api/v1/sessions/s-a/live") as socket:
        assert json.loads(await socket.recv())["type"].endswith("/database-down")
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4503


async def test_an_error_of_ours_is_a_problem_with_an_id(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "get", lambda *_: 1 / 0)
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://{place}/api/v1/sessions/s-a/live")
    assert refused.value.response.status_code == 500
    assert json.loads(refused.value.response.body or b"")["instance"].startswith("urn:uuid:")


async def test_pages_of_other_sites_cannot_listen(place: str) -> None:
    address_ = f"ws://{place}/api/v1/sessions/s-a/live"
    with pytest.raises(InvalidStatus) as refused:
        await connect(address_, origin="https://evil.example")
    assert refused.value.response.status_code == 403
    assert refused.value.response.headers["content-type"] == "application/problem+json"
    async with connect(address_, origin=f"http://{place}") as socket:
        assert json.loads(await socket.recv())["kind"] == "hello"


async def test_an_address_without_a_socket_is_a_problem(place: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://{place}/api/v1/nothing")
    assert refused.value.response.headers["content-type"] == "application/problem+json"


async def test_clients_that_leave_are_forgotten(place: str, bus: MemoryBus, app: FastAPI) -> None:
    before = len(bus._subscriptions)  # the app's own: what kiosks ask for
    socket = await watch(place, "s-a")
    gauge = "kiosk_live_clients"
    assert app.state.metrics.registry.get_sample_value(gauge) == 1
    socket.transport.abort()
    async with asyncio.timeout(5):
        while len(bus._subscriptions) > before:
            await asyncio.sleep(0.005)
    assert app.state.metrics.registry.get_sample_value(gauge) == 0

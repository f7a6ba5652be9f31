"""The wall's socket: all kiosks of a clinic at once, few words of each, of nobody else's, and none that pretend."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from fastapi import FastAPI
from websockets.asyncio import client
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

import api.wall as module
from api.metrics import Metrics
from api.security import ALLOWED, Action, Role
from api.server import server
from api.store import Database, kiosks, roster, sessions, utc_now
from api.store.roster import Seat, Sitting
from api.tables import MAIN, AlertRow, KioskRow, RuleRow, SessionRow
from api.wall import Wall
from api.wall.known import AWAY, NO_SIGNAL, Known, card_of
from api.wall.thinning import BUCKETS, KEEP, SWITCH_AFTER, Trace
from kiosk.bus import MemoryBus, send
from kiosk.messages import SECOND, Chunk, Origin, Reading, Session, Status, Stream
from tests import databases
from tests.api import staff
from tests.api.conftest import record

NOW = utc_now()


def chunk(
    session: str, seq: int, signal: str = "ecg", *, device: str = "d", rate: float = 250.0, samples: Any = None
) -> Chunk:
    data = np.arange(25, dtype="<f4") if samples is None else np.asarray(samples, "<f4")
    return Chunk(
        Stream(session, device, signal, "r1"), seq, round(seq * 25 / rate * SECOND), rate, ("I",), data.tobytes()
    )


def opened(session: str) -> Session:
    return Session(Stream(session, "station", "session", "r1"), 0, "open", Origin(NOW, 0, "b"))


def reading(session: str, measure: str, value: float | None, source: str = "ecg", absent: str | None = None) -> Reading:
    stream = Stream(session, "analytics", "readings", "r1")
    return Reading(stream, 0, measure, value, source, "live", "m", 0, 1, quality=None if absent else 0.9, absent=absent)


# --- thinning


def test_a_thinned_trace_keeps_every_peak() -> None:
    samples = np.zeros(2500)
    peaks = np.arange(120, 2400, 200)
    samples[peaks] = 1.0
    trace = Trace()
    for seq in range(100):
        trace.add(chunk("s", seq, samples=samples[seq * 25 : seq * 25 + 25]), NOW)
    high = [bucket for bucket in trace.buckets if max(bucket.first, bucket.second) == 1.0]
    assert len(high) == len(peaks)
    assert len(trace.buckets) == 10 * BUCKETS - 1


@pytest.mark.parametrize("size", [1, 7, 25, 400])
def test_a_trace_is_the_same_however_it_was_cut(size: int) -> None:
    samples = np.random.default_rng(3).normal(0, 1, 2000)
    whole, parts = Trace(), Trace()
    stream = Stream("s", "d", "ecg", "r1")
    whole.add(Chunk(stream, 0, 0, 250.0, ("I",), samples.astype("<f4").tobytes()), NOW)
    for seq, first in enumerate(range(0, 2000, size)):
        part = samples[first : first + size].astype("<f4").tobytes()
        parts.add(Chunk(stream, seq, first * SECOND // 250, 250.0, ("I",), part), NOW)
    assert list(whole.buckets) == list(parts.buckets)


def test_lost_samples_leave_a_hole_and_old_chunks_change_nothing() -> None:
    trace = Trace()
    trace.add(chunk("s", 0, samples=[np.nan] * 25), NOW)
    trace.add(chunk("s", 20), NOW)
    trace.add(chunk("s", 3), NOW)
    trace.add(chunk("s", 21), NOW)
    numbers = [bucket.number for bucket in trace.buckets]
    assert numbers == sorted(numbers)
    assert numbers[0] == 2 * BUCKETS


def test_the_better_signal_is_drawn_and_another_once_it_is_silent() -> None:
    trace = Trace()
    trace.add(chunk("s", 0, "respiration"), NOW)
    assert trace.wants("ecg", NOW)
    trace.add(chunk("s", 0, "ecg"), NOW)
    assert trace.signal == "ecg"
    assert not trace.wants("ppg", NOW + SECOND)
    trace.add(chunk("s", 1, "ecg", device="other", samples=[9] * 25), NOW + SECOND)
    assert all(bucket.first < 9 for bucket in trace.buckets) or not trace.buckets
    assert trace.wants("ppg", NOW + SWITCH_AFTER + SECOND)
    before = trace.epoch
    trace.add(chunk("s", 1, "ppg"), NOW + SWITCH_AFTER + SECOND)
    assert (trace.signal, trace.epoch) == ("ppg", before + 1)


# --- what a card says


SITTING = Sitting("s-1", NOW, False, "P-1")


def known_of(*statuses: Status, at: int = NOW, seat: Seat | None = None) -> tuple[Known, Seat]:
    known, seat = Known(), seat or Seat("k", sittings={"s-1": SITTING})
    for status in statuses:
        known.status(status, at)
    known.noted(seat)
    return known, seat


def test_a_kiosk_that_stops_speaking_does_not_look_alive() -> None:
    known, seat = known_of(Status("sensors", "running", session="s-1"))
    assert card_of(known, seat, NOW, NOW + SECOND).state == "measuring"
    late = card_of(known, seat, NOW, NOW + AWAY + SECOND)
    assert (late.state, late.session, late.heart) == ("offline", None, None)
    assert late.heard == NOW // 1_000_000


def test_its_will_takes_it_off_at_once() -> None:
    known, seat = known_of(Status("sensors", "running"))
    known.status(Status("sensors", "gone"), NOW + SECOND)
    assert card_of(known, seat, NOW, NOW + SECOND).state == "offline"


def test_a_word_that_the_broker_kept_is_as_old_as_the_record_says() -> None:
    known, seat = known_of(Status("sensors", "running"), seat=Seat("k", seen={"sensors": NOW - 2 * AWAY}))
    assert card_of(known, seat, NOW, NOW).state == "offline"
    known.status(Status("sensors", "running"), NOW + SECOND)
    assert card_of(known, seat, NOW, NOW + SECOND).state == "free"


def test_a_signal_that_stops_is_trouble_and_one_that_never_came_is_not() -> None:
    known, seat = known_of(Status("sensors", "running", session="s-1"))
    later = NOW + NO_SIGNAL + SECOND
    card = card_of(known, seat, NOW, later)
    assert (card.state, card.troubles[0].what) == ("measuring", "no_signal_yet")
    known.samples("s-1", NOW)
    card = card_of(known, seat, NOW, later)
    assert (card.state, card.troubles[0].what) == ("trouble", "no_signal")


def test_a_failed_device_is_trouble_and_a_remark_is_none() -> None:
    known, seat = known_of(Status("sensors", "running", lost=3), Status("cuff", "running", detail="low battery"))
    card = card_of(known, seat, NOW, NOW)
    assert card.state == "free"
    assert [(each.what, each.count) for each in card.troubles] == [("words", 0), ("lost", 3)]
    known.status(Status("strap", "failed", detail="not found"), NOW)
    card = card_of(known, seat, NOW, NOW)
    assert (card.state, card.troubles[1].device, card.troubles[1].detail) == ("trouble", "strap", "not found")


def test_nothing_of_a_visit_is_shown_before_the_record_knows_whose_it_is() -> None:
    known, seat = known_of(Status("sensors", "running", session="s-2"))
    known.reading(reading("s-2", "heart_rate", 61.0), NOW)
    card = card_of(known, seat, NOW, NOW)
    assert (card.state, card.session, card.heart, card.person) == ("free", None, None, None)


def test_the_best_source_is_shown_and_an_old_number_says_so() -> None:
    known, seat = known_of(Status("sensors", "running", session="s-1"))
    known.reading(reading("s-1", "heart_rate", 70.0, "rgb"), NOW)
    known.reading(reading("s-1", "heart_rate", None, "ecg", absent="noisy"), NOW)
    card = card_of(known, seat, NOW, NOW)
    assert card.heart is not None
    assert (card.heart.value, card.heart.source) == (70.0, "rgb")
    known.reading(reading("s-1", "heart_rate", 66.0, "ecg"), NOW)
    now = card_of(known, seat, NOW, NOW).heart
    assert now is not None
    assert (now.value, now.source, now.old) == (66.0, "ecg", False)
    old = card_of(known, seat, NOW, NOW + 10 * SECOND).heart
    assert old is not None
    assert old.old
    assert "NaN" not in msgspec.json.encode(card_of(known, seat, NOW, NOW)).decode()


def test_another_visit_begins_with_nothing_of_the_last_one() -> None:
    known, _ = known_of(Status("sensors", "running", session="s-1"))
    known.reading(reading("s-1", "heart_rate", 61.0), NOW)
    known.trace.add(chunk("s-1", 0), NOW)
    known.trace.add(chunk("s-1", 5), NOW)
    known.status(Status("sensors", "running", session="s-2"), NOW)
    assert not known.trace.buckets
    assert not known.numbers


def test_a_revoked_kiosk_says_nothing_more() -> None:
    known, seat = known_of(Status("sensors", "running"), seat=Seat("k", revoked=True))
    assert card_of(known, seat, NOW, NOW).state == "revoked"


# --- the socket


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "kiosk.sqlite").write_bytes(sqlite_template.read_bytes())
    opened_ = databases.database(tmp_path)
    staff.let_in(opened_)
    staff.hire(opened_, Role.CLINICIAN, "other")
    with opened_.transaction() as db:
        kiosks.add(db, KioskRow(name="k-other", clinic_id="other", added_ns=1))
        kiosks.add(db, KioskRow(name="k-1", clinic_id=MAIN, place="<b>hall</b>", added_ns=1))
    record(opened_, opened("s-1"), Status("sensors", "running", session="s-1"), kiosk="k-1")
    record(opened_, opened("s-o"), Status("sensors", "running", session="s-o"), kiosk="k-other")
    yield opened_
    opened_.close()


@pytest.fixture
async def place(app: FastAPI) -> AsyncIterator[str]:
    running = server(app, "127.0.0.1", 0)
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0.005)
    yield f"127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    running.should_exit = True
    await task


def connect(place: str, headers: dict[str, str] | None = None, **options: Any) -> client.connect:
    known = staff.KNOWN if headers is None else headers
    return client.connect(f"ws://{place}/api/v1/wall/live", additional_headers=known, **options)


async def frames(socket: ClientConnection) -> AsyncIterator[dict[str, Any]]:
    async with asyncio.timeout(10):
        while True:
            yield json.loads(await socket.recv())


async def until(socket: ClientConnection, wanted: Any) -> dict[str, Any]:
    async for frame in frames(socket):
        if wanted(frame):
            return frame
    raise AssertionError


async def speak(bus: MemoryBus, kiosk: str, session: str, stop: asyncio.Event) -> None:
    seq = 0
    while not stop.is_set():
        await send(bus, kiosk, Status("sensors", "running", session=session))
        await send(bus, kiosk, chunk(session, seq))
        await send(bus, kiosk, reading(session, "heart_rate", 61.0))
        seq += 1
        await asyncio.sleep(0.05)


async def test_the_wall_shows_its_own_clinic_alone(place: str, bus: MemoryBus, database: Database) -> None:
    stop = asyncio.Event()
    speaking = [asyncio.create_task(speak(bus, *each, stop)) for each in (("k-1", "s-1"), ("k-other", "s-o"))]
    theirs = staff.bearer(database, staff.hire(database, Role.CLINICIAN, "other"))
    for headers, own, foreign in ((None, ("k-1", "s-1"), "k-other"), (theirs, ("k-other", "s-o"), "k-1")):
        async with connect(place, headers) as socket:
            await socket.send(json.dumps({"view": ["k-1", "k-other"]}))
            seen = []
            async for frame in frames(socket):
                seen.append(frame)
                told = any(each["kind"] == "roster" and each["kiosks"] for each in seen)
                if told and frame["kind"] == "now" and own[0] in frame["traces"]:
                    break
            text = json.dumps(seen)
            assert foreign not in text
            # the first may come before a kiosk was heard of
            listed = [frame for frame in seen if frame["kind"] == "roster"][-1]
            assert [each["kiosk"] for each in listed["kiosks"]] == [own[0]]
            card = [frame["cards"][own[0]] for frame in seen if own[0] in frame.get("cards", {})][-1]
            assert (card["session"], card["state"], card["heart"]["value"]) == (own[1], "measuring", 61.0)
    stop.set()
    await asyncio.gather(*speaking)


async def test_a_kiosk_cannot_show_a_visit_of_another_ones(place: str, bus: MemoryBus) -> None:
    async with connect(place) as socket:
        await socket.send(json.dumps({"view": ["k-1"]}))
        stop = asyncio.Event()
        speaking = asyncio.create_task(speak(bus, "k-1", "s-o", stop))
        got = [frame async for frame, _ in _some(socket, 12)]
        stop.set()
        await speaking
    assert not any(frame.get("traces") for frame in got)
    assert "s-o" not in json.dumps(got)


async def _some(socket: ClientConnection, count: int) -> AsyncIterator[tuple[dict[str, Any], int]]:
    number = 0
    async for frame in frames(socket):
        yield frame, number
        number += 1
        if number == count:
            return


async def test_traces_come_of_what_is_in_view_and_of_nothing_else(place: str, bus: MemoryBus) -> None:
    stop = asyncio.Event()
    speaking = asyncio.create_task(speak(bus, "k-1", "s-1", stop))
    async with connect(place) as socket:
        got = [frame async for frame, _ in _some(socket, 8)]
        assert not any(frame.get("traces") for frame in got)
        await socket.send("not json")
        await socket.send(json.dumps({"view": ["k-1", "no such"]}))  # refused as a whole: no name has a blank
        await socket.send(json.dumps({"view": ["k-1"]}))
        frame = await until(socket, lambda frame: frame.get("traces"))
        piece = frame["traces"]["k-1"]
        assert piece["signal"] == "ecg"
        assert len(piece["points"]) % 2 == 0
        next_one = (await until(socket, lambda frame: frame.get("traces")))["traces"]["k-1"]
        assert next_one["at"] == piece["at"] + len(piece["points"]) // 2
    stop.set()
    await speaking


async def test_numbers_come_four_times_a_second_at_most(place: str, bus: MemoryBus) -> None:
    stop = asyncio.Event()
    speaking = asyncio.create_task(speak(bus, "k-1", "s-1", stop))
    async with connect(place) as socket:
        await until(socket, lambda frame: frame["kind"] == "now")
        began = asyncio.get_running_loop().time()
        async for _ in _some(socket, 8):
            pass
        took = asyncio.get_running_loop().time() - began
    stop.set()
    await speaking
    assert took > 8 * module.EVERY * 0.8


async def test_a_viewer_that_is_late_misses_the_oldest_points_and_is_told() -> None:
    bus, metrics = MemoryBus(), Metrics()
    wall = Wall(bus, metrics)

    def look(_: str | None) -> dict[str, Seat]:
        return {"k": Seat("k", sittings={"s-1": SITTING})}

    async with wall.watch(MAIN, look) as viewer:
        viewer.look_at(["k"])
        words = viewer.words()
        async with asyncio.timeout(10):
            await anext(words)
            await send(bus, "k", Status("sensors", "running", session="s-1"))
            await send(bus, "k", chunk("s-1", 0))
            await send(bus, "k", chunk("s-1", 1))
            while not (first := json.loads(await anext(words)))["traces"]:
                pass
            for seq in range(2, 300):
                await send(bus, "k", chunk("s-1", seq))
            while not (late := json.loads(await anext(words)))["traces"]:
                pass
    assert first["traces"]["k"]["at"] == 0
    piece = late["traces"]["k"]
    assert len(piece["points"]) <= 2 * (KEEP + 1)
    assert wall.metrics.registry.get_sample_value("kiosk_live_messages_dropped_total")
    assert not bus._subscriptions, "the last one to leave turns it off"


async def test_a_dead_socket_is_forgotten(place: str, bus: MemoryBus, app: FastAPI) -> None:
    before = len(bus._subscriptions)  # the app's own: what kiosks ask for
    socket = await connect(place)
    await until(socket, lambda frame: frame["kind"] == "now")
    assert app.state.metrics.registry.get_sample_value("kiosk_live_clients") == 1
    socket.transport.abort()
    async with asyncio.timeout(10):
        while len(bus._subscriptions) > before:
            await asyncio.sleep(0.01)
    assert app.state.metrics.registry.get_sample_value("kiosk_live_clients") == 0


@pytest.mark.parametrize("role", list(Role))
async def test_who_may_not_watch_is_refused(place: str, database: Database, role: Role) -> None:
    headers = staff.bearer(database, staff.hire(database, role))
    async with connect(place, headers) as socket:
        first = json.loads(await socket.recv())
        if role in ALLOWED[Action.WATCH_LIVE]:
            assert first["kind"] == "hello"
            return
        assert (first["kind"], first["status"]) == ("problem", 403)
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_nobody_and_other_sites_are_refused(place: str) -> None:
    async with connect(place, {}) as socket:
        assert json.loads(await socket.recv())["status"] == 401
    with pytest.raises(InvalidStatus):
        await connect(place, origin="https://evil.example")


def test_open_alerts_of_a_kiosk_are_counted_by_the_gravest(database: Database) -> None:
    with database.transaction() as db:
        row = db.get(SessionRow, "s-1")
        assert row is not None
        for name, severity, state in (
            ("1", "notice", "open"),
            ("2", "urgent", "open"),
            ("3", "urgent", "acknowledged"),
        ):
            db.add(RuleRow(id=f"r-{name}", clinic_id=MAIN, measure="heart_rate", high=1, severity=severity,
                           author_id="u", created_ns=1))  # fmt: skip
            db.flush()
            db.add(AlertRow(id=f"a-{name}", clinic_id=MAIN, rule_id=f"r-{name}", session_id="s-1", revision=1,
                            measure="heart_rate", value=2, severity=severity, state=state, raised_ns=5))  # fmt: skip
    with database.reading() as db:
        seats = roster.seats(db, MAIN)
        assert sessions.get(db, "s-1") is not None
        assert "k-1" not in roster.seats(db, "other")
    raised = seats["k-1"].raised
    assert raised is not None
    assert (raised.count, raised.severity, raised.session) == (2, "urgent", "s-1")
    assert seats["k-1"].place == "<b>hall</b>"

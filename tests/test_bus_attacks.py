"""A kiosk that lies: nothing of it crashes a service or is taken for another's, and honest kiosks are heard as ever."""

import asyncio
import base64
import contextlib
import json
import shutil
import threading
import tracemalloc
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import paho.mqtt.client as paho
import pytest
from msgspec.structs import replace
from paho.mqtt.enums import CallbackAPIVersion

from analytics import router as routing
from analytics.router import Router
from analytics.service import handle
from analytics.service import serve as serve_analytics
from api import allowance
from api.ledger import MOST_RANGES, Ledger
from api.live import Client, Hub
from api.metrics import Metrics
from api.recorder import Recorder
from api.store import Database, arrivals
from api.tables import ChunkRow, DeviceRow, SessionRow, StreamRow
from kiosk import bus as buses
from kiosk.broker import HOST
from kiosk.bus import Delivery, MemoryBus, Subscription, send
from kiosk.credentials import PasswordFile
from kiosk.messages import (
    MAX_PAYLOAD,
    MAX_STREAMS,
    SECOND,
    Chunk,
    End,
    Event,
    Lost,
    Message,
    Origin,
    Receipt,
    Refusal,
    Session,
    Status,
    Stream,
    address,
    encode,
)
from kiosk.mqtt import MqttBus
from sensors.drivers.simulated import Person
from sensors.outbox import Outbox
from sensors.sender import Sender
from tests import databases
from tests.analytics.visitors import ecg
from tests.deployed_broker import deployed

HONEST, FORGER = "honest", "forger"
VISIT = "a-visit"
ECG = Stream(VISIT, "strap", "ecg", "r1")
ORIGIN = Origin(1_700_000_000 * SECOND, 5 * SECOND, "boot-1")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated database to copy."""
    folder = tmp_path_factory.mktemp("template")
    made = databases.database(folder)
    made.migrate()
    made.close()
    return folder / "kiosk.sqlite"


@pytest.fixture
def database(template: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(template, tmp_path / "kiosk.sqlite")
    opened = databases.database(tmp_path)
    yield opened
    opened.close()


def chunk(seq: int, stream: Stream = ECG) -> Chunk:
    return Chunk(stream, seq, seq * SECOND // 10, 250.0, ("II",), np.full((25, 1), seq / 100, "<f4").tobytes())


def from_(kiosk: str, *messages: Message) -> list[Delivery]:
    return [Delivery(address(kiosk, message), encode(message)) for message in messages]


def stored(database: Database) -> dict[tuple[str, str, str], list[int]]:
    """The seqs of every stream's chunks, by kiosk, session and run."""
    found: dict[tuple[str, str, str], list[int]] = {}
    with database.reading() as db:
        sessions = {row.id: row.kiosk for row in db.query(SessionRow)}
        streams = {row.id: row for row in db.query(StreamRow)}
        for row in db.query(ChunkRow):
            stream = streams[row.stream_id]
            found.setdefault((sessions[stream.session_id], stream.session_id, stream.run), []).append(row.seq)
    return {key: sorted(seqs) for key, seqs in found.items()}


def count(database: Database, table: type) -> int:
    with database.reading() as db:
        return db.query(table).count()


def whole(kiosk: str = HONEST, session: str = VISIT, count: int = 20) -> dict[tuple[str, str, str], list[int]]:
    return {(kiosk, session, "r1"): list(range(count))}


# --- payloads that no sender of ours would make

GOOD = encode(chunk(3))


def changed(**values: object) -> bytes:
    """An honest chunk's JSON with other members, without its checksum."""
    members = json.loads(GOOD)
    del members["crc"]
    return json.dumps({**members, **values}).encode()


def raw(name: str, text: str) -> bytes:
    """The same, where a member's text is no JSON that Python would write."""
    return changed(**{name: "HERE"}).replace(b'"HERE"', text.encode())


STREAM = json.loads(GOOD)["stream"]
EVENT = b'{"kind":"event","stream":%s,"seq":0,"event":"x","time":0,"detail":%s}'
HOSTILE: dict[str, tuple[str, bytes]] = {
    name: (f"kiosk/v1/{FORGER}/chunk/ecg", payload)
    for name, payload in {
        "empty object": b"{}",
        "not json": b"\x00\xff\xfe garbage",
        "a number": b"1",
        "truncated": GOOD[:-40],
        "truncated in a number": GOOD[:20],
        "oversized": changed(samples=base64.b64encode(bytes(MAX_PAYLOAD)).decode()),
        "a million brackets": b"[" * 200_000,
        "deep object": b'{"a":' * 30_000 + b"1" + b"}" * 30_000,
        "deep unknown member": changed(extra=0).replace(b'"extra": 0', b'"extra":' + b"[" * 90_000 + b"]" * 90_000),
        "nan time": raw("start", "NaN"),
        "infinite time": raw("start", "Infinity"),
        "huge time": raw("start", "9" * 400),
        "float time": raw("start", "1e18"),
        "time of a million years": changed(start=2**62),
        "huge seq": raw("seq", "9" * 4000),
        "seq beyond the column": changed(seq=2**63),
        "negative seq": changed(seq=-1),
        "seq as text": changed(seq="3"),
        "seq as truth": changed(seq=True),
        "no rate": changed(rate=0),
        "negative rate": changed(rate=-250),
        "huge rate": raw("rate", "1e309"),
        "a rate that is none": changed(rate="250"),
        "no channels": changed(channels=[]),
        "many channels": changed(channels=[f"c{n}" for n in range(10_000)]),
        "channels of control characters": changed(channels=["\x00\n"]),
        "samples that are no base64": changed(samples="%%%%"),
        "half a sample": changed(samples="AAAA"),
        "infinite samples": changed(samples=base64.b64encode(np.full(25, np.inf, "<f4").tobytes()).decode()),
        "stream of wildcards": changed(stream={**STREAM, "session": "+"}),
        "stream of a path": changed(stream={**STREAM, "device": "../../etc"}),
        "stream of sql": changed(stream={**STREAM, "session": "x'; DROP TABLE chunks; --"}),
        "stream with a line end": changed(stream={**STREAM, "run": "r1\n"}),
        "stream of a foreign script": changed(stream={**STREAM, "run": "р1"}),
        "stream without a run": changed(stream={"session": VISIT, "device": "strap", "signal": "ecg"}),
        "stream with more": changed(stream={**STREAM, "kiosk": HONEST}),
        "another kind": changed(kind="command"),
        "two kinds": GOOD.replace(b"{", b'{"kind":"session",', 1),
        "a kind that is none": changed(kind=["chunk"]),
        "a signal that must not leave": changed(stream={**STREAM, "signal": "audio"}),
        "changed on its way": GOOD.replace(b'"seq":3', b'"seq":4'),
    }.items()
} | {
    "a wildcard in the topic": (f"kiosk/v1/{FORGER}/chunk/+", GOOD),
    "no kiosk in the topic": ("kiosk/v1//chunk/ecg", GOOD),
    "a long topic": ("kiosk/v1/" + "k" * 60_000 + "/chunk/ecg", GOOD),
    "too many levels": (f"kiosk/v1/{FORGER}/chunk/ecg/{HONEST}", GOOD),
    "another kind's topic": (f"kiosk/v1/{FORGER}/session/{VISIT}", GOOD),
    "a topic of no kind": (f"kiosk/v1/{FORGER}/secrets/ecg", GOOD),
    "text with nul": (f"kiosk/v1/{FORGER}/event/x", EVENT % (json.dumps(STREAM).encode(), b'"\\u0000"')),
    "half a surrogate": (f"kiosk/v1/{FORGER}/event/x", EVENT % (json.dumps(STREAM).encode(), b'"\\ud800"')),
    "text that is no utf-8": (f"kiosk/v1/{FORGER}/event/x", EVENT % (json.dumps(STREAM).encode(), b'"\xff\xfe"')),
    "a status of nobody": (f"kiosk/v1/{FORGER}/status/x", b'{"kind":"status","device":"x","state":"on fire"}'),
    "an infinite drift": (
        f"kiosk/v1/{FORGER}/status/x", b'{"kind":"status","device":"x","state":"running","drift_ppm":1e999}'
    ),
    "a session of too many streams": (
        f"kiosk/v1/{FORGER}/session/f",
        encode(Session(
            Stream("f", "station", "session", "r1"), 0, "ended", ORIGIN, ended=0,
            streams=tuple(Stream("f", f"d{n}", "ecg", "r1") for n in range(MAX_STREAMS + 1)),
        )),
    ),
}  # fmt: skip


async def drained(client: Client) -> list[dict[str, object]]:
    client.close()
    found = []
    while (text := await client.take()) is not None:
        found.append(json.loads(text))
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_what_makes_no_sense_is_refused_and_the_honest_are_heard(name: str, database: Database) -> None:
    hostile = Delivery(*HOSTILE[name])
    recorder = Recorder(database)
    for turn in range(2):  # the second time it is refused for good, which is where the most is done with it
        begin = 10 * turn
        honest = from_(HONEST, *map(chunk, range(begin, begin + 10)))
        batch = recorder._record([*honest[:5], hostile, *honest[5:]])
        assert len(batch) == 1, "it broke a transaction"
        for digest in list(recorder._memory.suspects):
            recorder._memory.suspects[digest] -= 10 * SECOND
    assert {key: seqs for key, seqs in stored(database).items() if key[0] == HONEST} == whole()
    assert not [key for key in stored(database) if key[0] != HONEST]
    assert recorder.counts.failures == 0

    router = Router()
    assert handle(router, hostile) == []
    assert router.counters.failures == 0
    assert router.counters.sessions == 0


async def test_a_watcher_of_the_honest_sees_nothing_of_the_forger() -> None:
    bus, metrics = MemoryBus(), Metrics()
    async with Hub(bus, metrics) as hub, hub.watch(HONEST, VISIT) as client:
        # the forger's topics with the honest session in them, then the honest kiosk's topics with nonsense
        for topic, payload in HOSTILE.values():
            for place in {topic, topic.replace(FORGER, HONEST)}:
                with contextlib.suppress(Exception):
                    await bus.publish(place, payload)
        for message in (chunk(90), Status("strap", "failed"), Event(replace(ECG, signal="events"), 0, "x", 0)):
            await send(bus, FORGER, message)
        for seq in range(3):
            await send(bus, HONEST, chunk(seq))
        for _ in range(200):
            await asyncio.sleep(0)
        seen = await drained(client)
    assert [message["seq"] for message in seen if message["kind"] == "chunk"] == [0, 1, 2]
    assert {message["kind"] for message in seen} == {"chunk"}


# --- forged and replayed


def test_a_forger_adds_nothing_to_another_kiosk_s_session(database: Database) -> None:
    recorder = Recorder(database)
    recorder.commit(from_(HONEST, *map(chunk, range(10))))
    forged: list[Message] = [
        *map(chunk, range(20, 30)),
        *(chunk(seq, replace(ECG, run="r2", device="other")) for seq in range(5)),
        End(ECG, 3),
        Lost(ECG, 10, 10_000, "mine_now"),
        Session(Stream(VISIT, "station", "session", "r9"), 0, "ended", ORIGIN, ended=0, streams=(ECG,)),
        Event(replace(ECG, signal="events"), 0, "moved", 0, "forged"),
    ]
    batch = recorder.commit(from_(FORGER, *forged))
    assert recorder.counts.refused["foreign_session"] == len(forged)
    # what is answered goes to the forger's topic; of the honest kiosk's stream nothing is said at all
    assert not [key for key in batch.receipts if key[0] == HONEST]
    recorder.commit(from_(HONEST, *map(chunk, range(10, 20))))
    assert stored(database) == whole()
    with database.reading() as db:
        (row,) = db.query(SessionRow)
        assert (row.kiosk, row.state, row.ended_ns) == (HONEST, "open", None)
        assert [(each.upto, each.last) for each in db.query(StreamRow)] == [(19, None)]


@pytest.mark.parametrize("restarted", [False, True], ids=["same recorder", "restarted recorder"])
def test_captured_bytes_that_are_sent_again_change_nothing(database: Database, restarted: bool) -> None:
    own = Stream(VISIT, "station", "session", "r0")
    captured = from_(
        HONEST,
        Session(own, 0, "open", ORIGIN),
        *map(chunk, range(20)),
        Event(replace(ECG, signal="events"), 0, "step_began", SECOND),
        End(ECG, 19),
        Session(own, 1, "ended", ORIGIN, ended=2 * SECOND, streams=(ECG,)),
    )
    recorder = Recorder(database)
    recorder.commit(captured)

    def state() -> tuple[object, ...]:
        with database.reading() as db:
            (row,) = db.query(SessionRow)
            return stored(database), row.state, row.ended_ns, row.origin_utc_ns, row.revision, row.changed

    before = state()
    if restarted:
        recorder = Recorder(database)
    for order in (captured, captured[::-1], captured[1::3]):
        recorder.commit(order)
    assert recorder.counts.samples == (0 if restarted else 20 * 25)
    assert recorder.counts.duplicates >= 40
    assert state()[:1] == before[:1]
    assert state()[2:] == before[2:]
    # and under another kiosk's name it is a forgery
    forged = [Delivery(each.topic.replace(HONEST, FORGER), each.payload) for each in captured]
    recorder.commit(forged)
    assert state()[:1] == before[:1]
    assert recorder.counts.refused["foreign_session"] == len(forged)


def test_a_replayed_live_chunk_is_analysed_once() -> None:
    router, pieces = Router(run="one"), heart(VISIT)
    told = [reading for piece in pieces for reading in router.feed(HONEST, piece)]
    assert told
    assert [reading for piece in pieces for reading in router.feed(HONEST, piece)] == []
    assert router.counters.duplicates == len(pieces)


# --- floods


def heart(session: str, seconds: float = 20.0) -> list[Chunk]:
    samples = ecg(Person(seed=31, heart_rate=60, rsa_ms=10), 250.0, seconds)[0].astype("<f4")
    stream = replace(ECG, session=session)
    return [
        Chunk(stream, seq, seq * SECOND // 10, 250.0, ("II",), samples[25 * seq : 25 * seq + 25].tobytes())
        for seq in range(len(samples) // 25)
    ]


def test_a_flood_of_sessions_makes_no_one_wait_but_its_sender(database: Database) -> None:
    recorder = Recorder(database)
    for turn in range(4):
        flood = from_(FORGER, *(chunk(0, replace(ECG, session=f"f-{turn}-{number}")) for number in range(500)))
        recorder.commit([*flood, *from_(HONEST, *map(chunk, range(5 * turn, 5 * turn + 5)))])
    most = allowance.MOST // allowance.SESSION
    assert {key: seqs for key, seqs in stored(database).items() if key[0] == HONEST} == whole()
    assert count(database, SessionRow) <= most + 1
    assert recorder.counts.refused["too_much_new"] >= 2000 - most
    # what waits is not refused: an honest kiosk with much to tell sends it again later
    later = from_(FORGER, chunk(0, replace(ECG, session="f-late")))
    assert not recorder.commit(later).receipts
    recorder._intake._allowance._spent[FORGER] = (0, allowance.MOST)
    assert recorder.commit(later).receipts


def test_a_flood_of_poison_begins_no_more_either(database: Database) -> None:
    recorder = Recorder(database)
    poison = [
        Delivery(f"kiosk/v1/{FORGER}/chunk/ecg", changed(stream={**STREAM, "session": f"f-{number}"}, rate=-1))
        for number in range(300)
    ]
    for _ in range(2):
        recorder.commit(poison)
        for digest in list(recorder._memory.suspects):
            recorder._memory.suspects[digest] -= 10 * SECOND
    assert count(database, SessionRow) <= allowance.MOST // allowance.SESSION


def test_a_flood_of_streams_and_holes_is_bounded_in_memory(database: Database) -> None:
    recorder = Recorder(database)
    recorder.commit(from_(HONEST, chunk(0)))
    tracemalloc.start()
    try:
        for begin in range(0, 6000, 2000):
            # every second one: each is a hole of its own
            seqs = range(2 * begin + 2, 2 * begin + 4002, 2)
            recorder.commit(from_(FORGER, *(chunk(seq, replace(ECG, session="f")) for seq in seqs)))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    ledger = recorder._memory.ledgers[FORGER, replace(ECG, session="f")]
    assert len(ledger.beyond) == MOST_RANGES
    assert recorder.counts.refused["too_many_holes"] == 6000 - MOST_RANGES
    assert held < 20_000_000, f"{held / 1e6:.1f} MB"
    # the first of what is missing is taken all the same, and the honest stream as ever
    assert recorder.commit(from_(FORGER, *(chunk(seq, replace(ECG, session="f")) for seq in (0, 1)))).changed
    recorder.commit(from_(HONEST, *map(chunk, range(1, 20))))
    assert stored(database)[HONEST, VISIT, "r1"] == list(range(20))


def test_holes_of_all_streams_together_are_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.recorder.memory.MOST_RANGES", 100)
    recorder = Recorder(database)
    for number in range(20):
        stream = replace(ECG, session="f", device=f"d{number}")
        recorder.commit(from_(FORGER, *(chunk(seq, stream) for seq in range(0, 40, 2))))
    assert sum(len(ledger.beyond) for ledger in recorder._memory.ledgers.values()) <= 100
    # what was forgotten is found by its key: nothing is doubled
    stream = replace(ECG, session="f", device="d0")
    batch = recorder.commit(from_(FORGER, *(chunk(seq, stream) for seq in range(40))))
    assert batch.receipts[FORGER, stream] == Receipt(stream, 39)
    assert count(database, ChunkRow) == 20 * 20 + 20


def test_an_account_of_holes_costs_what_they_touch() -> None:
    ledger = Ledger(1, -1, None, None, None)
    for seq in range(2, 200_000, 2):
        ledger.note(seq, seq)
    assert len(ledger.beyond) == 99_999
    assert ledger.note(0, 200_000)[:2] == [(0, 1), (3, 3)]
    assert (ledger.upto, ledger.beyond) == (200_000, [])


def test_a_flood_of_devices_leaves_the_honest_ones_on_the_page(database: Database) -> None:
    recorder = Recorder(database)
    for begin in range(0, 2000, 500):
        made_up = [Status(f"d{number}", "running") for number in range(begin, begin + 500)]
        recorder.commit([*from_(FORGER, *made_up), *from_(HONEST, Status("strap", "running", waiting=begin))])
    with database.reading() as db:
        rows = [(row.kiosk, row.device) for row in db.query(DeviceRow)]
    assert (HONEST, "strap") in rows
    assert len(rows) <= arrivals.MOST_DEVICES + 1


def test_a_flood_of_sessions_forgets_no_other_kiosk_s_live_analysis() -> None:
    router, alone, told, expected = Router(run="one"), Router(run="one"), [], []
    for number, piece in enumerate(heart(VISIT)):
        told += router.feed(HONEST, piece)
        expected += alone.feed(HONEST, piece)
        for each in range(5):
            router.feed(FORGER, chunk(0, replace(ECG, session=f"f-{number}-{each}")))
    assert expected
    assert [(each.measure, each.value) for each in told] == [(each.measure, each.value) for each in expected]
    assert router.counters.sessions <= routing.MOST_OF_KIOSK + 1


def test_a_slow_subscriber_keeps_no_more_bytes_than_the_broker() -> None:
    subscription = Subscription(("#",), buses.DEPTH)
    large = bytes(MAX_PAYLOAD)
    for _ in range(1000):
        subscription.put(Delivery("kiosk/v1/a/chunk/ecg", large))
    kept = buses.MOST_WAITING // MAX_PAYLOAD
    assert subscription.dropped == 1000 - kept

    async def empty() -> int:
        taken = 0
        while taken < kept:
            taken += len(await subscription.batch())
        subscription.put(Delivery("kiosk/v1/a/chunk/ecg", large))
        return len(await subscription.batch())

    assert asyncio.run(empty()) == 1


# --- receipts


async def waits_for(outbox: Outbox, number: int) -> None:
    async with asyncio.timeout(10):
        while outbox.waiting_count != number:
            await asyncio.sleep(0.01)


async def test_a_forged_receipt_makes_no_outbox_forget(tmp_path: Path) -> None:
    bus = MemoryBus()
    with Outbox(tmp_path / "outbox.sqlite", HONEST, limit=10_000_000) as outbox:
        outbox.open_run([ECG])
        outbox.emit(list(map(chunk, range(10))))
        held = outbox.waiting_count
        sending = asyncio.create_task(Sender(bus, outbox, HONEST).run())
        await asyncio.sleep(0.05)
        forged = Receipt(ECG, 2**53, ended=True, refused=tuple(Refusal(seq, "forged") for seq in range(10)))
        # the forger may write its own topics alone: that is the access list's word, proven with a real broker below
        await send(bus, FORGER, forged)
        for payload in (
            b"{}",
            b"\xff",
            encode(forged)[:-5],
            encode(forged).replace(b'"upto"', b'"upt0"'),
            b"[" * 90_000,
        ):
            await bus.publish(f"kiosk/v1/{HONEST}/receipt/ecg", payload)
        # of streams that are not its own
        for stream in (replace(ECG, run="r2"), replace(ECG, session="b-visit"), replace(ECG, device="other")):
            await send(bus, HONEST, replace(forged, stream=stream))
        await asyncio.sleep(0.2)
        assert outbox.waiting_count == held
        await send(bus, HONEST, Receipt(ECG, 9))
        await waits_for(outbox, 0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


# --- the deployed broker


class Stranger:
    """A client that sends whatever it likes, as far as the broker lets it."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(user, password)
        self._client.max_queued_messages_set(0)
        self._connected = threading.Event()
        self._client.on_connect = lambda *_: self._connected.set()
        self._client.connect(HOST, port)
        self._client.loop_start()
        assert self._connected.wait(10)

    def say(self, deliveries: Sequence[Delivery]) -> None:
        """Return when the broker has taken the last one (or thrown it away)."""
        said = []
        for delivery in deliveries:
            with contextlib.suppress(ValueError):  # paho itself refuses a wildcard
                said.append(self._client.publish(delivery.topic, delivery.payload, qos=1))
        said[-1].wait_for_publish(30)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@asynccontextmanager
async def clinic(folder: Path, database: Database) -> AsyncIterator[tuple[int, Recorder, MqttBus]]:
    """The deployed broker with a recorder and live analysis; its port, the recorder, and the honest kiosk's bus."""
    passwords = PasswordFile(folder / "passwords")
    for name in ("recorder", "analytics", HONEST, FORGER):
        passwords.set(name, f"{name}-pw")

    def bus(name: str, port: int) -> MqttBus:
        return MqttBus(host=HOST, port=port, name=name, username=name, password=f"{name}-pw")

    with deployed(folder) as (port, _):
        async with bus("recorder", port) as ears, bus("analytics", port) as live, bus(HONEST, port) as kiosk:
            recorder = Recorder(database)
            for each in (ears, live, kiosk):
                await each.wait_first_connection(10)
            tasks = [asyncio.create_task(recorder.serve(ears)), asyncio.create_task(serve_analytics(live))]
            await asyncio.sleep(0.2)
            yield port, recorder, kiosk
            assert not [task for task in tasks if task.done()], "a service died"
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_honest_kiosk_is_recorded_whole_while_another_attacks(tmp_path: Path, database: Database) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    count_ = 101
    with Outbox(tmp_path / "outbox.sqlite", HONEST, limit=10_000_000) as outbox:
        async with clinic(folder, database) as (port, recorder, kiosk):
            stranger = await asyncio.to_thread(Stranger, port, FORGER, f"{FORGER}-pw")
            outbox.open_run([ECG])
            sender = Sender(kiosk, outbox, HONEST)
            sending = asyncio.create_task(sender.run())
            forged_receipts = [
                *from_(HONEST, Receipt(ECG, 2**53, ended=True)),
                *from_(FORGER, Receipt(ECG, 2**53, ended=True)),
            ]
            attack = [
                *forged_receipts,
                *from_(FORGER, *map(chunk, range(20))),  # the honest session on its own topic
                *from_(HONEST, *map(chunk, range(1000, 1020))),  # and on the honest kiosk's
                *(Delivery(*hostile) for hostile in HOSTILE.values()),
                *(Delivery(topic.replace(FORGER, HONEST), payload) for topic, payload in HOSTILE.values()),
                *from_(FORGER, *(chunk(0, replace(ECG, session=f"f-{number}")) for number in range(300))),
                *from_(FORGER, *(Status(f"d{number}", "running") for number in range(400))),
            ]
            # whoever speaks of a session first owns it; its id is 128 random bits, which nobody has heard before
            outbox.emit([chunk(0)])
            await waits_for(outbox, 0)
            for begin in range(1, count_, 20):
                outbox.emit(list(map(chunk, range(begin, begin + 20))))
                sender.wake()
                await asyncio.to_thread(stranger.say, attack[begin // 20 :: 5])
            await waits_for(outbox, 0)
            stranger.close()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            assert recorder.counts.failures == 0
    assert {key: seqs for key, seqs in stored(database).items() if key[0] == HONEST} == whole(count=count_)
    assert {key[0] for key in stored(database)} == {HONEST, FORGER}
    assert all(session.startswith("f-") for kiosk_, session, _ in stored(database) if kiosk_ == FORGER)
    with database.reading() as db:
        assert {row.kiosk for row in db.query(DeviceRow)} == {FORGER}

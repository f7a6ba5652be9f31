"""The recorder: everything once, receipts only for what is committed, and nothing that arrives can stop it."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DataError
from sqlmodel import SQLModel, col, delete, select

from api import recorder as module
from api.ledger import Ledger
from api.recorder import Batch, Recorder
from api.store import Database, KeyStore, KeysUnusable, StoreError, arrivals, chunks, events
from api.store.keys import KeyDamaged
from api.tables import (
    ChunkRow,
    ClinicRow,
    DeviceRow,
    EventRow,
    KioskRow,
    LossRow,
    QuarantineRow,
    ReadingRow,
    SessionRow,
    StreamRow,
)
from kiosk import topics
from kiosk.bus import Delivery, MemoryBus, Subscription
from kiosk.messages import (
    SECOND,
    Chunk,
    End,
    Event,
    Lost,
    Message,
    Origin,
    Reading,
    Receipt,
    Refusal,
    Session,
    Status,
    Stream,
    address,
    decode,
    encode,
)
from tests import databases
from tests.postgres import Cluster

KIOSK = "k1"
ECG = Stream("s1", "ecg-1", "ecg", "r1")
SPOTS = Stream("s1", "cuff", "readings", "r2")
MARKS = Stream("s1", "ecg-1", "events", "r1")
OWN = Stream("s1", "kiosk", "session", "r0")
ORIGIN = Origin(1_700_000_000 * SECOND, 5 * SECOND, "boot-1")
EMPTIED: tuple[type[SQLModel], ...] = (
    EventRow, ReadingRow, LossRow, ChunkRow, StreamRow, DeviceRow, QuarantineRow, SessionRow,
)  # fmt: skip


def chunk(seq: int, stream: Stream = ECG, rate: float = 250.0) -> Chunk:
    samples = np.full((25, 1), seq, "<f4")
    return Chunk(stream, seq, seq * 100_000_000, rate, ("II",), samples.tobytes())


def spot(seq: int) -> Reading:
    return Reading(SPOTS, seq, "systolic", 120.0 + seq, "cuff", "spot", "oscillometric", 0, 5)


def opened(seq: int = 0) -> Session:
    return Session(OWN, seq, "open", ORIGIN)


def ended(seq: int = 1, streams: tuple[Stream, ...] = (ECG,)) -> Session:
    return Session(OWN, seq, "ended", ORIGIN, ended=60 * SECOND, streams=streams)


def delivery(message: Message, kiosk: str = KIOSK) -> Delivery:
    return Delivery(address(kiosk, message), encode(message))


def poison(seq: int, kiosk: str = KIOSK) -> Delivery:
    """A chunk whose samples are not whole rows."""
    return Delivery(address(kiosk, chunk(seq)), encode(msgspec.structs.replace(chunk(seq), samples=b"abc")))


class Desk:
    """A recorder on a database, and a look into the tables."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.recorder = Recorder(database)

    def restart(self) -> None:
        """As after kill -9: only the database remembers."""
        self.recorder = Recorder(self.database)

    def take(self, *messages: Message | Delivery, kiosk: str = KIOSK) -> Batch:
        return self.recorder.commit(
            [each if isinstance(each, Delivery) else delivery(each, kiosk) for each in messages]
        )

    def receipt(self, *messages: Message | Delivery, kiosk: str = KIOSK, stream: Stream = ECG) -> Receipt:
        """What is said of a stream once these are committed."""
        return self.take(*messages, kiosk=kiosk).receipts[kiosk, stream]

    def rows(self, table: type[SQLModel], *names: str) -> list[Any]:
        """Columns of a table, sorted."""
        with self.database.reading() as db:
            found = db.execute(select(*(getattr(table, name) for name in names))).all()
        return sorted((tuple(row) if len(names) > 1 else row[0] for row in found), key=repr)

    def aside(self) -> list[tuple[str, bytes, str, str | None]]:
        """What was kept aside, opened: topic, payload, reason, session."""
        with self.database.reading() as db:
            rows = db.execute(select(QuarantineRow)).scalars().all()
            assert all(row.sealed for row in rows)
            said = [
                (row.topic, arrivals.quarantined(db, row.digest) or b"", row.reason, row.session_id) for row in rows
            ]
        return sorted(said, key=repr)

    def samples(self) -> list[tuple[int, int, int, bytes]]:
        """All chunks, opened: stream, seq, start, samples."""
        with self.database.reading() as db:
            rows = db.execute(select(ChunkRow, col(StreamRow.session_id)).join(StreamRow)).all()
            assert all(row.sealed for row, _ in rows)
            opened = [
                (row, chunks.opened(self.database.vault.session(session), row.stream_id, row.seq, row.samples, None))
                for row, session in rows
            ]
        return [(row.stream_id, row.seq, row.start_ns, samples) for row, (samples, _) in opened]

    def seqs(self) -> list[int]:
        return sorted(self.rows(ChunkRow, "seq"))

    def session(self, name: str = "s1") -> SessionRow:
        with self.database.reading() as db:
            return db.execute(select(SessionRow).where(col(SessionRow.id) == name)).scalar_one()

    def empty(self) -> None:
        with self.database.transaction() as db:
            for table in EMPTIED:
                db.execute(delete(table))
        self.restart()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One for all tests of this file: each empties it before it begins, which is faster than making it anew."""
    folder, url = tmp_path_factory.mktemp("recorder"), None
    if request.param == "postgresql":
        server: Cluster = request.getfixturevalue("server")
        with server.connect() as connection:
            connection.execute("CREATE DATABASE recorder")
        url = server.url("recorder")
    made = databases.database(folder, url)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def desk(database: Database) -> Desk:
    found = Desk(database)
    found.empty()
    return found


def test_a_chunk_is_stored_as_it_came_and_receipted(desk: Desk) -> None:
    sent = chunk(0)
    assert desk.receipt(sent) == Receipt(ECG, 0)
    with desk.database.reading() as db:
        assert list(chunks.of_session(db, "s1")) == [sent]
    assert (desk.recorder.counts.committed, desk.recorder.counts.samples) == (1, 25)


def test_a_duplicate_is_stored_once_and_receipted_again(desk: Desk) -> None:
    desk.take(chunk(0), chunk(0))
    assert desk.receipt(chunk(0)) == Receipt(ECG, 0)
    assert desk.seqs() == [0]
    assert desk.recorder.counts.duplicates == 2


def test_a_hole_holds_the_receipt_back_until_it_is_filled(desk: Desk) -> None:
    assert desk.receipt(chunk(0), chunk(3), chunk(2)).upto == 0
    assert desk.receipt(chunk(5)).upto == 0
    assert desk.receipt(chunk(1)).upto == 3
    assert desk.receipt(chunk(4)).upto == 5
    assert desk.seqs() == [0, 1, 2, 3, 4, 5]


def test_what_was_lost_fills_its_hole(desk: Desk) -> None:
    assert desk.receipt(chunk(0), chunk(4)).upto == 0
    assert desk.receipt(Lost(ECG, 1, 3, "outbox_full")).upto == 4
    assert desk.rows(LossRow, "first", "last", "reason") == [(1, 3, "outbox_full")]


def test_what_came_after_all_is_not_listed_as_lost(desk: Desk) -> None:
    desk.take(chunk(0), chunk(2), chunk(3), Lost(ECG, 0, 5, "outbox_full"))
    assert desk.rows(LossRow, "first", "last") == [(1, 1), (4, 5)]
    assert desk.receipt(Lost(ECG, 0, 5, "outbox_full")).upto == 5
    assert desk.rows(LossRow, "first", "last") == [(1, 1), (4, 5)]


def test_a_stream_has_ended_when_its_end_and_all_before_it_are_there(desk: Desk) -> None:
    assert desk.receipt(End(ECG, 2)) == Receipt(ECG, -1)
    assert desk.receipt(chunk(2), chunk(0)) == Receipt(ECG, 0)
    assert desk.receipt(chunk(1)) == Receipt(ECG, 2, ended=True)
    assert desk.receipt(End(ECG, 2)) == Receipt(ECG, 2, ended=True)
    assert desk.rows(StreamRow, "upto", "last") == [(2, 2)]


def test_a_run_that_emitted_nothing_ends_too(desk: Desk) -> None:
    assert desk.receipt(End(ECG, -1)) == Receipt(ECG, -1, ended=True)


def test_samples_of_an_unknown_session_make_an_orphan_that_its_own_word_adopts(desk: Desk) -> None:
    desk.take(chunk(0))
    assert desk.session().orphan
    assert desk.session().origin_utc_ns is None
    desk.take(opened())
    session = desk.session()
    assert not session.orphan
    assert (session.kiosk, session.state, session.origin_utc_ns, session.boot_id) == (
        KIOSK, "open", ORIGIN.utc, "boot-1",
    )  # fmt: skip


def test_the_end_of_a_session_names_streams_that_have_not_come(desk: Desk) -> None:
    desk.take(ended(streams=(ECG, SPOTS, Stream("other", "x", "ecg", "r"))))
    assert desk.rows(StreamRow, "session_id", "signal", "last") == [
        ("s1", "ecg", None), ("s1", "readings", None), ("s1", "session", None),
    ]  # fmt: skip


def test_an_old_word_does_not_open_an_ended_session_again(desk: Desk) -> None:
    desk.take(ended())
    desk.take(opened())
    session = desk.session()
    assert (session.state, session.ended_ns) == ("ended", 60 * SECOND)


def test_another_kiosk_cannot_write_into_a_session(desk: Desk) -> None:
    desk.take(opened(), chunk(0))
    desk.take(chunk(1), ended(), kiosk="k2")
    answer = desk.take(chunk(1), ended(), kiosk="k2")
    assert answer.receipts["k2", ECG] == Receipt(ECG, -1, refused=(Refusal(1, "foreign_session"),))
    assert desk.seqs() == [0]
    assert desk.session().state == "open"
    assert desk.receipt(chunk(1)).upto == 1


@pytest.mark.parametrize("other", [chunk(1, rate=500.0), msgspec.structs.replace(chunk(1), channels=("V1",))])
def test_a_stream_cannot_change_its_rate_or_channels(desk: Desk, other: Chunk) -> None:
    desk.take(chunk(0))
    desk.restart()
    assert desk.receipt(other).upto == 0
    assert desk.receipt(other) == Receipt(ECG, 1, refused=(Refusal(1, "changed_shape"),))
    assert desk.rows(LossRow, "first", "last", "reason") == [(1, 1, "changed_shape")]
    assert desk.seqs() == [0]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes again is an outbox that repeats itself, however soon."""
    monkeypatch.setattr("api.recorder.intake.POISON_AFTER", 0)


def test_poison_that_is_doubled_on_its_way_is_not_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.recorder.intake.POISON_AFTER", 1.5 * SECOND)
    for _ in range(5):
        assert desk.take(poison(1)).receipts == {}
    assert desk.receipt(chunk(0), chunk(1)) == Receipt(ECG, 1)


def test_poison_is_kept_aside_once_and_refused_when_it_comes_again(desk: Desk) -> None:
    desk.take(chunk(0), chunk(2))
    assert ECG not in {key[1] for key in desk.take(poison(1)).receipts}
    assert desk.receipt(poison(1)) == Receipt(ECG, 2, refused=(Refusal(1, "wrong_length"),))
    assert desk.aside() == [(*poison(1), "wrong_length", "s1")]
    assert desk.rows(LossRow, "first", "last", "reason") == [(1, 1, "wrong_length")]
    assert desk.recorder.counts.refused == {"wrong_length": 2}


def test_poison_that_comes_once_more_is_answered_once_more(desk: Desk) -> None:
    refused = (Refusal(1, "wrong_length"),)
    # before the hole at 0 is filled, and after: whatever got lost, nothing is sent for ever
    desk.take(poison(1))
    assert desk.receipt(poison(1)) == Receipt(ECG, -1, refused=refused)
    assert desk.receipt(poison(1)) == Receipt(ECG, -1, refused=refused)
    desk.take(chunk(0))
    assert desk.receipt(poison(1)) == Receipt(ECG, 1)


def test_a_good_copy_wins_over_a_damaged_one(desk: Desk) -> None:
    desk.take(poison(0))
    assert desk.receipt(chunk(0)) == Receipt(ECG, 0)
    assert desk.receipt(poison(0)) == Receipt(ECG, 0)
    assert desk.seqs() == [0]
    assert desk.rows(LossRow, "first") == []


def test_what_was_refused_beyond_a_hole_is_known_after_a_restart(desk: Desk) -> None:
    desk.take(poison(1))
    desk.take(poison(1))
    desk.restart()
    # the outbox has forgotten 1 and sends only 0 and the end
    assert desk.receipt(chunk(0), End(ECG, 1)) == Receipt(ECG, 1, ended=True)


def test_a_payload_without_any_sense_is_kept_aside(desk: Desk) -> None:
    nonsense = [Delivery(f"kiosk/v1/{KIOSK}/chunk/ecg", b"\xff\x00nonsense"), Delivery("elsewhere/\u2028", b"x")]
    desk.take(*nonsense)
    desk.take(*nonsense, chunk(0))
    assert len(desk.rows(QuarantineRow, "digest")) == 2
    assert desk.seqs() == [0]


def test_numbers_as_big_as_the_wire_allows_cost_no_memory_and_no_time(desk: Desk) -> None:
    most = 2**53
    assert desk.receipt(Lost(ECG, 10, most, "outbox_full"), End(ECG, most), chunk(5)).upto == -1
    assert desk.receipt(*(chunk(seq) for seq in range(10))) == Receipt(ECG, most, ended=True)
    assert desk.rows(LossRow, "first", "last") == [(10, most)]
    far = Stream("s1", "ecg-2", "ecg", "r1")
    assert desk.receipt(msgspec.structs.replace(chunk(0, far), seq=most), stream=far).upto == -1


def test_streams_without_number_are_forgotten_between_batches_and_found_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.recorder.memory.MOST_STREAMS", 3)
    many = [Stream("s1", f"d{number}", "ecg", "r") for number in range(20)]
    for seq in range(3):
        done = desk.take(ended(seq, tuple(many)), *(chunk(seq, stream) for stream in many))
        assert all(done.receipts[KIOSK, stream].upto == seq for stream in many)
    assert len(desk.recorder._memory.ledgers) <= 3
    assert len(desk.seqs()) == 60


def test_a_restart_in_the_middle_loses_and_doubles_nothing(desk: Desk) -> None:
    assert desk.receipt(opened(), chunk(0), chunk(2), spot(0)).upto == 0
    desk.restart()
    assert desk.receipt(chunk(2), spot(0)).upto == 0
    assert desk.receipt(chunk(1)).upto == 2
    assert desk.seqs() == [0, 1, 2]
    assert desk.rows(ReadingRow, "seq") == [0]


def test_readings_of_devices_are_stored_and_live_ones_are_not(desk: Desk) -> None:
    live = Reading(Stream("s1", "hr", "readings", "r"), 0, "heart_rate", 70.0, "ecg-1", "live", "x", 0, 5)
    absent = Reading(SPOTS, 1, "diastolic", None, "cuff", "spot", "oscillometric", 0, 5, absent="noisy")
    done = desk.take(spot(0), live, absent)
    assert done.receipts == {(KIOSK, SPOTS): Receipt(SPOTS, 1)}
    assert desk.rows(ReadingRow, "measure", "value", "absent", "scope", "revision") == [
        ("diastolic", None, "noisy", "spot", 0), ("systolic", 120.0, None, "spot", 0),
    ]  # fmt: skip


def test_events_are_stored(desk: Desk) -> None:
    assert desk.receipt(Event(MARKS, 0, "moved", 7, "a bit"), stream=MARKS).upto == 0
    assert desk.rows(EventRow, "seq", "session_id", "event", "time_ns", "sealed") == [(0, "s1", "moved", 7, True)]
    with desk.database.reading() as db:
        ((said, device),) = events.of_session(db, "s1", limit=10)
    assert (said.event, said.detail, device) == ("moved", "a bit", "ecg-1")


def test_what_a_device_repeats_of_itself_is_not_worth_a_row_each_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000 * SECOND]
    monkeypatch.setattr(module, "utc_now", lambda: now[0])
    status = Status("ecg-1", "running", simulated=True, drift_ppm=3.5)
    written = [len(desk.take(status, status).statuses)]
    for step in (5, 10, 10):
        now[0] += step * SECOND
        written.append(len(desk.take(status).statuses))
    assert written == [1, 0, 0, 1]
    assert desk.rows(DeviceRow, "kiosk", "device", "state", "simulated", "drift_ppm", "seen_ns") == [
        (KIOSK, "ecg-1", "running", True, 3.5, 1_025 * SECOND)
    ]
    failed = msgspec.structs.replace(status, state="failed", detail="lead off")
    assert len(desk.take(failed).statuses) == 1
    assert desk.rows(DeviceRow, "state", "detail") == [("failed", "lead off")]


def test_late_samples_mark_a_session_that_is_not_open_any_more(desk: Desk) -> None:
    desk.take(opened(), chunk(0))
    assert not desk.session().changed
    desk.take(ended())
    desk.take(chunk(1))
    assert desk.session().changed


# --- the whole service


@asynccontextmanager
async def serving(desk: Desk, bus: MemoryBus) -> AsyncIterator[Subscription]:
    """The recorder at work, and the receipts that it gives."""
    async with bus.subscribe(topics.pattern("receipt")) as arriving:
        task = asyncio.create_task(desk.recorder.serve(bus))
        await asyncio.sleep(0)
        try:
            yield arriving
        finally:
            assert not task.done(), task.exception()
            task.cancel()
            await asyncio.wait([task])


async def heard(arriving: Subscription, until: Callable[[Receipt], bool]) -> list[Receipt]:
    """Receipts up to one that fits."""
    got: list[Receipt] = []
    async with asyncio.timeout(10):
        async for each in arriving:
            message = decode(*each)[1]
            assert isinstance(message, Receipt)
            got.append(message)
            if until(message):
                return got
    raise AssertionError


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.recorder.owed.RECEIPT_EVERY", 0.01)


@pytest.mark.usefixtures("hurried")
async def test_receipts_tell_what_is_in_the_database_even_while_the_next_commit_is_under_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = MemoryBus()
    add = chunks.add

    def slow(db: Any, rows: Sequence[Any], boxes: Any) -> None:
        # long enough for several receipts; ledgers have moved, the transaction has not committed
        time.sleep(0.1)
        add(db, rows, boxes)

    monkeypatch.setattr(chunks, "add", slow)

    async def speak() -> None:
        for seq in range(4):
            await bus.publish(*delivery(chunk(seq)))
            await asyncio.sleep(0.05)

    def honest(said: Receipt) -> bool:
        assert set(range(said.upto + 1)) <= set(desk.seqs())
        return said.upto == 3

    async with serving(desk, bus) as arriving:
        await asyncio.gather(speak(), heard(arriving, honest))


@pytest.mark.usefixtures("hurried")
async def test_a_failed_commit_is_not_receipted_and_a_later_one_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = MemoryBus()

    def failing(*_: object) -> None:
        raise StoreError("away")

    async with serving(desk, bus) as arriving:
        with monkeypatch.context() as broken:
            broken.setattr(arrivals, "quarantine", failing)
            broken.setattr(chunks, "add", failing)
            for seq in range(5):
                await bus.publish(*delivery(chunk(seq)))
            await asyncio.sleep(0.2)
            assert desk.seqs() == []
            assert desk.recorder.counts.failures > 0
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(arriving.batch(), 0.1)
        async with asyncio.timeout(10):
            while 4 not in desk.seqs():
                await bus.publish(*delivery(chunk(4)))
                await asyncio.sleep(0.02)
        assert {said.upto for said in await heard(arriving, lambda said: True)} == {-1}
        for seq in range(4):
            await bus.publish(*delivery(chunk(seq)))
        await heard(arriving, lambda said: said.upto == 4)
    assert desk.seqs() == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("hurried")
async def test_what_no_database_can_hold_does_not_stop_the_rest(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    bus, add = MemoryBus(), arrivals.add_events

    def picky(db: Any, rows: Sequence[Any], boxes: Any) -> None:
        # whatever gets past the gate of the wire one day; no list of such things is ever complete
        if any(event.detail == "unstorable" for _, event in rows):
            raise DataError("INSERT", {}, ValueError("the database does not take it"))
        add(db, rows, boxes)

    monkeypatch.setattr(arrivals, "add_events", picky)
    monkeypatch.setattr("api.recorder.intake.POISON_AFTER", 0)
    unstorable = delivery(Event(MARKS, 0, "moved", 7, "unstorable"))
    async with serving(desk, bus) as arriving:
        for seq in range(20):
            await bus.publish(*delivery(chunk(seq)))
            if seq % 5 == 0:
                await bus.publish(*unstorable)
                await asyncio.sleep(0.1)
        got = await heard(arriving, lambda said: said.stream == ECG and said.upto == 19)
        if not any(said.stream == MARKS for said in got):
            got += await heard(arriving, lambda said: said.stream == MARKS)
    assert desk.seqs() == list(range(20))
    assert desk.aside() == [(*unstorable, "unstorable", "s1")]
    assert desk.rows(LossRow, "first", "reason") == [(0, "unstorable")]


@pytest.mark.usefixtures("hurried")
async def test_a_stream_that_cannot_be_answered_harms_nobody(desk: Desk) -> None:
    bus = MemoryBus()
    nameless = Stream("s1", "cuff", "readings\n", "r")
    async with serving(desk, bus) as arriving:
        await bus.publish(*delivery(msgspec.structs.replace(spot(0), stream=nameless)))
        await asyncio.sleep(0.1)
        await bus.publish(*delivery(chunk(0)))
        await heard(arriving, lambda said: said.stream == ECG)


@pytest.mark.usefixtures("hurried")
async def test_more_refusals_than_a_receipt_holds_are_all_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.recorder.owed.MAX_REFUSED", 10)
    bus = MemoryBus()
    refused: set[int] = set()
    async with serving(desk, bus) as arriving, asyncio.timeout(20):
        while len(refused) < 35:
            # as an outbox does: again and again, until it is told
            for seq in set(range(1, 36)) - refused:
                await bus.publish(*poison(seq))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    while True:
                        said = (await heard(arriving, lambda said: True))[0]
                        assert len(said.refused) <= 10
                        refused |= {word.seq for word in said.refused}
    assert refused == set(range(1, 36))


async def test_serving_ends_when_its_bus_does(desk: Desk) -> None:
    bus = MemoryBus()
    task = asyncio.create_task(desk.recorder.serve(bus))
    await asyncio.sleep(0.05)
    bus._subscriptions[0].close()
    await asyncio.wait_for(task, 5)


# --- keys and kiosks


def test_what_comes_late_for_an_erased_session_is_let_go_and_kept_nowhere(desk: Desk) -> None:
    late = Stream("s-late", "ecg-1", "ecg", "r1")
    marks = Stream("s-late", "ecg-1", "events", "r1")
    desk.take(chunk(0, late))
    before = len(desk.rows(ChunkRow, "seq"))
    desk.database.vault.destroy("session", ["s-late"])
    desk.restart()
    poisoned = Delivery(address(KIOSK, chunk(3, late)), encode(msgspec.structs.replace(chunk(3, late), samples=b"abc")))
    done = desk.take(chunk(1, late), chunk(2, late), Event(marks, 0, "said", 5, "something"), poisoned)
    assert done.receipts[KIOSK, late] == Receipt(late, -1, refused=(Refusal(1, "erased"), Refusal(2, "erased")))
    assert done.receipts[KIOSK, marks] == Receipt(marks, -1, refused=(Refusal(0, "erased"),))
    assert desk.receipt(Lost(late, 4, 9, "outbox_full"), stream=late) == Receipt(late, 9)
    assert desk.receipt(End(late, 9), stream=late) == Receipt(late, 9, ended=True)
    assert desk.receipt(poisoned, stream=late) == Receipt(late, -1, refused=(Refusal(3, "erased"),))
    assert len(desk.rows(ChunkRow, "seq")) == before
    assert desk.rows(EventRow, "seq") == desk.aside() == []
    # a session of which nothing was stored before comes not back either
    desk.database.vault.destroy("session", ["s-gone"])
    desk.take(chunk(0, Stream("s-gone", "ecg-1", "ecg", "r1")))
    assert "s-gone" not in desk.rows(SessionRow, "id")


@pytest.mark.usefixtures("hurried")
async def test_a_key_store_that_is_away_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = MemoryBus()
    away = Stream("s-away", "ecg-1", "ecg", "r1")

    def silent(*_: object) -> None:
        raise KeysUnusable("the key store does not answer")

    async with serving(desk, bus) as arriving:
        with monkeypatch.context() as broken:
            broken.setattr(KeyStore, "find_or_make", silent)
            await bus.publish(*delivery(chunk(0, away)))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(arriving.batch(), 0.3)
            assert desk.rows(QuarantineRow, "digest") == []
        async with asyncio.timeout(10):
            while not desk.seqs():
                await bus.publish(*delivery(chunk(0, away)))
                await asyncio.sleep(0.02)
        assert (await heard(arriving, lambda said: said.stream == away and said.upto == 0))[-1].refused == ()


def test_a_damaged_key_harms_its_own_session_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = KeyStore.find_or_make

    def damaged(store: KeyStore, kind: Any, name: str) -> bytes:
        if name == "s-damaged":
            raise KeyDamaged("it does not open")
        return whole(store, kind, name)

    monkeypatch.setattr(KeyStore, "find_or_make", damaged)
    other = Stream("s-damaged", "ecg-1", "ecg", "r1")
    done = desk.take(chunk(0), chunk(0, other), chunk(1))
    assert done.receipts == {(KIOSK, ECG): Receipt(ECG, 1)}
    assert desk.aside() == [(*delivery(chunk(0, other)), "key_damaged", None)]


def test_keys_are_not_looked_up_for_each_chunk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    whole = KeyStore.find_or_make

    def counted(store: KeyStore, kind: Any, name: str) -> bytes:
        asked.append(name)
        return whole(store, kind, name)

    monkeypatch.setattr(KeyStore, "find_or_make", counted)
    many = Stream("s-many", "ecg-1", "ecg", "r1")
    for seq in range(50):
        desk.take(chunk(seq, many))
    assert asked == ["s-many"]


def test_a_kiosk_that_nobody_added_is_the_main_clinics(desk: Desk) -> None:
    fresh = Stream("s-fresh", "ecg-1", "ecg", "r1")
    desk.take(chunk(0, fresh), kiosk="k-fresh")
    assert ("k-fresh", "main") in desk.rows(KioskRow, "name", "clinic_id")
    assert desk.session("s-fresh").clinic_id == "main"


def test_a_session_is_the_clinics_whose_kiosk_it_is(desk: Desk) -> None:
    with desk.database.transaction() as db:
        db.merge(ClinicRow(id="second", name="Second", created_ns=0))
        db.flush()
        db.merge(KioskRow(name="k-second", clinic_id="second", added_ns=0))
    orphan, opened_ = Stream("s-o", "ecg-1", "ecg", "r1"), msgspec.structs.replace(OWN, session="s-w")
    desk.take(chunk(0, orphan), Session(opened_, 0, "open", ORIGIN), kiosk="k-second")
    assert [desk.session(name).clinic_id for name in ("s-o", "s-w")] == ["second", "second"]


def test_a_revoked_kiosk_is_not_recorded_and_its_outbox_keeps_what_it_holds(desk: Desk) -> None:
    with desk.database.transaction() as db:
        db.merge(KioskRow(name="k-out", clinic_id="main", added_ns=0, revoked_ns=1))
    stolen = Stream("s-stolen", "ecg-1", "ecg", "r1")
    for _ in range(2):
        assert desk.take(chunk(0, stolen), Status("cam", "running"), kiosk="k-out").receipts == {}
    assert desk.rows(ChunkRow, "seq") == desk.rows(SessionRow, "id") == desk.rows(DeviceRow, "kiosk") == []
    assert {reason for _, _, reason, _ in desk.aside()} == {"revoked_kiosk"}
    assert desk.recorder.counts.refused["revoked_kiosk"] == 4
    with desk.database.transaction() as db:
        db.merge(KioskRow(name="k-out", clinic_id="main", added_ns=0, revoked_ns=None))
    desk.restart()
    assert desk.receipt(chunk(0, stolen), kiosk="k-out", stream=stolen) == Receipt(stolen, 0)


# --- properties


class Everything(NamedTuple):
    """What the tables say, without what depends on the order of arrival."""

    chunks: list[Any]
    readings: list[Any]
    events: list[Any]
    losses: list[Any]
    streams: list[Any]
    session: tuple[object, ...]


def everything(desk: Desk) -> Everything:
    names = dict(desk.rows(StreamRow, "id", "signal"))

    def named(rows: list[Any]) -> list[Any]:
        return sorted((names[row[0]], *row[1:]) for row in rows)

    session = desk.session()
    return Everything(
        named(desk.samples()),
        named(desk.rows(ReadingRow, "stream_id", "seq", "value")),
        named(desk.rows(EventRow, "stream_id", "seq", "event")),
        named(desk.rows(LossRow, "stream_id", "first", "last")),
        desk.rows(StreamRow, "signal", "upto", "last", "rate", "channels"),
        (session.orphan, session.state, session.ended_ns, session.origin_utc_ns),
    )


STORY: list[Message] = [
    opened(0),
    *(chunk(seq) for seq in range(8) if seq not in (3, 4)),
    Lost(ECG, 3, 4, "outbox_full"),
    End(ECG, 7),
    spot(0),
    spot(1),
    End(SPOTS, 1),
    Event(MARKS, 0, "moved", 7),
    End(MARKS, 0),
    ended(1, (ECG, SPOTS, MARKS)),
    End(OWN, 1),
]


@pytest.fixture
def told(desk: Desk) -> Everything:
    desk.take(*STORY)
    return everything(desk)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 2**32), again=st.lists(st.integers(0, len(STORY) - 1), max_size=20), restarts=st.booleans())
def test_any_order_any_duplicates_and_any_batches_give_the_same_tables(
    desk: Desk, told: Everything, seed: int, again: list[int], restarts: bool
) -> None:
    chance = random.Random(seed)
    desk.empty()
    messages = [*STORY, *(STORY[index] for index in again)]
    chance.shuffle(messages)
    while messages:
        size = chance.randint(1, len(messages))
        desk.take(*messages[:size])
        del messages[:size]
        if restarts and messages and chance.random() < 0.3:
            desk.restart()
    if restarts:
        # whoever got no receipt sends again
        desk.take(*STORY)
    assert everything(desk) == told


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)), max_size=40))
def test_a_ledger_knows_what_a_set_of_seqs_would(ranges: list[tuple[int, int]]) -> None:
    ledger, known = Ledger(1, -1, None, None, None), set[int]()
    for first, more in ranges:
        span = set(range(first, first + more + 1))
        new = {seq for begin, end in ledger.note(first, first + more) for seq in range(begin, end + 1)}
        assert new == span - known
        known |= span
        assert {seq for seq in range(80) if ledger.has(seq)} == known
        assert ledger.upto == next(seq for seq in range(-1, 80) if seq + 1 not in known)
        edges = [edge for pair in ledger.beyond for edge in pair]
        assert edges == sorted(edges)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.binary(max_size=200), kind=st.sampled_from(["chunk", "status", "end", "session", "x"]))
def test_no_payload_can_break_the_recorder(desk: Desk, payload: bytes, kind: str) -> None:
    desk.take(*[Delivery(f"kiosk/v1/{KIOSK}/{kind}/ecg", payload)] * 2)


def test_a_database_file_is_made_for_a_folder_that_is_not_there(tmp_path: Path) -> None:
    database = databases.database(tmp_path / "new")
    database.migrate()
    assert Desk(database).receipt(chunk(0)).upto == 0
    database.close()

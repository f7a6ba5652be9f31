"""What is measured is encrypted at rest: nothing of it is found in any byte of the database, and all of it is read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text
from sqlmodel import col

from api.recorder import Recorder
from api.store import Database, Destroyed, Tampered, arrivals, chunks, events, plain, sessions, streams
from api.store import database as module
from api.store.sealing import Box
from api.tables import ChunkRow, EventRow, QuarantineRow
from kiosk.bus import Delivery
from kiosk.messages import SECOND, Chunk, Event, Origin, Session, Stream, address, encode
from tests import databases
from tests.postgres import Cluster

ECG = Stream("s1", "ecg-1", "ecg", "r1")
RR = Stream("s1", "ecg-1", "rr", "r1")
MARKS = Stream("s1", "station", "events", "r1")
OWN = Stream("s1", "kiosk", "session", "r0")
SAID = "she said that she had slept badly"
SAMPLES = np.random.default_rng(11).normal(0, 1, 500).astype("<f4").tobytes()
OFFSETS = np.append(0, np.sort(np.random.default_rng(12).integers(1, 10**9, 19))).astype("<i4").tobytes()
NONSENSE = b'{"kind":"event","stream":{"session":"s1","device":"a","signal":"events","run":"r1"},"seq":7,"said":"%s"}'


def visit() -> list[Chunk | Event | Session]:
    """A session with samples, offsets, words and an end."""
    return [
        Session(OWN, 0, "open", Origin(1_700_000_000 * SECOND, 0, "b")),
        *(Chunk(ECG, n, n * SECOND // 10, 250.0, ("I",), SAMPLES[n * 100 : n * 100 + 100]) for n in range(20)),
        Chunk(RR, 0, 0, None, ("rr",), SAMPLES[:80], OFFSETS),
        Event(MARKS, 0, "said", SECOND, SAID),
    ]


def record(database: Database) -> None:
    taken = [Delivery(address("k1", message), encode(message)) for message in visit()]
    poison = Delivery("kiosk/v1/k1/event/said", NONSENSE % SAID.encode())
    Recorder(database).commit([*taken, poison])


def needles() -> list[bytes]:
    """Bytes that none may find: of samples, of times between them, of words."""
    return [SAMPLES[:64], SAMPLES[700:764], SAMPLES[-64:], OFFSETS[:40], SAID.encode()]


def files(database: Database, tmp_path: Path, server: Cluster | None) -> bytes:
    """Every byte that the database keeps on the disk, its logs too."""
    if server is None:
        assert database.url.database is not None
        path = Path(database.url.database)
        found = sorted(path.parent.glob(path.name + "*"))
        assert any(each.name.endswith("-wal") for each in found)
    else:
        with server.connect() as connection:
            connection.execute("CHECKPOINT")
        found = [each for each in server.home.rglob("*") if each.is_file()]
    assert found
    return b"".join(each.read_bytes() for each in found)


def cluster_of(database: Database, request: pytest.FixtureRequest) -> Cluster | None:
    return None if database.dialect == "sqlite" else request.getfixturevalue("server")


def test_nothing_that_was_measured_or_said_is_in_any_byte_of_the_database(
    database: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    record(database)
    there = files(database, tmp_path, cluster_of(database, request))
    assert b"ecg-1" in there  # what is not secret is found: we look at the right files
    for needle in needles():
        assert needle not in there
    with database.reading() as db:
        for table in (ChunkRow, QuarantineRow, EventRow):
            assert all(db.execute(select(col(table.sealed))).scalars())
        (aside,) = db.execute(select(QuarantineRow)).scalars()
        assert aside.session_id == "s1"
        assert SAID.encode() in (arrivals.quarantined(db, aside.digest) or b"")


def test_this_test_finds_what_is_left_plain(
    database: Database, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Box, "seal", lambda _, data, where: data)
    # others that are not in the other tests' data: a server's log of writes is everybody's
    monkeypatch.setitem(globals(), "SAMPLES", SAMPLES[::-1])
    monkeypatch.setitem(globals(), "OFFSETS", np.arange(0, 400, 20).astype("<i4").tobytes())
    monkeypatch.setitem(globals(), "SAID", SAID[::-1])
    record(database)
    there = files(database, tmp_path, cluster_of(database, request))
    assert all(needle in there for needle in needles())


def test_all_of_it_is_read_back(database: Database) -> None:
    record(database)
    with database.reading() as db:
        read = list(chunks.of_session(db, "s1"))
        assert sorted(read, key=repr) == sorted((each for each in visit() if isinstance(each, Chunk)), key=repr)
        ((said, device),) = events.of_session(db, "s1", limit=10)
        assert (said.detail, device) == (SAID, "station")
        ends = {extent.end for extent in streams.extents(db, "s1").values()}
        assert int.from_bytes(OFFSETS[-4:], "little") * 1000 in ends


def test_a_row_that_was_changed_or_moved_does_not_open(database: Database) -> None:
    record(database)
    with database.transaction() as db:
        first, second = db.execute(
            select(ChunkRow).order_by(col(ChunkRow.stream_id), col(ChunkRow.seq)).limit(2)
        ).scalars()
        first.samples, second.samples = second.samples, first.samples
    with database.reading() as db, pytest.raises(Tampered):
        list(chunks.of_session(db, "s1"))


def test_who_has_the_database_and_another_key_store_reads_nothing(database: Database, tmp_path: Path) -> None:
    record(database)
    thief = databases.database(tmp_path / "thief", database.url.render_as_string(hide_password=False))
    with thief.reading() as db, pytest.raises(Tampered):
        list(chunks.of_session(db, "s1"))
    thief.close()


def test_who_destroys_a_session_destroys_what_is_in_every_copy(database: Database) -> None:
    record(database)
    database.vault.destroy("session", ["s1"])
    with database.reading() as db:
        with pytest.raises(Destroyed):
            list(chunks.of_session(db, "s1"))
        with pytest.raises(Destroyed):
            events.of_session(db, "s1", limit=10)


@given(st.binary(max_size=200), st.text(max_size=20), st.data())
def test_a_sealed_value_opens_at_its_place_only_and_only_whole(data: bytes, where: str, more: st.DataObject) -> None:
    where = where.encode("utf-8", "replace").decode()
    box, other = Box.under(bytes(32)), Box.under(b"x" * 32)
    sealed = box.seal(data, where)
    assert box.open(sealed, where) == data
    assert box.seal(data, where) != sealed
    at = more.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
    for what, at_, in_ in (
        (changed, where, box),
        (sealed, where + "x", box),
        (sealed, where, other),
        (sealed[:-1], where, box),
        (b"", where, box),
    ):
        with pytest.raises(Tampered):
            in_.open(what, at_)
    assert AESGCM(bytes(32)).decrypt(sealed[:12], sealed[12:], where.encode()) == data


# --- from an earlier version


@pytest.fixture
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of the version that encrypted nothing, with a session in it."""
    url = None
    if request.param == "postgresql":
        server: Cluster = request.getfixturevalue("server")
        with server.connect() as connection:
            connection.execute("DROP DATABASE IF EXISTS earlier WITH (FORCE)")
            connection.execute("CREATE DATABASE earlier")
        url = server.url("earlier")
    made = databases.database(tmp_path, url)
    with made.engine.connect() as connection:
        config = module._alembic(made.url)
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    with made.engine.begin() as connection:
        fill(connection)
    yield made
    made.close()


both = pytest.mark.parametrize("earlier", ["sqlite", "postgresql"], indirect=True)


def fill(connection: Connection) -> None:
    """Rows as that version wrote them."""

    def put(table: str, **values: Any) -> None:
        names = ", ".join(values)
        into = ", ".join(f":{name}" for name in values)
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({into})"), values)

    put("patients", id="p-1", pseudonym="one", created_ns=0)
    for name, patient in (("s1", "p-1"), ("s2", None)):
        put(
            "sessions", id=name, kiosk="k1", patient_id=patient, state="closed", orphan=False, simulated=False,
            first_seen_ns=0, last_seen_ns=0, revision=1, changed=False,
        )  # fmt: skip
    for number, name, signal, rate in ((1, "s1", "ecg", 250.0), (2, "s2", "rr", None), (3, "s1", "events", None)):
        put("streams", id=number, session_id=name, device="ecg-1", signal=signal, run="r1", rate=rate, upto=1,
            channels='["I"]' if signal != "events" else None)  # fmt: skip
    for seq in range(20):
        samples = SAMPLES[seq * 100 : seq * 100 + 100]
        put("chunks", stream_id=1, seq=seq, start_ns=seq * SECOND // 10, count=25, samples=samples, offsets=None)
    put("chunks", stream_id=2, seq=0, start_ns=0, count=20, samples=SAMPLES[:80], offsets=OFFSETS)
    put("events", stream_id=3, seq=0, session_id="s1", event="said", time_ns=5, detail=SAID)
    put("events", stream_id=3, seq=1, session_id="s1", event="moved", time_ns=6, detail="")
    for digest, payload in (("a", NONSENSE % SAID.encode()), ("b", b"nobody's: " + SAID.encode())):
        put("quarantine", digest=digest, topic="t", payload=payload, reason="malformed", received_ns=10**18)


@both
def test_a_migration_encrypts_what_earlier_versions_left_plain(
    earlier: Database, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "BATCH", 7)
    earlier.migrate()
    with earlier.reading() as db:
        assert b"".join(each.samples for each in chunks.of_session(db, "s1")) == SAMPLES[:2000]
        (rr,) = chunks.of_session(db, "s2")
        assert (rr.samples, rr.offsets) == (SAMPLES[:80], OFFSETS)
        assert [said.detail for said, _ in events.of_session(db, "s1", limit=9)] == [SAID, ""]
        assert arrivals.quarantined(db, "a") == NONSENSE % SAID.encode()
        assert arrivals.quarantined(db, "b") == b"nobody's: " + SAID.encode()
        assert all(db.execute(select(col(ChunkRow.sealed))).scalars())
        assert dict(db.execute(select(col(QuarantineRow.digest), col(QuarantineRow.session_id))).all()) == {
            "a": "s1", "b": None,
        }  # fmt: skip
    assert earlier.vault.keys.owners() == {"s1": "p-1", "s2": None}
    if earlier.dialect == "sqlite":
        there = files(earlier, tmp_path, None)
        for needle in needles():
            assert needle not in there
    else:
        server: Cluster = request.getfixturevalue("server")
        with server.connect() as connection:
            connection.execute("CHECKPOINT")
            (number,) = connection.execute("SELECT oid FROM pg_database WHERE datname = 'earlier'").fetchone() or (0,)
        tables = [each for each in (server.home / "data" / "base" / str(number)).rglob("*") if each.is_file()]
        there = b"".join(each.read_bytes() for each in tables)
        assert b"ecg-1" in there
        for needle in needles():
            assert needle not in there


@both
def test_a_migration_that_was_stopped_goes_on(earlier: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "BATCH", 3)
    whole, calls = plain._chunks, 0

    def stopped(db: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return whole(db)

    monkeypatch.setattr(plain, "_chunks", stopped)
    with pytest.raises(KeyboardInterrupt):
        earlier.migrate()
    with earlier.reading() as db:
        assert sorted(db.execute(select(col(ChunkRow.sealed))).scalars()) == [False] * 12 + [True] * 9
        # half way it is read all the same
        assert b"".join(each.samples for each in chunks.of_session(db, "s1")) == SAMPLES[:2000]
    earlier.migrate()
    with earlier.reading() as db:
        assert b"".join(each.samples for each in chunks.of_session(db, "s1")) == SAMPLES[:2000]
        assert all(db.execute(select(col(ChunkRow.sealed))).scalars())
    assert plain.seal(earlier.transaction) == 0


@both
def test_a_restored_backup_brings_back_nothing_of_who_was_erased(earlier: Database) -> None:
    earlier.vault.keys.assign("s1", "p-1")
    earlier.vault.destroy("patient", ["p-1"])
    earlier.migrate()
    with earlier.reading() as db:
        assert {row.session_id for (row,) in db.execute(select(EventRow)) if row.detail} == set()
        assert list(db.execute(select(col(ChunkRow.stream_id))).scalars()) == [2]
        assert list(db.execute(select(col(QuarantineRow.digest))).scalars()) == ["b"]
        assert sessions.get(db, "s1") is not None

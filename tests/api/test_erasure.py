"""What is erased is gone: from the database and its log, the key store, logs, and backups that were made before."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import SQLModel, col, select

from api import erasure
from api.recorder import Recorder
from api.store import Database, Destroyed, StoreError, chunks, consents, utc_now
from api.store import erasure as store
from api.store.outage import is_outage
from api.tables import ConsentRow, IdempotencyRow, PatientRow, QuarantineRow, SessionRow
from kiosk.bus import Delivery
from kiosk.messages import Event, Receipt, Stream, address, encode
from sensors.outbox import Outbox
from tests import databases
from tests.api import marked
from tests.api.conftest import ClientAs, chunks_of, opened, problem_of, record
from tests.api.marked import ALL_SECRETS, NUMBER, back_up, found_in, measure, spelled

KEPT = {"audit", "clinics", "consent_texts", "devices", "kiosks", "users", "tokens", "alembic_version"}
"""Tables that say nothing of what was measured or of whom: ids at most."""


def rows(database: Database) -> dict[str, int]:
    """How many rows each table has that speaks of people; only those that have any."""
    with database.reading() as db:
        counts = {
            table.name: len(db.execute(table.select()).all())
            for table in SQLModel.metadata.sorted_tables
            if table.name not in KEPT
        }
    return {table: count for table, count in counts.items() if count}


def places(database: Database, folder: Path, request: pytest.FixtureRequest) -> list[Path]:
    """Everything that the product writes: the data folder, and where PostgreSQL is used its own."""
    if database.dialect == "sqlite":
        return [folder]
    return [folder, request.getfixturevalue("server").home / "data"]


def emit(path: Path) -> None:
    """The same visit in a kiosk's outbox: half of it receipted, and half waiting still."""
    ecg, marks = Stream("s-marked", "d", "ecg", "r1"), Stream("s-marked", "d", "events", "r1")
    with Outbox(path, "kiosk-1", limit=10_000_000) as outbox:
        outbox.emit(chunks_of(ecg, marked.SAMPLES, 250.0, ["I"]))
        outbox.emit([Event(marks, 0, "note", 2, marked.SAID)])
        assert outbox.waiting_count == 81
        outbox.receipts([Receipt(ecg, 39)])


def test_nothing_of_an_erased_patient_is_left_anywhere(
    database: Database,
    client_as: ClientAs,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    caplog.set_level(logging.DEBUG)
    log = tmp_path / "log"
    handler = logging.FileHandler(log)
    logging.getLogger().addHandler(handler)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    emit(tmp_path / "outbox.sqlite")
    visit = measure(client_as("clinician"), database)
    for form in ("edf", "csv", "parquet", "wfdb"):
        # what is handed out is the reader's; here nothing of it may stay
        sent = client_as("clinician").get(f"/api/v1/sessions/{visit.session}/export", params={"format": form})
        assert sent.status_code == 200, form
    backup = back_up(database, tmp_path_factory.mktemp("backups") / "backup", request)
    # nothing encrypted is readable even before, and a number is
    assert not found_in([*places(database, tmp_path, request), backup.file], ALL_SECRETS)
    assert found_in(places(database, tmp_path, request), {"number": spelled(NUMBER)})
    receipt = client_as("administrator").delete(f"/api/v1/patients/{visit.patient}")
    logging.getLogger().removeHandler(handler)
    handler.close()
    said = receipt.json()
    assert (said["patients"], said["sessions"]) == (1, 1)
    assert said["rows"]["notes"] == 2
    assert said["rows"]["identity_digests"] == 5
    assert rows(database) == {}
    everywhere = [*places(database, tmp_path, request), backup.file]
    assert not found_in(everywhere, ALL_SECRETS)
    assert not [secret for secret, forms in ALL_SECRETS.items() for form in forms if form in caplog.text.encode()]
    if database.dialect == "sqlite":
        # PostgreSQL's pages and log keep deleted numbers until they are used again
        assert not found_in([tmp_path], {"number": spelled(NUMBER)})
    with pytest.raises(Destroyed):
        database.vault.session(visit.session)

    restored = databases.database(tmp_path, backup.restore())
    assert rows(restored)["sessions"] == 1
    with restored.reading() as db, pytest.raises(Destroyed):
        list(chunks.of_session(db, visit.session))
    again = erasure.resume(restored, tmp_path)
    assert (again.patients, again.sessions) == (1, 1)
    assert rows(restored) == {}
    assert erasure.compact(restored)
    assert not found_in([*everywhere, tmp_path], ALL_SECRETS)
    assert erasure.resume(restored, tmp_path) == erasure.Receipt()
    restored.close()


class Pretence:
    """A cipher that leaves everything as it is."""

    def __init__(self, key: bytes) -> None:
        pass

    def encrypt(self, nonce: bytes, data: bytes, where: bytes) -> bytes:
        return data

    def decrypt(self, nonce: bytes, data: bytes, where: bytes) -> bytes:
        return data


def test_the_search_finds_what_is_not_encrypted(
    database: Database,
    client_as: ClientAs,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """The same as before with a vault that only seems to encrypt: every kind of secret must be found in the backup."""
    monkeypatch.setattr("api.store.sealing.AESGCM", Pretence)
    visit = measure(client_as("clinician"), database)
    backup = back_up(database, tmp_path_factory.mktemp("backups") / "backup", request)
    assert client_as("administrator").delete(f"/api/v1/patients/{visit.patient}").status_code == 200
    assert rows(database) == {}
    assert found_in([backup.file], ALL_SECRETS) == {(name, backup.file.name) for name in marked.SECRETS}


def test_what_broke_off_after_the_keys_is_finished(
    database: Database, client_as: ClientAs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = measure(client_as("clinician"), database)
    with monkeypatch.context() as broken:
        broken.setattr(store, "forget", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            erasure.erase_patient(database, tmp_path, visit.patient)
    with pytest.raises(Destroyed):
        database.vault.patient(visit.patient)
    assert rows(database)["identities"] == 1
    assert erasure.resume(database, tmp_path).patients == 1
    assert rows(database) == {}


def test_what_still_arrives_of_an_erased_session_is_refused(
    database: Database, client_as: ClientAs, tmp_path: Path
) -> None:
    measure(client_as("clinician"), database)
    ecg = Stream("s-marked", "d", "ecg", "r1")
    late = chunks_of(ecg, marked.SAMPLES[:100], 250.0, ["I"], seq=80)
    busy = Recorder(database)
    busy.commit([Delivery(address("kiosk-1", late[0]), encode(late[0]))])
    assert client_as("administrator").delete("/api/v1/sessions/s-marked").status_code == 200
    batch = busy.commit([Delivery(address("kiosk-1", chunk), encode(chunk)) for chunk in late])
    (receipt,) = batch.receipts.values()
    assert {refusal.reason for refusal in receipt.refused} == {"erased"}
    assert not rows(database).keys() & {"sessions", "streams", "chunks", "quarantine"}
    problem_of(client_as("clinician").get("/api/v1/sessions/s-marked"), 404, "unknown-session")
    problem_of(client_as("administrator").delete("/api/v1/sessions/s-marked"), 404, "unknown-session")


def test_what_another_process_stored_with_a_key_it_remembered_is_found_later(
    database: Database, client_as: ClientAs, url: str, tmp_path: Path
) -> None:
    measure(client_as("clinician"), database)
    other = databases.database(tmp_path, url)
    ecg = Stream("s-marked", "d", "ecg", "r1")
    first, second = chunks_of(ecg, marked.SAMPLES[:50], 250.0, ["I"], seq=80)
    record(other, first)
    erasure.erase_session(database, tmp_path, "s-marked")
    # it remembers the key for half a minute
    record(other, opened("s-marked", seq=1), second)
    other.close()
    erasure.resume(database, tmp_path)
    assert not rows(database).keys() & {"sessions", "streams", "chunks"}


def test_writers_meanwhile_neither_break_an_erasure_nor_outlive_it(
    database: Database, client_as: ClientAs, tmp_path: Path
) -> None:
    measure(client_as("clinician"), database)
    ecg = Stream("s-marked", "d", "ecg", "r2")
    parts = chunks_of(ecg, marked.SAMPLES[:500], 250.0, ["I"])

    def send(part: int) -> None:
        recorder = Recorder(database)
        while True:
            try:
                recorder._record([Delivery(address("kiosk-1", parts[part]), encode(parts[part]))])
            except StoreError as error:
                # one of two that wait for each other is told to try again; the recorder's loop does
                if not is_outage(error):
                    raise
            else:
                return

    with ThreadPoolExecutor(2) as pool:
        sending = [pool.submit(send, part) for part in range(len(parts))]
        erased = erasure.erase_session(database, tmp_path, "s-marked")
        for each in sending:
            each.result()
    assert erased.sessions == 1
    erasure.resume(database, tmp_path)
    assert not rows(database).keys() & {"sessions", "streams", "chunks"}


def test_answers_kept_for_repeated_requests_go_with_their_key(
    database: Database, client_as: ClientAs, tmp_path: Path
) -> None:
    clinician, key = client_as("clinician"), {"Idempotency-Key": "k-1"}
    made = clinician.post("/api/v1/patients", json={}, headers=key)
    assert clinician.post("/api/v1/patients", json={}, headers=key).json() == made.json()
    with database.reading() as db:
        (kept,) = db.execute(select(IdempotencyRow)).scalars().all()
    erasure.erase_patient(database, tmp_path, made.json()["id"])
    assert rows(database) == {}
    with database.transaction() as db:
        db.add(IdempotencyRow(**kept.model_dump()))
    # as from a backup: it opens no more
    problem_of(clinician.post("/api/v1/patients", json={}, headers=key), 422, "idempotency-key-used")
    # and the day goes on
    other = {"Idempotency-Key": "k-2"}
    again = clinician.post("/api/v1/patients", json={}, headers=other)
    assert clinician.post("/api/v1/patients", json={}, headers=other).json() == again.json()
    erasure.erase_patient(database, tmp_path, again.json()["id"])
    assert clinician.post("/api/v1/patients", json={}, headers=other).json() != again.json()


def test_nobody_elses_is_touched(database: Database, client_as: ClientAs, tmp_path: Path) -> None:
    clinician = client_as("clinician")
    mine = measure(clinician, database, "s-mine")
    # the same person again would be a duplicate
    assert clinician.put(f"/api/v1/patients/{mine.patient}/identity", json={"family": "Other"}).status_code == 200
    measure(clinician, database)
    before = clinician.get("/api/v1/sessions/s-mine").json()
    erasure.erase_session(database, tmp_path, "s-marked")
    assert clinician.get("/api/v1/sessions/s-mine").json() == before
    assert clinician.get(f"/api/v1/patients/{mine.patient}/identity").json()["family"] == "Other"
    with database.reading() as db:
        samples = b"".join(bytes(chunk.samples) for chunk in chunks.of_session(db, "s-mine"))
    assert samples == marked.SAMPLES.tobytes()


def test_a_consent_outlives_the_session_in_which_it_was_given(
    database: Database, client_as: ClientAs, tmp_path: Path
) -> None:
    visit = measure(client_as("clinician"), database)
    erasure.erase_session(database, tmp_path, visit.session)
    with database.reading() as db:
        assert consents.allows(db, visit.patient, "store")
        assert {row.session_id for row in db.execute(select(ConsentRow)).scalars()} == {None}
        assert db.get(PatientRow, visit.patient) is not None


def test_a_person_is_erased_under_every_id(database: Database, client_as: ClientAs, tmp_path: Path) -> None:
    clinician, administrator = client_as("clinician"), client_as("administrator")
    old = measure(clinician, database)
    kept = clinician.post("/api/v1/patients", json={}).json()["id"]
    assert clinician.post(f"/api/v1/patients/{old.patient}/merge", json={"into": kept}).status_code == 200
    said = problem_of(administrator.delete(f"/api/v1/patients/{old.patient}"), 409, "merged")
    assert said["patient"] == kept
    with pytest.raises(erasure.Nothing, match=kept):
        erasure.erase_patient(database, tmp_path, old.patient)
    receipt = administrator.delete(f"/api/v1/patients/{kept}").json()
    assert (receipt["patients"], receipt["sessions"]) == (2, 1)
    assert rows(database) == {}
    for each in (old.patient, kept):
        with pytest.raises(Destroyed):
            database.vault.patient(each)


def test_only_who_may_erases_and_for_a_version_that_is_there(client_as: ClientAs, database: Database) -> None:
    visit = measure(client_as("clinician"), database)
    for role in ("operator", "clinician", "integrator", "researcher", "auditor"):
        for address_ in (f"/api/v1/patients/{visit.patient}", f"/api/v1/sessions/{visit.session}"):
            problem_of(client_as(role).delete(address_), 403, "forbidden")
    administrator, elsewhere = client_as("administrator"), client_as("administrator", "other")
    problem_of(elsewhere.delete(f"/api/v1/patients/{visit.patient}"), 404, "unknown-patient")
    problem_of(elsewhere.delete(f"/api/v1/sessions/{visit.session}"), 404, "unknown-session")
    wrong = {"If-Match": '"77"'}
    for address_ in (f"/api/v1/patients/{visit.patient}", f"/api/v1/sessions/{visit.session}"):
        problem_of(administrator.delete(address_, headers=wrong), 412, "changed-meanwhile")
    assert rows(database)["sessions"] == 1


def test_every_table_that_speaks_of_somebody_is_known_to_erasure() -> None:
    """Rows are found by the names of columns: a reference by another name would be missed."""
    names = {"sessions": "session_id", "streams": "stream_id", "patients": "patient_id"}
    referring = 0
    for table in SQLModel.metadata.sorted_tables:
        for key in table.foreign_keys:
            target = key.column.table.name
            assert names.get(target, key.parent.name) == key.parent.name, f"{table.name}.{key.parent.name}"
            referring += target in names
            # what hangs on something that is erased, and names neither session nor patient, would keep it
            if target not in ("clinics", "users", *names):
                assert {"session_id", "patient_id"} & set(table.c.keys()), f"{table.name}.{key.parent.name}"
        for column in table.c:
            if any(word in column.name for word in ("session", "patient", "stream")):
                known = {*names.values(), "merged_into"}
                assert column.name in known, f"{table.name}.{column.name}"
    assert referring > 15


def test_what_was_put_aside_of_a_session_goes_with_it(database: Database, tmp_path: Path) -> None:
    record(database, opened("s-1"))
    record(database, *chunks_of(Stream("s-1", "d", "ecg", "r1"), marked.SAMPLES[:25], 250.0, ["I"]))
    with database.transaction() as db:
        db.add(QuarantineRow(digest="d", topic="t", payload=b"x", reason="r", session_id="s-1", received_ns=utc_now()))
    receipt = erasure.erase_session(database, tmp_path, "s-1")
    assert receipt.rows["quarantine"] == 1
    with database.reading() as db:
        assert db.execute(select(col(SessionRow.id))).all() == []

"""A backup holds one moment, whole; what was erased since does not come back with it."""

import base64
import json
import shutil
import sqlite3
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from api import backup, erasure
from api.audit import Entry, note
from api.backup import BadBackup, NotEmpty
from api.store import Database, DatabaseDown, Destroyed, auditing, copies, utc_now
from api.store.auditing import RESTORED
from api.store.keys import KeysUnusable
from api.tables import PatientRow
from kiosk.messages import Stream
from kiosk.settings import Settings
from tests import databases
from tests.api.conftest import chunks_of, opened, record
from tests.postgres import Cluster

PATIENT, SESSION = "p-00000000000000aa", "0123456789abcdef0123456789abcdef"
PASSPHRASE = "a word that nobody knows"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "SCRYPT_N", 2**10)


@pytest.fixture
def empty(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Iterator[Database]:
    """Another database of the same kind without a table in it, that has the same keys."""
    if database.dialect == "sqlite":
        made = databases.database(tmp_path, f"sqlite:///{tmp_path / 'elsewhere' / 'kiosk.sqlite'}")
        yield made
        made.close()
    else:
        server: Cluster = request.getfixturevalue("server")
        with server.connect() as connection:
            connection.execute("CREATE DATABASE elsewhere")
        made = databases.database(tmp_path, server.url("elsewhere"))
        yield made
        made.close()
        with server.connect() as connection:
            connection.execute("DROP DATABASE elsewhere WITH (FORCE)")


def people(database: Database) -> list[str]:
    with database.reading() as db:
        return list(db.execute(text("SELECT id FROM patients ORDER BY id")).scalars())


def admit(database: Database, patient: str) -> None:
    with database.transaction() as db:
        db.add(PatientRow(id=patient, pseudonym=patient, created_ns=utc_now()))
    database.vault.patient(patient)


def test_a_backup_under_load_is_one_moment(database: Database, empty: Database, tmp_path: Path) -> None:
    stream = Stream(SESSION, "strap", "ecg", "r1")
    chunks = chunks_of(stream, np.zeros((50_000, 1), np.float32), 250.0, ["I"])
    record(database, opened(SESSION), *chunks[:20])
    receipted, stop = [20], threading.Event()

    def go_on() -> None:
        for begin in range(20, len(chunks), 5):
            if stop.is_set():
                return
            record(database, *chunks[begin : begin + 5])
            receipted[0] = begin + 5
            note(database, Entry("u-1", "clinician", "results.read", "session", SESSION))

    recorder = threading.Thread(target=go_on)
    recorder.start()
    try:
        while receipted[0] < 60:
            pass
        before = receipted[0]
        manifest = backup.make(database, tmp_path / "backup")
        after = receipted[0]
    finally:
        stop.set()
        recorder.join()
    assert after > before, "nothing was recorded meanwhile: this proves nothing"
    done = backup.restore(empty, tmp_path, tmp_path / "backup")
    with empty.reading() as db:
        seqs = list(db.execute(text("SELECT seq FROM chunks ORDER BY seq")).scalars())
        upto = db.execute(text("SELECT upto FROM streams WHERE signal = 'ecg'")).scalar_one()
        verdict = auditing.verify(db)
        if empty.dialect == "sqlite":
            assert db.execute(text("PRAGMA foreign_key_check")).all() == []
    assert before <= len(seqs) <= receipted[0]
    assert seqs == list(range(len(seqs)))
    assert upto == len(seqs) - 1
    assert manifest.counts["chunks"] == len(seqs)
    # the audit goes on from where the backup ends, and says what is missing between
    assert verdict.broken is None
    assert verdict.rows == manifest.counts["audit"] + 1
    assert done.lost is not None
    assert done.lost[0] == manifest.counts["audit"] + 1
    [gap] = verdict.restored
    assert f"row {verdict.rows} notes" in gap
    assert f"rows {done.lost[0]} to {done.lost[1]} " in gap


def test_what_was_erased_since_does_not_come_back(database: Database, tmp_path: Path) -> None:
    admit(database, PATIENT)
    admit(database, "p-00000000000000bb")
    sealed = database.vault.patient(PATIENT).seal(b"Anna Schmidt", "x")
    backup.make(database, tmp_path / "backup")
    backup.export_keys(Settings(data=tmp_path), database.vault.keys, tmp_path / "keys", PASSPHRASE)
    erasure.erase_patient(database, tmp_path, PATIENT)
    assert people(database) == ["p-00000000000000bb"]
    backup.import_keys(Settings(data=tmp_path), tmp_path / "keys", PASSPHRASE)
    done = backup.restore(database, tmp_path, tmp_path / "backup", replace=True)
    assert done.erased.patients == 1
    assert people(database) == ["p-00000000000000bb"]
    with pytest.raises(Destroyed):
        database.vault.patient(PATIENT).open(sealed, "x")
    database.vault.patient("p-00000000000000bb")


def test_older_keys_bring_nothing_back_that_a_backup_knows_erased(database: Database, tmp_path: Path) -> None:
    # the key store is lost with its tombstones, and its export is older than the backup
    settings = Settings(data=tmp_path)
    admit(database, PATIENT)
    backup.make(database, tmp_path / "first")
    backup.export_keys(settings, database.vault.keys, tmp_path / "keys", PASSPHRASE)
    erasure.erase_patient(database, tmp_path, PATIENT)
    backup.make(database, tmp_path / "second")
    database.vault.close()
    settings.key_file.unlink()
    Path(settings.keys.removeprefix("sqlite:///")).unlink()
    backup.import_keys(settings, tmp_path / "keys", PASSPHRASE)
    database.vault.patient(PATIENT)
    backup.restore(database, tmp_path, tmp_path / "second", replace=True)
    assert PATIENT in database.vault.keys.erased("patient")
    with pytest.raises(Destroyed):
        database.vault.patient(PATIENT)


def test_every_login_ends_with_a_restore(database: Database, tmp_path: Path) -> None:
    from tests.api import staff

    staff.bearer(database, staff.hire(database, "clinician"))
    backup.make(database, tmp_path / "backup")
    backup.restore(database, tmp_path, tmp_path / "backup", replace=True)
    with database.reading() as db:
        assert db.execute(text("SELECT count(*) FROM tokens")).scalar_one() == 0
        assert db.execute(text("SELECT count(*) FROM users")).scalar_one() == 1
        assert db.execute(text("SELECT actor FROM audit WHERE action = :a"), {"a": RESTORED}).scalar_one() == "cli"


def test_a_database_that_holds_something_is_not_replaced_unasked(database: Database, tmp_path: Path) -> None:
    backup.make(database, tmp_path / "backup")
    admit(database, PATIENT)
    with pytest.raises(NotEmpty):
        backup.restore(database, tmp_path, tmp_path / "backup")
    assert people(database) == [PATIENT]
    backup.restore(database, tmp_path, tmp_path / "backup", replace=True)
    assert people(database) == []


def test_no_key_is_in_a_backup(database: Database, tmp_path: Path) -> None:
    admit(database, PATIENT)
    backup.make(database, tmp_path / "backup")
    written = (tmp_path / "backup").read_bytes()
    wrapped = [key.wrapped for key in database.vault.keys.copied().keys]
    assert wrapped
    assert not any(key in written for key in wrapped)
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob(".kiosk-*"))


def damaged(file: Path, how: str) -> None:
    whole = file.read_bytes()
    if how == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "bit":
        place = len(whole) * 3 // 4
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    elif how == "manifest":
        file.write_bytes(whole.replace(b'"erased":{', b'"eraseD":{', 1))
    else:
        with tarfile.open(file) as archive:
            archive.extractall(file.parent, filter="data")
            member = next(name for name in archive.getnames() if name != "manifest.json")
        manifest = json.loads(Path(file.parent, "manifest.json").read_text())
        manifest[how] = {"revision": "9999", "format": 2, "dialect": "oracle", "made": "x"}[how]
        Path(file.parent, "manifest.json").write_text(json.dumps(manifest))
        with tarfile.open(file, "w") as archive:
            archive.add(file.parent / "manifest.json", "manifest.json")
            archive.add(file.parent / member, member)


@pytest.mark.parametrize("how", ["cut", "empty", "bit", "manifest", "revision", "format", "dialect", "made"])
def test_a_backup_that_is_not_what_was_written_is_refused(database: Database, tmp_path: Path, how: str) -> None:
    admit(database, PATIENT)
    backup.make(database, tmp_path / "backup")
    damaged(tmp_path / "backup", how)
    with pytest.raises(BadBackup):
        backup.restore(database, tmp_path, tmp_path / "backup", replace=True)
    assert people(database) == [PATIENT]


def test_a_backup_of_another_installation_is_refused(database: Database, tmp_path: Path) -> None:
    backup.make(database, tmp_path / "backup")
    other = databases.database(tmp_path / "other", f"sqlite:///{tmp_path / 'other.sqlite'}")
    with pytest.raises(BadBackup):
        backup.restore(other, tmp_path, tmp_path / "backup")
    other.close()


def test_keys_need_their_passphrase_and_their_master(database: Database, tmp_path: Path) -> None:
    settings, file = Settings(data=tmp_path), tmp_path / "keys"
    admit(database, PATIENT)
    backup.export_keys(settings, database.vault.keys, file, PASSPHRASE)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadBackup):
        backup.import_keys(settings, file, PASSPHRASE + "!")
    with pytest.raises(BadBackup):
        backup.import_keys(settings, tmp_path / "master.key", PASSPHRASE)
    other = Settings(data=tmp_path / "other", master_key=SecretStr(base64.b64encode(bytes(range(32))).decode()))
    (tmp_path / "other").mkdir()
    with pytest.raises(KeysUnusable):
        backup.import_keys(other, file, PASSPHRASE)
    anew = Settings(data=tmp_path / "anew")
    assert backup.import_keys(anew, file, PASSPHRASE) == len(database.vault.keys.copied().keys)
    assert anew.key_file.read_bytes() == settings.key_file.read_bytes()


def test_a_failed_restore_leaves_what_was_there(database: Database, tmp_path: Path) -> None:
    admit(database, PATIENT)
    bad = tmp_path / "copy"
    if database.dialect == "sqlite":
        with sqlite3.connect(bad) as made:
            made.execute("CREATE TABLE x (y)")
        whole = bad.read_bytes()
        bad.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    else:
        bad.write_bytes(b"PGDMP but nothing else")
    with pytest.raises((copies.NoTool, DatabaseDown, sqlite3.DatabaseError)):
        copies.load(database, bad)
    assert people(database) == [PATIENT]


def test_without_its_tool_postgresql_has_no_backup_and_says_so(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    if database.dialect == "sqlite":
        backup.make(database, tmp_path / "backup")
        return
    with pytest.raises(copies.NoTool, match="postgresql-client"):
        backup.make(database, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()

"""The key store: what is destroyed is gone for good, and the master key can be changed."""

import base64
import secrets
from pathlib import Path

import pytest

from api.store import Destroyed, KeyStore, KeysUnusable
from api.store.keys import KeyDamaged, master_key
from kiosk.errors import BadSettings

MASTER = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.sqlite"


def opened(path: Path, master: bytes = MASTER) -> KeyStore:
    return KeyStore(f"sqlite:///{path}", master)


def test_a_key_is_made_once_and_found_again(path: Path) -> None:
    key = opened(path).find_or_make("session", "s-1")
    assert len(key) == 32
    assert opened(path).find_or_make("session", "s-1") == opened(path).find("session", "s-1") == key
    assert opened(path).find_or_make("session", "s-2") != key
    with pytest.raises(Destroyed):
        opened(path).find("session", "s-3")


def test_no_key_stands_in_the_file_as_it_is(path: Path) -> None:
    keys = opened(path)
    made = [keys.find_or_make("session", "s-1"), keys.find_or_make("patient", "p-1"), MASTER]
    keys.assign("s-1", "p-1")
    assert not any(key in path.read_bytes() for key in made)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_destroyed_leaves_no_byte_and_is_never_made_again(path: Path) -> None:
    keys = opened(path)
    keys.assign("s-1", "p-1")
    keys.find_or_make("session", "s-2")
    with keys._transaction() as db:
        wrapped = [bytes(row[0]) for row in db.exec_driver_sql("SELECT wrapped FROM keys WHERE id IN ('s-1', 'p-1')")]
    assert all(each in path.read_bytes() for each in wrapped)
    keys.destroy("patient", ["p-1"])
    there = b"".join(each.read_bytes() for each in path.parent.glob("keys.sqlite*"))
    assert not any(each in there for each in wrapped)
    for kind, name in (("patient", "p-1"), ("session", "s-1")):
        with pytest.raises(Destroyed):
            keys.find_or_make(kind, name)  # type: ignore[arg-type]
        assert keys.is_erased(kind, name)  # type: ignore[arg-type]
    assert keys.find("session", "s-2")
    with pytest.raises(Destroyed):
        keys.assign("s-2", "p-1")
    with pytest.raises(Destroyed):
        keys.assign("s-1", "p-2")


def test_a_session_that_is_another_patients_is_destroyed_with_that_one(path: Path) -> None:
    keys = opened(path)
    key = keys.find_or_make("session", "s-1")
    keys.assign("s-1", "p-1")
    keys.assign("s-1", "p-2")
    assert keys.owners() == {"s-1": "p-2"}
    keys.destroy("patient", ["p-1"])
    assert keys.find("session", "s-1") == key
    keys.assign("s-1", None)
    keys.destroy("patient", ["p-2"])
    assert keys.find("session", "s-1") == key


def test_another_master_key_is_refused_in_words(path: Path) -> None:
    opened(path)
    with pytest.raises(KeysUnusable, match="master key"):
        opened(path, secrets.token_bytes(32))


def test_a_new_master_key_opens_everything_and_the_old_one_nothing(path: Path) -> None:
    keys, new = opened(path), secrets.token_bytes(32)
    before = [
        keys.find_or_make("session", "s-1"),
        keys.find_or_make("patient", "p-1"),
        keys.find_or_make("purpose", "x"),
    ]
    keys.assign("s-1", "p-1")
    keys.find_or_make("session", "s-2")
    # the session under the patient's key stays as it is: the patient, the purpose, the other session and the check
    assert keys.rewrap(new) == 4
    for store in (keys, opened(path, new)):
        assert [store.find("session", "s-1"), store.find("patient", "p-1"), store.find("purpose", "x")] == before
    with pytest.raises(KeysUnusable):
        opened(path)


def test_a_rewrap_that_meets_a_damaged_key_changes_nothing(path: Path) -> None:
    keys = opened(path)
    whole = keys.find_or_make("purpose", "a")
    keys.find_or_make("session", "s-1")
    with keys._transaction() as db:
        db.exec_driver_sql("UPDATE keys SET wrapped = X'00' WHERE id = 's-1'")
    with pytest.raises(KeyDamaged):
        keys.rewrap(secrets.token_bytes(32))
    assert opened(path).find("purpose", "a") == whole
    with pytest.raises(KeyDamaged):
        keys.find("session", "s-1")


def test_the_master_key_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "master.key"
    made = master_key(path, None)
    assert master_key(path, None) == made
    assert path.stat().st_mode & 0o777 == 0o600
    # what `kiosk keys rewrap` writes is the key that it was given
    assert master_key(tmp_path / "new", None, MASTER) == MASTER
    assert master_key(tmp_path / "new", None) == MASTER
    given = base64.b64encode(MASTER).decode()
    assert master_key(path, given) == MASTER
    for wrong in ("", "short", "!" * 44, base64.b64encode(bytes(16)).decode()):
        with pytest.raises(BadSettings, match="32 bytes"):
            master_key(path, wrong)


def test_a_key_store_that_cannot_be_opened_says_so_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable) as raised:
        KeyStore(f"postgresql+psycopg://user:secret@/x?host={tmp_path}", MASTER)
    assert "secret" not in str(raised.value)
    (tmp_path / "keys.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(KeysUnusable):
        opened(tmp_path / "keys.sqlite")

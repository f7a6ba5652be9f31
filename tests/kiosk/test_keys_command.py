"""`kiosk keys rewrap`, as somebody types it: everything opens under the new master key, or nothing has changed."""

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.store import KeysUnusable, Vault
from kiosk.__main__ import app
from kiosk.commands.running import FAILED
from kiosk.settings import Settings

NEW = base64.b64encode(secrets.token_bytes(32)).decode()
PLACE = "notes:n-1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a key store, which commands use."""
    for name in ("KIOSK_MASTER_KEY", "KIOSK_MASTER_KEY_FILE", "KIOSK_KEYS_URL", "KIOSK_NEW_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KIOSK_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def sealed(folder: Path) -> bytes:
    """Something that only its session's key opens."""
    return next(using(folder)).session("s-1").seal(b"slept badly", PLACE)


def using(folder: Path) -> Iterator[Vault]:
    vault = Vault.to(Settings(data=folder))
    try:
        yield vault
    finally:
        vault.close()


def opened(folder: Path, sealed: bytes) -> bytes:
    return next(using(folder)).session("s-1").open(sealed, PLACE)


def rewrap(*words: str, typed: str = f"{NEW}\n") -> Result:
    return CliRunner().invoke(app, ["keys", "rewrap", *words], input=typed)


def test_the_new_key_is_asked_for_unseen_and_takes_the_old_ones_place(folder: Path, sealed: bytes) -> None:
    old = (folder / "master.key").read_text().strip()
    done = rewrap()
    assert done.exit_code == 0, done.output
    assert NEW not in done.output
    assert old not in done.output
    assert "2 keys" in done.output  # the session's, and the one that is looked at first
    assert (folder / "master.key").read_text().strip() == NEW
    assert (folder / "master.key").stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in folder.iterdir()) == ["keys.sqlite", "master.key"]
    assert opened(folder, sealed) == b"slept badly"


def test_with_the_old_key_nothing_opens_any_more(folder: Path, sealed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    old = (folder / "master.key").read_text().strip()
    assert rewrap().exit_code == 0
    monkeypatch.setenv("KIOSK_MASTER_KEY", old)
    with pytest.raises(KeysUnusable):
        opened(folder, sealed)


def test_a_key_of_the_environment_stays_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = base64.b64encode(secrets.token_bytes(32)).decode()
    monkeypatch.setenv("KIOSK_MASTER_KEY", old)
    sealed = next(using(folder)).session("s-1").seal(b"slept badly", PLACE)
    monkeypatch.setenv("KIOSK_NEW_MASTER_KEY", NEW)
    done = rewrap(typed="")
    assert done.exit_code == 0, done.output
    assert "KIOSK_MASTER_KEY" in done.output
    assert NEW not in done.output
    assert not (folder / "master.key").exists()
    with pytest.raises(KeysUnusable):
        opened(folder, sealed)
    monkeypatch.setenv("KIOSK_MASTER_KEY", NEW)
    assert opened(folder, sealed) == b"slept badly"


@pytest.mark.parametrize("new", ["short", "Schlüssel" * 5, base64.b64encode(bytes(16)).decode()], ids=str)
def test_what_is_no_key_changes_nothing(folder: Path, sealed: bytes, new: str) -> None:
    before = (folder / "master.key").read_bytes(), (folder / "keys.sqlite").read_bytes()
    done = rewrap(typed=f"{new}\n")
    assert done.exit_code == FAILED
    assert "32 bytes" in done.output
    assert new not in done.output
    assert before == ((folder / "master.key").read_bytes(), (folder / "keys.sqlite").read_bytes())
    assert opened(folder, sealed) == b"slept badly"


def test_who_does_not_have_the_old_key_gives_no_new_one(folder: Path, sealed: bytes) -> None:
    kept = (folder / "master.key").read_text()
    (folder / "master.key").write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    done = rewrap()
    assert done.exit_code == FAILED
    assert "master key" in done.output
    assert not (folder / "master.key.new").exists()
    (folder / "master.key").write_text(kept)
    assert opened(folder, sealed) == b"slept badly"


def test_stopped_before_the_file_was_replaced_the_new_key_lies_beside_it(
    folder: Path, sealed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as stopped:
        stopped.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("the power went")))
        assert isinstance(rewrap().exception, OSError)
    with pytest.raises(KeysUnusable):
        opened(folder, sealed)
    (folder / "master.key.new").replace(folder / "master.key")
    assert opened(folder, sealed) == b"slept badly"

"""`kiosk audit`, `kiosk backup` and `kiosk restore`, as somebody types them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from api import backup
from api.audit import Entry, note
from kiosk.__main__ import app
from tests import databases

Kiosk = Callable[..., Result]


@pytest.fixture
def kiosk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kiosk:
    monkeypatch.setenv("KIOSK_DATA", str(tmp_path))
    monkeypatch.setattr(backup, "SCRYPT_N", 2**10)
    (tmp_path / "passphrase").write_text("a word that nobody knows\n")
    database = databases.database(tmp_path)
    database.migrate()
    note(database, *(Entry(f"u-{n:016x}", "clinician", "results.read", "session", detail={"count": n}) for n in (1, 2)))
    database.close()
    return lambda *words: CliRunner().invoke(app, [str(each) for each in words])


def test_verify_says_what_is_wrong_and_fails(kiosk: Kiosk, tmp_path: Path) -> None:
    good = kiosk("audit", "verify")
    assert (good.exit_code, good.output.partition(",")[0]) == (0, "2 rows")
    database = databases.database(tmp_path)
    with database.transaction() as db:
        db.execute(text("UPDATE audit SET actor = 'u-other' WHERE seq = 2"))
    database.close()
    bad = kiosk("audit", "verify")
    assert bad.exit_code == 1
    assert "BROKEN at row 2 (changed)" in bad.output


def test_export_writes_every_row_and_notes_itself(kiosk: Kiosk) -> None:
    lines = [json.loads(line) for line in kiosk("audit", "export").output.splitlines()]
    assert [line["action"] for line in lines] == ["results.read", "results.read", "audit.export"]
    assert lines[1]["detail"] == {"count": 2}
    rows = list(csv.DictReader(kiosk("audit", "export", "--format", "csv").output.splitlines()))
    assert len(rows) == 4
    assert json.loads(rows[1]["detail"]) == {"count": 2}
    assert kiosk("audit", "export", "--since", "2999-01-01").output == ""
    assert kiosk("audit", "export", "--format", "xml").exit_code == 2
    assert kiosk("audit", "verify").exit_code == 0


def test_backup_and_restore_on_another_machine(kiosk: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = ("--passphrase-file", tmp_path / "passphrase")
    made = kiosk("backup", tmp_path / "backup", "--keys", tmp_path / "keys", *secret)
    assert made.exit_code == 0, made.output
    monkeypatch.setenv("KIOSK_DATA", str(tmp_path / "new"))
    # without the keys it is nobody's
    refused = kiosk("restore", tmp_path / "backup")
    assert refused.exit_code == 3
    assert "restore its keys first" in refused.output
    for each in ("master.key", "keys.sqlite"):
        (tmp_path / "new" / each).unlink()
    done = kiosk("restore", tmp_path / "backup", "--keys", tmp_path / "keys", *secret)
    assert done.exit_code == 0, done.output
    said = kiosk("audit", "verify")
    assert said.exit_code == 0, said.output
    assert "notes the restore of a backup" in said.output
    again = kiosk("restore", tmp_path / "backup")
    assert again.exit_code == 0, again.output  # nobody is in it
    assert kiosk("restore").exit_code == 2
    assert kiosk("backup").exit_code == 2
    assert kiosk("restore", tmp_path / "nowhere").exit_code == 3


def test_a_short_passphrase_is_refused(kiosk: Kiosk, tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("short")
    said = kiosk("backup", "--keys", tmp_path / "keys", "--passphrase-file", tmp_path / "passphrase")
    assert said.exit_code == 3
    assert not (tmp_path / "keys").exists()

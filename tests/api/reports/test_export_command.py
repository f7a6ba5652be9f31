"""`kiosk export` and `kiosk report`: a file for its owner alone, or none; and a row in the audit."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.store import audit
from api.store.audit import Wanted
from kiosk.commands.export import app
from tests import databases
from tests.api.conftest import opened, record
from tests.api.interop.exporting import analysed, stored, wave


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "kiosk.sqlite").write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("KIOSK_DATA", str(tmp_path))
    database = databases.database(tmp_path)
    record(database, opened("s-1"))
    stored(database, "s-1", "ecg", wave(500, 1, 1), 250.0, ["I"])
    analysed(database, "s-1", [0.5, 1.0])
    database.close()
    return tmp_path


def test_both_write_a_file_that_its_owner_alone_reads(folder: Path) -> None:
    edf, pdf = folder / "a.edf", folder / "a.pdf"
    made = CliRunner().invoke(app, ["export", "s-1", "--format", "edf", "--out", str(edf)])
    assert made.exit_code == 0, made.output
    made = CliRunner().invoke(app, ["report", "s-1", "--language", "ru", "--out", str(pdf)])
    assert made.exit_code == 0, made.output
    assert edf.read_bytes().startswith(b"0       K7QF-p-1 F X X")
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert {stat.S_IMODE(each.stat().st_mode) for each in (edf, pdf)} == {0o600}
    database = databases.database(folder)
    with database.reading() as db:
        noted = {(row.actor, row.action, row.object_id) for row in audit.newest(db, Wanted(), limit=9, before=None)}
    database.close()
    assert noted == {("cli", "exports.read", "s-1"), ("cli", "results.read", "s-1")}


def test_nothing_is_overwritten_and_nothing_half_is_left(folder: Path) -> None:
    there = folder / "there"
    there.write_text("mine")
    refused = CliRunner().invoke(app, ["export", "s-1", "--format", "csv", "--out", str(there)])
    assert refused.exit_code == 2
    assert there.read_text() == "mine"
    for command in (["export", "s-none", "--format", "csv"], ["report", "s-none"]):
        refused = CliRunner().invoke(app, [*command, "--out", str(folder / "none")])
        assert refused.exit_code == 2
        assert "no session of this id" in refused.output
        assert not (folder / "none").exists()

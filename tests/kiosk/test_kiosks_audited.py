"""`kiosk kiosks`: who lets a kiosk in, or out, leaves a row in the audit."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.store import Database, audit
from kiosk import settings
from kiosk.__main__ import app


def kiosk(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_every_change_of_a_kiosk_is_noted_and_what_was_refused_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSK_DATA", str(tmp_path))
    assert kiosk("migrate").exit_code == 0
    for words in (("add", "k-7"), ("rotate", "k-7"), ("revoke", "k-7")):
        result = kiosk("kiosks", *words)
        assert result.exit_code == 0, result.output
    assert kiosk("kiosks", "rotate", "k-7").exit_code == 2
    database = Database.to(settings.load())
    try:
        with database.reading() as db:
            rows = list(audit.rows(db))
    finally:
        database.close()
    assert [(row["actor"], row["action"], row["object_id"], row["clinic_id"]) for row in rows] == [
        ("cli", "kiosks.write", "k-7", "main")
    ] * 3
    assert kiosk("audit", "verify").exit_code == 0

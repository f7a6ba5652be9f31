"""What is kept no longer goes, by each rule by itself; and what no rule names stays."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import col, select, update
from starlette.testclient import TestClient
from typer.testing import CliRunner

from analytics.session import Result
from api import retention
from api.closing import Closer
from api.retention import DAY, Due, Rules
from api.store import Database, Destroyed, utc_now
from api.store import erasure as store
from api.tables import AuditRow, ChunkRow, QuarantineRow, ReadingRow, SessionRow
from kiosk.__main__ import app as commands
from kiosk.messages import Stream
from kiosk.settings import Settings
from tests.api.conftest import chunks_of, problem_of, record
from tests.api.marked import SAMPLES, Marked, measure

FOR_EVER = Rules(quarantine=None)


@pytest.fixture
def now() -> int:
    return utc_now()


@pytest.fixture
def visit(client: TestClient, database: Database, now: int) -> Marked:
    """A closed session of ten days ago, with a payload that was put aside then."""
    made = measure(client, database)
    with database.transaction() as db:
        db.execute(update(SessionRow).values(state="closed", revision=1, changed=False, last_seen_ns=now - 10 * DAY))
        db.add(QuarantineRow(digest="d", topic="t", payload=b"x", reason="r", received_ns=now - 10 * DAY))
    return made


def ids(database: Database) -> list[str]:
    with database.reading() as db:
        return list(db.execute(select(col(SessionRow.id))).scalars())


def test_without_rules_nothing_goes(database: Database, visit: Marked, tmp_path: Path, now: int) -> None:
    assert retention.sweep(database, tmp_path, FOR_EVER, now + 10_000 * DAY) == Due([], [], [], [], [], [], [])
    assert ids(database) == [visit.session]


def test_an_old_session_is_erased_and_a_newer_one_is_not(
    database: Database, visit: Marked, tmp_path: Path, now: int
) -> None:
    rules = replace(FOR_EVER, sessions=11)
    assert retention.sweep(database, tmp_path, rules, now).sessions == []
    assert retention.due(database, rules, now + 2 * DAY).sessions == [visit.session]
    assert ids(database) == [visit.session]
    assert retention.sweep(database, tmp_path, rules, now + 2 * DAY).sessions == [visit.session]
    assert ids(database) == []
    with pytest.raises(Destroyed):
        database.vault.session(visit.session)
    with database.reading() as db:
        noted = [(row.actor, row.action, row.object_id) for row in db.execute(select(AuditRow)).scalars()]
    assert ("system", "sessions.erase", visit.session) in noted


def test_what_is_nobodys_goes_earlier(
    client: TestClient, database: Database, visit: Marked, tmp_path: Path, now: int
) -> None:
    rules = replace(FOR_EVER, unassigned=5)
    assert retention.sweep(database, tmp_path, rules, now).unassigned == []
    assert client.patch(f"/api/v1/sessions/{visit.session}", json={"patient_id": None}).status_code == 200
    assert retention.sweep(database, tmp_path, rules, now).unassigned == [visit.session]
    assert ids(database) == []


def test_samples_go_and_readings_stay(
    client: TestClient, database: Database, visit: Marked, tmp_path: Path, now: int
) -> None:
    rules = replace(FOR_EVER, waveforms=5)
    with database.reading() as db:
        assert not store.waveforms_are_gone(db, visit.session)
    assert retention.sweep(database, tmp_path, rules, now).waveforms == [visit.session]
    assert retention.sweep(database, tmp_path, rules, now).waveforms == []
    with database.reading() as db:
        assert db.execute(select(ChunkRow)).all() == []
        assert {row.measure for row in db.execute(select(ReadingRow)).scalars()} == {"systolic", "heart_rate"}
        assert store.waveforms_are_gone(db, visit.session)
    assert client.get(f"/api/v1/sessions/{visit.session}").status_code == 200


def test_samples_of_a_session_that_is_not_closed_stay(
    database: Database, visit: Marked, tmp_path: Path, now: int
) -> None:
    with database.transaction() as db:
        db.execute(update(SessionRow).values(state="ended"))
    assert retention.sweep(database, tmp_path, replace(FOR_EVER, waveforms=5), now).waveforms == []
    with database.reading() as db:
        assert not store.waveforms_are_gone(db, visit.session)


def test_what_was_put_aside_goes_after_a_month(database: Database, visit: Marked, tmp_path: Path, now: int) -> None:
    rules = Rules.of(Settings(data=tmp_path))
    assert rules == Rules(None, None, None, 30.0)
    assert retention.sweep(database, tmp_path, rules, now).quarantine == []
    assert retention.sweep(database, tmp_path, rules, now + 21 * DAY).quarantine == ["d"]
    with database.reading() as db:
        assert db.execute(select(QuarantineRow)).all() == []


def test_who_takes_storing_back_loses_the_sessions_and_stays_a_patient(
    client: TestClient, database: Database, visit: Marked, tmp_path: Path, now: int
) -> None:
    given = client.get(f"/api/v1/patients/{visit.patient}/consents").json()["items"]
    by_purpose = {each["purpose"]: each["id"] for each in given}
    client.post(f"/api/v1/consents/{by_purpose['research']}/withdraw")
    assert retention.due(database, FOR_EVER, now).withdrawn == []
    client.post(f"/api/v1/consents/{by_purpose['store']}/withdraw")
    assert retention.due(database, FOR_EVER, now).withdrawn == [visit.session]
    assert retention.sweep(database, tmp_path, FOR_EVER, now).withdrawn == [visit.session]
    assert ids(database) == []
    assert retention.due(database, FOR_EVER, now).withdrawn == []
    assert client.get(f"/api/v1/patients/{visit.patient}/consents").json()["allowed"] == []


def test_who_agrees_anew_in_time_loses_nothing(
    client: TestClient, database: Database, visit: Marked, tmp_path: Path, now: int
) -> None:
    given = client.get(f"/api/v1/patients/{visit.patient}/consents").json()["items"]
    store_ = next(each["id"] for each in given if each["purpose"] == "store")
    client.post(f"/api/v1/consents/{store_}/withdraw")
    again = {"purpose": "store", "text_version": "2026-1", "language": "en"}
    client.post(f"/api/v1/patients/{visit.patient}/consents", json=again)
    retention.sweep(database, tmp_path, FOR_EVER, now)
    assert ids(database) == [visit.session]


async def test_the_recorder_finishes_erasures_when_it_starts(database: Database, visit: Marked, tmp_path: Path) -> None:
    database.vault.destroy("patient", [visit.patient])
    serving = asyncio.create_task(retention.serve(database, Settings(data=tmp_path)))
    async with asyncio.timeout(30):
        while await asyncio.to_thread(ids, database):
            await asyncio.sleep(0.02)
    serving.cancel()


def test_commands_say_what_would_go_and_let_it_go(
    client: TestClient, database: Database, visit: Marked, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSK_DATA", str(tmp_path))
    monkeypatch.setenv("KIOSK_DATABASE_URL", url)
    monkeypatch.setenv("KIOSK_KEEP_SESSIONS_DAYS", "9")
    runner = CliRunner()
    dry = runner.invoke(commands, ["retention", "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert f"1 sessions would be erased, because they are old\n  {visit.session}\n" in dry.output
    assert ids(database) == [visit.session]
    unsure = runner.invoke(commands, ["erase", "session", visit.session], input="n\n")
    assert unsure.exit_code == 1
    assert ids(database) == [visit.session]
    done = runner.invoke(commands, ["retention"])
    assert done.exit_code == 0, done.output
    assert ids(database) == []
    nobody = runner.invoke(commands, ["erase", "session", visit.session, "--yes"])
    assert (nobody.exit_code, "no such session" in nobody.output) == (2, True)
    erased = runner.invoke(commands, ["erase", "patient", visit.patient, "--yes", "--vacuum"])
    assert erased.exit_code == 0, erased.output
    assert "erased: 1 patients, 0 sessions" in erased.output
    problem_of(client.get(f"/api/v1/patients/{visit.patient}"), 404, "unknown-patient")
    with database.reading() as db:
        noted = [(row.actor, row.action) for row in db.execute(select(AuditRow)).scalars()]
    assert ("cli", "patients.erase") in noted


async def test_what_was_found_in_samples_that_are_gone_stays(
    client: TestClient, database: Database, visit: Marked, tmp_path: Path, now: int
) -> None:
    retention.sweep(database, tmp_path, replace(FOR_EVER, waveforms=5), now)
    # age is part of an analysis: the session would be due again
    assert client.patch(f"/api/v1/patients/{visit.patient}", json={"birth_year": 1990}).status_code == 200
    assert client.get(f"/api/v1/sessions/{visit.session}").json()["changed"]

    def unable(*_: object) -> Result:
        raise AssertionError

    closer = Closer(database, Settings(data=tmp_path), unable)
    with ThreadPoolExecutor(1) as pool:
        assert await closer.sweep(pool) == 0
    session = client.get(f"/api/v1/sessions/{visit.session}").json()
    assert (session["revision"], session["changed"]) == (1, False)


async def test_what_comes_late_for_samples_that_are_gone_is_not_analysed_alone(
    client: TestClient, database: Database, visit: Marked, tmp_path: Path, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    retention.sweep(database, tmp_path, replace(FOR_EVER, waveforms=5), now)
    # the same stream goes on, and another device only now delivers
    for stream, seq in ((Stream(visit.session, "d", "ecg", "r1"), 80), (Stream(visit.session, "late", "ppg", "r1"), 0)):
        record(database, *chunks_of(stream, SAMPLES[:250], 250.0, ["I"], seq=seq))
    assert client.get(f"/api/v1/sessions/{visit.session}").json()["changed"]

    def unable(*_: object) -> Result:
        raise AssertionError

    monkeypatch.setattr("api.closing.utc_now", lambda: utc_now() + DAY)
    closer = Closer(database, Settings(data=tmp_path), unable)
    with ThreadPoolExecutor(1) as pool:
        assert await closer.sweep(pool) == 0
        assert not await closer.close_again(pool, visit.session)
    session = client.get(f"/api/v1/sessions/{visit.session}").json()
    assert (session["revision"], session["changed"]) == (1, False)


def test_nobody_corrects_beats_of_samples_that_are_gone(
    client: TestClient, database: Database, visit: Marked, tmp_path: Path, now: int
) -> None:
    retention.sweep(database, tmp_path, replace(FOR_EVER, waveforms=5), now)
    at = f"/api/v1/sessions/{visit.session}"
    beat = {"items": [{"kind": "add", "time": 1.0}]}
    problem_of(client.post(f"{at}/corrections", json=beat), 409, "samples-gone")
    problem_of(client.delete(f"{at}/corrections"), 409, "samples-gone")
    problem_of(client.post(f"{at}/reanalyses"), 409, "samples-gone")
    assert not client.get(at).json()["changed"]

"""Sessions analysed again: those that a condition fits, each one more revision, and why is remembered."""

import asyncio
import shutil
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import col
from typer.testing import CliRunner

from analytics.session import FinalReading, Result
from api.closing import MOST_ATTEMPTS, QUIET, Closer
from api.provenance import checksums, models_of
from api.reanalysis import BadCondition, condition, fitting
from api.store import Database, sessions, utc_now
from api.tables import RevisionRow, SessionRow
from kiosk import models
from kiosk.__main__ import app as commands
from kiosk.messages import SECOND, End, Session, Stream
from kiosk.recording import Context, Recording
from kiosk.settings import Settings
from tests import databases
from tests.api.conftest import ORIGIN, chunks_of, opened, record, session_stream
from tests.api.records import DAY, analysed, patient


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as made:
        yield made


def told(measure: str, value: float | None, *, source: str = "ecg", method: str = "vote-3", quality: float | None = 1.0,
         preferred: bool = True) -> FinalReading:  # fmt: skip
    return FinalReading(
        measure=measure, value=value, unit="1", low=None, high=None, quality=quality, source=source,
        scope="recording", method=method, start=0.0, end=1.0, absent=None if value is not None else "noisy",
        preferred=preferred,
    )  # fmt: skip


def some(_: Recording, __: Context) -> Result:
    readings = [
        told("heart_rate", 70.0, quality=0.9),
        told("rmssd", 30.0, quality=0.5),
        told("sdnn", None, quality=0.2),
    ]
    readings += [told("stress", 50.0, quality=None), told("heart_rate", 71.0, quality=0.1, preferred=False)]
    return Result(tuple(readings))


def fails(_: Recording, __: Context) -> Result:
    raise ZeroDivisionError


def visit(database: Database, name: str = "s-one") -> None:
    wave, own = Stream(name, "strap", "ecg", "r1"), session_stream(name)
    chunks = chunks_of(wave, np.zeros((50, 1), np.float32), 250.0, ["II"])
    ended = Session(own, 1, "ended", ORIGIN, ended=SECOND, streams=(wave,))
    record(database, opened(name), *chunks, ended, End(wave, len(chunks) - 1), End(own, 1))


def reasons(database: Database, name: str = "s-one") -> list[tuple[str, str | None]]:
    with database.reading() as db:
        rows = db.query(RevisionRow).filter_by(session_id=name).order_by(col(RevisionRow.number))
        return [(row.reason, row.requested_by) for row in rows]


def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.closing.utc_now", lambda: utc_now() + 10 * QUIET)


def test_every_revision_says_why_it_was_made(
    database: Database, pool: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(database)
    closer = Closer(database, Settings(data=tmp_path), some)
    quiet(monkeypatch)
    assert asyncio.run(closer.sweep(pool)) == 1
    patient(database)
    with database.transaction() as db:
        sessions.assign(db, "s-one", "p-one")
    assert asyncio.run(closer.sweep(pool)) == 1
    with database.transaction() as db:
        sessions.mark_changed(db, ["s-one"], reason="reanalysed", by="u-1")
        sessions.mark_changed(db, ["s-one"], reason="corrected", by="u-2")
        sessions.mark_changed(db, ["s-one"], reason="reanalysed", by="u-3")
    assert asyncio.run(closer.sweep(pool)) == 1
    assert asyncio.run(closer.close_again(pool, "s-one", by="cli"))
    assert asyncio.run(closer.sweep(pool)) == 0
    assert reasons(database) == [("closed", None), ("assigned", None), ("corrected", "u-2"), ("reanalysed", "cli")]


def test_a_sessions_quality_is_the_median_of_its_preferred_readings(
    database: Database, pool: Executor, tmp_path: Path
) -> None:
    visit(database)
    asyncio.run(Closer(database, Settings(data=tmp_path), some).sweep(pool))
    with database.reading() as db:
        assert db.get_one(SessionRow, "s-one").quality == 0.5


def test_a_reanalysis_that_fails_leaves_the_numbers_that_are_there(
    database: Database, pool: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(database)
    quiet(monkeypatch)
    asyncio.run(Closer(database, Settings(data=tmp_path), some).sweep(pool))
    with database.transaction() as db:
        sessions.mark_changed(db, ["s-one"], reason="reanalysed", by="u-1")
    failing = Closer(database, Settings(data=tmp_path), fails)
    for _ in range(MOST_ATTEMPTS + 1):
        assert asyncio.run(failing.sweep(pool)) == 0
    assert failing.counts.failed == MOST_ATTEMPTS
    with database.reading() as db:
        row = db.get_one(SessionRow, "s-one")
        assert (row.revision, row.changed, row.claimed_by, row.quality) == (1, False, None, 0.5)


def test_one_that_a_closer_has_claimed_is_left_to_it(database: Database, pool: Executor, tmp_path: Path) -> None:
    visit(database)
    closer = Closer(database, Settings(data=tmp_path), some)
    assert not asyncio.run(closer.close_again(pool, "s-one"))  # not closed yet
    asyncio.run(closer.sweep(pool))
    with database.transaction() as db:
        due = sessions.due_again(db, "s-one", reason="reanalysed", by=None)
        assert due is not None
        assert sessions.claim(db, due, "another", utc_now())
    assert not asyncio.run(closer.close_again(pool, "s-one"))
    assert reasons(database) == [("closed", None)]


def test_a_visit_that_has_just_ended_waits_for_no_reanalysis(database: Database) -> None:
    for number in range(25):
        analysed(database, f"s-old-{number}", {"heart_rate": 70.0})
    with database.transaction() as db:
        sessions.mark_changed(db, [f"s-old-{number}" for number in range(25)], reason="reanalysed")
    visit(database, "s-new")
    with database.reading() as db:
        due = sessions.due(db, utc_now() + 10 * QUIET, close_after=10**15, quiet=QUIET)
    assert (due[0].id, due[0].reason, len(due)) == ("s-new", "closed", 20)


def test_conditions_choose_sessions(database: Database) -> None:
    for day in range(5):
        analysed(database, f"s-{day}", {"heart_rate": 70.0}, day=day, clinic="main" if day else "elsewhere")
    begin = "2025-01-02T09:00:00+00:00"

    def chosen(words: str, after: str | None = None) -> list[str]:
        return list(fitting(database, condition(words), after=after))

    every = ["s-0", "s-1", "s-2", "s-3", "s-4"]
    assert chosen("kiosk=k1") == every
    assert chosen("kiosk=k2") == []
    assert chosen("clinic=elsewhere") == every[:1]
    assert chosen(f"since={begin} until=2025-01-04") == every[:2]
    assert chosen("version<2") == every
    assert chosen("version<1") == chosen("version=0.9") == []
    assert chosen("method=m-1") == chosen("method<m-2") == every
    assert chosen("method<m-1") == chosen("method<n-9") == chosen("method=m") == []
    assert chosen("kiosk=k1", after="s-2") == every[3:]
    assert chosen("session=s-3 outcome=complete") == ["s-3"]
    with pytest.raises(BadCondition, match="no session"):
        chosen("kiosk=k1", after="s-none")


@pytest.mark.parametrize("words", ["", "kiosk", "name=Anna", "kiosk<3", "since=yesterday", "method<vote"])
def test_what_is_no_condition_is_refused(words: str) -> None:
    with pytest.raises(BadCondition):
        condition(words)


def test_more_sessions_than_a_page_are_all_found(database: Database) -> None:
    with database.transaction() as db:
        for number in range(450):
            db.add(
                SessionRow(
                    id=f"s-{number:03}", kiosk="k1", state="closed", outcome="complete", revision=1,
                    first_seen_ns=number // 7 * DAY, last_seen_ns=0,
                )
            )  # fmt: skip
        db.flush()
        for number in range(450):
            db.add(RevisionRow(session_id=f"s-{number:03}", number=1, outcome="complete", created_ns=0, version="1", context={}))  # fmt: skip  # noqa: E501
    assert list(fitting(database, condition("kiosk=k1"))) == [f"s-{number:03}" for number in range(450)]


def test_the_command_lists_analyses_and_says_what_is_wrong(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(sqlite_template, tmp_path / "kiosk.sqlite")
    database = databases.database(tmp_path)
    for number in range(2):
        analysed(database, f"s-{number}", {"heart_rate": 70.0}, day=number)
    monkeypatch.setenv("KIOSK_DATA", str(tmp_path))
    monkeypatch.setattr("api.closing.analysis_process", lambda: ThreadPoolExecutor(1))
    runner = CliRunner()
    listed = runner.invoke(commands, ["reanalyze", "--where", "kiosk=k1", "--dry-run"])
    assert (listed.exit_code, listed.stdout.split()) == (0, ["s-0", "s-1"])
    assert [len(reasons(database, f"s-{number}")) for number in range(2)] == [1, 1]
    bad = runner.invoke(commands, ["reanalyze", "--where", "moon=full"])
    assert (bad.exit_code, "moon=full" in bad.stderr) == (2, True)
    done = runner.invoke(commands, ["reanalyze", "--where", "kiosk=k1", "--after", "s-0"])
    assert (done.exit_code, "1 of 1" in done.stderr) == (0, True), done.stderr
    assert reasons(database, "s-0") == [("closed", None)]
    assert reasons(database, "s-1") == [("closed", None), ("reanalysed", "cli")]
    database.close()


def test_a_reading_names_the_network_behind_it(tmp_path: Path) -> None:
    known = checksums(tmp_path)
    one, two = models.known("faceapi_expression"), models.known("mini_xception")
    assert known[one.name] == one.sha256
    assert "rppg_own" not in known  # nobody has put one here
    face = told("face_happiness", 0.8, source="face_scores", method=f"pool({one.name}+facs)-1")
    both = told("face_sadness", 0.1, source="face_scores.cam", method=f"pool({one.name}+{two.name})-1")
    none = told("face_anger", None, source="face_scores", method=f"pool({one.name}+facs)-1")
    heart = told("heart_rate", 70.0)
    fused = told("valence", 0.3, source="ecg+face_scores", method="log-pool-1")
    found = models_of([face, both, none, heart, fused], known)
    assert found[0] == one.sha256
    assert found[1] not in (None, one.sha256, two.sha256)
    assert found[2:4] == [None, None]
    assert found[4] == found[1]  # of all networks that scored the face
    assert models_of([face, heart, fused], known)[2] == one.sha256

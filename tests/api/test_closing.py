"""Sessions are closed once, completely or as what they are: partial. Late data makes a revision."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from analytics.session import FinalReading, Result
from api.closing import MOST_ATTEMPTS, QUIET, Closer, context_of, load
from api.recorder import Recorder
from api.store import Database, pyramids, results, sessions, utc_now, waveforms
from api.store.results import Found
from api.tables import PatientRow, PyramidRow, ReadingRow, RevisionRow, SessionRow
from kiosk.bus import Delivery
from kiosk.errors import BadRecording
from kiosk.messages import SECOND, Chunk, End, Message, Origin, Session, Stream, address, encode
from kiosk.recording import Context, Recording
from kiosk.settings import Settings
from tests.processes import runs

ECG = Stream("s1", "ecg-1", "ecg", "r1")
OWN = Stream("s1", "kiosk", "session", "r0")
ORIGIN = Origin(1, 2, "boot")


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as made:
        yield made


@pytest.fixture
def recorder(database: Database) -> Recorder:
    return Recorder(database)


def record(recorder: Recorder, *messages: Message) -> None:
    recorder.commit([Delivery(address("k1", message), encode(message)) for message in messages])


def chunk(seq: int) -> Chunk:
    return Chunk(ECG, seq, seq * SECOND // 10, 250.0, ("II",), np.full(25, seq, "<f4").tobytes())


def ended(*streams: Stream) -> Sequence[Message]:
    return (
        Session(OWN, 0, "open", ORIGIN),
        Session(OWN, 1, "ended", ORIGIN, ended=5 * SECOND, streams=streams),
        End(OWN, 1),
    )


def heart_rate(recording: Recording, _: Context) -> Result:
    (track,) = recording.of("ecg")
    reading = FinalReading(
        measure="heart_rate", value=float(len(track.times)), unit="/min", low=None, high=None, quality=1.0,
        source="ecg-1", scope="recording", method="count", start=0.0, end=1.0, absent=None, preferred=True,
    )  # fmt: skip
    return Result(readings=(reading,), beats=(0.5, 1.5), corrected=(), events=())


def nothing(_: Recording, __: Context) -> Result:
    return Result(readings=(), beats=(), corrected=(), events=())


def closer(database: Database, tmp_path: Path, analyse: object = heart_rate, *, close_after: float = 600) -> Closer:
    return Closer(database, Settings(data=tmp_path, close_after=close_after), analyse)  # type: ignore[arg-type]


def session_of(database: Database) -> SessionRow:
    with database.reading() as db:
        found = sessions.get(db, "s1")
        assert found is not None
        return found


def readings_of(database: Database) -> list[ReadingRow]:
    with database.reading() as db:
        return list(db.execute(select(ReadingRow).order_by(ReadingRow.revision)).scalars())  # type: ignore[arg-type]


async def test_a_session_delivered_in_full_closes_at_once_and_complete(
    database: Database, recorder: Recorder, pool: Executor, tmp_path: Path
) -> None:
    record(recorder, *ended(ECG), chunk(0), chunk(1), End(ECG, 1))
    assert await closer(database, tmp_path).sweep(pool) == 1
    row = session_of(database)
    assert (row.state, row.outcome, row.revision, row.changed) == ("closed", "complete", 1, False)
    (reading,) = readings_of(database)
    assert (reading.value, reading.revision, reading.preferred, reading.source) == (50.0, 1, True, "ecg-1")
    with database.reading() as db:
        revision = db.execute(select(RevisionRow)).scalar_one()
        assert np.frombuffer(revision.beats or b"", "<f8").tolist() == [0.5, 1.5]
        assert revision.context["age"] is None
    assert await closer(database, tmp_path).sweep(pool) == 0


async def test_nothing_closes_while_a_listed_stream_has_not_arrived(
    database: Database, recorder: Recorder, pool: Executor, tmp_path: Path
) -> None:
    record(recorder, *ended(ECG), chunk(0))
    assert await closer(database, tmp_path).sweep(pool) == 0
    record(recorder, End(ECG, 1))
    assert await closer(database, tmp_path).sweep(pool) == 0
    record(recorder, chunk(1))
    assert await closer(database, tmp_path).sweep(pool) == 1


async def test_after_the_wait_it_closes_as_partial_and_says_what_was_not_delivered(
    database: Database, recorder: Recorder, pool: Executor, tmp_path: Path
) -> None:
    record(recorder, *ended(ECG))
    assert await closer(database, tmp_path, nothing, close_after=0).sweep(pool) == 1
    row = session_of(database)
    assert (row.state, row.outcome) == ("closed", "partial")
    absent = {reading.measure: reading.absent for reading in readings_of(database)}
    assert absent["heart_rate"] == "not_delivered"


async def test_late_data_makes_a_new_revision_and_the_old_one_stays(
    database: Database, recorder: Recorder, pool: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(recorder, *ended(ECG), chunk(0))
    assert await closer(database, tmp_path, close_after=0).sweep(pool) == 1
    record(recorder, chunk(1), End(ECG, 1))
    assert session_of(database).changed
    assert await closer(database, tmp_path, close_after=0).sweep(pool) == 0  # not while data still comes
    monkeypatch.setattr("api.closing.utc_now", lambda: utc_now() + 10 * QUIET)
    assert await closer(database, tmp_path, close_after=0).sweep(pool) == 1
    row = session_of(database)
    assert (row.outcome, row.revision) == ("complete", 2)
    values = [(reading.revision, reading.value) for reading in readings_of(database) if reading.value is not None]
    assert values == [(1, 25.0), (2, 50.0)]


async def test_silence_ends_a_session(
    database: Database, recorder: Recorder, pool: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(recorder, chunk(0))
    assert await closer(database, tmp_path, close_after=0).sweep(pool) == 0
    monkeypatch.setattr("api.closing.utc_now", lambda: utc_now() + 1801 * SECOND)
    assert await closer(database, tmp_path, close_after=0).sweep(pool) == 1
    row = session_of(database)
    assert (row.state, row.outcome, row.orphan) == ("closed", "partial", True)


async def test_two_closers_make_one_revision(
    database: Database, recorder: Recorder, pool: Executor, tmp_path: Path
) -> None:
    record(recorder, *ended(ECG), chunk(0), End(ECG, 0))
    closers = [closer(database, tmp_path) for _ in range(4)]
    assert sum(await asyncio.gather(*(each.sweep(pool) for each in closers))) == 1
    assert len(readings_of(database)) == 1


async def test_an_analysis_that_fails_is_tried_again_and_then_closes_without_numbers(
    database: Database, recorder: Recorder, pool: Executor, tmp_path: Path
) -> None:
    record(recorder, *ended(ECG), chunk(0), End(ECG, 0))

    def fails(_: Recording, __: Context) -> Result:
        raise ZeroDivisionError

    failing = closer(database, tmp_path, fails)
    for _ in range(MOST_ATTEMPTS - 1):
        assert await failing.sweep(pool) == 0
        assert session_of(database).state == "ended"
    assert await failing.sweep(pool) == 1
    assert {reading.absent for reading in readings_of(database)} == {"analysis_failed"}
    assert failing.counts.failed == MOST_ATTEMPTS


async def test_the_analysis_runs_in_a_process_of_its_own(
    database: Database, recorder: Recorder, tmp_path: Path
) -> None:
    record(recorder, *ended(ECG), *(chunk(seq) for seq in range(100)), End(ECG, 99))
    running = asyncio.create_task(Closer(database, Settings(data=tmp_path)).run())
    try:
        async with asyncio.timeout(60):
            while session_of(database).state != "closed":
                await asyncio.sleep(0.1)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    # a constant is no heartbeat: an absent number, with its reason
    assert {(reading.measure, reading.value) for reading in readings_of(database)} >= {("heart_rate", None)}


def test_a_session_is_loaded_as_the_recording_that_was_made(database: Database, recorder: Recorder) -> None:
    record(recorder, *(chunk(seq) for seq in (3, 0, 2, 1)))
    (track,) = load(database, "s1").tracks
    assert track.samples[:, 0].tolist() == [float(seq) for seq in range(4) for _ in range(25)]
    assert np.diff(track.times).tolist() == [4_000_000] * 99
    with pytest.raises(BadRecording, match="no session"):
        load(database, "unknown")


async def test_a_persons_earlier_sessions_are_what_the_next_one_is_compared_with(
    database: Database, recorder: Recorder, pool: Executor, tmp_path: Path
) -> None:
    now = utc_now()
    rates = {"third": 74.0, "first": 60.0, "second": 70.0, "stranger": 90.0, "later": 99.0}
    order = ("first", "second", "third", "asked", "later")
    with database.transaction() as db:
        for name in ("anna", "boris"):
            db.add(PatientRow(id=name, pseudonym=name, birth_year=1980, sex="female", created_ns=now))
        db.flush()
        for name in (*rates, "asked"):
            place = order.index(name) if name in order else 0
            db.add(
                SessionRow(
                    id=name,
                    kiosk="k1",
                    patient_id="boris" if name == "stranger" else "anna",
                    origin_utc_ns=now + place * SECOND,
                    first_seen_ns=now,
                    last_seen_ns=now,
                )
            )
        db.flush()
    for name, rate in rates.items():
        with database.transaction() as db:
            for number in (1, 2):  # the newer revision is what counts
                found = [
                    Found("heart_rate", rate - 2 + number, None, None, 1.0, None, "ecg", "recording", "m", best, 0, 1)
                    for best in (True, False)
                ]
                results.add(db, name, number, outcome="complete", version="1", context={}, beats=None,
                            readings=found, now=now)  # fmt: skip
            db.get_one(SessionRow, name).revision = 2
    context = context_of(database, "asked")
    (baseline,) = context.baselines
    assert (baseline.measure, baseline.sessions, context.sex) == ("heart_rate", 3, "female")
    assert baseline.mean == pytest.approx(68.0)
    assert baseline.sd == pytest.approx(float(np.std([60, 70, 74], ddof=1)))
    assert context_of(database, "first").baselines == ()


def groups_of(database: Database) -> dict[int, tuple[int, float, float]]:
    """By level: how many samples the groups of the ECG are of, and the extremes of them all."""
    with database.reading() as db:
        (stream,) = waveforms.streams_of(db, "s1", "ecg")
        found = {level: pyramids.within(db, stream, level, 0, 60 * SECOND) for level in pyramids.LEVELS}
    return {
        level: (int(made.counts.sum()), float(made.low.min()), float(made.high.max()))
        for level, made in found.items()
        if made is not None
    }


async def test_a_close_makes_what_long_streams_are_drawn_from_and_makes_it_anew_when_more_came(
    database: Database, recorder: Recorder, pool: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyramids, "LEAST", 200)
    record(recorder, *ended(ECG), *(chunk(seq) for seq in range(12)))
    assert groups_of(database) == {}
    assert await closer(database, tmp_path, close_after=0).sweep(pool) == 1
    assert groups_of(database) == dict.fromkeys(pyramids.LEVELS, (300, 0.0, 11.0))
    record(recorder, chunk(12), End(ECG, 12))
    # what is not whole any more is not drawn from
    assert groups_of(database) == {}
    monkeypatch.setattr("api.closing.utc_now", lambda: utc_now() + 10 * QUIET)
    assert await closer(database, tmp_path, close_after=0).sweep(pool) == 1
    assert session_of(database).revision == 2
    assert groups_of(database) == dict.fromkeys(pyramids.LEVELS, (325, 0.0, 12.0))


async def test_a_short_session_is_drawn_from_its_samples(
    database: Database, recorder: Recorder, pool: Executor, tmp_path: Path
) -> None:
    record(recorder, *ended(ECG), *(chunk(seq) for seq in range(12)), End(ECG, 11))
    assert await closer(database, tmp_path).sweep(pool) == 1
    assert groups_of(database) == {}


async def test_who_is_erased_while_their_session_closes_stops_no_closer(
    database: Database, recorder: Recorder, pool: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyramids, "LEAST", 200)
    record(recorder, *ended(ECG), *(chunk(seq) for seq in range(12)), End(ECG, 11))

    def erasing(recording: Recording, context: Context) -> Result:
        database.vault.destroy("session", ["s1"])
        return heart_rate(recording, context)

    await closer(database, tmp_path, erasing).sweep(pool)
    with database.reading() as db:
        assert db.execute(select(PyramidRow)).first() is None


@pytest.mark.timeout(300)
def test_a_killed_recorder_leaves_no_analysis_process_behind(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys, time\n"
        "from api.closing import analysis_process\n"
        "if __name__ == '__main__':\n"
        "    pathlib.Path(sys.argv[1]).write_text(str(analysis_process().submit(os.getpid).result()))\n"
        "    time.sleep(60)\n"
    )
    script, word = tmp_path / "parent.py", tmp_path / "pid"
    script.write_text(code)
    parent = subprocess.Popen([sys.executable, str(script), str(word)])
    try:
        # where many processes share a core, the imports of an analysis take long
        deadline = time.monotonic() + 240
        while not (word.exists() and word.read_text()) and parent.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        worker = int(word.read_text())
        assert runs(worker)
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 15
        while runs(worker) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not runs(worker)
    finally:
        parent.kill()
        parent.wait()

"""Uploads: received encrypted, analysed apart with progress, and the same answer as `kiosk analyze` gives."""

import io
import shutil
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from analytics.session import session
from api.app import create_app
from api.closing import load
from api.routes.analyses import Kind
from api.store import Database, analyses, chunks, utc_now
from api.tables import MAIN, AnalysisRow, PatientRow, SessionRow
from api.uploads import cutting, places
from api.uploads.worker import Uploads
from kiosk import recording
from kiosk.bus import MemoryBus
from kiosk.commands.services import read_upload
from kiosk.messages import SECOND, Stream
from kiosk.recording import Context, Track
from kiosk.settings import Settings
from sensors import files as reader
from tests import databases
from tests.api import staff
from tests.api.conftest import ClientAs, problem_of
from tests.api.uploading import ADDRESS, analysed, assert_same, become, dumped, ecg, send, stored, work


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


@pytest.fixture
def alone(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A database of one kind: what processes do does not depend on it."""
    shutil.copy(sqlite_template, tmp_path / "kiosk.sqlite")
    opened = databases.database(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def clinician(alone: Database, settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings=settings, database=alone, bus=MemoryBus())) as opened:
        opened.headers.update(staff.bearer(alone, staff.hire(alone, "clinician")))
        yield opened


def rr(path: Path, count: int = 120) -> Path:
    """Intervals in milliseconds around 75 a minute."""
    lengths = 800 + 40 * np.sin(np.arange(count) / 4) + np.random.default_rng(1).normal(0, 8, count)
    path.write_text("\n".join(f"{length:.0f}" for length in lengths) + "\n")
    return path


def uploaded(database: Database, **values: object) -> AnalysisRow:
    row = AnalysisRow(id=places.new_id(), clinic_id=MAIN, requested_by="u-1", size=3, created_ns=utc_now())
    for name, value in values.items():
        setattr(row, name, value)
    with database.transaction() as db:
        analyses.add(db, row)
    return row


# --- the answer


def test_an_upload_has_the_answer_of_kiosk_analyze_and_keeps_it_when_it_is_read_back(
    client: TestClient, database: Database, settings: Settings, tmp_path: Path
) -> None:
    path = ecg(tmp_path / "Ivanov Ivan.csv", seconds=40)
    said = become(client, database, settings, path)
    assert said["state"] == "done", dumped(said)
    assert said["progress"] == 1.0
    readings = analysed(path, settings)
    assert {r.measure: r.value for r in readings}["heart_rate"] == pytest.approx(66, abs=1)
    assert_same(stored(database, said["session_id"]), readings)
    again = session(load(database, said["session_id"]), Context()).readings
    assert_same(stored(database, said["session_id"]), again)
    told = client.get(f"/api/v1/sessions/{said['session_id']}").json()
    assert (told["kiosk"], told["state"], told["outcome"], told["revision"]) == ("upload", "closed", "complete", 1)
    assert [(s["device"], s["signal"], s["samples"]) for s in told["streams"]] == [("file-1", "ecg", 10_000)]
    # a file may be called like its patient
    assert "Ivanov" not in client.get(ADDRESS).text + dumped(told)


def test_age_sex_and_start_that_came_with_an_upload_enter_its_analysis(
    clinician: TestClient, alone: Database, settings: Settings, tmp_path: Path
) -> None:
    path = rr(tmp_path / "a.rr")
    said = become(clinician, alone, settings, path, age=41, sex="female", started="2025-01-02T09:00:00Z")
    assert said["state"] == "done", dumped(said)
    with alone.reading() as db:
        row = db.get(SessionRow, said["session_id"])
        context = db.execute(text("SELECT context FROM revisions")).scalar_one()
    assert row is not None
    assert row.origin_utc_ns == 1_735_808_400 * SECOND
    assert '"age": 41' in str(context)
    assert '"female"' in str(context)
    assert_same(
        stored(alone, said["session_id"]),
        analysed(path, settings, Context(age=41.0, sex="female", norms_version=_norms())),
    )


def _norms() -> str:
    from analytics import norms

    return norms.VERSION


def test_a_record_of_several_files_is_read_as_one_zipped_or_not(tmp_path: Path) -> None:
    wave = (1000 * np.sin(np.arange(5000) / 30)).astype("<i2")
    parts = {
        "rec.hea": b"rec 1 250 5000\nrec.dat 16 200/mV 16 0 0 0 0 II\n",
        "rec.dat": wave.tobytes(),
    }
    for name, content in parts.items():
        (tmp_path / name).write_bytes(content)
    plain = read_upload(tmp_path, kind="auto", channel=None, rate=None, models=None)
    assert np.array_equal(plain.tracks[0].samples, reader.read(tmp_path / "rec.hea").tracks[0].samples)


def test_every_kind_that_files_are_read_as_can_be_asked_for() -> None:
    from typing import get_args

    assert set(get_args(Kind)) == set(reader.KINDS)


@pytest.mark.parametrize("rate", [250.0, 360.0, 173.61, 128.5, 1000.0, 0.5])
def test_a_track_is_cut_into_chunks_and_put_together_again_as_it_was(rate: float) -> None:
    count = 1500
    times = np.rint(np.arange(count) * (SECOND / rate)).astype(np.int64)
    times[700:] += 5 * SECOND  # a gap
    samples = np.random.default_rng(2).normal(size=(count, 2)).astype(np.float32)
    track = Track("ecg", "d", ("I", "II"), rate, times, samples)
    cut = list(cutting.chunks(track, Stream("s", "d", "ecg", "r1")))
    whole = recording.track(cut)
    assert np.array_equal(whole.samples, samples)
    assert np.abs(whole.times - times).max() <= 1
    assert [len(part.times) for part in whole.segments()] == [len(part.times) for part in track.segments()]
    if rate in (250.0, 1000.0):
        assert np.array_equal(whole.times, times)
        assert len(cut) <= count / rate + 3


def test_times_of_their_own_are_kept_to_the_nanosecond() -> None:
    times = np.cumsum(np.random.default_rng(3).integers(600, 900, 400) * 1_000_003).astype(np.int64)
    track = Track("rr", "d", ("rr",), None, times, np.full((400, 1), 800, np.float32))
    whole = recording.track(cutting.chunks(track, Stream("s", "d", "rr", "r1")))
    assert np.array_equal(whole.times, times)


@pytest.mark.parametrize("part", ["ppg/heartpy/data.csv", "rr/hrv"])
def test_a_real_recording_has_the_same_answer(
    clinician: TestClient, alone: Database, settings: Settings, recordings: Path, part: str
) -> None:
    path = recordings / part
    if path.is_dir():
        path = min((each for each in path.rglob("*") if each.suffix in (".txt", ".rr", ".csv")), key=_size)
    if not path.exists():
        pytest.skip(f"{part} is not there")
    hints = {"rate": 100.0} if "heartpy" in part else {"kind": "rr"}
    said = become(clinician, alone, settings, path, **hints)
    assert said["state"] == "done", dumped(said)
    assert_same(stored(alone, said["session_id"]), analysed(path, settings, **hints))


def test_a_real_record_of_several_files_has_the_same_answer(
    clinician: TestClient, alone: Database, settings: Settings, recordings: Path
) -> None:
    files = sorted((recordings / "ecg" / "wfdb").glob("mixedsignals*"))
    assert len(files) == 4
    said = become(clinician, alone, settings, *files)
    assert said["state"] == "done", dumped(said)
    assert_same(stored(alone, said["session_id"]), analysed(recordings / "ecg/wfdb/mixedsignals.hea", settings))


def _size(path: Path) -> int:
    return path.stat().st_size


# --- the request


def test_files_lie_encrypted_until_they_are_analysed_and_their_key_is_destroyed_then(
    clinician: TestClient, alone: Database, settings: Settings, tmp_path: Path
) -> None:
    path = rr(tmp_path / "Petrova.rr", 400)
    answer = send(clinician, path).json()
    folder = places.sealed(settings.data, answer["id"])
    assert sorted(each.name for each in folder.iterdir()) == ["0", "manifest"]
    for each in folder.iterdir():
        content = each.read_bytes()
        assert path.read_bytes()[:40] not in content
        assert b"Petrova" not in content
    (folder / "0").write_bytes((folder / "0").read_bytes()[:-1] + b"x")
    assert work(alone, settings) == 1
    said = clinician.get(f"{ADDRESS}/{answer['id']}").json()
    assert (said["state"], said["error"]) == ("failed", "what was uploaded is not there any more")
    assert not folder.exists()
    assert places.purpose(answer["id"]) in alone.vault.keys.erased("purpose")


def test_what_is_no_upload_is_refused_and_leaves_nothing(client: TestClient, settings: Settings) -> None:
    good = ("a.csv", b"1\n2\n")
    problem_of(client.post(ADDRESS, json={}), 400, "unparsable")
    problem_of(client.post(ADDRESS, data={"kind": "ecg"}, files={}), 400, "unparsable")
    problem_of(send(client, good, kind="telepathy"), 422, "invalid")
    problem_of(send(client, good, diagnosis="unknown field"), 422, "invalid")
    problem_of(send(client, good, rate=-1), 422, "invalid")
    problem_of(send(client, good, patient_id="p-nobody"), 409, "no-such-patient")
    head = {"content-type": "multipart/form-data; boundary=x"}
    cut = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nabc'
    problem_of(client.post(ADDRESS, content=cut, headers=head), 400, "unparsable")
    field = b'--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\necg\r\n--x--\r\n'
    problem_of(client.post(ADDRESS, content=field, headers=head), 422, "invalid")
    assert client.get(ADDRESS).json()["items"] == []
    assert not list((settings.data / places.FOLDER).glob("x-*"))


def test_an_upload_larger_than_is_set_is_refused_by_its_length_or_while_it_comes(
    app: FastAPI, client: TestClient, tmp_path: Path
) -> None:
    app.state.settings = Settings(data=tmp_path, upload_bytes=50_000)
    problem_of(send(client, ("a.csv", b"1\n" * 100_000)), 413, "body-too-large")
    # between the two limits: the files themselves are too large
    problem_of(send(client, ("a.csv", b"1\n" * 30_000)), 413, "body-too-large")
    problem_of(client.post("/api/v1/patients", content=b"x" * 70_000), 413, "body-too-large")
    assert not list((tmp_path / places.FOLDER).glob("x-*"))


def test_nobody_sees_uploads_of_another_clinic_or_uploads_for_its_patients(
    client: TestClient, client_as: ClientAs, database: Database
) -> None:
    other = client_as("clinician", clinic="other")
    mine = send(client, ("a.csv", b"1\n2\n")).json()["id"]
    assert other.get(ADDRESS).json()["items"] == []
    problem_of(other.get(f"{ADDRESS}/{mine}"), 404, "unknown-analysis")
    problem_of(other.delete(f"{ADDRESS}/{mine}"), 404, "unknown-analysis")
    with database.transaction() as db:
        db.add(PatientRow(id="p-mine", clinic_id=MAIN, pseudonym="MINE", created_ns=1))
    problem_of(send(other, ("a.csv", b"1\n"), patient_id="p-mine"), 409, "no-such-patient")
    assert send(client, ("a.csv", b"1\n"), patient_id="p-mine").json()["patient_id"] == "p-mine"
    for role in ("operator", "researcher", "administrator", "auditor"):
        problem_of(send(client_as(role), ("a.csv", b"1\n")), 403, "forbidden")


def test_the_list_goes_page_by_page_and_by_state(client: TestClient, database: Database) -> None:
    made = [uploaded(database, created_ns=1000 + n, state="done" if n % 2 else "queued").id for n in range(5)]
    page = client.get(ADDRESS, params={"limit": 3}).json()
    rest = client.get(ADDRESS, params={"limit": 3, "cursor": page["next"]}).json()
    assert [each["id"] for each in page["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    assert len(client.get(ADDRESS, params={"state": "done"}).json()["items"]) == 2


# --- the worker


def test_an_upload_is_claimed_once_taken_again_when_its_worker_died_and_given_up_after_three(
    database: Database, settings: Settings
) -> None:
    row = uploaded(database)
    now = utc_now()
    for attempt in (1, 2, 3):
        with database.transaction() as db:
            mine = analyses.claim(db, f"w{attempt}", now)
            assert mine is not None
            assert mine.attempts == attempt
            assert analyses.claim(db, "another", now) is None
            assert analyses.note(db, row.id, f"w{attempt}", "reading", 0.1, now)
            assert not analyses.note(db, row.id, "another", "reading", 0.2, now)
        now += analyses.CLAIM_EXPIRES + SECOND
    with database.transaction() as db:
        db.get(AnalysisRow, row.id).claimed_ns = 0  # type: ignore[union-attr]
    assert work(database, settings) == 1
    with database.reading() as db:
        kept = analyses.get(db, row.id)
        assert kept is not None
        assert kept.state == "failed"
        assert "three times" in (analyses.error_of(db, kept) or "")
        assert "three" not in (kept.error or "")


def test_what_a_dead_worker_left_is_begun_anew_and_a_stopped_one_gives_back(
    clinician: TestClient, alone: Database, settings: Settings, tmp_path: Path
) -> None:
    answer = send(clinician, rr(tmp_path / "a.rr")).json()
    session_id = analyses.session_of(answer["id"])
    with alone.transaction() as db:
        row = analyses.claim(db, "dead", utc_now() - 2 * analyses.CLAIM_EXPIRES)
        assert row is not None
        analyses.open_session(db, row, session_id, "upload", "dead", origin=None, ended=5, now=1)
        from api.store import streams

        left = streams.find_or_make(db, Stream(session_id, "file-9", "ecg", "r1"))
        streams.set_shape(db, left.id, 250.0, ("x",))
    stopped = Uploads(alone, settings, read_upload)
    stopped._stop.set()
    assert stopped.work()
    assert clinician.get(f"{ADDRESS}/{answer['id']}").json()["state"] == "queued"
    assert work(alone, settings) == 1
    assert clinician.get(f"{ADDRESS}/{answer['id']}").json()["state"] == "done"
    told = clinician.get(f"/api/v1/sessions/{session_id}").json()
    assert {stream["device"] for stream in told["streams"]} == {"file-1"}


def test_a_cancelled_upload_is_stopped_and_leaves_neither_session_nor_files(
    clinician: TestClient, alone: Database, settings: Settings, tmp_path: Path
) -> None:
    answer = send(clinician, ecg(tmp_path / "a.csv", seconds=120)).json()
    uploads = Uploads(alone, settings, read_upload)
    working = threading.Thread(target=uploads.work)
    working.start()
    seen: list[float] = []
    while (said := clinician.get(f"{ADDRESS}/{answer['id']}").json())["state"] != "analysing":
        assert said["state"] in ("queued", "reading"), dumped(said)
        seen.append(said["progress"])
        working.join(0.1)
    assert seen == sorted(seen)
    assert said["progress"] > max(seen)
    assert clinician.delete(f"{ADDRESS}/{answer['id']}").status_code == 204
    working.join()
    problem_of(clinician.get(f"{ADDRESS}/{answer['id']}"), 404, "unknown-analysis")
    problem_of(clinician.get(f"/api/v1/sessions/{analyses.session_of(answer['id'])}"), 404, "unknown-session")
    assert not places.sealed(settings.data, answer["id"]).exists()
    with alone.reading() as db:
        assert list(chunks.of_session(db, analyses.session_of(answer["id"]))) == []


def test_what_a_killed_worker_left_in_clear_is_swept_away(settings: Settings) -> None:
    with places.working(settings.data, 1000) as kept:
        left = kept.with_name("999999999-left")
        left.mkdir()
        (left / "0").write_bytes(b"in clear")
        places.sweep(settings.data)
        assert kept.exists()
        assert not left.exists()
    assert not kept.exists()


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_a_zip_is_analysed_as_what_is_in_it(
    clinician: TestClient, alone: Database, settings: Settings, tmp_path: Path
) -> None:
    path = rr(tmp_path / "a.rr")
    said = become(clinician, alone, settings, ("visit.zip", zipped(**{"folder/a.rr": path.read_bytes()})))
    assert said["state"] == "done", dumped(said)
    assert_same(stored(alone, said["session_id"]), analysed(path, settings))


def test_marks_of_a_file_are_events_of_the_session(alone: Database, settings: Settings) -> None:
    from analytics.session import Result
    from api.uploads.spoken import Analysing, Finished, Noted, Signals, decoded, encoded

    said = Noted(3 * SECOND, "eyes closed")
    assert decoded(encoded(said)) == said
    result = Result(readings=(), beats=(1.0, 2.0))
    assert decoded(encoded(Finished.of(result))).result == replace(result, intervals=None)  # type: ignore[union-attr]
    assert {type(decoded(encoded(each))) for each in (Analysing(), Signals(1, 2, 3.0))} == {Analysing, Signals}

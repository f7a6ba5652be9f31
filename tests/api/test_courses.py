"""How numbers went: kept per revision under the session's key, served with the reasons, gone with the session."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update
from sqlmodel import col
from starlette.testclient import TestClient

from analytics.session import Result
from analytics.session import session as analyse
from api import erasure
from api.answers import courses_of, row_of
from api.closing import Closer
from api.store import Database, Tampered, courses, results
from api.tables import CourseRow, SessionRow
from kiosk.messages import SECOND, End, Session, Stream
from kiosk.recording import Context, Recording, Track
from kiosk.settings import Settings
from sensors.drivers.simulated import Body, Person
from tests.api.conftest import ORIGIN, chunks_of, problem_of, record
from tests.api.records import analysed, patient

RATES: Mapping[str, float] = {"ecg": 250.0, "ppg": 100.0, "eda": 8.0, "eeg": 250.0}
LENGTH = 150.0


@cache
def recording() -> Recording:
    """Two and a half minutes of a simulated visitor with an ectopic beat or two."""
    body = Body(Person(seed=5, heart_rate=66, ectopic_rate=1.0, eeg_channels=("Fz", "Pz", "Oz")))
    tracks = []
    for signal, rate in RATES.items():
        times = np.arange(round(LENGTH * rate)) / rate
        samples = body.sample(signal, times).astype(np.float32)
        at = np.rint(times * SECOND).astype(np.int64)
        tracks.append(Track(signal, "sim", body.channels(signal), rate, at, samples))
    return Recording(tuple(tracks))


@cache
def result() -> Result:
    return analyse(recording(), Context(age=44, sex="female"), vote=False)


def kept(database: Database, session: str, found: Result, revision: int = 1) -> None:
    """A session as its analysis leaves it."""
    analysed(database, session, {}, whose=None, revision=revision)
    rows = courses.sealed(database.vault, session, revision, courses_of(found))
    with database.transaction() as db:
        courses.add(db, rows)
        add = [row_of(each, None) for each in found.readings]
        results.add(db, session, revision + 1, outcome="complete", version="1", context={}, beats=None, readings=add,
                    now=1)  # fmt: skip
        courses.add(db, courses.sealed(database.vault, session, revision + 1, courses_of(found)))
        db.execute(update(SessionRow).where(col(SessionRow.id) == session).values(revision=revision + 1))


@pytest.fixture
def session(database: Database) -> str:
    kept(database, "s-went", result())
    return "s-went"


def test_courses_intervals_spectrum_and_agreement_are_what_the_analysis_found(client: TestClient, session: str) -> None:
    path = f"/api/v1/sessions/{session}"
    said = client.get(f"{path}/courses").json()
    assert (said["revision"], said["absent"]) == (2, None)
    by = {(each["measure"], each["source"]): each for each in said["items"]}
    assert {("heart_rate", "ecg"), ("heart_rate", "ppg"), ("rmssd", "ecg"), ("eda_level", "eda")} <= by.keys()
    assert not {"beats", "rr_density", "nothing"} & {measure for measure, _ in by}
    rate = by["heart_rate", "ecg"]
    assert (rate["unit"], rate["window"], rate["decimals"]) == ("/min", 10.0, 0)
    assert np.nanmean(np.array(rate["values"], float)) == pytest.approx(66, abs=2)
    only = client.get(f"{path}/courses", params={"measure": ["rmssd"], "source": "ecg"}).json()["items"]
    assert [(each["measure"], each["source"]) for each in only] == [("rmssd", "ecg")]

    said = client.get(f"{path}/intervals").json()
    assert (said["source"], said["sources"]) == ("ecg", ["ecg", "ppg"])
    assert len(said["times"]) == len(said["intervals"]) == len(said["states"])
    used = np.array([each for each in said["intervals"] if each is not None])
    (mean,) = [each.value for each in result().readings if (each.measure, each.source) == ("mean_rr", "ecg")]
    assert mean is not None
    assert said["intervals"][0] is None
    assert used.mean() == pytest.approx(mean, abs=0.02)
    assert "ectopic" in said["found"]["kinds"]
    assert {"moved", "added"} & set(said["states"])

    said = client.get(f"{path}/spectrum").json()
    assert said["method"] in ("welch", "lomb-scargle")
    hertz, density = np.array(said["hertz"]), np.array(said["density"])
    for band in said["bands"][1:]:
        inside = (hertz >= band["low"]) & (hertz < band["high"])
        assert band["value"] == pytest.approx(density[inside].sum() * (hertz[1] - hertz[0]), rel=1e-3), band["name"]
    brain = client.get(f"{path}/spectrum", params={"of": "eeg"}).json()
    assert (brain["unit"], brain["source"], [each["name"] for each in brain["bands"]][2]) == ("uV2/Hz", "eeg", "alpha")

    said = client.get(f"{path}/agreement").json()
    assert (said["reference"], said["compared"], said["absent"]) == ("ecg", "ppg", None)
    assert abs(said["bias"]["value"]) < 0.5
    assert said["lower"]["value"] <= said["bias"]["value"] <= said["upper"]["value"]
    assert said["pairs"] == len(said["times"]) >= 10

    said = client.get(f"{path}/contributions").json()["items"]
    (stress,) = [each.value for each in result().readings if each.measure == "stress"]
    assert stress is not None
    score = sum(each["amount"] for each in said if each["measure"] == "stress")
    assert 100 / (1 + np.exp(-score)) == pytest.approx(stress)


def test_what_is_not_there_says_why(client: TestClient, database: Database, session: str) -> None:
    analysed(database, "s-old", {"heart_rate": 70.0})
    kept(database, "s-none", Result(readings=()))
    for place in ("courses", "intervals", "spectrum", "agreement", "contributions"):
        assert client.get(f"/api/v1/sessions/s-old/{place}").json()["absent"] == "not_kept", place
        problem_of(client.get(f"/api/v1/sessions/s-nobody/{place}"), 404, "unknown-session")
        problem_of(client.get(f"/api/v1/sessions/{session}/{place}?revision=9"), 404, "unknown-revision")
        problem_of(client.get(f"/api/v1/sessions/{session}/{place}?revision=0"), 422, "invalid")
    assert client.get("/api/v1/sessions/s-none/courses").json() == {"revision": 2, "absent": None, "items": []}
    assert client.get("/api/v1/sessions/s-none/intervals").json()["absent"] == "not_present"
    assert client.get("/api/v1/sessions/s-none/agreement").json()["absent"] == "no_reference"
    assert client.get(f"/api/v1/sessions/{session}/intervals?source=rgb").json()["times"] == []


def test_points_are_sealed_and_open_in_their_own_place_alone(database: Database, session: str) -> None:
    with database.transaction() as db:
        rows = {row.measure: row for row in db.execute(select(CourseRow).where(col(CourseRow.revision) == 1,
                col(CourseRow.source) == "ecg")).scalars()}  # fmt: skip
        heart = next(each for each in result().courses if (each.measure, each.source) == ("heart_rate", "ecg"))
        assert heart.values.tobytes() not in rows["heart_rate"].points
        assert b"pan-tompkins" not in rows["heart_rate"].points
        rows["heart_rate"].points = rows["rmssd"].points
    with database.reading() as db, pytest.raises(Tampered):
        courses.of_revision(db, session, 1, measures=("heart_rate",))


def test_an_erased_session_has_none(client: TestClient, database: Database, session: str, tmp_path: Path) -> None:
    database.vault.destroy("session", [session])
    problem_of(client.get(f"/api/v1/sessions/{session}/courses"), 410, "erased")
    erasure.erase_sessions(database, tmp_path, [session], by="u-test")
    problem_of(client.get(f"/api/v1/sessions/{session}/courses"), 404, "unknown-session")
    with database.reading() as db:
        assert not db.execute(select(CourseRow)).all()


def test_the_closer_keeps_them_with_the_revision_that_they_are_of(database: Database, tmp_path: Path) -> None:
    patient(database)
    own, ecg = Stream("s-closed", "station", "session", "r1"), Stream("s-closed", "strap", "ecg", "r1")
    track = recording().tracks[0]
    chunks = chunks_of(ecg, track.samples[: 60 * 250], 250.0, track.channels, size=250)
    record(database, Session(own, 0, "open", ORIGIN), *chunks,
           Session(own, 1, "ended", ORIGIN, 60 * SECOND, (ecg,)), End(ecg, len(chunks) - 1), End(own, 1))  # fmt: skip

    def quick(given: Recording, context: Context) -> Result:
        return analyse(given, context, vote=False)

    with ThreadPoolExecutor(1) as pool:
        assert asyncio.run(Closer(database, Settings(data=tmp_path), quick).sweep(pool)) == 1
    with database.reading() as db:
        found = {each.measure: each for each in courses.of_revision(db, "s-closed", 1)}
    assert {"heart_rate", "rmssd", "beats"} <= found.keys()
    assert np.allclose(np.diff(found["heart_rate"].times), 5.0)

"""A clinician corrects beats: a new revision, numbers of the corrected beats, and undoing gives the old ones back."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from analytics.session import session as analyse
from api.closing import QUIET, Closer
from api.store import Database, utc_now
from api.tables import ReadingRow, RevisionRow
from kiosk.messages import SECOND, End, Session, Stream
from kiosk.settings import Settings
from sensors.drivers.simulated import Person
from tests.analytics.visitors import ecg
from tests.api.conftest import ORIGIN, ClientAs, chunks_of, opened, problem_of, record, session_stream

VISIT = "s-corrected"
AT = f"/api/v1/sessions/{VISIT}/corrections"


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as made:
        yield made


@pytest.fixture
def closer(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Closer:
    wave = Stream(VISIT, "strap", "ecg", "r1")
    samples, _ = ecg(Person(seed=41, heart_rate=66), 250.0, 60.0)
    own = session_stream(VISIT)
    record(
        database,
        opened(VISIT),
        *(chunks := chunks_of(wave, samples, 250.0, ["II"])),
        Session(own, 1, "ended", ORIGIN, ended=60 * SECOND, streams=(wave,)),
        End(wave, len(chunks) - 1),
        End(own, 1),
    )
    monkeypatch.setattr("api.closing.utc_now", lambda: utc_now() + 10 * QUIET)
    return Closer(database, Settings(data=tmp_path), partial(analyse, vote=False))


def sweep(closer: Closer, pool: Executor) -> int:
    return asyncio.run(closer.sweep(pool))


def numbers(database: Database, revision: int) -> dict[tuple[str, str], tuple[Any, ...]]:
    with database.reading() as db:
        rows = db.query(ReadingRow).filter_by(session_id=VISIT, revision=revision)
        return {
            (row.measure, row.source): (row.value, row.low, row.high, row.quality, row.absent, row.method, row.note)
            for row in rows
        }


def revision(database: Database, number: int) -> RevisionRow:
    with database.reading() as db:
        return db.get_one(RevisionRow, (VISIT, number))


def test_correcting_and_undoing_make_revisions_and_give_the_old_numbers_back(
    database: Database, client: TestClient, closer: Closer, pool: Executor
) -> None:
    assert sweep(closer, pool) == 1
    before = client.get(AT)
    beats = before.json()["beats"]
    assert before.json() == {"revision": 1, "due": False, "in_force": 0, "missed": 0, "beats": beats, "items": []}
    assert beats == np.frombuffer(revision(database, 1).beats or b"", "<f8").tolist()

    batch = [{"kind": "move", "time": beats[10] + 0.02, "to": beats[10] + 0.15}, {"kind": "remove", "time": beats[30]}]
    made = client.post(AT, json={"items": batch}, headers={"If-Match": before.headers["etag"]})
    assert made.status_code == 201, made.text
    state = made.json()
    assert (state["due"], state["in_force"], len(state["beats"])) == (True, 2, len(beats) - 1)
    assert [each["kind"] for each in state["items"]] == ["move", "remove"]
    assert sweep(closer, pool) == 1

    row = revision(database, 2)
    assert (row.reason, row.requested_by) == ("corrected", state["items"][0]["author_id"])
    assert row.context["by_hand"] == 2
    assert row.context["corrected_beats"] == pytest.approx(state["beats"])
    assert np.frombuffer(row.detected or b"", "<f8").tolist() == beats
    old, new = numbers(database, 1), numbers(database, 2)
    value, *_, method, note = new["rmssd", "manual"]
    assert value != old["rmssd", "ecg"][0]
    assert method.startswith("beats-by-hand-1")
    assert note == "corrected by hand: 2"
    assert new["rmssd", "ecg"] == old["rmssd", "ecg"]
    assert new["beats_corrected", "manual"][0] == pytest.approx(100 * 2 / (len(beats) - 1))

    for each in state["items"]:
        assert client.delete(f"{AT}/{each['id']}").status_code == 200
    assert sweep(closer, pool) == 1
    assert numbers(database, 3) == old
    assert revision(database, 3).beats == revision(database, 1).beats
    undone = client.get(AT).json()
    assert undone["in_force"] == 0
    assert all(each["undone"] for each in undone["items"])


def test_late_data_keep_what_people_corrected(
    database: Database, client: TestClient, closer: Closer, pool: Executor
) -> None:
    sweep(closer, pool)
    beats = client.get(AT).json()["beats"]
    client.post(AT, json={"items": [{"kind": "remove", "time": beats[5]}]})
    sweep(closer, pool)
    wave = Stream(VISIT, "belt", "ecg", "r2")
    late = chunks_of(wave, np.zeros((250, 1), np.float32), 250.0, ["II"])
    record(database, *late, End(wave, len(late) - 1))
    assert sweep(closer, pool) == 1
    row = revision(database, 3)
    assert (row.reason, row.requested_by, row.context["by_hand"]) == ("late", None, 1)
    assert len(row.context["corrected_beats"]) == len(beats) - 1


def test_asking_again_makes_a_revision_with_the_same_context(
    database: Database, client: TestClient, closer: Closer, pool: Executor
) -> None:
    problem_of(client.post(f"/api/v1/sessions/{VISIT}/reanalyses"), 409, "not-analysed")
    problem_of(client.post(AT, json={"items": [{"kind": "add", "time": 1.0}]}), 409, "not-analysed")
    sweep(closer, pool)
    assert client.post(f"/api/v1/sessions/{VISIT}/reanalyses").json() == {"revision": 1, "due": True}
    assert sweep(closer, pool) == 1
    first, second = revision(database, 1), revision(database, 2)
    assert (second.reason, first.reason, first.requested_by) == ("reanalysed", "closed", None)
    assert second.requested_by is not None
    assert (second.context, second.beats) == (first.context, first.beats)
    assert numbers(database, 2) == numbers(database, 1)


def test_impossible_beats_are_refused_and_nothing_changes(client: TestClient, closer: Closer, pool: Executor) -> None:
    sweep(closer, pool)
    before = client.get(AT)
    beats = before.json()["beats"]
    good = {"kind": "remove", "time": beats[3]}
    for bad, place in (
        ({"kind": "add", "time": beats[7] + 0.1}, 1),
        ({"kind": "add", "time": 61.0}, 1),
        ({"kind": "remove", "time": beats[7] + 0.3}, 1),
    ):
        said = problem_of(client.post(AT, json={"items": [good, bad]}), 422, "impossible-beats")
        assert said["errors"][0]["where"] == f"body.items.{place}"
    for malformed in ({"kind": "move", "time": 1.0}, {"kind": "add", "time": 1.0, "to": 2.0}, {"kind": "add"}):
        problem_of(client.post(AT, json={"items": [malformed]}), 422, "invalid")
    problem_of(client.post(AT, json={"items": []}), 422, "invalid")
    problem_of(client.post(AT, json={"items": [good]}, headers={"If-Match": '"77"'}), 412, "changed-meanwhile")
    assert client.get(AT).json() == before.json()


def test_a_correction_that_others_build_on_is_undone_last(client: TestClient, closer: Closer, pool: Executor) -> None:
    sweep(closer, pool)
    beats = client.get(AT).json()["beats"]
    middle = (beats[4] + beats[5]) / 2
    first = client.post(AT, json={"items": [{"kind": "add", "time": middle}]}).json()["items"][0]["id"]
    client.post(AT, json={"items": [{"kind": "move", "time": middle, "to": middle + 0.03}]})
    problem_of(client.delete(f"{AT}/{first}"), 409, "built-upon")
    problem_of(client.delete(f"{AT}/b-none"), 404, "unknown-correction")
    assert client.delete(AT).json()["in_force"] == 0


def test_another_clinic_sees_no_session_and_an_operator_corrects_nothing(
    client_as: ClientAs, closer: Closer, pool: Executor
) -> None:
    sweep(closer, pool)
    body = {"items": [{"kind": "add", "time": 1.0}]}
    problem_of(client_as("clinician", "elsewhere").post(AT, json=body), 404, "unknown-session")
    problem_of(client_as("clinician", "elsewhere").get(AT), 404, "unknown-session")
    problem_of(client_as("operator").post(AT, json=body), 403, "forbidden")

"""De-identified: nothing in it says who somebody is, small groups are not in it, and its ids cannot be made outside."""

import hashlib
import hmac
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.interop.deidentified import age_band, study_id, weeks_of
from api.store import Database, consents, results, utc_now, vault_of
from api.store.sealing import Box
from api.tables import ConsentRow, PatientRow, ReadingRow, SessionRow
from kiosk.messages import SECOND, Event, Reading, Stream
from tests.api.conftest import ClientAs, opened, problem_of, record
from tests.api.interop.exporting import stored, unzipped, wave

DEVICE, STEP, SAID = "polar-H10-7A3B2C", "step-of-Ivanova", "Anna said hello"
DAY = 86_400 * SECOND


def person(
    database: Database, number: int, *, birth_year: int | None = 1981, sex: str | None = "female", sessions: int = 1,
    agrees: bool = True, clinic: str = "main", protocol: str | None = "quick",
) -> str:  # fmt: skip
    """Somebody with sessions that have everything in them which must not come out."""
    patient, now = f"p-{number:016x}", utc_now()
    with database.transaction() as db:
        db.add(PatientRow(id=patient, clinic_id=clinic, pseudonym=f"K7QF-{number}", birth_year=birth_year, sex=sex,
                          created_ns=now))  # fmt: skip
        db.flush()
        if agrees:
            consents.give(db, ConsentRow(id=f"c-{number}", patient_id=patient, purpose="research", text_version="1",
                                         language="en", given_ns=now))  # fmt: skip
    for place in range(sessions):
        session = f"s-{number}-{place}"
        cuff, marks = Stream(session, DEVICE, "readings", "r1"), Stream(session, "station", "events", "r1")
        record(
            database,
            opened(session),
            Reading(cuff, 0, "systolic", 121.123456, DEVICE, "spot", f"method of {DEVICE}", 0, 30 * SECOND),
            Reading(cuff, 1, "diastolic", None, DEVICE, "spot", "m", 0, 30 * SECOND, absent="cuff-7A3B2C"),
            Event(marks, 0, "step_began", 2 * SECOND, SAID),
        )
        stored(database, session, "ecg", wave(250, 2, number), 250.0, ["I", "SN7A3B2C"], device=DEVICE)
        found = [
            results.Found("heart_rate", 72.123456, None, None, 0.912345, None, "ecg", "recording", "m", preferred=True,
                          start_ns=0, end_ns=SECOND, note=SAID, note_ru=SAID),
            results.Found("rmssd", None, None, None, None, "too_short", DEVICE, STEP, "m", preferred=True, start_ns=0,
                          end_ns=SECOND),
        ]  # fmt: skip
        with database.transaction() as db:
            row = db.get(SessionRow, session)
            assert row is not None
            vault_of(db).assign(session, patient)
            row.patient_id, row.clinic_id, row.revision, row.state = patient, clinic, 1, "closed"
            row.protocol, row.ended_ns = protocol, 183 * SECOND
            row.origin_utc_ns = (row.origin_utc_ns or 0) + place * 10 * DAY
            results.add(db, session, 1, outcome="complete", version="9", context={}, beats=None, readings=found,
                        now=now)  # fmt: skip
    return patient


@pytest.fixture
def researcher(client_as: ClientAs) -> TestClient:
    return client_as("researcher")


def listed(client: TestClient) -> Any:
    answer = client.get("/api/v1/research/sessions", params={"limit": 200})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_nothing_that_says_who_somebody_is_comes_out(
    app: FastAPI, researcher: TestClient, database: Database, tmp_path: Path
) -> None:
    patients = [person(database, number, sessions=2) for number in range(5)]
    object.__setattr__(app.state.settings, "research_waveforms", True)
    listing = researcher.get("/api/v1/research/sessions").content
    contents = {"list": listing}
    for form in ("csv", "parquet"):
        answer = researcher.get("/api/v1/research/export", params={"format": form, "waveforms": True})
        assert answer.status_code == 200
        contents |= {
            f"{form} {name}": name.encode() + path.read_bytes()
            for name, path in unzipped(answer.content, tmp_path / form).items()
        }
    assert b"heart_rate" in contents["csv readings.csv"]
    secrets = [
        *patients, *(f"s-{number}-{place}" for number in range(5) for place in range(2)), "K7QF", DEVICE, "7A3B2C",
        STEP, "Ivanova", SAID, "hello", "kiosk-1", "2025-01-02", "2025-01-12", "09:00", "72.123456", "121.123456",
    ]  # fmt: skip
    for where, content in contents.items():
        for secret in secrets:
            assert secret.encode() not in content, (secret, where)
        # a year of birth, a clinic and a moment, as words of their own: hashes and samples have digits too
        assert not re.search(rb"(?<![\w.])(1981|main|1735808400\d*)(?![\w.])", content), where


def test_what_comes_out_is_of_use(researcher: TestClient, database: Database, tmp_path: Path) -> None:
    for number in range(5):
        person(database, number, sessions=2)
    said = listed(researcher)
    assert len(said["items"]) == 10
    assert len({each["study_id"] for each in said["items"]}) == 5
    assert all(each["measures"] == {"heart_rate": 72.0} for each in said["items"])
    assert {(each["age"], each["sex"], each["protocol"], each["seconds"]) for each in said["items"]} == {
        ("40-44", "female", "quick", 180)
    }
    assert said["suppressed"] == {"k": 5, "people": 0, "sessions": 0}
    found = unzipped(researcher.get("/api/v1/research/export").content, tmp_path)
    assert set(found) == {"README.txt", "suppressed.json", "visits.parquet", "readings.parquet"}
    readings = pq.read_table(found["readings.parquet"]).to_pylist()
    assert len(readings) == 40
    assert {(each["measure"], each["value"], each["absent"], each["source"], each["scope"]) for each in readings} == {
        ("heart_rate", 72.0, None, "ecg", "recording"),
        ("rmssd", None, "too_short", "device", "part"),
        ("systolic", 121.0, None, "device", "spot"),
        ("diastolic", None, "other", "device", "spot"),
    }


def test_dates_move_by_whole_weeks_that_are_a_persons_own(researcher: TestClient, database: Database) -> None:
    for number in range(8):
        person(database, number, sessions=2)
    by_person: dict[str, list[date]] = {}
    for each in listed(researcher)["items"]:
        by_person.setdefault(each["study_id"], []).append(date.fromisoformat(each["date"]))
    moved = set()
    for days in by_person.values():
        first, second = sorted(days)
        assert (second - first).days == 10
        shift = (first - date(2025, 1, 2)).days
        assert shift % 7 == 0
        assert shift
        moved.add(shift)
    assert len(moved) > 3


def test_who_never_agreed_or_took_it_back_is_not_there(researcher: TestClient, database: Database) -> None:
    for number in range(7):
        person(database, number, agrees=number != 6)
    assert len(listed(researcher)["items"]) == 6
    with database.transaction() as db:
        consents.withdraw(db, "c-0", "u-1", utc_now())
    assert len(listed(researcher)["items"]) == 5


def test_small_groups_are_left_out_and_counted(researcher: TestClient, database: Database, tmp_path: Path) -> None:
    for number in range(5):
        person(database, number)
    for number in range(10, 14):
        person(database, number, sex="male", sessions=2)
    person(database, 20, birth_year=1933)
    person(database, 21, birth_year=None)
    said = listed(researcher)
    assert len(said["items"]) == 5
    assert said["suppressed"] == {"k": 5, "people": 6, "sessions": 10}
    content = researcher.get("/api/v1/research/export?format=csv").content
    assert json.loads(unzipped(content, tmp_path)["suppressed.json"].read_text())["people"] == 6
    # the fifth man brings the others with him
    person(database, 14, sex="male")
    assert len(listed(researcher)["items"]) == 14


def test_a_protocol_of_few_is_not_named(researcher: TestClient, database: Database) -> None:
    for number in range(6):
        person(database, number, protocol="of-Dr-Ivanova" if number == 0 else "quick")
    assert {each["protocol"] for each in listed(researcher)["items"]} == {None, "quick"}


def test_a_researcher_sees_their_own_clinic_alone(client_as: ClientAs, database: Database) -> None:
    for number in range(5):
        person(database, number, clinic="other" if number % 2 else "main")
    assert listed(client_as("researcher"))["items"] == []
    assert len(listed(client_as("researcher", None))["items"]) == 5


def test_pages_neither_skip_nor_repeat(researcher: TestClient, database: Database) -> None:
    for number in range(5):
        person(database, number, sessions=2)
    seen, cursor = [], None
    while True:
        page = researcher.get(
            "/api/v1/research/sessions", params={"limit": 3} | ({"cursor": cursor} if cursor else {})
        ).json()
        seen += [each["visit"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted({each["visit"] for each in listed(researcher)["items"]})
    assert len(seen) == 10


def test_simulated_and_erased_and_merged_are_not_there(researcher: TestClient, database: Database) -> None:
    for number in range(8):
        person(database, number)
    with database.transaction() as db:
        row = db.get(SessionRow, "s-7-0")
        assert row is not None
        row.simulated = True
        merged = db.get(PatientRow, "p-" + f"{6:016x}")
        assert merged is not None
        merged.merged_into = "p-" + f"{5:016x}"
    assert len(listed(researcher)["items"]) == 6


def test_waveforms_stay_unless_the_clinic_lets_them_out(
    app: FastAPI, researcher: TestClient, database: Database, tmp_path: Path
) -> None:
    for number in range(5):
        person(database, number)
    problem_of(researcher.get("/api/v1/research/export?waveforms=true"), 403, "waveforms-stay")
    object.__setattr__(app.state.settings, "research_waveforms", True)
    content = researcher.get("/api/v1/research/export?waveforms=true").content
    waves = [path for name, path in unzipped(content, tmp_path).items() if name.startswith("waveforms/")]
    assert len(waves) == 5
    table = pq.read_table(waves[0])
    assert table.column_names == ["time_s", "I", "c2"]
    assert table.schema.metadata[b"device"] == b""
    assert any(np.array_equal(table["I"].to_numpy(), wave(250, 2, number)[:, 0]) for number in range(5))


def test_it_is_for_researchers_alone(client: TestClient, client_as: ClientAs) -> None:
    for address in ("/api/v1/research/sessions", "/api/v1/research/export"):
        problem_of(client.get(address), 403, "forbidden")
        problem_of(client_as("integrator").get(address), 403, "forbidden")
    problem_of(client_as("researcher").get("/api/v1/sessions"), 403, "forbidden")


# --- linking


def test_ids_cannot_be_made_without_the_key(researcher: TestClient, database: Database) -> None:
    patients = [person(database, number) for number in range(5)]
    known = {each["study_id"] for each in listed(researcher)["items"]}
    guesses = set()
    for patient in patients:
        for text in (patient, f"person\0{patient}", f"K7QF-{patients.index(patient)}"):
            raw = text.encode()
            for name in ("md5", "sha1", "sha256", "sha512", "blake2b"):
                guesses.add(f"P{hashlib.new(name, raw).hexdigest()[:20]}")
            for key in (b"", b"research", b"\0" * 32, b"kiosk"):
                guesses.add(f"P{hmac.new(key, raw, hashlib.sha256).hexdigest()[:20]}")
        guesses.add(f"P{database.vault.index('main', 'person', patient)[:20]}")
    assert not known & guesses
    assert known == {study_id(database.vault.purpose("research"), patient) for patient in patients}


def test_another_clinics_key_makes_other_ids_and_other_weeks() -> None:
    mine, theirs = Box.under(b"a" * 32), Box.under(b"b" * 32)
    people = [f"p-{number:016x}" for number in range(200)]
    assert not {study_id(mine, each) for each in people} & {study_id(theirs, each) for each in people}
    weeks = [weeks_of(mine, each) for each in people]
    assert 0 not in weeks
    assert min(weeks) < -80
    assert max(weeks) > 80
    assert weeks != [weeks_of(theirs, each) for each in people]
    # a person's id and their weeks are told by different hashes
    assert np.corrcoef(weeks, [int(study_id(mine, each)[1:9], 16) for each in people])[0, 1] < 0.3


@given(st.integers(0, 130))
def test_bands_are_five_years_and_end_at_ninety(age: int) -> None:
    band = age_band(age)
    assert (band == "90+") == (age >= 90)
    if age < 90:
        low, high = map(int, band.split("-"))
        assert low <= age <= high == low + 4


def test_ids_and_columns_of_readings_are_only_what_was_thought_of(database: Database) -> None:
    """A column that is added to readings does not come out by itself."""
    assert set(ReadingRow.model_fields) == {
        "id", "session_id", "revision", "stream_id", "seq", "measure", "value", "low", "high", "quality", "absent",
        "source", "scope", "method", "version", "model", "preferred", "note", "note_ru", "start_ns", "end_ns",
    }  # fmt: skip

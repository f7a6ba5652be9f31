"""Who patients are: kept apart and encrypted, found exactly, and one where two were made of one person."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.recorder import Recorder
from api.store import Database, chunks, identities, notes, patients, sessions, utc_now
from api.store.identities import full_name, normal
from api.tables import AnalysisRow, ClinicRow, IdentityDigestRow, IdentityRow, NoteRow, PatientRow, RuleRow, SessionRow
from kiosk.messages import Stream
from tests.api.conftest import ClientAs, chunks_of, opened, problem_of, record
from tests.api.marked import SAMPLES

LIST = "/api/v1/patients"
ANNA = {
    "given": ["Anna", "Maria"], "family": "Ivanova", "birth_date": "1981-04-09", "phone": "+1 555 0100",
    "email": "Anna@Example.org", "address": ["1 Example Street"],
    "identifiers": [{"system": "urn:mrn", "value": "A 4711"}],
}  # fmt: skip


def patient(client: TestClient, **who: object) -> str:
    made: str = client.post(LIST, json={}).json()["id"]
    if who:
        answer = client.put(f"{LIST}/{made}/identity", json=who)
        assert answer.status_code == 200, answer.text
    return made


def found(client: TestClient, **wanted: object) -> list[str]:
    answer = client.post(f"{LIST}/search", json=wanted)
    assert answer.status_code == 200, answer.text
    return [item["patient"]["id"] for item in answer.json()["items"]]


def test_an_identity_is_said_read_and_replaced(client: TestClient) -> None:
    address = f"{LIST}/{patient(client)}/identity"
    problem_of(client.get(address), 404, "no-identity")
    said = client.put(address, json=ANNA)
    assert said.json() == {**ANNA, "perhaps": []}
    read = client.get(address)
    assert read.json() == said.json()
    assert read.headers["etag"] == said.headers["etag"] == '"2"'
    problem_of(client.put(address, json={"family": "X"}, headers={"If-Match": '"1"'}), 412, "changed-meanwhile")
    less = client.put(address, json={"family": "Petrova"}, headers={"If-Match": '"2"'}).json()
    assert (less["family"], less["given"], less["email"], less["birth_date"]) == ("Petrova", [], None, None)
    assert found(client, name="Anna Maria Ivanova") == []
    assert found(client, identifier={"system": "urn:mrn", "value": "A 4711"}) == []


def test_somebody_is_found_by_what_is_said_exactly(client: TestClient) -> None:
    anna = patient(client, **ANNA)
    boris = patient(client, given=["Boris"], family="Ivanova", birth_date="1981-04-09")
    assert found(client, name="Anna Maria Ivanova") == [anna]
    assert found(client, name="ivanova  MARIA anna") == [anna]
    assert found(client, name="Anna Ivanova") == []
    assert found(client, family="IVANOVA") == [boris, anna]
    assert found(client, birth_date="1981-04-09") == [boris, anna]
    assert found(client, birth_date="1981-04-09", name="Boris Ivanova") == [boris]
    assert found(client, birth_date="1981-04-10", name="Boris Ivanova") == []
    assert found(client, identifier={"system": "urn:mrn", "value": "a 4711"}) == [anna]
    assert found(client, identifier={"system": "urn:other", "value": "A 4711"}) == []
    assert found(client, email="anna@example.ORG", family="Ivanova") == [anna]
    whole = client.post(f"{LIST}/search", json={"email": "anna@example.org"}).json()["items"][0]
    assert whole["identity"]["address"] == ["1 Example Street"]
    for nothing in ({}, {"name": ""}, {"name": " - "}, {"family": None}, {"pseudonym": "x"}):
        problem_of(client.post(f"{LIST}/search", json=nothing), 422, "invalid")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("José GARCÍA", "jose garcia"),
        ("Семён Ёлкин", "СЕМЕН ЕЛКИН"),
        ("Андрей", "АНДРЕИ\u0306"),
        ("O\u2019Brien", "o'brien"),
        ("Anna-Maria", "Anna  Maria"),
        ("Łukasz Wałęsa", "lukasz walesa"),
        ("Strauß", "STRAUSS"),
        ("Ångström", "A\u030angstro\u0308m"),
        ("Søren", "Soren"),
    ],
)
def test_a_name_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert normal(one) == normal(other)
    assert normal(one)


@pytest.mark.parametrize(("one", "other"), [("Anna", "Anne"), ("Иванов", "Иванова"), ("Ivanov", "Иванов")])
def test_different_names_stay_different(one: str, other: str) -> None:
    assert normal(one) != normal(other)


@given(st.lists(st.text(max_size=12), max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_names_does_not_matter(names: list[str], random: object) -> None:
    shuffled = sorted(names, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert full_name(*names) == full_name(*shuffled) == full_name(" ".join(names))


def test_a_record_number_is_one_patients(client: TestClient, client_as: ClientAs) -> None:
    anna = patient(client, **ANNA)
    second = patient(client)
    said = problem_of(client.put(f"{LIST}/{second}/identity", json=ANNA), 409, "duplicate-record")
    assert said["patient"] == anna
    problem_of(client.get(f"{LIST}/{second}/identity"), 404, "no-identity")
    # one's own number again is no duplicate, and another clinic keeps its own numbers
    assert client.put(f"{LIST}/{anna}/identity", json=ANNA).status_code == 200
    other = client_as("clinician", "other")
    patient(other, **ANNA)
    assert found(client, family="Ivanova") == [anna]
    assert len(found(client_as("clinician", None), family="Ivanova")) == 2
    named = client.put(f"{LIST}/{second}/identity", json={**ANNA, "identifiers": []}).json()
    assert named["perhaps"] == [anna]


def test_of_two_who_take_one_number_one_gets_it(client: TestClient) -> None:
    made = [patient(client) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda each: client.put(f"{LIST}/{each}/identity", json=ANNA).status_code, made))
    assert sorted(statuses) == [200, 409, 409, 409]


def test_names_are_for_those_who_may_see_them(client_as: ClientAs) -> None:
    anna = patient(client_as("clinician"), **ANNA)
    for role, may in (
        ("operator", True), ("integrator", True), ("administrator", False), ("researcher", False), ("auditor", False)
    ):  # fmt: skip
        asked = client_as(role)
        for answer in (
            asked.get(f"{LIST}/{anna}/identity"),
            asked.post(f"{LIST}/search", json={"family": "Ivanova"}),
        ):
            assert answer.status_code == (200 if may else 403), role
            assert ("Ivanova" in answer.text) is may


@pytest.mark.parametrize(
    "body",
    [
        {"family": "a\x00b"},
        {"family": "a\x1b[2J"},
        {"family": "x" * 201},
        {"given": [""]},
        {"given": ["x"] * 11},
        {"birth_date": "2999-01-01"},
        {"birth_date": "1700-01-01"},
        {"birth_date": "soon"},
        {"email": "nobody"},
        {"identifiers": [{"system": "a b", "value": "1"}]},
        {"identifiers": [{"system": "urn:x", "value": " "}]},
        {"nickname": "Annie"},
        [],
    ],
)
def test_what_makes_no_sense_is_refused_without_repeating_it(client: TestClient, body: object) -> None:
    answer = client.put(f"{LIST}/{patient(client)}/identity", json=body)
    problem_of(answer, 422, "invalid")
    assert "Annie" not in answer.text


def test_names_get_into_no_log_and_no_plain_column(
    client: TestClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    anna = patient(client, **ANNA)
    found(client, name="Anna Maria Ivanova")
    client.put(f"{LIST}/{anna}/identity", json={**ANNA, "family": "Secretova\x00"})
    assert not any(word in caplog.text for word in ("Ivanova", "Secretova", "1981-04-09", "4711"))
    with database.reading() as db:
        data = db.get(IdentityRow, anna)
        assert data is not None
        assert b"Ivanova" not in data.data
        kinds = {row.kind: row.digest for row in db.query(IdentityDigestRow)}
    assert kinds.keys() == {"family", "full", "birth_date", "record", "email"}
    assert all(len(digest) == 64 for digest in kinds.values())


def test_a_digest_of_another_clinic_looks_different(database: Database) -> None:
    with database.transaction() as db:
        for name, clinic in (("p-a", "main"), ("p-b", "main"), ("p-c", "other")):
            db.add(PatientRow(id=name, clinic_id=clinic, pseudonym=name, created_ns=1))
        db.add(ClinicRow(id="other", name="Other", created_ns=0))
        db.flush()
        for name, clinic in (("p-a", "main"), ("p-b", "main"), ("p-c", "other")):
            identities.put(db, name, clinic, identities.Who(family="Ivanova"))
    with database.reading() as db:
        digests = {row.patient_id: row.digest for row in db.query(IdentityDigestRow) if row.kind == "family"}
    assert digests["p-a"] == digests["p-b"] != digests["p-c"]


# --- merging


def test_merging_moves_everything_and_leaves_a_pointer(client: TestClient, database: Database) -> None:
    old, new = patient(client, **ANNA), patient(client, given=["Anna"], family="Petrova")
    client.patch(f"{LIST}/{old}", json={"birth_year": 1981})
    record(database, opened("s-1"), *chunks_of(Stream("s-1", "d", "ecg", "r1"), SAMPLES[:50], 250.0, ["I"]))
    client.patch("/api/v1/sessions/s-1", json={"patient_id": old})
    consent = {"purpose": "store", "text_version": "2026-1", "language": "en"}
    client.post(f"{LIST}/{old}/consents", json=consent)
    with database.transaction() as db:
        notes.write(db, NoteRow(id="n-1", patient_id=old, author_id="u", created_ns=utc_now()), "a note")
        db.add(RuleRow(id="r-1", clinic_id="main", patient_id=old, measure="heart_rate", severity="notice",
                       author_id="u", created_ns=1))  # fmt: skip
        db.add(AnalysisRow(id="x-1", clinic_id="main", patient_id=old, requested_by="u", size=1, created_ns=1))
        row = db.get(SessionRow, "s-1")
        assert row is not None
        row.state, row.revision, row.changed = "closed", 1, False
    moved = client.post(f"{LIST}/{old}/merge", json={"into": new}).json()
    assert {name: moved[name] for name in ("sessions", "notes", "consents", "rules", "analyses")} == {
        "sessions": 1, "notes": 1, "consents": 1, "rules": 1, "analyses": 1
    }  # fmt: skip
    # what the survivor did not know comes with it
    assert moved["patient"]["birth_year"] == 1981
    pointer = client.get(f"{LIST}/{old}").json()
    assert pointer["merged_into"] == new
    assert [item["id"] for item in client.get(LIST).json()["items"]] == [new]
    together = client.get(f"{LIST}/{new}/identity").json()
    assert (together["given"], together["family"], together["birth_date"]) == (["Anna"], "Petrova", "1981-04-09")
    assert together["identifiers"] == ANNA["identifiers"]
    assert found(client, identifier=ANNA["identifiers"][0]) == [new]
    assert found(client, name="Anna Maria Ivanova") == []
    session = client.get("/api/v1/sessions/s-1").json()
    assert (session["patient_id"], session["changed"]) == (new, True)
    assert client.get(f"{LIST}/{new}/consents").json()["allowed"] == ["store"]
    with database.reading() as db:
        note = notes.get(db, "n-1")
        assert note is not None
        assert (note.patient_id, notes.read(db, note)) == (new, "a note")
        assert b"".join(bytes(chunk.samples) for chunk in chunks.of_session(db, "s-1")) == SAMPLES[:50].tobytes()
    assert database.vault.keys.sessions_of(new) == ["s-1"]
    assert database.vault.keys.sessions_of(old) == []


def test_the_old_id_says_where_the_person_is(client: TestClient) -> None:
    old, new = patient(client, **ANNA), patient(client)
    client.post(f"{LIST}/{old}/merge", json={"into": new})
    for answer in (
        client.patch(f"{LIST}/{old}", json={"birth_year": 1980}),
        client.get(f"{LIST}/{old}/identity"),
        client.put(f"{LIST}/{old}/identity", json=ANNA),
        client.get(f"{LIST}/{old}/consents"),
        client.post(f"{LIST}/{old}/merge", json={"into": new}),
    ):
        assert problem_of(answer, 409, "merged")["patient"] == new


def test_merging_makes_neither_chains_nor_circles(client: TestClient, client_as: ClientAs) -> None:
    a, b, c = (patient(client) for _ in range(3))
    problem_of(client.post(f"{LIST}/{a}/merge", json={"into": a}), 409, "not-mergeable")
    problem_of(client.post(f"{LIST}/{a}/merge", json={"into": "p-nobody"}), 409, "not-mergeable")
    assert client.post(f"{LIST}/{a}/merge", json={"into": b}).status_code == 200
    problem_of(client.post(f"{LIST}/{b}/merge", json={"into": a}), 409, "not-mergeable")
    problem_of(client.post(f"{LIST}/{c}/merge", json={"into": a}), 409, "not-mergeable")
    assert client.post(f"{LIST}/{b}/merge", json={"into": c}).status_code == 200
    assert client.get(f"{LIST}/{a}").json()["merged_into"] == client.get(f"{LIST}/{b}").json()["merged_into"] == c
    # not even who sees both clinics may mix them
    theirs = patient(client_as("clinician", "other"))
    everywhere = client_as("clinician", None)
    problem_of(everywhere.post(f"{LIST}/{c}/merge", json={"into": theirs}), 409, "not-mergeable")
    problem_of(client.post(f"{LIST}/{c}/merge", json={"into": theirs}), 409, "not-mergeable")
    problem_of(client_as("operator").post(f"{LIST}/{c}/merge", json={"into": a}), 403, "forbidden")


def test_merging_each_into_the_other_at_once_does_one_of_them(client: TestClient) -> None:
    one, other = patient(client), patient(client)
    pairs = [(one, other), (other, one)] * 2
    with ThreadPoolExecutor(4) as pool:
        statuses = list(
            pool.map(lambda pair: client.post(f"{LIST}/{pair[0]}/merge", json={"into": pair[1]}).status_code, pairs)
        )
    assert sorted(statuses) == [200, 409, 409, 409]


def test_a_session_that_is_being_recorded_goes_on_after_merging(client: TestClient, database: Database) -> None:
    old, new = patient(client), patient(client)
    ecg = chunks_of(Stream("s-1", "d", "ecg", "r1"), SAMPLES[:50], 250.0, ["I"])
    record(database, opened("s-1"), ecg[0])
    client.patch("/api/v1/sessions/s-1", json={"patient_id": old})
    client.post(f"{LIST}/{old}/merge", json={"into": new})
    record(database, ecg[1])
    assert Recorder(database).counts.failures == 0
    with database.reading() as db:
        row = sessions.get(db, "s-1")
        assert row is not None
        assert row.patient_id == new
        assert b"".join(bytes(chunk.samples) for chunk in chunks.of_session(db, "s-1")) == SAMPLES[:50].tobytes()
        assert patients.get(db, old) is not None

"""Consents: word for word, by what the person did last, and never by silence."""

from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from api.store import Database, consents, patients, utc_now
from api.tables import ConsentRow, PatientRow
from kiosk.consent import FIRST, SECOND, VERSION
from tests.api.conftest import ClientAs, opened, problem_of, record

TEXTS = "/api/v1/consent-texts"


@pytest.fixture
def patient(client: TestClient) -> str:
    made: str = client.post("/api/v1/patients", json={}).json()["id"]
    return made


def give(client: TestClient, patient: str, purpose: str, **more: str) -> dict[str, str]:
    said = {"purpose": purpose, "text_version": VERSION, "language": "en", **more}
    answer = client.post(f"/api/v1/patients/{patient}/consents", json=said)
    assert answer.status_code == 201, answer.text
    given: dict[str, str] = answer.json()
    assert client.get(answer.headers["location"]).json() == given
    return given


def allowed(client: TestClient, patient: str) -> list[str]:
    found: list[str] = client.get(f"/api/v1/patients/{patient}/consents").json()["allowed"]
    return found


def test_the_texts_are_there_in_two_languages_and_the_newest_names_every_purpose(client: TestClient) -> None:
    listed = client.get(TEXTS).json()["items"]
    texts = {(each["version"], each["language"]): each["text"] for each in listed}
    assert texts.keys() == {(version, language) for version in ("2026-1", "2026-2") for language in ("en", "ru")}
    assert {each["version"] for each in listed[:2]} == {VERSION}, "the newest first"
    for (version, _), text in texts.items():
        asked = [purpose for purpose in consents.PURPOSES if f"({purpose})" in text]
        assert asked == list(consents.PURPOSES if version == VERSION else consents.PURPOSES[:4])
        assert all(f"\n{number}. " in text for number in range(1, len(asked) + 1))
    assert {each["text"] for each in (*FIRST, *SECOND)} == set(texts.values())


def test_the_second_text_is_the_first_with_what_is_new() -> None:
    for first, second in zip(FIRST, SECOND, strict=True):
        old, new = str(first["text"]).splitlines(), str(second["text"]).splitlines()
        # but for the count of what is asked nothing was taken away
        assert sum(line not in new for line in old) == 1
        assert len(new) > len(old) + 5


def test_a_text_is_added_by_an_administrator_and_never_changed(client_as: ClientAs) -> None:
    new = {"version": "2027-1", "language": "de", "text": "Einverstanden."}
    for role in ("operator", "clinician", "integrator", "researcher", "auditor"):
        problem_of(client_as(role).post(TEXTS, json=new), 403, "forbidden")
    administrator = client_as("administrator")
    assert administrator.post(TEXTS, json=new).status_code == 201
    problem_of(administrator.post(TEXTS, json={**new, "text": "Anders."}), 409, "text-taken")
    for method in ("put", "patch", "delete"):
        answer = getattr(administrator, method)(f"{TEXTS}/2027-1")
        assert answer.status_code in (404, 405)
    kept = {each["text"] for each in administrator.get(TEXTS).json()["items"] if each["version"] == "2027-1"}
    assert kept == {"Einverstanden."}


def test_nobody_agrees_by_silence(client: TestClient, patient: str, database: Database) -> None:
    assert allowed(client, patient) == []
    with database.reading() as db:
        assert not any(consents.allows(db, patient, purpose) for purpose in consents.PURPOSES)
        assert consents.withdrawn(db, "store") == set()


def test_each_purpose_is_given_and_taken_back_by_itself(client: TestClient, patient: str, database: Database) -> None:
    store, research = give(client, patient, "store"), give(client, patient, "research")
    assert allowed(client, patient) == ["store", "research"]
    back = client.post(f"/api/v1/consents/{research['id']}/withdraw").json()
    assert back["withdrawn"] is not None
    assert back["withdrawn_by"] == back["recorded_by"]
    assert client.post(f"/api/v1/consents/{research['id']}/withdraw").json() == back
    assert allowed(client, patient) == ["store"]
    with database.reading() as db:
        assert consents.agreeing(db, "store") == {patient}
        assert consents.agreeing(db, "research") == set()
        assert consents.withdrawn(db, "research") == {patient}
    listed = client.get(f"/api/v1/patients/{patient}/consents").json()["items"]
    assert {each["id"] for each in listed} == {store["id"], research["id"]}


def test_the_last_act_counts_and_agreeing_anew_is_possible(client: TestClient, patient: str) -> None:
    first = give(client, patient, "share")
    give(client, patient, "share")
    client.post(f"/api/v1/consents/{first['id']}/withdraw")
    # the purpose was taken back, not one of two papers
    assert allowed(client, patient) == []
    give(client, patient, "share")
    assert allowed(client, patient) == ["share"]


def test_a_withdrawal_under_one_id_counts_after_merging(database: Database) -> None:
    now = utc_now()

    def consent(name: str, patient: str, given: int, withdrawn: int | None) -> ConsentRow:
        return ConsentRow(
            id=name, patient_id=patient, purpose="research", text_version=VERSION, language="en", given_ns=given,
            withdrawn_ns=withdrawn,
        )  # fmt: skip

    with database.transaction() as db:
        for name in ("p-a", "p-b"):
            db.add(PatientRow(id=name, pseudonym=name, created_ns=now))
        db.flush()
        db.add(consent("c-1", "p-a", now - 100, now - 50))
        db.add(consent("c-2", "p-b", now - 80, None))
    with database.reading() as db:
        assert consents.agreeing(db, "research") == {"p-b"}
    with database.transaction() as db:
        patients.merge(db, "p-b", "p-a")
    with database.reading() as db:
        assert consents.agreeing(db, "research") == set()


def test_what_was_shown_when_and_where_must_make_sense(client: TestClient, patient: str, database: Database) -> None:
    record(database, opened("s-1"))
    address = f"/api/v1/patients/{patient}/consents"
    said = {"purpose": "store", "text_version": VERSION, "language": "en"}
    problem_of(client.post(address, json={**said, "language": "fr"}), 409, "unknown-text")
    problem_of(client.post(address, json={**said, "text_version": "2020-1"}), 409, "unknown-text")
    problem_of(client.post(address, json={**said, "session_id": "s-1"}), 404, "unknown-session")
    problem_of(client.post(address, json={**said, "purpose": "sell"}), 422, "invalid")
    problem_of(client.post(address, json={**said, "given": "2026-01-01T00:00:00"}), 422, "invalid")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    problem_of(client.post(address, json={**said, "given": tomorrow}), 422, "invalid")
    earlier = give(client, patient, "store", given="2026-01-02T03:04:05.678901+02:00")
    assert earlier["given"] == "2026-01-02T01:04:05.678901Z"
    assert client.patch("/api/v1/sessions/s-1", json={"patient_id": patient}).status_code == 200
    assert give(client, patient, "measure", session_id="s-1")["session_id"] == "s-1"


def test_another_clinics_consents_are_not_there(client: TestClient, patient: str, client_as: ClientAs) -> None:
    given = give(client, patient, "store")
    other = client_as("clinician", "other")
    problem_of(other.get(f"/api/v1/consents/{given['id']}"), 404, "unknown-consent")
    problem_of(other.post(f"/api/v1/consents/{given['id']}/withdraw"), 404, "unknown-consent")
    problem_of(other.get("/api/v1/consents/c-none"), 404, "unknown-consent")
    assert allowed(client, patient) == ["store"]

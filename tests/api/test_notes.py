"""Notes: sealed, in any script, changed by their authors alone, and not there for another clinic."""

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.security import Role
from api.store import Database, vault_of
from api.tables import NoteRow
from tests.api import staff
from tests.api.conftest import ClientAs, problem_of
from tests.api.records import analysed, patient

WORDS = "Vorher 🏃 gelaufen.\nДавление \u202eвыше\u202c обычного;\tΩ ≠ 0 \U0001f9e1"


@pytest.fixture
def places(database: Database) -> tuple[str, str]:
    """Where a patient's notes and a session's are."""
    analysed(database, "s-one", {"heart_rate": 70.0}, whose=patient(database))
    return "/api/v1/patients/p-one/notes", "/api/v1/sessions/s-one/notes"


def test_a_note_is_kept_word_for_word_and_sealed_in_the_database(
    client: TestClient, database: Database, places: tuple[str, str]
) -> None:
    for place, box in zip(places, ("patient", "session"), strict=True):
        made = client.post(place, json={"text": WORDS})
        assert made.status_code == 201, made.text
        assert made.json()["text"] == WORDS
        assert client.get(made.headers["location"]).json() == made.json()
        with database.reading() as db:
            row = db.get_one(NoteRow, made.json()["id"])
            assert b"gelaufen" not in row.text
            owner = getattr(vault_of(db), box)("p-one" if box == "patient" else "s-one")
            assert owner.open(row.text, f"notes:{row.id}").decode() == WORDS
    with database.reading() as db:
        assert "gelaufen" not in str(db.execute(text("SELECT * FROM notes")).all())


def test_only_the_author_changes_or_deletes_a_note_and_only_the_one_they_saw(
    client: TestClient, client_as: ClientAs, places: tuple[str, str], database: Database
) -> None:
    made = client.post(places[1], json={"text": "first"})
    place = made.headers["location"]
    assert made.headers["etag"] == '"1"'
    edited = client.put(place, json={"text": "second"}, headers={"If-Match": '"1"'})
    assert (edited.json()["text"], edited.json()["version"], edited.headers["etag"]) == ("second", 2, '"2"')
    assert edited.json()["edited"] is not None
    problem_of(client.put(place, json={"text": "x"}, headers={"If-Match": '"1"'}), 412, "changed-meanwhile")
    other = client_as("operator")
    other.headers.update(staff.bearer(database, staff.hire(database, Role.CLINICIAN, login="somebody-else")))
    assert other.get(place).json()["text"] == "second"
    problem_of(other.put(place, json={"text": "mine"}), 403, "not-yours")
    problem_of(other.delete(place), 403, "not-yours")
    problem_of(client.delete(place, headers={"If-Match": '"1"'}), 412, "changed-meanwhile")
    assert client.delete(place).status_code == 204
    problem_of(client.get(place), 404, "unknown-note")


@pytest.mark.parametrize(
    "bad", ["", " \n\t ", "a\x00b", "bell\x07", "esc\x1b[31m", "del\x7f", "c1\x85", "x" * 4001], ids=range(8)
)
def test_what_is_no_text_is_refused(client: TestClient, places: tuple[str, str], bad: str) -> None:
    problem_of(client.post(places[1], json={"text": bad}), 422, "invalid")
    assert client.get(places[1]).json()["items"] == []


def test_four_thousand_characters_are_taken(client: TestClient, places: tuple[str, str]) -> None:
    assert len(client.post(places[0], json={"text": "ж" * 4000}).json()["text"]) == 4000


def test_notes_come_newest_first_a_page_at_a_time(client: TestClient, places: tuple[str, str]) -> None:
    for number in range(5):
        client.post(places[1], json={"text": f"note {number}"})
    seen, cursor = [], None
    while True:
        page = client.get(places[1], params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [each["text"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"note {number}" for number in (4, 3, 2, 1, 0)]
    assert client.get(places[0]).json()["items"] == []


def test_for_another_clinic_neither_note_nor_place_is_there(
    client: TestClient, client_as: ClientAs, places: tuple[str, str]
) -> None:
    place = client.post(places[1], json={"text": "ours"}).headers["location"]
    stranger = client_as("clinician", "elsewhere")
    problem_of(stranger.get(place), 404, "unknown-note")
    problem_of(stranger.put(place, json={"text": "x"}), 404, "unknown-note")
    problem_of(stranger.delete(place), 404, "unknown-note")
    problem_of(stranger.get(places[0]), 404, "unknown-patient")
    problem_of(stranger.post(places[1], json={"text": "x"}), 404, "unknown-session")
    problem_of(client_as("operator").get(place), 403, "forbidden")


def test_a_note_of_an_erased_session_opens_no_more(
    client: TestClient, database: Database, places: tuple[str, str]
) -> None:
    place = client.post(places[1], json={"text": "gone"}).headers["location"]
    database.vault.destroy("session", ["s-one"])
    problem_of(client.get(place), 410, "erased")

"""A list asks the database as often for fifty as for two: nothing is asked for row by row."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from api.store import Database, consents, identities, notes, responses, utc_now
from api.store.identities import Who
from api.tables import ConsentRow, DeviceRow, NoteRow, ResponseRow, RuleRow
from tests.api.records import analysed, patient

FEW, MANY = 3, 50
SLACK = 5
"""Statements that what runs beside a request, as the audit does, may send meanwhile: far fewer than there are rows."""
PLACES = (
    "/api/v1/sessions?limit=200",
    "/api/v1/sessions?limit=200&reviewed=false",
    "/api/v1/patients?limit=200",
    "/api/v1/patients/p-000/notes?limit=200",
    "/api/v1/patients/p-000/consents",
    "/api/v1/patients/p-000/trends",
    "/api/v1/sessions/s-000/answers",
    "/api/v1/alerts?limit=200",
    "/api/v1/rules?limit=200",
    *(f"/fhir/R4/{kind}?_count=200" for kind in ("Patient", "Encounter", "DiagnosticReport", "Device", "Consent")),
    *(f"/fhir/R4/{kind}?_count=200" for kind in ("Provenance", "QuestionnaireResponse")),
    "/fhir/R4/Observation?_count=200&date=2025",
)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    said: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            said.append(statement)

    engines = (database.engine, database._reader)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield said
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def fill(database: Database, first: int, last: int) -> None:
    """People, each with a session, an identity and a consent; more of each on the first of them."""
    now = utc_now()
    for number in range(first, last):
        name, session = patient(database, f"p-{number:03}"), f"s-{number:03}"
        if number == 0:
            with database.transaction() as db:
                rule = RuleRow(id="r-0", clinic_id="main", measure="heart_rate", high=50.0, least_quality=0.0,
                               severity="notice", author_id="u", created_ns=now)  # fmt: skip
                db.add(rule)
        analysed(database, session, {"heart_rate": 70.0, "systolic": 120.0}, whose=name, day=number)
        analysed(database, f"s-more-{number:03}", {"heart_rate": 70.0}, whose="p-000", day=number)
        with database.transaction() as db:
            identities.put(db, name, "main", Who(given=("Anna",), family="Schmidt", birth_date="1981-04-09"))
            for whose in {name, "p-000"}:
                given = ConsentRow(id=f"c-{whose}-{number}", patient_id=whose, purpose="share", text_version="2026-1",
                                   language="en", given_ns=now)  # fmt: skip
                consents.give(db, given)
            notes.write(db, NoteRow(id=f"n-{number}", patient_id="p-000", author_id="u", created_ns=now), "a note")
            answered = ResponseRow(id=f"q-{number}", session_id="s-000", questionnaire="who5",
                                   questionnaire_version="1", language="en", created_ns=now)  # fmt: skip
            responses.add(db, answered, {"q1": 3}, None)
            db.add(DeviceRow(kiosk="k1", device=f"d-{number}", state="running", seen_ns=now))


@pytest.fixture
def statements(client: TestClient, database: Database) -> dict[str, tuple[int, int]]:
    """How many were sent for few and for many, by address."""
    found: dict[str, list[int]] = {place: [] for place in PLACES}
    for first, last in ((0, FEW), (FEW, MANY)):
        fill(database, first, last)
        for place in PLACES:
            with counted(database) as said:
                answer = client.get(place)
            assert answer.status_code == 200, (place, answer.text)
            body = answer.json()
            rows = body.get("items") or body.get("entry") or body.get("sessions")
            assert len(rows) >= (1 if place.endswith("rules?limit=200") else last), place
            found[place].append(len(said))
        with counted(database) as said:
            looked = client.post("/api/v1/patients/search", json={"name": "Anna Schmidt"}).json()
        assert len(looked["items"]) >= FEW
        found.setdefault("search", []).append(len(said))
    return {place: (counts[0], counts[1]) for place, counts in found.items()}


def test_many_take_no_more_statements_than_few(statements: dict[str, tuple[int, int]]) -> None:
    assert {place: counts for place, counts in statements.items() if counts[1] > counts[0] + SLACK} == {}
    assert max(many for _, many in statements.values()) <= 35

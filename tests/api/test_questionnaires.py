"""Answers are sealed, scores are ours, and what must not wait raises an alert."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.store import Database
from kiosk.questionnaires import listed
from tests.api.conftest import ClientAs, problem_of
from tests.api.records import analysed, patient

AT = "/api/v1/sessions/s-one/answers"
WHO5 = {"q1": 3, "q2": 2, "q3": 3, "q4": 1, "q5": 3}
PHQ9 = {f"q{number}": 0 for number in range(1, 10)}


@pytest.fixture(autouse=True)
def session(database: Database) -> str:
    return analysed(database, "s-one", {"heart_rate": 70.0}, whose=patient(database))


def answer(client: TestClient, name: str, answers: dict[str, int]) -> dict[str, Any]:
    made = client.post(AT, json={"questionnaire": name, "language": "ru", "answers": answers})
    assert made.status_code == 201, made.text
    said: dict[str, Any] = made.json()
    return said


def test_the_list_has_every_questionnaire_in_both_languages(client: TestClient) -> None:
    items = client.get("/api/v1/questionnaires").json()["items"]
    assert {each["id"] for each in items} == set(listed())
    who5 = client.get("/api/v1/questionnaires/who5").json()
    assert who5 in items
    assert [option["value"] for option in who5["items"][0]["options"]] == [5, 4, 3, 2, 1, 0]
    problem_of(client.get("/api/v1/questionnaires/mbti"), 404, "unknown-questionnaire")


def test_a_score_is_ours_and_a_reading_of_the_session(client: TestClient, database: Database) -> None:
    said = answer(client, "who5", WHO5)
    assert (said["score"], said["complete"], said["absent"], said["urgent"]) == (48.0, True, None, False)
    assert said["band"]["citation"].startswith("Topp 2015")
    assert client.get(AT).json()["items"] == [said]
    (reading,) = client.get("/api/v1/sessions/s-one/readings", params={"measure": "who5"}).json()["items"]
    assert (reading["value"], reading["scope"], reading["source"]) == (48.0, "spot", "questionnaire")
    assert reading["method"] == "who5-1"
    with database.reading() as db:
        assert b'"q1"' not in db.execute(text("SELECT answers FROM responses")).scalar_one()


def test_incomplete_answers_have_no_score_and_no_reading(client: TestClient) -> None:
    said = answer(client, "who5", {"q1": 3})
    assert (said["score"], said["complete"], said["absent"]) == (None, False, "incomplete")
    assert client.get("/api/v1/sessions/s-one/readings", params={"measure": "who5"}).json()["items"] == []


@pytest.mark.parametrize(
    "answers", [{"q1": 6}, {"q9": 1}, {"q1": -1}, {"q1": 2.5}, {"q1": "most"}, {"<b>": 1}], ids=range(6)
)
def test_what_the_questionnaire_does_not_offer_is_refused(client: TestClient, answers: dict[str, object]) -> None:
    said = problem_of(client.post(AT, json={"questionnaire": "who5", "answers": answers}), 422, "invalid")
    assert "<b>" not in str(said)
    assert client.get(AT).json()["items"] == []


def test_an_unknown_questionnaire_or_version_is_refused(client: TestClient) -> None:
    problem_of(client.post(AT, json={"questionnaire": "x", "answers": {}}), 404, "unknown-questionnaire")
    old = {"questionnaire": "who5", "version": "0", "answers": WHO5}
    problem_of(client.post(AT, json=old), 422, "invalid")


def test_question_nine_raises_an_urgent_alert_that_no_later_answer_takes_back(client: TestClient) -> None:
    assert answer(client, "phq9", PHQ9)["urgent"] is False
    assert client.get("/api/v1/alerts").json()["items"] == []
    assert client.get("/api/v1/rules").json()["items"] == []
    assert answer(client, "phq9", {"q9": 1})["urgent"] is True
    (alert,) = client.get("/api/v1/alerts", params={"severity": "urgent"}).json()["items"]
    assert (alert["measure"], alert["value"], alert["state"]) == ("phq9_self_harm", 1.0, "open")
    (rule,) = client.get("/api/v1/rules").json()["items"]
    assert (rule["author_id"], rule["severity"], rule["measure"]) == ("system", "urgent", "phq9_self_harm")
    answer(client, "phq9", PHQ9)
    (alert,) = client.get("/api/v1/alerts").json()["items"]
    assert alert["state"] == "open"


def test_a_clinic_that_disabled_that_rule_hears_nothing(client: TestClient) -> None:
    made = client.post("/api/v1/rules", json={"measure": "phq9_self_harm", "high": 0, "severity": "urgent"})
    client.patch(made.headers["location"], json={"enabled": False})
    answer(client, "phq9", {**PHQ9, "q9": 3})
    assert client.get("/api/v1/alerts").json()["items"] == []


def test_roles_and_clinics(client_as: ClientAs) -> None:
    body = {"questionnaire": "who5", "answers": WHO5}
    assert client_as("operator").post(AT, json=body).status_code == 201
    problem_of(client_as("operator").get(AT), 403, "forbidden")
    problem_of(client_as("researcher").post(AT, json=body), 403, "forbidden")
    problem_of(client_as("clinician", "elsewhere").get(AT), 404, "unknown-session")
    problem_of(client_as("operator", "elsewhere").post(AT, json=body), 404, "unknown-session")


def test_answers_at_once_raise_one_alert_by_one_rule(client: TestClient, database: Database) -> None:
    sessions = [analysed(database, f"s-at-once-{number}", {"heart_rate": 70.0}, whose="p-one") for number in range(2)]

    def say(number: int) -> int:
        at = f"/api/v1/sessions/{sessions[number % 2]}/answers"
        return client.post(at, json={"questionnaire": "phq9", "answers": {"q9": 2}}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(say, range(12))) == [201] * 12
    rules = client.get("/api/v1/rules").json()["items"]
    assert [rule["measure"] for rule in rules] == ["phq9_self_harm"]
    alerts = client.get("/api/v1/alerts").json()["items"]
    assert {each["session_id"] for each in alerts} == set(sessions)
    assert len(alerts) == 2

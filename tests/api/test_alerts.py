"""Rules and alerts: one alert per rule and session, withdrawn by a revision that no longer says it."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.alerts import SUGGESTIONS
from api.store import Database
from kiosk.measures import MEASURES
from kiosk.messages import Reading, Stream
from tests.api.conftest import ClientAs, opened, problem_of, record
from tests.api.records import analysed, patient

RULES, ALERTS = "/api/v1/rules", "/api/v1/alerts"


def add_rule(client: TestClient, **rule: object) -> dict[str, Any]:
    made = client.post(RULES, json={"severity": "warning", **rule})
    assert made.status_code == 201, made.text
    said: dict[str, Any] = made.json()
    return said


def listed(client: TestClient, **wanted: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(ALERTS, params=wanted).json()["items"]
    return items


def test_a_limit_itself_raises_nothing_and_beyond_it_does(client: TestClient, database: Database) -> None:
    rule = add_rule(client, measure="heart_rate", low=50.0, high=100.0)
    for number, value in enumerate((50.0, 100.0, 75.0, None)):
        analysed(database, f"s-fine-{number}", {"heart_rate": value})
    assert listed(client) == []
    analysed(database, "s-fast", {"heart_rate": 100.5})
    analysed(database, "s-slow", {"heart_rate": 49.0})
    alerts = {each["session_id"]: each for each in listed(client)}
    assert alerts.keys() == {"s-fast", "s-slow"}
    fast = alerts["s-fast"]
    assert (fast["value"], fast["rule_id"], fast["severity"], fast["revision"]) == (100.5, rule["id"], "warning", 1)
    assert client.get(f"{ALERTS}/{fast['id']}").json() == fast


def test_a_reading_of_too_little_quality_raises_none(client: TestClient, database: Database) -> None:
    add_rule(client, measure="heart_rate", high=100.0, least_quality=0.6)
    analysed(database, "s-poor", {"heart_rate": 180.0}, quality=0.55)
    assert listed(client) == []
    analysed(database, "s-poor", {"heart_rate": 180.0}, quality=0.6, revision=2)
    assert len(listed(client)) == 1


def test_a_later_revision_withdraws_and_another_one_raises_again(client: TestClient, database: Database) -> None:
    add_rule(client, measure="heart_rate", high=100.0)
    for number, (value, state) in enumerate(
        ((120.0, "open"), (125.0, "open"), (90.0, "withdrawn"), (130.0, "open"), (None, "withdrawn")), 1
    ):
        analysed(database, "s-one", {"heart_rate": value}, revision=number)
        (alert,) = listed(client)
        assert alert["state"] == state, number
    problem_of(client.post(f"{ALERTS}/{listed(client)[0]['id']}/acknowledge"), 409, "withdrawn")


def test_what_somebody_has_seen_to_is_not_withdrawn(client: TestClient, database: Database) -> None:
    add_rule(client, measure="heart_rate", high=100.0)
    analysed(database, "s-one", {"heart_rate": 120.0})
    (alert,) = listed(client, state="open")
    seen = client.post(f"{ALERTS}/{alert['id']}/acknowledge").json()
    assert (seen["state"], seen["acknowledged_by"] is not None) == ("acknowledged", True)
    assert client.post(f"{ALERTS}/{alert['id']}/acknowledge").json() == seen
    analysed(database, "s-one", {"heart_rate": 90.0}, revision=2)
    (after,) = listed(client)
    assert after == seen
    assert listed(client, state="open") == []


def test_a_devices_own_reading_is_held_against_rules_too(client: TestClient, database: Database) -> None:
    add_rule(client, measure="systolic", high=180.0, severity="urgent")
    record(database, opened("s-cuff"))
    cuff = Stream("s-cuff", "cuff", "readings", "r1")
    record(database, Reading(cuff, 0, "systolic", 186.0, "cuff", "spot", "oscillometric", 0, 1))
    record(database, Reading(cuff, 1, "systolic", 191.0, "cuff", "spot", "oscillometric", 0, 1))
    analysed(database, "s-cuff", {"heart_rate": 70.0})
    (alert,) = listed(client)
    assert (alert["measure"], alert["value"]) == ("systolic", 191.0)


def test_a_patients_own_rule_speaks_of_nobody_else(client: TestClient, database: Database) -> None:
    patient(database, "p-one")
    patient(database, "p-two")
    add_rule(client, measure="heart_rate", high=90.0, patient_id="p-one")
    analysed(database, "s-one", {"heart_rate": 95.0}, whose="p-one")
    analysed(database, "s-two", {"heart_rate": 95.0}, whose="p-two")
    analysed(database, "s-nobody", {"heart_rate": 95.0})
    assert [each["session_id"] for each in listed(client)] == ["s-one"]
    assert listed(client, patient_id="p-two") == []
    assert len(listed(client, patient_id="p-one")) == 1


def test_a_disabled_rule_raises_nothing(client: TestClient, database: Database) -> None:
    rule = add_rule(client, measure="heart_rate", high=90.0)
    place = f"{RULES}/{rule['id']}"
    changed = client.patch(place, json={"enabled": False}, headers={"If-Match": '"1"'})
    assert (changed.json()["enabled"], changed.headers["etag"]) == (False, '"2"')
    problem_of(client.patch(place, json={"enabled": True}, headers={"If-Match": '"1"'}), 412, "changed-meanwhile")
    analysed(database, "s-one", {"heart_rate": 95.0})
    assert listed(client) == []


@pytest.mark.parametrize(
    "bad",
    [
        {"measure": "heart_rate"},
        {"measure": "heart_rate", "low": 10, "high": 10},
        {"measure": "mood", "high": 1},
        {"measure": "heart_rate", "high": 1, "least_quality": 2},
        {"measure": "heart_rate", "high": 1, "severity": "panic"},
        {"measure": "heart_rate", "high": "NaN"},
    ],
    ids=range(6),
)
def test_a_rule_that_says_nothing_is_refused(client: TestClient, bad: dict[str, object]) -> None:
    problem_of(client.post(RULES, json={"severity": "notice", **bad}), 422, "invalid")


def test_a_change_cannot_leave_a_rule_that_says_nothing(client: TestClient) -> None:
    rule = add_rule(client, measure="heart_rate", high=90.0)
    place = f"{RULES}/{rule['id']}"
    problem_of(client.patch(place, json={"high": None}), 422, "invalid")
    problem_of(client.patch(place, json={"low": 95.0}), 422, "invalid")
    assert client.get(place).json() == rule


def test_suggestions_are_cited_possible_and_not_in_force(client: TestClient, database: Database) -> None:
    items = client.get(f"{RULES}/suggestions").json()["items"]
    assert len(items) == len(SUGGESTIONS) > 10
    for each in items:
        assert each["citation"]
        assert each["reason"]
        for limit in (each["low"], each["high"]):
            assert limit is None or MEASURES[each["measure"]].possible(limit)
    analysed(database, "s-one", {"heart_rate": 200.0, "spo2": 70.0})
    assert client.get(RULES).json()["items"] == listed(client) == []


def test_alerts_and_rules_come_a_page_at_a_time(client: TestClient, database: Database) -> None:
    for high in (90.0, 91.0, 92.0):
        add_rule(client, measure="heart_rate", high=high)
    for day in range(2):
        analysed(database, f"s-{day}", {"heart_rate": 95.0}, day=day)
    for place, total in ((ALERTS, 6), (RULES, 3)):
        seen, cursor = [], None
        while True:
            page = client.get(place, params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
            seen += [each["id"] for each in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == total
    assert [each["session_id"] for each in listed(client)] == ["s-1"] * 3 + ["s-0"] * 3


def test_another_clinic_has_rules_and_alerts_of_its_own(
    client: TestClient, client_as: ClientAs, database: Database
) -> None:
    stranger = client_as("clinician", "elsewhere")
    rule = add_rule(client, measure="heart_rate", high=90.0)
    analysed(database, "s-one", {"heart_rate": 95.0})
    analysed(database, "s-other", {"heart_rate": 95.0}, clinic="elsewhere")
    (alert,) = listed(client)
    assert listed(stranger) == stranger.get(RULES).json()["items"] == []
    problem_of(stranger.get(f"{ALERTS}/{alert['id']}"), 404, "unknown-alert")
    problem_of(stranger.post(f"{ALERTS}/{alert['id']}/acknowledge"), 404, "unknown-alert")
    problem_of(stranger.patch(f"{RULES}/{rule['id']}", json={"enabled": False}), 404, "unknown-rule")
    patient(database, "p-one")
    body = {"measure": "heart_rate", "high": 1, "severity": "notice", "patient_id": "p-one"}
    problem_of(stranger.post(RULES, json=body), 404, "unknown-patient")
    problem_of(client_as("operator").post(f"{ALERTS}/{alert['id']}/acknowledge"), 403, "forbidden")

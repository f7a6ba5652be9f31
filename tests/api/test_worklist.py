"""The work list: what waits comes first, one clinic sees nothing of another, and pages neither skip nor repeat."""

from typing import Any

import pytest
from sqlmodel import col, update
from starlette.testclient import TestClient

from api.security import Role
from api.store import Database, rules, utc_now
from api.tables import MAIN, RuleRow, SessionRow
from tests.api.conftest import ClientAs, problem_of
from tests.api.records import DAY, analysed, patient

AT = "/api/v1/worklist"
ORDINARY = {"heart_rate": 64.0, "irregular_rhythm": 0.0}


def rule(database: Database, measure: str, high: float, severity: str, clinic: str = MAIN) -> None:
    with database.transaction() as db:
        made = RuleRow(
            id=f"r-{clinic}-{measure}-{severity}",
            clinic_id=clinic,
            measure=measure,
            high=high,
            severity=severity,
            author_id="u",
            created_ns=utc_now(),
        )
        rules.add(db, made)


def at(database: Database, session: str, **values: Any) -> None:
    with database.transaction() as db:
        db.execute(update(SessionRow).where(col(SessionRow.id) == session).values(**values))


@pytest.fixture
def crowd(database: Database, client: TestClient) -> None:
    """Seven sessions, one for each reason; what presses most began first."""
    patient(database)
    rule(database, "stress", 90.0, "urgent")
    rule(database, "heart_rate", 110.0, "warning")
    rule(database, "sdnn", 200.0, "notice")
    cases: dict[str, dict[str, float | None]] = {
        "urgent": {**ORDINARY, "stress": 95.0, "heart_rate": 120.0},
        "warning": {**ORDINARY, "heart_rate": 120.0},
        "notice": {**ORDINARY, "sdnn": 250.0, "irregular_rhythm": 1.0},
        "rhythm": {"heart_rate": 80.0, "irregular_rhythm": 1.0},
        "review": {"heart_rate": None, "rmssd": 30.0},
        "partial": {**ORDINARY},
        "done": {"heart_rate": 60.0, "irregular_rhythm": 1.0},
    }
    for day, (session, values) in enumerate(cases.items()):
        analysed(database, session, values, whose="p-one", day=day)
        at(database, session, first_seen_ns=day * DAY)
    at(database, "partial", outcome="partial")
    said = client.post("/api/v1/sessions/done/reviews", json={"revision": 1, "verdict": "accepted"})
    assert said.status_code == 201


def listed(client: TestClient, **wanted: str | int) -> dict[str, Any]:
    answer = client.get(AT, params=wanted)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def ids(said: dict[str, Any]) -> list[str]:
    return [each["session"]["id"] for each in said["items"]]


EVERY = ["urgent", "warning", "notice", "rhythm", "review", "partial", "done"]


@pytest.mark.usefixtures("crowd")
def test_what_presses_most_comes_first_and_each_says_why(client: TestClient) -> None:
    said = listed(client)
    assert ids(said) == EVERY
    assert [each["why"] for each in said["items"]] == EVERY
    assert said["counts"] == dict.fromkeys(EVERY[:-1], 1)
    first = said["items"][0]
    # an urgent one stands once, with all that it is there for
    assert [(each["measure"], each["severity"]) for each in first["alerts"]] == [
        ("stress", "urgent"),
        ("heart_rate", "warning"),
    ]
    assert first["session"]["pseudonym"] == "P-ONE"
    numbers = {each["measure"]: each for each in first["numbers"]}
    assert numbers["heart_rate"]["value"] == 120.0
    assert numbers["heart_rate"]["quality"] == 0.9
    (review,) = (each for each in said["items"] if each["why"] == "review")
    missing = {each["measure"]: each for each in review["numbers"]}["heart_rate"]
    assert (missing["value"], missing["absent"]) == (None, "noisy")
    assert said["items"][-1]["verdict"]["verdict"] == "accepted"


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_neither_skip_nor_repeat(client: TestClient, limit: int) -> None:
    found: list[str] = []
    said = listed(client, limit=limit)
    while True:
        found += ids(said)
        if said["next"] is None:
            break
        said = listed(client, limit=limit, cursor=said["next"])
        assert said["counts"] is None
    assert found == EVERY


@pytest.mark.usefixtures("crowd")
def test_within_a_reason_the_newest_comes_first(client: TestClient, database: Database) -> None:
    for day in range(3):
        analysed(database, f"more-{day}", ORDINARY, day=day)
        at(database, f"more-{day}", first_seen_ns=(100 + day) * DAY)
    assert ids(listed(client, why="review")) == ["more-2", "more-1", "more-0", "review"]
    first = listed(client, why="review", limit=2)
    assert ids(listed(client, why="review", limit=2, cursor=first["next"])) == ["more-0", "review"]


@pytest.mark.usefixtures("crowd")
def test_what_was_seen_to_moves_down(client: TestClient, database: Database) -> None:
    (alert,) = (each for each in listed(client)["items"][2]["alerts"])
    assert client.post(f"/api/v1/alerts/{alert['id']}/acknowledge").status_code == 200
    # acknowledged, it is still an irregular rhythm that nobody has reviewed
    assert ids(listed(client, why="rhythm")) == ["rhythm", "notice"]
    body = {"revision": 1, "verdict": "repeat", "comment": "Loose electrode."}
    assert client.post("/api/v1/sessions/notice/reviews", json=body).status_code == 201
    assert ids(listed(client, why="done")) == ["done", "notice"]
    # a newer revision has not been reviewed
    analysed(database, "notice", ORDINARY, revision=2)
    assert "notice" in ids(listed(client, why="review"))
    assert "notice" not in ids(listed(client, why="done"))


@pytest.mark.usefixtures("crowd")
def test_a_clinic_sees_its_own_and_whoever_sees_all_sees_all(
    client: TestClient, database: Database, client_as: ClientAs
) -> None:
    patient(database, "p-far", "far")
    rule(database, "stress", 90.0, "urgent", "far")
    analysed(database, "elsewhere", {**ORDINARY, "stress": 99.0}, whose="p-far", clinic="far")
    analysed(database, "elsewhere-2", ORDINARY, clinic="far")
    assert ids(listed(client)) == EVERY
    far = listed(client_as(Role.CLINICIAN, clinic="far"))
    assert ids(far) == ["elsewhere", "elsewhere-2"]
    assert far["counts"]["urgent"] == 1
    everywhere = listed(client_as(Role.CLINICIAN, clinic=None))
    assert set(ids(everywhere)) == {*EVERY, "elsewhere", "elsewhere-2"}
    assert everywhere["counts"]["urgent"] == 2


@pytest.mark.usefixtures("crowd")
def test_only_one_kiosk_where_that_is_asked_for(client: TestClient, database: Database) -> None:
    at(database, "warning", kiosk="k2")
    said = listed(client, kiosk="k2")
    assert ids(said) == ["warning"]
    assert said["counts"] == {**dict.fromkeys(EVERY[:-1], 0), "warning": 1}


def test_nothing_waits_in_an_empty_clinic_and_open_sessions_do_not(client: TestClient, database: Database) -> None:
    assert listed(client)["items"] == []
    analysed(database, "running", ORDINARY)
    at(database, "running", state="open", outcome=None, revision=0)
    assert listed(client)["items"] == []


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.RESEARCHER])
def test_who_reads_no_results_has_no_work_list(client_as: ClientAs, role: Role) -> None:
    problem_of(client_as(role).get(AT), 403, "forbidden")


@pytest.mark.parametrize("cursor", ["AAAA", "WzksIDEsICJzIl0", "WzAsICJ4IiwgInMiXQ", "Wy0xLCAwLCAicyJd"])
def test_a_cursor_of_elsewhere_is_refused(client: TestClient, cursor: str) -> None:
    problem_of(client.get(AT, params={"cursor": cursor}), 422, "invalid")

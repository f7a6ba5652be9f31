"""Reviews are of one revision: a newer one is unreviewed again."""

from sqlalchemy import select
from sqlmodel import col
from starlette.testclient import TestClient

from api.store import Database, reviews
from api.tables import ReviewRow, SessionRow
from tests.api.conftest import ClientAs, opened, problem_of, record
from tests.api.records import analysed

AT = "/api/v1/sessions/s-one/reviews"


def unreviewed(database: Database) -> list[str]:
    with database.reading() as db:
        return list(db.execute(select(col(SessionRow.id)).where(~reviews.reviewed())).scalars())


def test_a_newer_revision_is_unreviewed_again(client: TestClient, database: Database) -> None:
    analysed(database, "s-one", {"heart_rate": 70.0})
    assert unreviewed(database) == ["s-one"]
    made = client.post(AT, json={"revision": 1, "verdict": "repeat", "comment": "Elektrode lose ⚡"})
    assert made.status_code == 201, made.text
    assert client.get(AT).json() == {"reviewed": True, "items": [made.json()]}
    assert made.json()["comment"] == "Elektrode lose ⚡"
    assert unreviewed(database) == []
    with database.reading() as db:
        sealed = db.execute(select(col(ReviewRow.comment))).scalar_one()
        assert sealed is not None
        assert b"Elektrode" not in sealed
    analysed(database, "s-one", {"heart_rate": 71.0}, revision=2)
    assert client.get(AT).json()["reviewed"] is False
    assert unreviewed(database) == ["s-one"]
    problem_of(client.post(AT, json={"revision": 1, "verdict": "accepted"}), 409, "old-revision")
    client.post(AT, json={"revision": 2, "verdict": "accepted"})
    assert [(each["revision"], each["verdict"]) for each in client.get(AT).json()["items"]] == [
        (1, "repeat"),
        (2, "accepted"),
    ]


def test_what_is_not_analysed_or_not_ours_is_not_reviewed(
    client: TestClient, client_as: ClientAs, database: Database
) -> None:
    record(database, opened("s-open"))
    body = {"revision": 1, "verdict": "accepted"}
    problem_of(client.post("/api/v1/sessions/s-open/reviews", json=body), 409, "not-analysed")
    analysed(database, "s-one", {"heart_rate": 70.0})
    problem_of(client_as("clinician", "elsewhere").post(AT, json=body), 404, "unknown-session")
    problem_of(client_as("integrator").post(AT, json=body), 403, "forbidden")
    problem_of(client.post(AT, json={**body, "verdict": "fine"}), 422, "invalid")
    problem_of(client.post(AT, json={**body, "comment": "\x1b[2J"}), 422, "invalid")

"""`Idempotency-Key`: what is sent again changes nothing, and is answered as the first time."""

import threading
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from api import idempotency
from api.store import Database, utc_now
from api.store import idempotency as kept
from api.store.idempotency import ABANDONED, KEPT, Answer
from tests.api.conftest import ClientAs, problem_of
from tests.api.uploading import ADDRESS, send

KEY = {"Idempotency-Key": "visit-of-today-1"}
PATIENTS = "/api/v1/patients"


def count(client: TestClient) -> int:
    return len(client.get(PATIENTS).json()["items"])


def test_a_request_that_is_sent_again_makes_nothing_new(client: TestClient) -> None:
    first = client.post(PATIENTS, json={"birth_year": 1980}, headers=KEY)
    again = client.post(PATIENTS, json={"birth_year": 1980}, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert count(client) == 1
    assert client.post(PATIENTS, json={"birth_year": 1980}).status_code == 201
    assert count(client) == 2


def test_a_key_belongs_to_one_request_of_one_actor(client: TestClient, client_as: ClientAs) -> None:
    assert client.post(PATIENTS, json={"birth_year": 1980}, headers=KEY).status_code == 201
    problem_of(client.post(PATIENTS, json={"birth_year": 1981}, headers=KEY), 422, "idempotency-key-used")
    other = client_as("operator")
    mine = other.post(PATIENTS, json={"birth_year": 1981}, headers=KEY)
    assert mine.status_code == 201
    assert "idempotency-replayed" not in mine.headers


def test_what_went_wrong_may_be_tried_again_with_the_same_key(client: TestClient) -> None:
    problem_of(client.post(PATIENTS, json={"birth_year": 1}, headers=KEY), 422, "invalid")
    problem_of(client.post(PATIENTS, json={"birth_year": 1}, headers=KEY), 422, "invalid")
    assert client.post(PATIENTS, json={"birth_year": 1980}, headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 101, "\xe9"])
def test_a_key_is_short_and_plain(client: TestClient, key: str) -> None:
    sent = client.post(PATIENTS, json={}, headers=[(b"Idempotency-Key", key.encode("latin-1"))])
    problem_of(sent, 422, "invalid")


def test_of_two_that_come_at_once_one_is_told_to_wait(app: FastAPI, client: TestClient, database: Database) -> None:
    inside, go_on = threading.Event(), threading.Event()
    begin = kept.begin

    def slow() -> None:
        inside.set()
        go_on.wait(20)

    @app.post("/api/v1/slow")
    def route() -> dict[str, int]:
        slow()
        return {"made": 1}

    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(client.post("/api/v1/slow", headers=KEY).status_code))
    thread.start()
    assert inside.wait(20)
    problem_of(client.post("/api/v1/slow", headers=KEY), 409, "idempotency-key-busy")
    go_on.set()
    thread.join()
    assert answers == [200]
    assert client.post("/api/v1/slow", headers=KEY).headers["idempotency-replayed"] == "true"
    assert begin is kept.begin


def test_a_claim_is_one_persons_whoever_comes_first_and_is_left_after_a_while(database: Database) -> None:
    now = utc_now()

    def begin(at: int) -> object:
        with database.transaction() as db:
            return kept.begin(db, "u-1", "k", "request", at)

    assert begin(now) is None
    assert begin(now + 1) == "busy"
    assert begin(now + ABANDONED + 2) is None
    answer = Answer(201, (("location", "/x"),), b'{"a":1}')
    with database.transaction() as db:
        kept.finish(db, "u-1", "k", answer)
    assert begin(now + ABANDONED + 3) == answer
    assert begin(now + KEPT + ABANDONED + 4) is None


def test_answers_are_kept_encrypted_and_secrets_not_at_all(
    app: FastAPI, client: TestClient, database: Database
) -> None:
    @app.post("/api/v1/hands-out")
    def hand_out() -> dict[str, object]:
        return {"item": {"api_key": "very-secret"}}

    @app.post("/api/v1/keys/anything")
    def make_key() -> dict[str, str]:
        return {"made": "very-secret"}

    client.post(PATIENTS, json={"pseudonym": "RECOGNISABLE"}, headers=KEY)
    client.post("/api/v1/hands-out", headers={"Idempotency-Key": "k2"})
    client.post("/api/v1/keys/anything", headers={"Idempotency-Key": "k3"})
    with database.reading() as db:
        rows = db.execute(text("SELECT * FROM idempotency")).all()
    assert len(rows) == 1
    assert "RECOGNISABLE" not in repr(rows)
    assert KEY["Idempotency-Key"] not in repr(rows)
    assert client.post("/api/v1/hands-out", headers={"Idempotency-Key": "k2"}).json() == {
        "item": {"api_key": "very-secret"}
    }


def test_every_address_that_hands_out_secrets_is_left_out(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        if "post" in operations and idempotency.SECRET.search(path):
            assert path.removeprefix(idempotency.PREFIX).split("/")[0] in idempotency.SECRETS, path


def test_an_upload_is_made_once_whatever_separates_its_parts(client: TestClient, tmp_path: Path) -> None:
    first = send(client, ("a.csv", b"1\n2\n"), headers=KEY, kind="rr")
    again = send(client, ("a.csv", b"1\n2\n"), headers=KEY, kind="rr")
    assert first.request.headers["content-type"] != again.request.headers["content-type"]
    assert again.status_code == 202
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    problem_of(send(client, ("a.csv", b"1\n3\n"), headers=KEY, kind="rr"), 422, "idempotency-key-used")
    problem_of(send(client, ("b.csv", b"1\n2\n"), headers=KEY, kind="rr"), 422, "idempotency-key-used")
    assert len(client.get(ADDRESS).json()["items"]) == 1
    assert len(list((tmp_path / "uploads").glob("x-*"))) == 1

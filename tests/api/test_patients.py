"""Patients over HTTP: pseudonyms and nothing else."""

import re

import pytest
from starlette.testclient import TestClient

from api.routes.patients import make_pseudonym
from tests.api.conftest import problem_of

LIST = "/api/v1/patients"


def test_a_patient_is_made_read_and_changed(client: TestClient) -> None:
    made = client.post(LIST, json={"pseudonym": "K-17", "birth_year": 1981, "sex": "female"})
    assert made.status_code == 201
    address = made.headers["location"]
    said = client.get(address).json()
    assert said == made.json()
    assert (said["pseudonym"], said["birth_year"], said["sex"]) == ("K-17", 1981, "female")
    assert said["created"].endswith("Z")
    changed = client.patch(address, json={"sex": None, "birth_year": 1982}).json()
    assert changed == {**said, "sex": None, "birth_year": 1982}
    assert client.patch(address, json={}).json() == changed
    assert client.patch(address, json={"pseudonym": "K-18"}).json()["pseudonym"] == "K-18"


def test_pseudonyms_are_random_readable_and_unguessable(client: TestClient) -> None:
    made = {client.post(LIST, json={}).json()["pseudonym"] for _ in range(20)}
    assert len(made) == 20
    assert all(re.fullmatch("([2-9B-DF-HJ-NP-TV-XZ]{4}-){2}[2-9B-DF-HJ-NP-TV-XZ]{4}", name) for name in made)
    assert len({make_pseudonym() for _ in range(2000)}) == 2000


def test_a_pseudonym_is_taken_once(client: TestClient) -> None:
    client.post(LIST, json={"pseudonym": "A"})
    other = client.post(LIST, json={"pseudonym": "B"}).headers["location"]
    problem_of(client.post(LIST, json={"pseudonym": "A"}), 409, "pseudonym-taken")
    problem_of(client.patch(other, json={"pseudonym": "A", "birth_year": 1990}), 409, "pseudonym-taken")
    assert client.get(other).json()["birth_year"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Doe"},
        {"pseudonym": "Jane Doe"},
        {"pseudonym": ""},
        {"birth_year": 1700},
        {"birth_year": 2199},
        {"birth_year": "soon"},
        {"sex": "unsure"},
        [],
    ],
)
def test_what_names_a_person_or_makes_no_sense_is_refused(client: TestClient, body: object) -> None:
    problem_of(client.post(LIST, json=body), 422, "invalid")
    address = client.post(LIST, json={}).headers["location"]
    problem_of(client.patch(address, json=body), 422, "invalid")


def test_a_pseudonym_cannot_be_taken_away(client: TestClient) -> None:
    address = client.post(LIST, json={}).headers["location"]
    problem_of(client.patch(address, json={"pseudonym": None}), 422, "invalid")


def test_paging_neither_skips_nor_repeats(client: TestClient) -> None:
    made = [client.post(LIST, json={}).json()["id"] for _ in range(9)]
    found: list[str] = []
    cursor = None
    while True:
        said = client.get(LIST, params={"limit": "2", **({"cursor": cursor} if cursor else {})}).json()
        found += [item["id"] for item in said["items"]]
        cursor = said["next"]
        if cursor is None:
            break
    assert found == made[::-1]


def test_nobody_is_a_problem(client: TestClient) -> None:
    problem_of(client.get(f"{LIST}/p-nobody"), 404, "unknown-patient")
    problem_of(client.patch(f"{LIST}/p-nobody", json={}), 404, "unknown-patient")
    problem_of(client.get(f"{LIST}?cursor=AAAA"), 422, "invalid")

"""Patients over HTTP: pseudonyms, in their own clinic, changed by one writer at a time."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from api.visits.pseudonyms import make_pseudonym
from tests.api.conftest import ClientAs, problem_of

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


def test_another_clinics_patient_is_not_there(client_as: ClientAs) -> None:
    mine, other, everywhere = client_as("clinician"), client_as("clinician", "other"), client_as("operator", None)
    address = mine.post(LIST, json={}).headers["location"]
    missing = other.get(f"{LIST}/p-nobody")
    for answer in (
        other.get(address),
        other.patch(address, json={"birth_year": 1980}),
        other.post(f"{address}/merge", json={"into": "p-nobody"}),
        other.get(f"{address}/identity"),
        other.put(f"{address}/identity", json={"family": "X"}),
        other.get(f"{address}/consents"),
        client_as("administrator", "other").delete(address),
    ):
        assert problem_of(answer, 404, "unknown-patient") == missing.json()
    assert other.get(LIST).json()["items"] == []
    theirs = other.post(LIST, json={}).json()
    assert theirs["clinic_id"] == "other"
    assert {item["id"] for item in everywhere.get(LIST).json()["items"]} == {theirs["id"], address.rpartition("/")[2]}


def test_the_list_is_narrowed_by_pseudonym_sex_and_year(client: TestClient) -> None:
    for name, sex, year in (
        ("A-1", "female", 1970),
        ("A_2", "male", 1980),
        ("B-1", "female", 1990),
        ("B-2", None, None),
    ):
        client.post(LIST, json={"pseudonym": name, "sex": sex, "birth_year": year})

    def names(**wanted: str | int) -> list[str]:
        return [item["pseudonym"] for item in client.get(LIST, params=wanted).json()["items"]]

    assert names(pseudonym="A") == ["A_2", "A-1"]
    assert names(pseudonym="A_") == ["A_2"]
    assert names(sex="female") == ["B-1", "A-1"]
    assert names(born_from=1980) == ["B-1", "A_2"]
    assert names(born_from=1980, born_to=1985, sex="male") == ["A_2"]
    assert names(born_from=1980, born_to=1985, sex="female") == []
    problem_of(client.get(LIST, params={"sex": "unsure"}), 422, "invalid")


def test_a_change_for_an_older_version_is_refused(client: TestClient) -> None:
    made = client.post(LIST, json={})
    address, tag = made.headers["location"], made.headers["etag"]
    assert client.get(address).headers["etag"] == tag
    changed = client.patch(address, json={"birth_year": 1980}, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    for late in (tag, f"W/{changed.headers['etag']}", "nonsense", '""'):
        problem_of(
            client.patch(address, json={"birth_year": 1990}, headers={"If-Match": late}), 412, "changed-meanwhile"
        )
    assert client.get(address).json()["birth_year"] == 1980
    for right in ("*", f'"7", {changed.headers["etag"]}'):
        answer = client.patch(address, json={}, headers={"If-Match": right})
        assert answer.status_code == 200
        assert answer.headers["etag"] == changed.headers["etag"]
    assert client.patch(address, json={"sex": "male"}).status_code == 200


def test_of_two_writers_of_one_version_one_is_told(client: TestClient) -> None:
    made = client.post(LIST, json={})
    address, tag = made.headers["location"], made.headers["etag"]

    def write(year: int) -> int:
        return client.patch(address, json={"birth_year": year}, headers={"If-Match": tag}).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(write, range(1950, 1958)))
    assert sorted(statuses) == [200] + [412] * 7
    assert client.get(address).json()["birth_year"] == 1950 + statuses.index(200)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda year: client.patch(address, json={"birth_year": year}), range(1960, 1968)))
    assert {answer.status_code for answer in answers} == {200}
    # the first change made version 2, and each of these another
    assert client.get(address).headers["etag"] == '"10"'

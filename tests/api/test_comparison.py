"""Two sessions beside each other, over the API."""

from starlette.testclient import TestClient

from api.store import Database
from tests.api.conftest import ClientAs, problem_of
from tests.api.records import analysed, patient


def test_two_sessions_of_a_person_are_compared_beside_all_the_others(client: TestClient, database: Database) -> None:
    whose = patient(database)
    for day, value in enumerate((40.0, 43.0, 37.0, 41.0, 39.0, 44.0, 40.0)):
        analysed(database, f"s-{day}", {"rmssd": value, "heart_rate": 60.0 + day}, whose=whose, day=day)
    analysed(database, "s-new", {"rmssd": 20.0, "heart_rate": 66.0, "stress": None}, whose=whose, day=9)
    said = client.get("/api/v1/sessions/s-6/comparison?other=s-new").json()
    assert (said["first"]["session"], said["second"]["session"], said["same_person"], said["others"]) == (
        "s-6", "s-new", True, 6,
    )  # fmt: skip
    by = {each["measure"]: each for each in said["items"]}
    assert (by["rmssd"]["difference"], by["rmssd"]["unusual"], by["rmssd"]["matters"], by["rmssd"]["alike"]) == (
        -20.0, True, True, True,
    )  # fmt: skip
    assert (by["heart_rate"]["difference"], by["heart_rate"]["unusual"], by["heart_rate"]["measured"]) == (
        0.0,
        False,
        None,
    )
    assert (by["stress"]["second"]["absent"], by["stress"]["first"], by["stress"]["difference"]) == (
        "noisy",
        None,
        None,
    )
    # without a second one: the person's latest other session
    assert client.get("/api/v1/sessions/s-new/comparison").json()["second"]["session"] == "s-6"
    assert client.get("/api/v1/sessions/s-0/comparison").json()["second"]["session"] == "s-new"


def test_of_two_people_nobody_says_what_is_usual(client: TestClient, database: Database) -> None:
    analysed(database, "s-one", {"rmssd": 40.0}, whose=patient(database, "p-one"))
    analysed(database, "s-two", {"rmssd": 20.0}, whose=patient(database, "p-two"))
    analysed(database, "s-none", {"rmssd": 30.0})
    said = client.get("/api/v1/sessions/s-one/comparison?other=s-two").json()
    assert (said["same_person"], said["items"][0]["usual"], said["items"][0]["difference"]) == (False, None, -20.0)
    assert client.get("/api/v1/sessions/s-one/comparison?other=s-none").json()["same_person"] is None
    alone = client.get("/api/v1/sessions/s-none/comparison").json()
    assert (alone["second"], alone["items"][0]["second"]) == (None, None)
    problem_of(client.get("/api/v1/sessions/s-one/comparison?other=s-gone"), 404, "unknown-session")


def test_the_other_session_is_hidden_as_the_first_is(client_as: ClientAs, database: Database) -> None:
    analysed(database, "s-here", {"rmssd": 40.0})
    analysed(database, "s-there", {"rmssd": 20.0}, clinic="other")
    client = client_as("clinician")
    problem_of(client.get("/api/v1/sessions/s-here/comparison?other=s-there"), 404, "unknown-session")
    problem_of(client.get("/api/v1/sessions/s-there/comparison?other=s-here"), 404, "unknown-session")
    assert client.get("/compare?a=s-here&b=s-there", headers={"accept": "text/html"}).status_code == 404
    assert client.get("/compare?a=s-here", headers={"accept": "text/html"}).status_code == 200
    assert client.get("/compare", headers={"accept": "text/html"}).status_code == 200

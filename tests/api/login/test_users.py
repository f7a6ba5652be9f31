"""Users: who may make and change whom, and that nobody is left outside."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.login import passwords, staff
from api.security import Role
from api.store import Database, users
from tests.api import staff as people
from tests.api.conftest import ClientAs, problem_of
from tests.api.login.timing import Clock

USERS = "/api/v1/users"
LOGIN = "/api/v1/account/login"


@pytest.fixture
def chief(client_as: ClientAs) -> TestClient:
    """An administrator of the main clinic."""
    return client_as(Role.ADMINISTRATOR)


@pytest.fixture
def head(client_as: ClientAs) -> TestClient:
    """An administrator of all clinics."""
    return client_as(Role.ADMINISTRATOR, clinic=None)


def add(client: TestClient, login: str = "olga", role: str = "operator", **more: object) -> dict[str, Any]:
    answer = client.post(USERS, json={"login": login, "role": role, **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{USERS}/{answer.json()['user']['id']}"
    made: dict[str, Any] = answer.json()
    return made


def log_in(client: TestClient, login: str, password: str) -> int:
    return client.post(LOGIN, json={"login": login, "password": password}).status_code


def test_a_new_user_gets_a_password_that_must_be_changed(chief: TestClient, anonymous: TestClient, now: Clock) -> None:
    made = add(chief, "Olga", name="Olga Ö")
    assert (made["user"]["login"], made["user"]["clinic"], made["user"]["must_change"]) == ("olga", "main", True)
    assert passwords.fault(made["password"]) is None
    assert log_in(anonymous, "olga", made["password"]) == 200
    assert made["password"] not in chief.get(f"{USERS}/{made['user']['id']}").text


def test_a_password_that_somebody_else_set_lets_in_for_a_week(
    chief: TestClient, anonymous: TestClient, now: Clock
) -> None:
    made, other = add(chief), add(chief, "nina")
    now.pass_(days=6.9)
    assert log_in(anonymous, "olga", made["password"]) == 200
    now.pass_(days=0.2)
    assert log_in(anonymous, "nina", other["password"]) == 401
    assert log_in(anonymous, "olga", made["password"]) == 401


def test_a_login_is_given_once_whatever_its_case(chief: TestClient, head: TestClient, now: Clock) -> None:
    add(chief)
    problem_of(chief.post(USERS, json={"login": "OLGA", "role": "auditor"}), 409, "login-taken")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_see_users(client_as: ClientAs, role: Role) -> None:
    problem_of(client_as(role).get(USERS), 403, "forbidden")
    problem_of(client_as(role).post(USERS, json={"login": "x", "role": "administrator"}), 403, "forbidden")


def test_an_administrator_of_a_clinic_touches_nobody_elsewhere(
    chief: TestClient, head: TestClient, database: Database, now: Clock
) -> None:
    there = people.hire(database, Role.OPERATOR, "other").id
    everywhere = people.hire(database, Role.OPERATOR, None).id
    mine = add(chief)["user"]["id"]
    nobody = chief.get(f"{USERS}/u-nobody")
    for user in (there, everywhere):
        for answer in (
            chief.get(f"{USERS}/{user}"),
            chief.patch(f"{USERS}/{user}", json={"disabled": True}),
            chief.post(f"{USERS}/{user}/password", json={}),
        ):
            problem_of(answer, 404, "unknown-user")
        assert chief.get(f"{USERS}/{user}").content == nobody.content
    for clinic in ("other", None, "nowhere"):
        problem_of(chief.post(USERS, json={"login": "x", "role": "operator", "clinic": clinic}), 403, "forbidden")
        problem_of(chief.patch(f"{USERS}/{mine}", json={"clinic": clinic}), 403, "forbidden")
    seen = {each["id"] for each in chief.get(USERS).json()["items"]}
    assert mine in seen
    assert not seen & {there, everywhere}
    assert {there, everywhere, mine} <= {each["id"] for each in head.get(USERS).json()["items"]}
    assert head.patch(f"{USERS}/{mine}", json={"clinic": "other"}).json()["clinic"] == "other"
    problem_of(chief.get(f"{USERS}/{mine}"), 404, "unknown-user")
    problem_of(head.patch(f"{USERS}/{mine}", json={"clinic": "nowhere"}), 422, "invalid")


@pytest.mark.parametrize("change", [{"role": "auditor"}, {"disabled": True}, {"clinic": None}])
def test_a_change_of_what_somebody_may_ends_their_logins(
    head: TestClient, anonymous: TestClient, database: Database, now: Clock, change: dict[str, Any]
) -> None:
    user = people.hire(database, Role.OPERATOR)
    me = people.bearer(database, user)
    assert head.patch(f"{USERS}/{user.id}", json={"name": "New Name"}).json()["name"] == "New Name"
    assert anonymous.get("/api/v1/account", headers=me).status_code == 200
    assert head.patch(f"{USERS}/{user.id}", json=change).status_code == 200
    problem_of(anonymous.get("/api/v1/account", headers=me), 401, "not-logged-in")
    back = {"role": "operator", "disabled": False, "clinic": "main"}
    assert head.patch(f"{USERS}/{user.id}", json=back).status_code == 200
    problem_of(anonymous.get("/api/v1/account", headers=me), 401, "not-logged-in")


def test_a_reset_ends_logins_and_the_rest_and_the_second_factor(
    chief: TestClient, anonymous: TestClient, database: Database, now: Clock
) -> None:
    user = people.hire(
        database, Role.OPERATOR, login="olga", totp=b"x", totp_step=1, recovery=["x"], failures=9, locked_ns=2**62
    )
    me = people.bearer(database, user)
    kept = chief.post(f"{USERS}/{user.id}/password", json={}).json()
    assert kept["user"]["second_factor"]
    made = chief.post(f"{USERS}/{user.id}/password", json={"second_factor": True}).json()
    assert (made["user"]["second_factor"], made["user"]["must_change"]) == (False, True)
    assert made["user"]["resting_until"] is None
    problem_of(anonymous.get("/api/v1/account", headers=me), 401, "not-logged-in")
    assert log_in(anonymous, "olga", kept["password"]) == 401
    assert log_in(anonymous, "olga", made["password"]) == 200


def test_the_last_administrator_stays(chief: TestClient, head: TestClient, database: Database, now: Clock) -> None:
    ids = {each["clinic"]: each["id"] for each in head.get(USERS).json()["items"]}
    for change in ({"disabled": True}, {"role": "operator"}, {"clinic": "main"}):
        problem_of(head.patch(f"{USERS}/{ids[None]}", json=change), 409, "last-administrator")
    # whoever looks after all clinics looks after this one too
    assert head.patch(f"{USERS}/{ids['main']}", json={"disabled": True}).status_code == 200
    second = people.hire(database, Role.ADMINISTRATOR, None, login="second")
    assert head.patch(f"{USERS}/{second.id}", json={"disabled": True}).status_code == 200
    problem_of(head.patch(f"{USERS}/{ids[None]}", json={"disabled": True}), 409, "last-administrator")
    assert head.patch(f"{USERS}/{second.id}", json={"disabled": False}).status_code == 200
    assert head.patch(f"{USERS}/{ids[None]}", json={"disabled": True}).status_code == 200


def test_who_changes_what_has_changed_is_told(chief: TestClient, now: Clock) -> None:
    user = add(chief)["user"]["id"]
    read = chief.get(f"{USERS}/{user}")
    tag = {"If-Match": read.headers["etag"]}
    assert chief.patch(f"{USERS}/{user}", json={"name": "A"}, headers=tag).headers["etag"] != tag["If-Match"]
    problem_of(chief.patch(f"{USERS}/{user}", json={"name": "B"}, headers=tag), 412, "changed-meanwhile")


def test_paging_neither_skips_nor_repeats(chief: TestClient, now: Clock) -> None:
    made = {add(chief, f"user{number}")["user"]["id"] for number in range(5)}
    seen: list[str] = []
    query = "?limit=2"
    while query:
        page = chief.get(f"{USERS}{query}").json()
        seen += [each["id"] for each in page["items"]]
        query = f"?limit=2&cursor={page['next']}" if page["next"] else ""
    assert len(seen) == len(set(seen)) == 6
    assert made < set(seen)


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("short one", False),
        ("eleven char", False),
        ("twelve chars", True),
        ("x" * 129, False),
        ("password1234", False),
        ("PasswordPassword", False),
        ("Welcome2026!!!", False),
        ("clinic-hospital-2026", False),
        ("123456789012", False),
        ("qwertyqwerty", False),
        ("aaaaaaaaaaaaaaaa", False),
        ("olga-meier-1985", False),
        ("OlgaOlgaOlga1", False),
        ("abcxyzabcxyz", False),
        ("correct horse battery staple", True),
        ("пять зелёных слонов", True),
        ("          ü          ", False),
        ("kR7!kd-9fWq_2z", True),
        # the ligature is two letters: what counts is what both ways of typing mean
        ("ﬀﬀﬀﬀﬀﬀ", False),
    ],
)
def test_a_password_is_long_and_not_guessed_first(password: str, good: bool) -> None:
    assert (passwords.fault(password, ("olga", "Olga Meier")) is None) == good


def test_passwords_typed_in_two_ways_are_one() -> None:
    assert passwords.verify(passwords.hash_of("caf\u00e9 au lait, merci"), "cafe\u0301 au lait, merci")
    assert not passwords.verify("no hash at all", "x")


def test_passwords_that_are_made_up_are_good_and_never_the_same() -> None:
    made = {staff.make_password() for _ in range(200)}
    assert len(made) == 200
    assert all(passwords.fault(each) is None for each in made)


def test_roles_at_the_command_line_are_all_roles() -> None:
    from kiosk.commands.users import RoleName

    assert [str(role) for role in RoleName] == [str(role) for role in Role]


def test_the_store_finds_a_login_however_it_is_written(database: Database) -> None:
    made = people.hire(database, Role.OPERATOR, login="olga")
    with database.reading() as db:
        found = users.by_login(db, "OLGA")
    assert found is not None
    assert found.id == made.id

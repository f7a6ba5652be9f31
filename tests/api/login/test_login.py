"""Logging in: who comes in, who does not, and that those who do not learn nothing."""

import logging

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from httpx2 import Response
from sqlalchemy import select
from sqlmodel import col
from starlette.testclient import TestClient

from api.errors import Failed
from api.login import passwords
from api.login.desk import FREE_FAILURES
from api.login.throttle import PER_ADDRESS, Rate, Throttle
from api.security import Role
from api.store import Database, users
from api.tables import AuditRow, UserRow
from tests.api import staff
from tests.api.conftest import ClientAs, problem_of
from tests.api.login.timing import Clock

ADDRESS = "/api/v1/account/login"
WRONG = "not the password at all"


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords were compared with; the comparison itself is quick here."""
    seen: list[str] = []

    def verify(hashed: str, password: str) -> bool:
        seen.append(hashed)
        return hashed == staff.HASH and password == staff.PASSWORD

    monkeypatch.setattr(passwords, "verify", verify)
    return seen


@pytest.fixture
def user(database: Database) -> UserRow:
    return staff.hire(database, Role.OPERATOR, login="olga")


def log_in(client: TestClient, login: str = "olga", password: str = staff.PASSWORD, **more: object) -> Response:
    return client.post(ADDRESS, json={"login": login, "password": password, **more})


def row_of(database: Database, user: UserRow) -> UserRow:
    with database.reading() as db:
        row = users.get(db, user.id)
    assert row is not None
    return row


def set_columns(database: Database, user: UserRow, **values: object) -> None:
    with database.transaction() as db:
        users.note(db, user.id, values)


def test_the_right_password_opens_and_a_token_says_who_it_is(anonymous: TestClient, user: UserRow, now: Clock) -> None:
    given = log_in(anonymous, "OLGA")  # a login's case does not count
    assert given.status_code == 200, given.text
    assert "set-cookie" not in given.headers
    me = anonymous.get("/api/v1/account", headers={"Authorization": f"Bearer {given.json()['access']}"}).json()
    assert (me["id"], me["role"], me["clinic"], me["must"]) == (user.id, "operator", "main", [])
    assert "sessions.read" in me["may"]
    assert "results.read" not in me["may"]


def test_who_must_not_come_in_is_told_the_same_after_the_same_work(
    anonymous: TestClient, database: Database, user: UserRow, now: Clock, verified: list[str]
) -> None:
    disabled = staff.hire(database, Role.OPERATOR, login="dora", disabled_ns=1)
    resting = staff.hire(database, Role.OPERATOR, login="rosa", locked_ns=now.now + 1_000_000_000)
    federated = staff.hire(database, Role.OPERATOR, login="fred")
    set_columns(database, federated, password=None)
    staff.hire(database, Role.CLINICIAN, login="demo")
    with database.transaction() as db:
        row = users.by_login(db, "demo")
        assert row is not None
        db.delete(row)
        db.flush()
        db.add(UserRow(**{**row.model_dump(), "id": "u-demo-clinician"}))
    told = []
    attempts = [("olga", WRONG), ("nobody", staff.PASSWORD), ("demo", staff.PASSWORD)]
    attempts += [(each.login, staff.PASSWORD) for each in (disabled, resting, federated)]
    for login, password in attempts:
        verified.clear()
        answer = log_in(anonymous, login, password)
        problem_of(answer, 401, "wrong-login")
        assert len(verified) == 1, login
        assert passwords.is_outdated(verified[0]) is False
        told.append((answer.content, sorted(answer.headers.items())))
    assert all(each == told[0] for each in told)


def test_a_failure_takes_a_while_whatever_was_found(
    anonymous: TestClient, app: FastAPI, user: UserRow, now: Clock, verified: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    app.state.desk.failure_takes = 1000
    monkeypatch.setattr("api.login.desk.asyncio.sleep", sleep)
    for login in ("olga", "nobody"):
        problem_of(log_in(anonymous, login, WRONG), 401, "wrong-login")
    assert len(pauses) == 2
    assert all(900 < pause <= 1000 for pause in pauses)


def test_many_wrong_passwords_let_an_account_rest_ever_longer(
    anonymous: TestClient, database: Database, user: UserRow, now: Clock, verified: list[str]
) -> None:
    for _ in range(FREE_FAILURES):
        problem_of(log_in(anonymous, password=WRONG), 401, "wrong-login")
    pauses = []
    for _ in range(8):
        # while it rests, not even the right password is looked at, and nothing is counted
        verified.clear()
        problem_of(log_in(anonymous), 401, "wrong-login")
        assert verified != [staff.HASH]
        locked = row_of(database, user).locked_ns
        assert locked is not None
        pauses.append((locked - now.now) / 1e9)
        now.now = locked
        problem_of(log_in(anonymous, password=WRONG), 401, "wrong-login")
        now.pass_(seconds=0)
    assert pauses[:4] == [30, 60, 120, 240]
    assert pauses[-1] == 900
    now.pass_(minutes=15)
    assert log_in(anonymous).status_code == 200
    row = row_of(database, user)
    assert (row.failures, row.locked_ns) == (0, None)


def test_a_rest_survives_a_restart(
    anonymous: TestClient, app: FastAPI, database: Database, user: UserRow, now: Clock, verified: list[str]
) -> None:
    for _ in range(FREE_FAILURES):
        log_in(anonymous, password=WRONG)
    type(app.state.desk).__init__(app.state.desk, database, app.state.settings, app.state.auditor)
    app.state.desk.failure_takes = 0
    problem_of(log_in(anonymous), 401, "wrong-login")
    now.pass_(seconds=31)
    assert log_in(anonymous).status_code == 200


def test_attempts_at_once_are_as_many_failures(
    anonymous: TestClient, database: Database, user: UserRow, now: Clock, verified: list[str]
) -> None:
    desk = anonymous.app.state.desk  # type: ignore[attr-defined]
    begun = [desk._begin("olga") for _ in range(FREE_FAILURES + 3)]
    assert [each is not None for each in begun] == [True] * FREE_FAILURES + [False] * 3
    assert row_of(database, user).failures == FREE_FAILURES


def test_one_address_tries_only_so_often(
    anonymous: TestClient, database: Database, now: Clock, verified: list[str]
) -> None:
    answers = [log_in(anonymous, f"guess{number}", WRONG) for number in range(int(PER_ADDRESS.burst) + 1)]
    assert {each.status_code for each in answers[:-1]} == {401}
    verified.clear()
    problem_of(answers[-1], 429, "too-many-attempts")
    wait = int(answers[-1].headers["retry-after"])
    assert 1 <= wait <= 2
    problem_of(log_in(anonymous), 429, "too-many-attempts")
    assert not verified
    now.pass_(seconds=wait)
    problem_of(log_in(anonymous), 401, "wrong-login")


def test_buckets_fill_up_again_and_are_each_addresss_own() -> None:
    time = Clock()
    throttle = Throttle(Rate(2, 1), Rate(5, 1), clock=time.seconds)

    def passes(address: str) -> bool:
        try:
            throttle.take(address)
        except Failed:
            return False
        return True

    assert [passes("10.0.0.1") for _ in range(3)] == [True, True, False]
    # one network of IPv6 is one address; a mapped one is what it maps
    assert [passes(each) for each in ("2001:db8::1", "2001:db8::2", "2001:db8::3")] == [True, True, False]
    assert not passes("::ffff:10.0.0.1")
    assert passes("10.0.0.2")
    # now there is nothing left for anybody
    assert not passes("10.0.0.3")
    time.pass_(seconds=1)
    assert passes("10.0.0.3")
    assert not passes("10.0.0.3")


def test_an_outdated_hash_is_renewed_at_the_next_login(
    anonymous: TestClient, database: Database, user: UserRow, now: Clock
) -> None:
    set_columns(database, user, password=PasswordHasher(1, 1024, 1).hash(staff.PASSWORD))
    assert log_in(anonymous).status_code == 200
    renewed = row_of(database, user).password
    assert renewed is not None
    assert "m=19456,t=2,p=1" in renewed
    assert renewed.startswith("$argon2id$")
    assert log_in(anonymous).status_code == 200
    assert row_of(database, user).password == renewed


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"login": "olga"},
        {"login": "olga", "password": ""},
        {"login": "olga", "password": "x" * 201},
        {"login": "olga\x00", "password": "x"},
        {"login": "' OR 1=1 --", "password": "x"},
        {"login": "olga", "password": "x", "role": "administrator"},
        {"login": "olga", "password": ["x"]},
        {"login": "olga", "password": "x", "code": "12345"},
    ],
)
def test_what_is_no_login_is_refused_and_not_repeated(anonymous: TestClient, now: Clock, body: object) -> None:
    answer = anonymous.post(ADDRESS, json=body)
    problem_of(answer, 422, "invalid")
    assert "olga" not in answer.text
    assert "xxx" not in answer.text


def test_no_secret_comes_into_a_log_an_error_or_the_audit(
    anonymous: TestClient, database: Database, user: UserRow, now: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = [staff.PASSWORD, WRONG]
    texts = [log_in(anonymous, password=WRONG).text]
    given = log_in(anonymous)
    secrets += [given.json()["access"], given.json()["refresh"]]
    me = {"Authorization": f"Bearer {given.json()['access']}"}
    change = {"current": staff.PASSWORD, "new": "short-secret"}
    texts.append(anonymous.put("/api/v1/account/password", json=change, headers=me).text)
    secrets.append("short-secret")
    texts.append(anonymous.post("/api/v1/account/refresh", json={"refresh": "kr_wrong-secret"}).text)
    texts.append(anonymous.get("/api/v1/account", headers={"Authorization": "Bearer ka_wrong-secret"}).text)
    with database.reading() as db:
        texts += [repr(row) for row in db.execute(select(AuditRow)).scalars()]
    for secret in [*secrets, "wrong-secret", "argon2"]:
        assert secret not in caplog.text
        assert all(secret not in text for text in texts)


def test_logins_stand_in_the_audit_and_say_no_name(
    anonymous: TestClient, database: Database, user: UserRow, now: Clock, verified: list[str]
) -> None:
    log_in(anonymous)
    log_in(anonymous, password=WRONG)
    log_in(anonymous, "somebody.else", WRONG)
    with database.reading() as db:
        rows = (
            db.execute(select(AuditRow).where(col(AuditRow.action) == "login").order_by(col(AuditRow.seq)))
            .scalars()
            .all()
        )
    assert [(row.actor, row.object_id, row.outcome) for row in rows] == [
        (user.id, user.id, "done"),
        ("anonymous", user.id, "refused"),
        ("anonymous", "?", "refused"),
    ]


def test_a_one_time_password_lets_in_only_to_choose_another(
    anonymous: TestClient, client_as: ClientAs, database: Database, user: UserRow, now: Clock
) -> None:
    set_columns(database, user, must_change=True)
    first = log_in(anonymous).json()
    me = {"Authorization": f"Bearer {first['access']}"}
    assert anonymous.get("/api/v1/account", headers=me).json()["must"] == ["change_password"]
    problem_of(anonymous.get("/api/v1/sessions", headers=me), 403, "forbidden")
    change = {"current": staff.PASSWORD, "new": "four brown bears juggle"}
    changed = anonymous.put("/api/v1/account/password", json=change, headers=me)
    assert changed.status_code == 200, changed.text
    # the old login is over, the new one is free
    problem_of(anonymous.get("/api/v1/account", headers=me), 401, "not-logged-in")
    fresh = {"Authorization": f"Bearer {changed.json()['access']}"}
    assert anonymous.get("/api/v1/sessions", headers=fresh).status_code == 200
    problem_of(log_in(anonymous), 401, "wrong-login")
    assert log_in(anonymous, password="four brown bears juggle").status_code == 200

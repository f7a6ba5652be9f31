"""The second factor: the codes of its standard, each once, and the ways around it that there must not be."""

import base64
import hashlib
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.login import totp
from api.security import Role
from api.store import Database, users
from api.tables import UserRow
from kiosk.bus import MemoryBus
from kiosk.messages import SECOND
from kiosk.settings import Settings
from tests.api import staff
from tests.api.conftest import problem_of
from tests.api.login.timing import Clock

ACCOUNT = "/api/v1/account"
RFC_TIMES = (59, 1111111109, 1111111111, 1234567890, 2000000000, 20000000000)
RFC_CODES = {
    "sha1": ("94287082", "07081804", "14050471", "89005924", "69279037", "65353130"),
    "sha256": ("46119246", "68084774", "67062674", "91819424", "90698825", "77737706"),
    "sha512": ("90693936", "25091201", "99943326", "93441116", "38618901", "47863826"),
}
"""RFC 6238, appendix B; the secrets are as long as the hash."""


@pytest.mark.parametrize("algorithm", RFC_CODES)
def test_codes_are_those_of_the_standard(algorithm: str) -> None:
    made = getattr(hashlib, algorithm)
    secret = (b"1234567890" * 7)[: made().digest_size]
    codes = [totp.code(secret, totp.step_at(t * SECOND), digits=8, algorithm=made) for t in RFC_TIMES]
    assert codes == list(RFC_CODES[algorithm])


def test_counters_are_those_of_the_older_standard() -> None:
    # RFC 4226, appendix D
    codes = [totp.code(b"12345678901234567890", count) for count in range(4)]
    assert codes == ["755224", "287082", "359152", "969429"]


def test_a_clock_may_be_off_by_one_step_and_no_more() -> None:
    now = 1_750_000_000 * SECOND
    present = totp.step_at(now)
    found = {off: totp.step_of(b"s" * 20, totp.code(b"s" * 20, present + off), now) for off in range(-3, 4)}
    assert {off for off, step in found.items() if step is not None} == {-1, 0, 1}
    assert all(step == present + off for off, step in found.items() if step is not None)


class Person:
    """A user who has an authenticator app."""

    def __init__(self, client: TestClient, now: Clock, login: str = "clara") -> None:
        self.client, self.now, self.login = client, now, login
        self.secret = b""
        self.codes: list[str] = []
        self.headers: dict[str, str] = {}

    def log_in(self, code: str | None = None) -> Response:
        body = {"login": self.login, "password": staff.PASSWORD, **({} if code is None else {"code": code})}
        answer = self.client.post(f"{ACCOUNT}/login", json=body)
        if answer.status_code == 200:
            self.headers = {"Authorization": f"Bearer {answer.json()['access']}"}
        return answer

    def code(self, off: int = 0) -> str:
        return totp.code(self.secret, totp.step_at(self.now.now) + off)

    def offer(self) -> dict[str, Any]:
        answer = self.client.post(f"{ACCOUNT}/second-factor", json={"password": staff.PASSWORD}, headers=self.headers)
        assert answer.status_code == 200, answer.text
        offered: dict[str, Any] = answer.json()
        self.secret = base64.b32decode(offered["secret"] + "=" * (-len(offered["secret"]) % 8))
        return offered

    def confirm(self, pending: str, code: str) -> Response:
        body = {"pending": pending, "code": code}
        return self.client.put(f"{ACCOUNT}/second-factor", json=body, headers=self.headers)

    def enrol(self) -> None:
        self.log_in()
        answer = self.confirm(self.offer()["pending"], self.code())
        assert answer.status_code == 200, answer.text
        self.codes = answer.json()["codes"]
        self.now.pass_(minutes=2)


@pytest.fixture
def user(database: Database) -> UserRow:
    return staff.hire(database, Role.CLINICIAN, login="clara")


@pytest.fixture
def clara(anonymous: TestClient, now: Clock, user: UserRow) -> Person:
    return Person(anonymous, now)


def test_who_has_a_second_factor_needs_it(clara: Person) -> None:
    clara.enrol()
    problem_of(clara.log_in(), 401, "second-factor-needed")
    problem_of(clara.log_in("000000"), 401, "wrong-code")
    assert clara.log_in(clara.code()).status_code == 200
    me = clara.client.get(ACCOUNT, headers=clara.headers).json()
    assert (me["second_factor"], me["recovery_codes"]) == (True, 10)


def test_a_code_counts_once_and_none_before_it_counts_again(clara: Person) -> None:
    clara.enrol()
    assert clara.log_in(clara.code(1)).status_code == 200
    for off in (1, 0, -1):
        problem_of(clara.log_in(clara.code(off)), 401, "wrong-code")
    clara.now.pass_(seconds=60)
    assert clara.log_in(clara.code()).status_code == 200


def test_the_code_that_set_it_up_is_used_up_by_that(clara: Person) -> None:
    clara.log_in()
    pending = clara.offer()["pending"]
    code = clara.code()
    assert clara.confirm(pending, code).status_code == 200
    problem_of(clara.log_in(code), 401, "wrong-code")


def test_a_recovery_code_counts_once(clara: Person, database: Database, user: UserRow) -> None:
    clara.enrol()
    assert len(set(clara.codes)) == 10
    code = clara.codes[3].lower().replace("-", " ")
    assert clara.log_in(code).status_code == 200
    problem_of(clara.log_in(code), 401, "wrong-code")
    assert clara.client.get(ACCOUNT, headers=clara.headers).json()["recovery_codes"] == 9
    with database.reading() as db:
        row = users.get(db, user.id)
    assert row is not None
    assert clara.codes[0] not in repr(row)
    assert clara.codes[0].replace("-", "") not in repr(row)


def test_recovery_codes_can_be_made_anew(clara: Person) -> None:
    clara.enrol()
    assert clara.log_in(clara.codes[0]).status_code == 200

    def renew(password: str, code: str) -> Response:
        body = {"password": password, "code": code}
        return clara.client.post(f"{ACCOUNT}/second-factor/recovery-codes", json=body, headers=clara.headers)

    problem_of(renew(staff.PASSWORD, "000000"), 401, "wrong-code")
    problem_of(renew("another one entirely", clara.code()), 403, "wrong-password")
    answer = renew(staff.PASSWORD, clara.code())
    assert answer.status_code == 200, answer.text
    new = answer.json()["codes"]
    assert len(set(new)) == 10
    assert set(new).isdisjoint(clara.codes)
    problem_of(clara.log_in(clara.codes[1]), 401, "wrong-code")
    assert clara.log_in(new[0]).status_code == 200


def test_who_has_no_second_factor_gets_no_recovery_codes(clara: Person) -> None:
    clara.log_in()
    body = {"password": staff.PASSWORD, "code": "000000"}
    path = f"{ACCOUNT}/second-factor/recovery-codes"
    problem_of(clara.client.post(path, json=body, headers=clara.headers), 401, "wrong-code")


def test_the_secret_is_sealed_and_another_users_opens_nothing(clara: Person, database: Database, user: UserRow) -> None:
    clara.enrol()
    mallory = staff.hire(database, Role.CLINICIAN, login="mallory")
    with database.transaction() as db:
        row = users.get(db, user.id)
        assert row is not None
        assert row.totp is not None
        assert clara.secret not in row.totp
        # moved to another row, as somebody could who writes to the database
        users.note(db, mallory.id, {"totp": row.totp, "recovery": row.recovery})
    person = Person(clara.client, clara.now, "mallory")
    person.secret = clara.secret
    assert person.log_in(person.code()).status_code == 500
    problem_of(person.log_in(clara.codes[0]), 401, "wrong-code")


def test_guessing_codes_lets_the_account_rest(clara: Person) -> None:
    clara.enrol()
    for _ in range(5):
        problem_of(clara.log_in("000000"), 401, "wrong-code")
    problem_of(clara.log_in(clara.code()), 401, "wrong-login")
    clara.now.pass_(seconds=31)
    # saying the password without a code in between takes no failure back but its own
    problem_of(clara.log_in(), 401, "second-factor-needed")
    problem_of(clara.log_in("000000"), 401, "wrong-code")
    problem_of(clara.log_in(clara.code()), 401, "wrong-login")


def test_an_offer_is_this_users_and_ends_in_time(
    clara: Person, anonymous: TestClient, database: Database, now: Clock
) -> None:
    clara.log_in()
    offered = clara.offer()
    problem_of(clara.confirm(offered["pending"], "000000"), 409, "not-confirmed")
    assert offered["qr"].startswith("data:image/svg+xml")
    assert "secret=" + offered["secret"] in offered["address"]
    staff.hire(database, Role.OPERATOR, login="olga")
    olga = Person(anonymous, now, "olga")
    olga.log_in()
    for pending in (offered["pending"], "AAAA", offered["pending"][:-6], "x" * 399):
        problem_of(olga.confirm(pending, clara.code()), 409, "not-confirmed")
    now.pass_(minutes=14)
    clara.log_in()
    now.pass_(minutes=2)
    problem_of(clara.confirm(offered["pending"], clara.code()), 409, "not-confirmed")


def test_setting_it_up_and_removing_it_ends_other_logins(clara: Person) -> None:
    clara.log_in()
    elsewhere = dict(clara.headers)
    clara.enrol()
    problem_of(clara.client.get(ACCOUNT, headers=elsewhere), 401, "not-logged-in")
    problem_of(clara.client.post(f"{ACCOUNT}/second-factor", json={"password": staff.PASSWORD}, headers=clara.headers),
               409, "has-second-factor")  # fmt: skip

    def remove(password: str, code: str) -> Response:
        body = {"password": password, "code": code}
        return clara.client.post(f"{ACCOUNT}/second-factor/removal", json=body, headers=clara.headers)

    problem_of(remove("not the password", clara.code()), 403, "wrong-password")
    problem_of(remove(staff.PASSWORD, "000000"), 401, "wrong-code")
    assert remove(staff.PASSWORD, clara.code()).status_code == 204
    assert clara.log_in().status_code == 200


def test_where_it_is_required_one_can_only_set_it_up(
    database: Database, user: UserRow, now: Clock, tmp_path: Any
) -> None:
    settings = Settings(data=tmp_path, second_factor="required")
    app: FastAPI = create_app(settings=settings, database=database, bus=MemoryBus())
    app.state.desk.failure_takes = 0
    with TestClient(app) as client:
        clara = Person(client, now)
        clara.log_in()
        assert client.get(ACCOUNT, headers=clara.headers).json()["must"] == ["set_up_second_factor"]
        problem_of(client.get("/api/v1/sessions", headers=clara.headers), 403, "forbidden")
        clara.enrol()
        clara.log_in(clara.code())
        assert client.get("/api/v1/sessions", headers=clara.headers).status_code == 200

"""Tokens and cookies: how long they count, what ends them, and what another site's page cannot do with them."""

from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.login.tokens import digest
from api.security import Role
from api.store import Database, tokens
from api.tables import UserRow
from kiosk.bus import MemoryBus
from kiosk.settings import Settings
from tests.api import staff
from tests.api.conftest import ClientAs, problem_of
from tests.api.login.timing import Clock

ACCOUNT = "/api/v1/account"


@pytest.fixture
def user(database: Database) -> UserRow:
    return staff.hire(database, Role.CLINICIAN, login="clara")


def log_in(client: TestClient, **more: object) -> Response:
    answer = client.post(f"{ACCOUNT}/login", json={"login": "clara", "password": staff.PASSWORD, **more})
    assert answer.status_code == 200, answer.text
    return answer


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def renew(client: TestClient, token: str) -> Response:
    return client.post(f"{ACCOUNT}/refresh", json={"refresh": token})


def is_in(client: TestClient, given: dict[str, Any]) -> bool:
    status = client.get(ACCOUNT, headers=bearer(given["access"])).status_code
    assert status in (200, 401)
    return status == 200


def test_an_access_token_counts_for_a_quarter_of_an_hour(anonymous: TestClient, user: UserRow, now: Clock) -> None:
    given = log_in(anonymous).json()
    now.pass_(minutes=14.9)
    assert is_in(anonymous, given)
    now.pass_(minutes=0.2)
    assert not is_in(anonymous, given)


def test_a_refresh_token_counts_once_and_its_reuse_ends_the_login(
    anonymous: TestClient, user: UserRow, now: Clock
) -> None:
    first, elsewhere = log_in(anonymous).json(), log_in(anonymous).json()
    second = renew(anonymous, first["refresh"]).json()
    third = renew(anonymous, second["refresh"]).json()
    assert len({each[kind] for each in (first, second, third) for kind in ("access", "refresh")}) == 6
    assert is_in(anonymous, third)
    # the thief, or the one who was robbed: nobody can tell
    problem_of(renew(anonymous, first["refresh"]), 401, "not-logged-in")
    problem_of(renew(anonymous, third["refresh"]), 401, "not-logged-in")
    assert not any(is_in(anonymous, each) for each in (first, second, third))
    assert is_in(anonymous, elsewhere)


def test_a_login_ends_after_idle_hours_and_after_a_week_however_busy(
    anonymous: TestClient, user: UserRow, now: Clock
) -> None:
    idle = log_in(anonymous).json()
    now.pass_(hours=12.1)
    problem_of(renew(anonymous, idle["refresh"]), 401, "not-logged-in")
    busy = log_in(anonymous).json()
    for _ in range(15):
        now.pass_(hours=11)
        busy = renew(anonymous, busy["refresh"]).json()
        assert is_in(anonymous, busy)
    now.pass_(hours=2.9)
    last = renew(anonymous, busy["refresh"]).json()
    now.pass_(hours=0.2)
    assert not is_in(anonymous, last)
    problem_of(renew(anonymous, last["refresh"]), 401, "not-logged-in")


def test_old_tokens_are_forgotten_when_they_can_betray_nobody_any_more(
    anonymous: TestClient, database: Database, user: UserRow, now: Clock
) -> None:
    given = log_in(anonymous).json()
    now.pass_(days=7)
    log_in(anonymous)
    with database.reading() as db:
        assert tokens.get(db, digest(given["access"])) is None
        assert tokens.get(db, digest(given["refresh"])) is not None
    now.pass_(days=1)
    log_in(anonymous)
    with database.reading() as db:
        assert tokens.get(db, digest(given["refresh"])) is None


def test_only_digests_are_stored(anonymous: TestClient, database: Database, user: UserRow, now: Clock) -> None:
    given = log_in(anonymous).json()
    with database.reading() as db:
        row = tokens.get(db, digest(given["refresh"]))
        assert row is not None
        assert given["refresh"][3:] not in repr(row)
    # and what is stored opens nothing
    assert anonymous.get(ACCOUNT, headers=bearer(digest(given["access"]))).status_code == 401


def test_a_token_is_good_for_its_own_purpose_alone(anonymous: TestClient, user: UserRow, now: Clock) -> None:
    given = log_in(anonymous).json()
    problem_of(anonymous.get(ACCOUNT, headers=bearer(given["refresh"])), 401, "not-logged-in")
    problem_of(renew(anonymous, given["access"]), 401, "not-logged-in")
    # what a header holds is no cookie, and what a cookie holds is no header: there nothing would ask for CSRF
    anonymous.cookies.set("kiosk", given["access"])
    problem_of(anonymous.get(ACCOUNT), 401, "not-logged-in")
    anonymous.cookies.clear()
    log_in(anonymous, cookie=True)
    access, refresh = anonymous.cookies["kiosk"], anonymous.cookies["kiosk-refresh"]
    anonymous.cookies.clear()
    problem_of(anonymous.get(ACCOUNT, headers=bearer(access)), 401, "not-logged-in")
    problem_of(renew(anonymous, refresh), 401, "not-logged-in")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer", "Bearer ", "Bearer ka_", "Bearer ka_x y", "Basic Y2xhcmE6eA==", "bearer null", "ka_x",
        "Bearer " + "ka_" + "x" * 5000, "Bearer kk_unknown", "Bearer ka_\u00e9",
        # whatever alg says: nothing here reads it
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1LWNsYXJhIiwicm9sZSI6ImFkbWluaXN0cmF0b3IifQ.",
    ],
)  # fmt: skip
def test_what_is_no_token_opens_nothing(anonymous: TestClient, user: UserRow, header: str) -> None:
    answer = anonymous.get(ACCOUNT, headers={b"authorization": header.encode("latin-1")})
    problem_of(answer, 401, "not-logged-in")


def test_logging_out_ends_this_login_alone(anonymous: TestClient, user: UserRow, now: Clock) -> None:
    one, other = log_in(anonymous).json(), log_in(anonymous).json()
    assert anonymous.post(f"{ACCOUNT}/logout", headers=bearer(one["access"])).status_code == 204
    assert not is_in(anonymous, one)
    problem_of(renew(anonymous, one["refresh"]), 401, "not-logged-in")
    assert is_in(anonymous, other)


def test_one_sees_and_ends_ones_own_logins(
    anonymous: TestClient, client_as: ClientAs, database: Database, user: UserRow, now: Clock
) -> None:
    here, there = log_in(anonymous).json(), log_in(anonymous).json()
    theirs = client_as(Role.OPERATOR).get(f"{ACCOUNT}/logins").json()["items"]
    listed = anonymous.get(f"{ACCOUNT}/logins", headers=bearer(here["access"])).json()["items"]
    assert sorted(each["this"] for each in listed) == [False, True]
    other = next(each["id"] for each in listed if not each["this"])
    for login in (theirs[0]["id"], "l-nobodys"):
        gone = anonymous.delete(f"{ACCOUNT}/logins/{login}", headers=bearer(here["access"]))
        problem_of(gone, 404, "unknown-login")
    assert anonymous.delete(f"{ACCOUNT}/logins/{other}", headers=bearer(here["access"])).status_code == 204
    assert not is_in(anonymous, there)
    assert is_in(anonymous, here)


def test_a_socket_learns_that_its_login_has_ended(
    anonymous: TestClient, app: FastAPI, database: Database, user: UserRow, now: Clock
) -> None:
    from starlette.requests import HTTPConnection

    given = log_in(anonymous).json()
    scope = {"type": "websocket", "headers": [(b"authorization", b"Bearer " + given["access"].encode())]}
    who = app.state.gate.identify(HTTPConnection(scope))
    assert who is not None
    now.pass_(minutes=20)
    assert app.state.gate.alive(who)
    anonymous.post(f"{ACCOUNT}/logout", headers=bearer(renew(anonymous, given["refresh"]).json()["access"]))
    assert not app.state.gate.alive(who)


# --- in a browser


def test_a_browsers_login_is_in_cookies_that_no_script_reads(anonymous: TestClient, user: UserRow, now: Clock) -> None:
    answer = log_in(anonymous, cookie=True)
    assert answer.json()["access"] is None
    assert answer.json()["refresh"] is None
    set_cookies = {each.split("=")[0]: each for each in answer.headers.get_list("set-cookie")}
    assert set(set_cookies) == {"kiosk", "kiosk-refresh", "kiosk-csrf"}
    for name, text in set_cookies.items():
        assert "SameSite=strict" in text
        assert "Path=/" in text
        assert "Domain" not in text
        assert ("HttpOnly" in text) == (name != "kiosk-csrf")
    assert anonymous.get(ACCOUNT).status_code == 200


@pytest.mark.parametrize("given", [{"behind_proxy": True}, {"http_cert": "c.pem", "http_key": "k.pem"}])
def test_over_tls_the_cookies_are_bound_to_this_host_and_to_tls(
    database: Database, user: UserRow, given: dict[str, Any], tmp_path: Any
) -> None:
    app = create_app(settings=Settings(data=tmp_path, **given), database=database, bus=MemoryBus())
    with TestClient(app, base_url="https://kiosk") as client:
        answer = log_in(client, cookie=True)
        for text in answer.headers.get_list("set-cookie"):
            assert text.startswith("__Host-kiosk")
            assert "Secure" in text
        assert client.get(ACCOUNT).status_code == 200


CHANGES = [("POST", f"{ACCOUNT}/logout"), ("POST", "/api/v1/patients"), ("POST", f"{ACCOUNT}/refresh")]


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_what_another_page_sends_changes_nothing(
    anonymous: TestClient, user: UserRow, now: Clock, method: str, path: str
) -> None:
    log_in(anonymous, cookie=True)
    own = anonymous.cookies["kiosk-csrf"]
    jar = dict(anonymous.cookies)
    log_in(anonymous, cookie=True)
    foreign, good = own, anonymous.cookies["kiosk-csrf"]
    assert foreign != good
    for proof in (None, "", "x", foreign, good[:-1], good.upper(), "\u00e9"):
        headers = {} if proof is None else {b"x-csrf-token": proof.encode("latin-1")}
        problem_of(anonymous.request(method, path, json={}, headers=headers), 403, "csrf")
    # a cookie that a neighbour planted beside ours proves nothing
    anonymous.cookies.set("kiosk-csrf", "planted")
    problem_of(anonymous.request(method, path, json={}, headers={"x-csrf-token": "planted"}), 403, "csrf")
    for more in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
                 {"sec-fetch-site": "same-site"}, {"origin": "http://testserver.evil.example"}):  # fmt: skip
        problem_of(anonymous.request(method, path, json={}, headers={"x-csrf-token": good, **more}), 403, "csrf")
    assert anonymous.get(ACCOUNT).status_code == 200
    fine = {"x-csrf-token": good, "origin": "http://testserver", "sec-fetch-site": "same-origin"}
    assert anonymous.request(method, path, json={}, headers=fine).status_code in (200, 201, 204)
    assert jar


def test_another_site_cannot_log_a_browser_in(anonymous: TestClient, user: UserRow, now: Clock) -> None:
    body = {"login": "clara", "password": staff.PASSWORD, "cookie": True}
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = anonymous.post(f"{ACCOUNT}/login", json=body, headers=headers)
        problem_of(answer, 403, "foreign-origin")
        assert "set-cookie" not in answer.headers
    # a form cannot say JSON, and nothing else is taken
    problem_of(anonymous.post(f"{ACCOUNT}/login", data=body), 422, "invalid")


def test_a_login_takes_nothing_over_from_before(anonymous: TestClient, user: UserRow, now: Clock) -> None:
    anonymous.cookies.set("kiosk", "ka_planted")
    anonymous.cookies.set("kiosk-refresh", "kr_planted")
    anonymous.cookies.set("kiosk-csrf", "planted")
    anonymous.cookies.clear()
    log_in(anonymous, cookie=True)
    before = dict(anonymous.cookies)
    log_in(anonymous, cookie=True)
    after = dict(anonymous.cookies)
    assert not set(before.values()) & set(after.values())
    # and the login that this browser had is over
    anonymous.cookies.clear()
    anonymous.cookies.update(before)
    problem_of(anonymous.get(ACCOUNT), 401, "not-logged-in")


def test_cookies_are_renewed_and_taken_away(anonymous: TestClient, user: UserRow, now: Clock) -> None:
    log_in(anonymous, cookie=True)
    before = dict(anonymous.cookies)
    proof = {"x-csrf-token": before["kiosk-csrf"]}
    now.pass_(minutes=20)
    problem_of(anonymous.get(ACCOUNT), 401, "not-logged-in")
    assert anonymous.post(f"{ACCOUNT}/refresh", json={}, headers=proof).status_code == 200
    assert anonymous.get(ACCOUNT).status_code == 200
    # the same login: its proof stays
    assert anonymous.cookies["kiosk-csrf"] == before["kiosk-csrf"]
    assert anonymous.cookies["kiosk"] != before["kiosk"]
    left = anonymous.post(f"{ACCOUNT}/logout", headers=proof)
    assert left.status_code == 204
    assert all("Max-Age=0" in each for each in left.headers.get_list("set-cookie"))
    assert len(left.headers.get_list("set-cookie")) == 3

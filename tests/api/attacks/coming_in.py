"""Attacks on the door: tokens, guessing, other sites' pages. Each answers with what the attacker got."""

import json
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any
from unittest import mock

from starlette.websockets import WebSocketDisconnect

from api.dashboard.entrance import next_of
from api.login import passwords, tokens
from api.security import Role
from api.store import clock
from api.store import tokens as store
from kiosk.messages import SECOND
from tests.api import sockets, staff
from tests.api.attacks.siege import THINGS, Evidence, Target

ACCOUNT = "/api/v1/account"
LOGIN = f"{ACCOUNT}/login"
EVIL = "https://evil.example"


def opens(target: Target, header: str | bytes, what: str) -> Evidence:
    """Whether a header lets in."""
    given = {b"authorization": header if isinstance(header, bytes) else header.encode("latin-1")}
    return [what] if target.client.get(ACCOUNT, headers=given).status_code == 200 else []


def pair(target: Target, via: tokens.Via = "bearer") -> tokens.Pair:
    """A login of a clinician, as the server keeps it."""
    with target.database.transaction() as db:
        return tokens.begin(db, staff.hire(target.database, Role.CLINICIAN), via, clock.utc_now())


def changed_tokens(target: Target) -> Evidence:
    """A good token, cut, written otherwise, padded, or its digest."""
    good = pair(target).access
    body = good.removeprefix(tokens.ACCESS)
    tried = {
        "cut": good[:-1], "much cut": good[:20], "other case": tokens.ACCESS + body.swapcase(), "twice": good + good,
        "padded": good + "=", "zero byte": good + "\0", "percent": good[:-1] + f"%{ord(good[-1]):02x}",
        "wildcard": good[:20] + "%", "any": tokens.ACCESS + "%", "digest": tokens.digest(good),
        "digest as token": tokens.ACCESS + tokens.digest(good), "upper prefix": good.upper()[:3] + body,
        "no prefix": body, "key": "kk_" + body, "huge": good + "x" * 60_000,
    }  # fmt: skip
    assert opens(target, f"Bearer {good}", "it is good")
    return [found for what, token in tried.items() for found in opens(target, f"Bearer {token}", what)]


def swapped_tokens(target: Target) -> Evidence:
    """Tokens where another kind belongs: refresh as access, cookie as header and the other way round."""
    bearer, cookie = pair(target), pair(target, "cookie")
    found = opens(target, f"Bearer {bearer.refresh}", "a refresh token opens")
    found += opens(target, f"Bearer {cookie.access}", "a cookie's token opens as a header: nothing asks for CSRF there")
    name = target.app.state.gate.cookies.access
    for what, token in (("header's token", bearer.access), ("refresh token", cookie.refresh)):
        answer = target.client.get(ACCOUNT, headers={"cookie": f"{name}={token}"})
        found += [f"a {what} opens as a cookie"] if answer.status_code == 200 else []
    return found


def late_tokens(target: Target) -> Evidence:
    """Tokens after their time, after the logout, and of somebody who was disabled."""
    found: Evidence = []
    given = pair(target)
    later = clock.utc_now() + 16 * 60 * SECOND
    with mock.patch.object(clock, "utc_now", return_value=later):
        found += opens(target, f"Bearer {given.access}", "an expired token opens")
    target.client.post(f"{ACCOUNT}/logout", headers={"authorization": f"Bearer {given.access}"})
    found += opens(target, f"Bearer {given.access}", "a revoked token opens")
    traded = target.client.post(f"{ACCOUNT}/refresh", json={"refresh": given.refresh})
    return found + (["a revoked login is renewed"] if traded.status_code == 200 else [])


def reused_refresh(target: Target) -> Evidence:
    """A refresh token that was stolen and used a second time."""
    stolen = pair(target).refresh
    target.client.post(f"{ACCOUNT}/refresh", json={"refresh": stolen})
    again = target.client.post(f"{ACCOUNT}/refresh", json={"refresh": stolen})
    return ["a refresh token counts twice"] if again.status_code == 200 else []


def conflicting_credentials(target: Target) -> Evidence:
    """A cookie of one, a header of another; several headers; schemes that are none."""
    found: Evidence = []
    name = target.app.state.gate.cookies.access
    cookies = target.cookies(Role.ADMINISTRATOR)
    operator = target.headers(Role.OPERATOR)["Authorization"]
    jar = f"{name}={cookies[name]}"
    both = target.client.get(ACCOUNT, headers={"authorization": operator, "cookie": jar})
    if both.status_code == 200 and both.json()["role"] != Role.OPERATOR:
        found.append("the cookie wins over the header")
    wrong = target.client.get(ACCOUNT, headers={"authorization": "Bearer ka_nonsense", "cookie": jar})
    found += ["a wrong header falls back to the cookie"] if wrong.status_code == 200 else []
    # with a header of whatever kind the cookie still asks for CSRF
    for scheme in ("Basic eDp5", "Digest x", "Negotiate", "bearer", "Token x"):
        sent = {"authorization": scheme, "cookie": jar}
        answer = target.client.post(f"{ACCOUNT}/logout", headers=sent)
        found += [f"{scheme} makes a cookie do without CSRF"] if answer.status_code < 400 else []
    admin = target.headers(Role.ADMINISTRATOR)["Authorization"]
    several = [(b"authorization", operator.encode()), (b"authorization", admin.encode())]
    said = target.client.get(ACCOUNT, headers=several)
    if said.status_code == 200 and said.json()["role"] != Role.OPERATOR:
        found.append("a second Authorization header wins: a proxy may have looked at the first")
    return found


def foreign_tokens(target: Target) -> Evidence:
    """JWTs and whatever else frameworks believe."""
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJ1LWNsaW5pY2lhbiIsInJvbGUiOiJhZG1pbmlzdHJhdG9yIn0."
    found: Evidence = []
    for token in (none, none + "x", tokens.ACCESS + none, "kk_" + none, "null", "undefined", "0", "[object Object]"):
        found += opens(target, f"Bearer {token}", token[:20])
        for name in ("kiosk", "session", "__Host-kiosk", "kiosk-refresh"):
            answer = target.client.get(ACCOUNT, headers={"cookie": f"{name}={token}"})
            found += [f"{name}: {token[:20]}"] if answer.status_code == 200 else []
    return found


def token_in_address(target: Target) -> Evidence:
    """A token in a query, where logs and referrers would keep it."""
    token = pair(target).access
    names = ("access_token", "token", "authorization", "api_key", "key")
    return [name for name in names if target.client.get(ACCOUNT, params={name: token}).status_code == 200]


def fixed_session(target: Target) -> Evidence:
    """A cookie planted before the login is still good, or kept, after it."""
    gate = target.app.state.gate
    planted = {gate.cookies.access: "ka_planted", gate.cookies.refresh: "kr_planted", gate.cookies.csrf: "planted"}
    jar = "; ".join(f"{name}={value}" for name, value in planted.items())
    body = {"login": "clinician-main", "password": staff.PASSWORD, "cookie": True}
    staff.hire(target.database, Role.CLINICIAN)
    with quick(target):
        answer = target.client.post(LOGIN, json=body, headers={"cookie": jar})
    assert answer.status_code == 200, answer.text
    given = " ".join(answer.headers.get_list("set-cookie"))
    target.client.cookies.clear()
    found = ["the planted cookie is kept"] if "planted" in given else []
    alive = target.client.get(ACCOUNT, headers={"cookie": jar}).status_code == 200
    return found + (["the planted cookie is logged in"] if alive else [])


# --- guessing


def quick(target: Target) -> Any:
    """Passwords are compared without the work that hashing them is."""
    return mock.patch.object(
        passwords, "verify", lambda hashed, given: hashed == staff.HASH and given == staff.PASSWORD
    )


def spellings(login: str) -> Iterator[str]:
    """One login in ever other letters, so that each may have a count of its own."""
    for number in range(40):
        yield "".join(each.upper() if number >> index & 1 else each for index, each in enumerate(login))
    # letters that fold to others: KELVIN SIGN, LONG S, full width, and blanks around
    yield from (
        "\u212aim.long",
        "kim.long ",
        " kim.long",
        "kim.long\u200b",
        "\uff4bim.long",
        "kim\u2024long",
        "kim.long\0",
    )


def guessing(target: Target) -> Evidence:
    """Ever other spellings of one login, until its password is found: after far more attempts than are free."""
    target.unthrottle()
    user = target.someone("kim.long")
    with quick(target):
        for spelling in spellings("kim.long"):
            target.client.post(LOGIN, json={"login": spelling, "password": "guess number one"})
        right = target.client.post(LOGIN, json={"login": "KIM.long", "password": staff.PASSWORD})
    found = ["the password is found at the 47th guess"] if right.status_code == 200 else []
    return found + ([] if target.failures(user) >= 5 else ["the failures are not counted as one account's"])


def many_attempts(target: Target) -> Evidence:
    """More attempts of one address than one person makes."""
    with quick(target):
        statuses = [
            target.client.post(LOGIN, json={"login": f"nobody{number}", "password": "x"}).status_code
            for number in range(30)
        ]
    return [] if 429 in statuses else ["30 attempts of one address, and nothing slows them"]


def many_pretended_addresses(target: Target) -> Evidence:
    """The same, each as if from elsewhere."""
    names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP", "True-Client-IP", "CF-Connecting-IP")
    with quick(target):
        statuses = [
            target.client.post(
                LOGIN,
                json={"login": "nobody", "password": "x"},
                headers={name: f"for=10.0.0.{number}" if name == "Forwarded" else f"10.0.0.{number}" for name in names},
            ).status_code
            for number in range(30)
        ]
    return [] if 429 in statuses else ["whoever writes X-Forwarded-For is another address each time"]


def asking_who_is_there(target: Target) -> Evidence:
    """Whether work or words differ between a login that is there and one that is not."""
    target.unthrottle()
    target.someone("kim.long")
    seen: dict[str, tuple[int, bytes]] = {}
    for login in ("kim.long", "nobody.long"):
        verified: list[str] = []

        def verify(hashed: str, given: str, verified: list[str] = verified) -> bool:
            verified.append(hashed)
            return False

        with mock.patch.object(passwords, "verify", verify):
            answer = target.client.post(LOGIN, json={"login": login, "password": "guess number one"})
        seen[login] = len(verified), answer.content
    return [] if len(set(seen.values())) == 1 else ["an unknown login is answered otherwise"]


def guessing_within(target: Target) -> Evidence:
    """Somebody at a forgotten screen guesses the password at the forms that ask for it again."""
    target.unthrottle()
    headers = target.headers()
    with quick(target):
        for _ in range(8):
            target.client.put(
                f"{ACCOUNT}/password", json={"current": "guess", "new": "nine blue foxes dance"}, headers=headers
            )
        right = target.client.put(
            f"{ACCOUNT}/password", json={"current": staff.PASSWORD, "new": "nine blue foxes dance"}, headers=headers
        )
    return ["the password is found at a form within"] if right.status_code == 200 else []


# --- other sites' pages


def cross_site_requests(target: Target) -> Evidence:
    """What a page of another site can let a browser send: a form, text, with the cookies and without our header."""
    found: Evidence = []
    jar = "; ".join(f"{name}={value}" for name, value in target.cookies().items())
    body = json.dumps({"birth_year": 1981}).encode()
    kinds = (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json",
        "",
    )
    for kind in kinds:
        headers = {"cookie": jar, "origin": EVIL, **({"content-type": kind} if kind else {})}
        for more in ({}, {"origin": "null"}, {"x-csrf-token": ""}, {"x-http-method-override": "GET"}):
            answer = target.client.post("/api/v1/patients", content=body, headers={**headers, **more})
            found += [f"{kind or 'no type'} {more}"] if answer.status_code < 400 else []
    gone = target.client.post(f"{ACCOUNT}/logout", headers={"cookie": jar, "origin": EVIL})
    return found + (["a page logs somebody out"] if gone.status_code < 400 else [])


def neighbours_cookie(target: Target) -> Evidence:
    """A neighbouring host plants a CSRF cookie and sends its value: double submission alone would believe it."""
    names = target.app.state.gate.cookies
    planted = {**target.cookies(), names.csrf: "planted"}
    jar = "; ".join(f"{name}={value}" for name, value in planted.items())
    headers = {"cookie": jar, "x-csrf-token": "planted"}
    answer = target.client.post("/api/v1/patients", json={"birth_year": 1981}, headers=headers)
    return ["a planted proof counts"] if answer.status_code < 400 else []


def cross_site_socket(target: Target) -> Evidence:
    """A page of another site opens the live socket with the visitor's cookies."""
    jar = "; ".join(f"{name}={value}" for name, value in target.cookies().items())
    found: Evidence = []
    for origin in (EVIL, "null", "http://testserver.evil.example", "http://evil.example:80"):
        with suppress(WebSocketDisconnect, CancelledError, AssertionError):
            headers = {"cookie": jar, "origin": origin}
            with sockets.live(target.client, f"/api/v1/sessions/{THINGS['session']}/live", headers=headers) as live:
                if live.receive_json()["kind"] == "hello":
                    found.append(f"{origin} listens")
    return found


def other_names(target: Target) -> Evidence:
    """Another site's name that points to this server: its page would be of our origin."""
    found: Evidence = []
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "kiosk.evil.example",
                 "[::1].evil.example", "", "user@evil.example", "127.0.0.1@evil.example",
                 "evil.example#127.0.0.1"):  # fmt: skip
        answer = target.client.get("/login", headers={"host": host, "accept": "text/html"})
        found += [host] if answer.status_code == 200 else []
    for name in ("x-forwarded-host", "x-host", "x-original-url", "x-rewrite-url", "forwarded"):
        answer = target.client.get("/", headers={name: "evil.example", "accept": "text/html"})
        told = answer.headers.get("location", "") + answer.text
        found += [f"{name} comes back"] if "evil.example" in told else []
    return found


def led_elsewhere(target: Target) -> Evidence:
    """A link to our login that leads to another site afterwards."""
    found: Evidence = []
    jar = "; ".join(f"{name}={value}" for name, value in target.cookies().items())
    for to in ("//evil.example", "/\\evil.example", "/\t/evil.example", "https:evil.example", "///evil.example",
               "/%2f/evil.example/..//evil.example", "javascript:alert(1)", "/\u2044evil.example", "\\/evil.example",
               "/..//evil.example", "/.//evil.example"):  # fmt: skip
        answer = target.client.get("/login", params={"next": to}, headers={"cookie": jar, "accept": "text/html"})
        where = answer.headers.get("location", "/")
        if not where.startswith("/") or where[1:2] in ("/", "\\") or "javascript" in where or "\t" in where:
            found.append(f"{to!r} leads to {where!r}")
        assert next_of(to) == where or found, to
    return found


def overridden_methods(target: Target) -> Evidence:
    """A harmless method that says it is another one."""
    found: Evidence = []
    path = f"/api/v1/sessions/{THINGS['session']}"
    headers = target.headers(Role.ADMINISTRATOR)
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"):
        for method in ("GET", "POST"):
            target.client.request(method, path, headers={**headers, name: "DELETE"}, params={"_method": "DELETE"})
    if target.ask("GET", path).status_code != 200:
        found.append("the session was erased by a GET")
    for method in ("TRACE", "TRACK", "CONNECT", "DEBUG", "PROPFIND"):
        answer = target.client.request(method, path, headers={**headers, "x-secret": "mirrored"})
        found += [f"{method} is answered"] if answer.status_code < 400 or "mirrored" in answer.text else []
    return found


def forged_family(target: Target) -> Evidence:
    """A login that is ended by somebody whose it is not."""
    theirs = pair(target)
    headers = target.headers(Role.OPERATOR)
    answer = target.client.delete(f"{ACCOUNT}/logins/{theirs.family}", headers=headers)
    with target.database.reading() as db:
        lives = store.lives(db, theirs.family, clock.utc_now())
    return [] if answer.status_code == 404 and lives else ["a stranger ended the login"]


ATTACKS = (
    changed_tokens, swapped_tokens, late_tokens, reused_refresh, conflicting_credentials, foreign_tokens,
    token_in_address, fixed_session, guessing, many_attempts, many_pretended_addresses, asking_who_is_there,
    guessing_within, cross_site_requests, neighbours_cookie, cross_site_socket, other_names, led_elsewhere,
    overridden_methods, forged_family,
)  # fmt: skip

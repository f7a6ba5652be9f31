"""Logging in at an identity provider - and everything by which somebody could come in who did not."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from joserfc.jwk import ECKey, RSAKey
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from api.login import linked, oidc
from api.login.oidc import Failed, Person, page_of
from api.login.throttle import Throttle
from api.security import Role
from api.store import Database, clock, users
from api.tables import AuditRow, UserRow
from kiosk.bus import MemoryBus
from kiosk.errors import BadSettings
from kiosk.messages import SECOND
from kiosk.settings import Settings
from tests import databases
from tests.api import staff
from tests.api.conftest import problem_of
from tests.api.login.provider import CLIENT, SECRET, Idp, Json, provider

LOGIN, CALLBACK = "/api/v1/oidc/login", "http://localhost/api/v1/oidc/callback"
ROLES = "doctors=clinician, desk=operator@other, it=administrator@*"


@pytest.fixture(scope="module")
def listening() -> Iterator[Idp]:
    with provider() as made:
        yield made


@pytest.fixture
def idp(listening: Idp) -> Idp:
    """An honest provider, at which somebody new logs in."""
    listening.reset()
    return listening


@pytest.fixture(scope="module")
def folder(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder for all tests of this file: each has a subject of its own."""
    made = tmp_path_factory.mktemp("oidc")
    shutil.copy(sqlite_template, made / "kiosk.sqlite")
    return made


@pytest.fixture(scope="module")
def database(folder: Path) -> Iterator[Database]:
    """One kind of database is enough here."""
    opened = databases.database(folder)
    staff.hire(opened, Role.CLINICIAN, "other")
    staff.hire(opened, Role.ADMINISTRATOR, None)
    yield opened
    opened.close()


def settings_of(idp: Idp, folder: Path, **changes: Any) -> Settings:
    values: Json = {
        "data": folder, "oidc_issuer": idp.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SecretStr(SECRET),
        "oidc_callback": CALLBACK, "oidc_roles": ROLES, "oidc_create": True, **changes,
    }  # fmt: skip
    return Settings(**values)


@pytest.fixture(scope="module")
def running(listening: Idp, database: Database, folder: Path) -> FastAPI:
    return create_app(settings=settings_of(listening, folder), database=database, bus=MemoryBus())


@pytest.fixture
def app(running: FastAPI, idp: Idp, database: Database, folder: Path) -> FastAPI:
    """The app as it is after its start: it knows no keys yet, and nobody has tried anything."""
    running.state.oidc = linked.provider_of(settings_of(idp, folder), database.vault)
    running.state.desk.throttle = Throttle()
    return running


def browser_of(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture
def browser(app: FastAPI) -> Iterator[TestClient]:
    with browser_of(app) as opened:
        yield opened


def away(browser: TestClient, after: str = "/") -> str:
    """The provider's address that a browser is sent to."""
    answer = browser.get(LOGIN, params={"next": after})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def there_and_back(browser: TestClient, idp: Idp, after: str = "/") -> Any:
    idp.claims.setdefault("groups", ["doctors"])
    return browser.get(idp.authorize(away(browser, after)))


def who(browser: TestClient) -> Json | None:
    answer = browser.get("/api/v1/account")
    said: Json = answer.json()
    return said if answer.status_code == 200 else None


def refused(answer: Any, browser: TestClient) -> None:
    problem_of(answer, 403, "not-let-in")
    assert "kiosk" not in answer.cookies
    assert who(browser) is None


def test_who_logs_in_at_the_provider_is_in(browser: TestClient, idp: Idp, database: Database) -> None:
    idp.claims["name"] = "Anne Moreau"
    answer = there_and_back(browser, idp, "/sessions")
    assert answer.status_code == 200, answer.text
    # a page of ours leads on, so that strict cookies come along
    assert 'content="0;url=/sessions"' in answer.text
    said = who(browser)
    assert said is not None
    assert (said["role"], said["clinic"], said["name"], said["has_password"]) == (
        "clinician",
        "main",
        "Anne Moreau",
        False,
    )
    assert browser.get("/api/v1/sessions").status_code == 200
    # what changes something needs the token of our pages, as with any cookie
    assert browser.post("/api/v1/patients", json={"pseudonym": "P-1"}).status_code == 403
    csrf = {"X-CSRF-Token": browser.cookies["kiosk-csrf"]}
    assert browser.post("/api/v1/patients", json={"pseudonym": "P-1"}, headers=csrf).status_code == 201
    # the next time it is the same user
    with browser_of(browser.app) as other:  # type: ignore[arg-type]
        there_and_back(other, idp)
        again = who(other)
    assert again is not None
    assert again["id"] == said["id"]


def test_what_the_browser_is_sent_with_is_random_and_guarded(browser: TestClient) -> None:
    first, second = (parse_qs(urlsplit(away(browser)).query) for _ in range(2))
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]
    assert first["redirect_uri"] == [CALLBACK]
    assert first["code_challenge_method"] == ["S256"]
    kept = browser.get(LOGIN).headers["set-cookie"].lower()
    assert "httponly" in kept
    assert "samesite=lax" in kept
    assert SECRET not in kept
    assert first["nonce"][0] not in kept


def test_over_tls_the_cookie_is_tied_to_host_and_tls(idp: Idp, database: Database, folder: Path) -> None:
    made = create_app(settings=settings_of(idp, folder, behind_proxy=True), database=database, bus=MemoryBus())
    with browser_of(made) as browser:
        kept = browser.get(LOGIN).headers["set-cookie"]
    assert kept.startswith("__Host-kiosk-oidc=")
    assert "Secure" in kept


LIES: dict[str, Callable[[Json], Json]] = {
    "wrong nonce": lambda claims: {**claims, "nonce": "another"},
    "no nonce": lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
    "expired": lambda claims: {**claims, "exp": int(time.time()) - 3600},
    "no expiry": lambda claims: {name: value for name, value in claims.items() if name != "exp"},
    "expiry as text": lambda claims: {**claims, "exp": "never"},
    "issued long ago": lambda claims: {**claims, "iat": int(time.time()) - 86_400, "exp": int(time.time()) + 86_400},
    "issued in the future": lambda claims: {**claims, "iat": int(time.time()) + 3600},
    "not valid yet": lambda claims: {**claims, "nbf": int(time.time()) + 3600},
    "wrong audience": lambda claims: {**claims, "aud": "another-client"},
    "no audience": lambda claims: {**claims, "aud": []},
    "for several, and given to another": lambda claims: {**claims, "aud": [CLIENT, "another"], "azp": "another"},
    "wrong issuer": lambda claims: {**claims, "iss": "https://evil.example"},
    "issuer with a slash": lambda claims: {**claims, "iss": claims["iss"] + "/"},
    "no subject": lambda claims: {name: value for name, value in claims.items() if name != "sub"},
    "empty subject": lambda claims: {**claims, "sub": ""},
    "subject as a list": lambda claims: {**claims, "sub": ["subject-1"]},
    "huge subject": lambda claims: {**claims, "sub": "s" * 10_000},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_id_token_that_is_not_for_this_login_counts_nothing(browser: TestClient, idp: Idp, lie: str) -> None:
    idp.changed = LIES[lie]
    refused(there_and_back(browser, idp), browser)


FORGERIES = (
    "alg none",
    "alg NONE",
    "public key as secret",
    "another's key",
    "another's key by its name",
    "damaged",
    "no jwt",
)


@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_id_token_that_the_provider_did_not_sign_counts_nothing(browser: TestClient, idp: Idp, forgery: str) -> None:
    foreign = RSAKey.generate_key(2048)
    idp.forge = {
        "alg none": idp.unsigned,
        "alg NONE": lambda claims: idp.unsigned(claims, "NONE"),
        "public key as secret": idp.with_public_key_as_secret,
        "another's key": lambda claims: idp.signed(claims, foreign),
        "another's key by its name": lambda claims: idp.signed(claims, foreign, "k2"),
        "damaged": lambda claims: idp.signed(claims)[:-8] + "AAAAAAAA",
        "no jwt": lambda _: "a.b",
    }[forgery]
    refused(there_and_back(browser, idp), browser)


def test_a_symmetric_key_among_the_published_ones_signs_nothing(browser: TestClient, idp: Idp) -> None:
    idp.extra_keys = [{"kty": "oct", "kid": "k1", "alg": "HS256", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}]
    idp.forge = idp.with_public_key_as_secret
    refused(there_and_back(browser, idp), browser)


def test_another_state_is_another_browser_s_login(browser: TestClient, idp: Idp) -> None:
    back = idp.authorize(away(browser))
    refused(browser.get(back + "x"), browser)
    # login CSRF: the victim's browser is sent the attacker's answer
    idp.claims["groups"] = ["doctors"]
    with browser_of(browser.app) as attacker:  # type: ignore[arg-type]
        theirs = idp.authorize(away(attacker))
    away(browser)
    refused(browser.get(theirs), browser)


def test_without_the_cookie_of_this_browser_there_is_no_login(browser: TestClient, idp: Idp) -> None:
    for cookie in (None, "", "00", "zz", "a" * 3000):
        back = idp.authorize(away(browser))
        browser.cookies.clear()
        if cookie is not None:
            browser.cookies.set("kiosk-oidc", cookie)
        refused(browser.get(back), browser)
        browser.cookies.clear()


def test_an_answer_counts_once(browser: TestClient, idp: Idp) -> None:
    idp.claims["groups"] = ["doctors"]
    back = idp.authorize(away(browser))
    kept = browser.cookies["kiosk-oidc"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    asked = idp.codes[code]
    assert browser.get(back).status_code == 200
    browser.cookies.clear()
    browser.cookies.set("kiosk-oidc", kept)
    idp.codes[code] = asked  # even where the provider would take it again
    refused(browser.get(back), browser)


def test_a_code_that_was_stolen_is_worth_nothing_in_another_browser(browser: TestClient, idp: Idp) -> None:
    """PKCE: the code of one login with the state of another one."""
    idp.claims["groups"] = ["doctors"]
    stolen = parse_qs(urlsplit(idp.authorize(away(browser))).query)["code"][0]
    with browser_of(browser.app) as thief:  # type: ignore[arg-type]
        own = parse_qs(urlsplit(away(thief)).query)["state"][0]
        refused(thief.get(CALLBACK, params={"code": stolen, "state": own}), thief)


def test_who_takes_too_long_begins_again(browser: TestClient, idp: Idp, monkeypatch: pytest.MonkeyPatch) -> None:
    back = idp.authorize(away(browser))
    later = clock.utc_now() + 601 * SECOND
    monkeypatch.setattr(clock, "utc_now", lambda: later)
    refused(browser.get(back), browser)


def test_an_error_of_the_provider_lets_nobody_in_and_is_not_repeated(browser: TestClient, idp: Idp) -> None:
    state = parse_qs(urlsplit(away(browser)).query)["state"][0]
    answer = browser.get(CALLBACK, params={"state": state, "error": "<script>alert(1)</script>"})
    assert "script" not in answer.text
    refused(answer, browser)


def test_an_answer_in_another_provider_s_name_counts_nothing(browser: TestClient, idp: Idp) -> None:
    back = idp.authorize(away(browser))
    refused(browser.get(f"{back}&iss=https://evil.example"), browser)


@pytest.mark.parametrize(
    "after",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", "evil", "/api/v1/x",
     "/é", "\\\\evil.example", "/" + "a" * 390 + "<script>"],
)  # fmt: skip
def test_nobody_is_led_elsewhere(browser: TestClient, idp: Idp, after: str) -> None:
    idp.claims["groups"] = ["doctors"]
    answer = browser.get(LOGIN, params={"next": after})
    assert urlsplit(answer.headers["location"]).netloc == urlsplit(idp.issuer).netloc
    page = browser.get(idp.authorize(answer.headers["location"]))
    assert "evil" not in page.text
    assert "<script" not in page.text
    assert page_of(after) in ("/", after)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_keys_may_change(browser: TestClient, idp: Idp, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    assert there_and_back(browser, idp).status_code == 200
    new = (
        RSAKey.generate_key(2048, {"kid": "k2", "use": "sig"})
        if kind == "rsa"
        else ECKey.generate_key("P-256", {"kid": "k2", "use": "sig"})
    )
    idp.keys, idp.signs_with = {"k2": new}, "k2"
    assert there_and_back(browser, idp).status_code == 200
    # what is signed with the old one counts no more
    idp.keys["k1"], idp.signs_with = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"}), "k1"
    asked = idp.asked.count("/jwks")
    for _ in range(5):
        idp.forge = lambda claims: idp.signed(claims, RSAKey.generate_key(2048), "k9")
        problem_of(there_and_back(browser, idp), 403, "not-let-in")
    # and whoever names keys that are not there makes us ask no more than every half minute
    assert idp.asked.count("/jwks") - asked <= 1


def test_a_user_is_known_by_subject_alone(browser: TestClient, idp: Idp, database: Database) -> None:
    victim = staff.hire(database, Role.CLINICIAN, login="a.moreau")
    idp.claims.update(email="a.moreau@clinic.example", preferred_username="a.moreau", email_verified=True, name="Anne")
    there_and_back(browser, idp)
    said = who(browser)
    assert said is not None
    assert said["id"] != victim.id
    assert said["login"] != victim.login
    # another subject that takes over the first one's address is another person
    first, idp.subject = idp.subject, "another-subject"
    with browser_of(browser.app) as other:  # type: ignore[arg-type]
        there_and_back(other, idp)
        second = who(other)
    assert second is not None
    assert second["id"] not in (said["id"], victim.id)
    # and who changes their own address stays who they are
    idp.subject, idp.claims["email"] = first, "director@clinic.example"
    with browser_of(browser.app) as again:  # type: ignore[arg-type]
        there_and_back(again, idp)
        third = who(again)
    assert third is not None
    assert third["id"] == said["id"]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["desk"], ("operator", "other")),
        ("doctors", ("clinician", "main")),
        (["nobody", "it", "doctors"], ("clinician", "main")),
        (["it"], ("administrator", None)),
        (["Doctors"], None),
        ([], None),
        (None, None),
        ({"doctors": True}, None),
        ([["doctors"]], None),
    ],
)
def test_the_role_is_what_the_claim_says(browser: TestClient, idp: Idp, groups: object, expected: object) -> None:
    idp.claims["groups"] = groups
    answer = browser.get(idp.authorize(away(browser)))
    if expected is None:
        refused(answer, browser)
    else:
        said = who(browser)
        assert said is not None
        assert (said["role"], said["clinic"]) == expected


def test_who_loses_the_role_there_loses_it_here(browser: TestClient, idp: Idp) -> None:
    there_and_back(browser, idp)
    idp.claims["groups"] = ["desk"]
    with browser_of(browser.app) as other:  # type: ignore[arg-type]
        there_and_back(other, idp)
        said = who(other)
        assert said is not None
        assert said["role"] == "operator"
    # logins with the old role have ended
    assert who(browser) is None
    idp.claims["groups"] = []
    with browser_of(browser.app) as third:  # type: ignore[arg-type]
        refused(third.get(idp.authorize(away(third))), third)


def test_who_is_disabled_here_is_out_whatever_the_provider_says(
    browser: TestClient, idp: Idp, database: Database
) -> None:
    there_and_back(browser, idp)
    said = who(browser)
    assert said is not None
    with database.transaction() as db:
        users.change(db, said["id"], {"disabled_ns": 1})
    with browser_of(browser.app) as again:  # type: ignore[arg-type]
        refused(again.get(idp.authorize(away(again))), again)


def test_nobody_is_made_where_the_settings_do_not_say_so(idp: Idp, database: Database, folder: Path) -> None:
    known = staff.hire(database, Role.AUDITOR, login="known")
    made = create_app(
        settings=settings_of(idp, folder, oidc_create=False, oidc_roles=""), database=database, bus=MemoryBus()
    )
    with browser_of(made) as browser:
        refused(there_and_back(browser, idp), browser)
        with database.transaction() as db:
            row = users.get(db, known.id)
            assert row is not None
            linked.link(db, row, idp.issuer, idp.subject)
        there_and_back(browser, idp)
        said = who(browser)
    assert said is not None
    # without rules the role is what it is here
    assert (said["id"], said["role"]) == (known.id, "auditor")


def test_a_subject_of_another_issuer_is_somebody_else(database: Database) -> None:
    rules = linked.grants(ROLES)
    people = [
        Person(issuer, "same", {"groups": "doctors"}, "/") for issuer in ("https://a.example", "https://b.example")
    ]
    with database.transaction() as db:
        found = {linked.user_of(db, each, claim="groups", rules=rules, create=True).id for each in people}
    assert len(found) == 2


def test_the_last_administrator_is_not_taken_away_by_the_provider(database: Database, idp: Idp) -> None:
    def come(groups: str) -> None:
        person = Person(idp.issuer, idp.subject, {"groups": groups}, "/")
        with database.transaction() as db:
            linked.user_of(db, person, claim="groups", rules=linked.grants(ROLES), create=True)

    come("it")
    come("desk")
    come("it")
    with database.transaction() as db:
        others = [row.id for row in db.query(UserRow) if row.role == "administrator" and row.subject != idp.subject]
        for each in others:
            users.change(db, each, {"disabled_ns": 1})
    with pytest.raises(Failed, match="last administrator"):
        come("desk")
    with database.transaction() as db:
        for each in others:
            users.change(db, each, {"disabled_ns": None})


def test_logins_are_in_the_audit(browser: TestClient, idp: Idp, database: Database) -> None:
    there_and_back(browser, idp)
    idp.changed = LIES["wrong nonce"]
    there_and_back(browser, idp)
    with database.reading() as db:
        found = [(row.actor, row.outcome) for row in db.query(AuditRow).order_by("seq") if row.action == "login"]
        (user,) = (row.id for row in db.query(UserRow) if row.subject == idp.subject)
    assert found[-2:] == [(user, "done"), ("anonymous", "refused")]


def test_a_provider_that_is_down_is_a_problem_and_comes_back(browser: TestClient, idp: Idp) -> None:
    idp.down = True
    problem_of(browser.get(LOGIN), 502, "provider-down")
    idp.down = False
    assert there_and_back(browser, idp).status_code == 200


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"jwks_uri": "http://evil.example/jwks"},
        {"jwks_uri": None},
        {"authorization_endpoint": "http://evil.example/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_provider_that_names_unsafe_addresses_is_not_believed(browser: TestClient, idp: Idp, metadata: Json) -> None:
    idp.metadata = metadata
    problem_of(browser.get(LOGIN), 502, "provider-down")


def test_without_a_provider_there_is_nothing(database: Database, folder: Path) -> None:
    made = create_app(settings=Settings(data=folder), database=database, bus=MemoryBus())
    assert not oidc.configured(Settings(data=folder))
    with browser_of(made) as browser:
        problem_of(browser.get(LOGIN), 404, "no-provider")
        problem_of(browser.get(CALLBACK), 404, "no-provider")


@pytest.mark.parametrize(
    "changes",
    [
        {"oidc_client_id": None},
        {"oidc_callback": None},
        {"oidc_callback": "http://kiosk.example/api/v1/oidc/callback"},
        {"oidc_issuer": "http://idp.example"},
        {"oidc_roles": "doctors=surgeon"},
        {"oidc_roles": "doctors"},
        {"oidc_roles": "doctors=clinician@"},
    ],
)
def test_settings_that_make_no_sense_are_said_at_the_start(
    idp: Idp, database: Database, folder: Path, changes: Json
) -> None:
    with pytest.raises(BadSettings, match="KIOSK_OIDC"):
        create_app(settings=settings_of(idp, folder, **changes), database=database, bus=MemoryBus())

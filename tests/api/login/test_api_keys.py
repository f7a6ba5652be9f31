"""API keys: shown once, narrowed, out at once when revoked; and nobody makes one that may more than they."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.login import keys
from api.login.keys import PREFIX, ROLES, USE_EVERY
from api.security import ALLOWED, Action, Role
from api.store import Database, api_keys, clock
from api.tables import MAIN, ApiKeyRow
from kiosk.messages import SECOND
from tests.api import staff
from tests.api.conftest import ClientAs, problem_of

LIST = "/api/v1/keys"


@pytest.fixture
def admin(client_as: ClientAs) -> TestClient:
    return client_as(Role.ADMINISTRATOR)


def make(admin: TestClient, **values: Any) -> dict[str, Any]:
    answer = admin.post(LIST, json={"name": "his", "role": "integrator", **values})
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{LIST}/{said['key']['id']}"
    assert answer.headers["cache-control"] == "no-store"
    return said


def by_key(anonymous: TestClient, secret: str, path: str = "/api/v1/sessions") -> int:
    return anonymous.get(path, headers={"Authorization": f"Bearer {secret}"}).status_code


def test_a_key_opens_what_its_role_may_and_is_shown_once(
    admin: TestClient, anonymous: TestClient, database: Database
) -> None:
    made = make(admin)
    secret = made["secret"]
    assert secret.startswith(PREFIX)
    assert len(secret) >= len(PREFIX) + 43  # 256 bits
    assert by_key(anonymous, secret) == 200
    assert by_key(anonymous, secret, LIST) == 403
    assert by_key(anonymous, secret, "/api/v1/audit") == 403
    # a key is no user
    assert by_key(anonymous, secret, "/api/v1/account") == 403
    for path in (LIST, f"{LIST}/{made['key']['id']}"):
        assert secret not in admin.get(path).text
        assert "digest" not in admin.get(path).text
    with database.reading() as db:
        row = api_keys.get(db, made["key"]["id"])
    assert row is not None
    assert secret not in str(row.model_dump())


def test_a_key_can_be_narrowed_to_some_of_its_role(admin: TestClient, anonymous: TestClient) -> None:
    secret = make(admin, actions=["patients.read"])["secret"]
    assert by_key(anonymous, secret, "/api/v1/patients") == 200
    assert by_key(anonymous, secret) == 403
    nothing = make(admin, actions=[])["secret"]
    assert by_key(anonymous, nothing, "/api/v1/patients") == 403


@pytest.mark.parametrize("role", Role)
def test_no_key_may_more_than_its_role(admin: TestClient, role: Role) -> None:
    beyond = [action for action in Action if role not in ALLOWED[action]] + [Action.OWN_ACCOUNT]
    for action in beyond:
        answer = admin.post(LIST, json={"name": "k", "role": role, "actions": [action]})
        problem_of(answer, 422, "invalid")
    if role not in ROLES:
        problem_of(admin.post(LIST, json={"name": "k", "role": role}), 422, "invalid")


def test_a_row_that_says_more_than_its_role_may_is_not_believed(database: Database) -> None:
    row, token = keys.new("k", Role.RESEARCHER, MAIN, by="u-1")
    row.actions = ["research.read", "audit.read", "users.write", "account"]
    administrator, second = keys.new("k", Role.AUDITOR, MAIN, by="u-1")
    administrator.role = "administrator"
    unknown, third = keys.new("k", Role.AUDITOR, MAIN, by="u-1")
    unknown.role = "superuser"
    with database.transaction() as db:
        for each in (row, administrator, unknown):
            api_keys.add(db, each)
    who = keys.identify(database, token)
    assert who is not None
    assert [action for action in Action if who.may(action)] == [Action.EXPORT_DEIDENTIFIED]
    powerless = keys.identify(database, second)
    assert powerless is not None
    assert not [action for action in Action if powerless.may(action)]
    assert keys.identify(database, third) is None


def test_a_revoked_key_is_out_at_the_next_request(admin: TestClient, anonymous: TestClient, database: Database) -> None:
    made = make(admin)
    assert by_key(anonymous, made["secret"]) == 200
    who = keys.identify(database, made["secret"])
    assert who is not None
    assert keys.alive(database, who)
    for _ in range(2):
        assert admin.delete(f"{LIST}/{made['key']['id']}").status_code == 204
        assert by_key(anonymous, made["secret"]) == 401
    assert not keys.alive(database, who)
    assert admin.get(f"{LIST}/{made['key']['id']}").json()["revoked"] is not None


def test_an_expired_key_is_worth_nothing(
    admin: TestClient, anonymous: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    made = make(admin, expires=soon.isoformat())
    assert by_key(anonymous, made["secret"]) == 200
    later = clock.utc_now() + 3601 * SECOND
    monkeypatch.setattr(clock, "utc_now", lambda: later)
    assert by_key(anonymous, made["secret"]) == 401


@pytest.mark.parametrize(
    "expires", ["2001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-01-01T00:00:00", "soon", 1e300, -1]
)
def test_an_expiry_that_makes_no_sense_is_refused(admin: TestClient, expires: object) -> None:
    problem_of(admin.post(LIST, json={"name": "k", "role": "integrator", "expires": expires}), 422, "invalid")


def test_the_last_use_is_written_once_a_minute(
    admin: TestClient, anonymous: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(admin)
    place = f"{LIST}/{made['key']['id']}"
    assert made["key"]["used"] is None
    real = clock.utc_now
    by_key(anonymous, made["secret"])
    first = admin.get(place).json()["used"]
    assert first is not None
    by_key(anonymous, made["secret"])
    assert admin.get(place).json()["used"] == first
    monkeypatch.setattr(clock, "utc_now", lambda: real() + USE_EVERY)
    by_key(anonymous, made["secret"])
    assert admin.get(place).json()["used"] > first


def test_keys_stay_within_the_clinic_of_who_makes_them(client_as: ClientAs, database: Database) -> None:
    main, other, everywhere = (client_as("administrator", clinic=clinic) for clinic in (MAIN, "other", None))
    made = make(main)["key"]
    assert made["clinic"] == MAIN
    for clinic in ("other", None):
        problem_of(main.post(LIST, json={"name": "k", "role": "auditor", "clinic": clinic}), 403, "forbidden")
    assert other.get(LIST).json()["items"] == []
    problem_of(other.get(f"{LIST}/{made['id']}"), 404, "unknown-key")
    problem_of(other.delete(f"{LIST}/{made['id']}"), 404, "unknown-key")
    assert main.get(f"{LIST}/{made['id']}").json()["revoked"] is None
    assert make(everywhere, clinic="other")["key"]["clinic"] == "other"
    assert make(everywhere)["key"]["clinic"] is None
    problem_of(everywhere.post(LIST, json={"name": "k", "role": "auditor", "clinic": "nowhere"}), 422, "invalid")
    # a key of all clinics is not there for an administrator of one
    assert [each["clinic"] for each in other.get(LIST).json()["items"]] == ["other"]


def test_a_key_sees_its_own_clinic_alone(client_as: ClientAs, anonymous: TestClient) -> None:
    other = make(client_as("administrator", clinic="other"))["secret"]
    client_as("clinician").post("/api/v1/patients", json={"pseudonym": "P-1"})
    found = anonymous.get("/api/v1/patients", headers={"Authorization": f"Bearer {other}"}).json()
    assert found["items"] == []


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_nobody_but_an_administrator_has_to_do_with_keys(client_as: ClientAs, role: Role) -> None:
    somebody = client_as(role)
    for answer in (
        somebody.get(LIST),
        somebody.post(LIST, json={"name": "k", "role": "integrator"}),
        somebody.delete(f"{LIST}/k-1"),
    ):
        problem_of(answer, 403, "forbidden")


@pytest.mark.parametrize(
    "token",
    ["kk_", "kk_guess", "kk_" + "A" * 43, "kk_" + "A" * 10_000, "kk_é", "kk_' OR 1=1 --", "KK_x", "ka_x", ""],
)
def test_what_is_no_key_opens_nothing(anonymous: TestClient, token: str) -> None:
    header = f"Bearer {token}".encode("latin-1")
    assert anonymous.get("/api/v1/sessions", headers={b"Authorization": header}).status_code == 401


def test_the_digest_of_a_key_is_no_key(admin: TestClient, anonymous: TestClient, database: Database) -> None:
    made = make(admin)
    with database.reading() as db:
        row = db.get(ApiKeyRow, made["key"]["id"])
    assert row is not None
    for token in (row.digest, PREFIX + row.digest, made["secret"].removeprefix(PREFIX), made["secret"] + "x"):
        assert by_key(anonymous, token) == 401


def test_a_key_in_a_cookie_opens_nothing(admin: TestClient, app: Any, anonymous: TestClient) -> None:
    secret = make(admin)["secret"]
    anonymous.cookies.set(app.state.gate.cookies.access, secret)
    assert anonymous.get("/api/v1/sessions").status_code == 401
    anonymous.cookies.clear()


def test_pages_of_keys_follow_each_other(admin: TestClient) -> None:
    made = [make(admin, name=f"k{number}")["key"]["id"] for number in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        said = admin.get(LIST, params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [each["id"] for each in said["items"]]
        cursor = said["next"]
        if cursor is None:
            break
    assert seen == made[::-1]


def test_the_maker_stands_with_the_key(admin: TestClient, database: Database) -> None:
    user = staff.hire(database, Role.ADMINISTRATOR)
    assert make(admin)["key"]["created_by"] == user.id

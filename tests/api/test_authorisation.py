"""The matrix, generated: every route x role x own and foreign clinic, held against the table in api/security.py."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Mount, compile_path
from starlette.testclient import TestClient

from api.app import create_app
from api.dependencies import Permission
from api.security import ALLOWED, Action, Identity, Role
from api.store import Database
from kiosk.bus import MemoryBus
from kiosk.settings import Settings
from tests import databases
from tests.api.sockets import live
from tests.api.world import CLINICS, FOREIGN, OWN, fill

PUBLIC = {
    "GET /api/v1/openapi.json",
    "GET /api/v1/health",
    "GET /api/v1/health/live",
    "GET /api/v1/health/ready",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    "POST /api/v1/account/login",
    "POST /api/v1/account/refresh",
    "GET /api/v1/account/providers",
    "GET /api/v1/oidc/login",
    "GET /api/v1/oidc/callback",
    "GET /fhir/R4/metadata",
    "GET /login",
    # whoever has the link may read: it is as long as a key, and lasts an hour
    "GET /r/{token}",
    "GET /r/{token}/results.pdf",
    *(f"GET /fhir/R4/{kind}{one}" for kind in ("CodeSystem", "ValueSet", "ConceptMap") for one in ("", "/{resource}")),
}
"""Routes that nobody needs to be known for, each a deliberate exception. They tell nothing of a person."""
EVERYBODYS = {"signal", "questionnaire", "provider", "resource"}
"""Path parameters of what is no clinic's own."""
IN_MEMORY = ("problems/unknown-command", "problems/unknown-login")
"""What is remembered for whoever asked for it alone, so that these tests have none of it."""
PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")


class StandIn:
    """Who asks is what the header says: the table is under test here, the real gate in tests/api/login."""

    def identify(self, connection: HTTPConnection) -> Identity | None:
        role = connection.headers.get("x-test-role")
        clinic = connection.headers.get("x-test-clinic", OWN)
        return None if role is None else Identity(f"u-{role}", Role(role), clinic, "bearer", family=f"l-{role}")

    def alive(self, who: Identity) -> bool:
        return True


def permissions(dependant: Dependant) -> Iterator[Permission]:
    if isinstance(dependant.call, Permission):
        yield dependant.call
    for each in dependant.dependencies:
        yield from permissions(each)


def every_route(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, APIRoute]]:
    for route in routes:
        if (included := getattr(route, "original_router", None)) is not None:
            yield from every_route(included.routes, prefix + route.include_context.prefix)  # type: ignore[attr-defined]
            continue
        if isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield f"{method} {prefix}{route.path}", route
        else:
            # a socket has a test of its own, and static files are the same for everybody
            assert isinstance(route, APIWebSocketRoute | Mount) or route.path == "/api/v1/openapi.json", route  # type: ignore[attr-defined]


described = create_app(settings=Settings(), database=Database.to(Settings()), bus=MemoryBus())
ROUTES = dict(every_route(described.routes))
GUARDED = {name: route for name, route in ROUTES.items() if name not in PUBLIC and "/static/" not in name}
DOCUMENT: dict[str, Any] = described.openapi()


@pytest.fixture(scope="module")
def world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two clinics that have one of everything."""
    folder = tmp_path_factory.mktemp("world")
    shutil.copy(sqlite_template, folder / "kiosk.sqlite")
    database = databases.database(folder)
    fill(database)
    database.close()
    return folder


@pytest.fixture
def app(world: Path, tmp_path: Path) -> Iterator[FastAPI]:
    """The app on a copy of that world: what one route changes no other one sees."""
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    database = databases.database(tmp_path)
    made = create_app(settings=Settings(data=tmp_path), database=database, bus=MemoryBus())
    made.state.gate = StandIn()
    yield made
    database.close()


def test_every_route_names_exactly_one_action() -> None:
    wrong = {name: [each.action for each in permissions(route.dependant)] for name, route in GUARDED.items()}
    assert not {name: found for name, found in wrong.items() if len(set(found)) != 1}


def test_what_is_public_needs_no_permission_and_tells_of_no_person() -> None:
    for name in PUBLIC & ROUTES.keys():
        assert not list(permissions(ROUTES[name].dependant)), name
        assert not {"session", "patient"} & set(PARAMETER.findall(name)), name


def test_every_action_is_in_the_table_and_every_role_can_do_something() -> None:
    assert ALLOWED.keys() == set(Action)
    assert set().union(*ALLOWED.values()) == set(Role)
    used = {each.action for route in GUARDED.values() for each in permissions(route.dependant)}
    # the live socket asks by itself
    assert used | {Action.WATCH_LIVE} == set(Action)


def test_one_clinic_sees_nothing_of_another() -> None:
    assert Identity("u", Role.CLINICIAN, OWN, "bearer").sees(OWN)
    assert not Identity("u", Role.CLINICIAN, OWN, "bearer").sees(FOREIGN)
    assert Identity("u", Role.CLINICIAN, None, "bearer").sees(FOREIGN)


def test_a_narrowed_key_may_less_than_its_role() -> None:
    key = Identity("k", Role.INTEGRATOR, OWN, "key", actions=frozenset({Action.READ_PATIENTS}))
    assert key.may(Action.READ_PATIENTS)
    assert not key.may(Action.READ_WAVEFORMS)
    assert not key.may(Action.READ_AUDIT)


def ask(client: TestClient, name: str, clinic: str, role: Role | None) -> Any:
    """The route's answer, about things of a clinic, with the body that its documentation shows."""
    method, path = name.split(" ", 1)
    things = CLINICS[clinic]
    filled = PARAMETER.sub(lambda found: things.get(found[1]) or in_fhir(client, path, found[1], clinic), path)
    operation = DOCUMENT["paths"].get(path, {}).get(method.lower(), {})
    content = operation.get("requestBody", {}).get("content", {})
    sent: dict[str, Any] = {}
    if "application/json" in content:
        shown = content["application/json"]
        sent["json"] = shown["example"] if "example" in shown else next(iter(shown["examples"].values()))["value"]
    elif "multipart/form-data" in content:
        sent["files"] = {"files": ("a.csv", b"time,ecg\n0,0\n", "text/csv")}
    sent["params"] = {
        each["name"]: next(iter(each["examples"].values()))["value"] if "examples" in each else each["example"]
        for each in operation.get("parameters", ())
        if each["in"] == "query" and each.get("required")
    }
    headers = {"x-test-role": role.value} if role is not None else {}
    if not path.startswith(("/api/", "/fhir/")):
        headers["accept"] = "text/html"
    return client.request(method, filled, headers=headers, follow_redirects=False, **sent)


def in_fhir(client: TestClient, path: str, parameter: str, clinic: str) -> str:
    """The id of a clinic's own resource, as its own clinician finds it."""
    if parameter == "version":
        return "1"
    kind = path.split("/")[3]
    headers = {"x-test-role": "clinician", "x-test-clinic": clinic}
    found = client.get(f"/fhir/R4/{kind}", headers=headers).json()
    return str(found["entry"][0]["resource"]["id"])


@pytest.mark.parametrize("name", GUARDED)
def test_the_matrix(app: FastAPI, name: str) -> None:
    (action,) = {each.action for each in permissions(GUARDED[name].dependant)}
    page = not name.partition(" ")[2].startswith(("/api/", "/fhir/"))
    theirs = bool(set(PARAMETER.findall(name)) - EVERYBODYS) and not page
    with TestClient(app, raise_server_exceptions=False) as client:
        anonymous = ask(client, name, OWN, None)
        assert anonymous.status_code == (303 if page else 401), anonymous.text
        for role in Role:
            if role not in ALLOWED[action]:
                for clinic in CLINICS:
                    refused = ask(client, name, clinic, role)
                    assert refused.status_code == 403, f"{role} {clinic}: {refused.status_code} {refused.text}"
            elif theirs:
                foreign = ask(client, name, FOREIGN, role)
                assert foreign.status_code == 404, f"{role}: {foreign.status_code} {foreign.text}"
        # last, because it may change or erase what was asked for
        for role in Role:
            if role in ALLOWED[action]:
                answer = ask(client, name, OWN, role)
                gone = answer.status_code in (404, 410) and role is not min(ALLOWED[action], key=list(Role).index)
                gone = gone or any(each in answer.text for each in IN_MEMORY)
                assert gone or answer.status_code not in (401, 404, 405), f"{role}: {answer.text}"
                # what they may not because of the table; a wrong password, say, is something else
                assert b"problems/forbidden" not in answer.content, f"{role}: {answer.text}"
                assert answer.status_code < 500, f"{role}: {answer.text}"
                assert FOREIGN_MARK not in answer.content, f"{role} reads of another clinic"


FOREIGN_MARK = FOREIGN.encode()


def test_the_live_socket_asks_who_comes(app: FastAPI) -> None:
    with TestClient(app) as client:

        def first(role: Role | None, clinic: str) -> Any:
            headers = {"x-test-role": role.value} if role is not None else {}
            address = f"/api/v1/sessions/{CLINICS[clinic]['session']}/live"
            with live(client, address, headers=headers) as socket:
                return socket.receive_json()

        assert first(None, OWN)["status"] == 401
        for role in Role:
            if role in ALLOWED[Action.WATCH_LIVE]:
                assert first(role, OWN)["kind"] == "hello"
                assert first(role, FOREIGN)["status"] == 404
            else:
                assert first(role, OWN)["status"] == 403


def test_no_two_routes_answer_one_request() -> None:
    shapes = {name: compile_path(name.partition(" ")[2])[0] for name in ROUTES}
    for name in ROUTES:
        method, path = name.split(" ", 1)
        asked = PARAMETER.sub("x-1", path)
        first = next(each for each, shape in shapes.items() if each.startswith(f"{method} ") and shape.match(asked))
        assert first == name, f"{name} is hidden by {first}"

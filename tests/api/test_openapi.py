"""The OpenAPI document is complete and true."""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CheckFunction
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from starlette.testclient import TestClient

from api.app import create_app
from api.security import Role
from api.server import server
from api.store import Database
from kiosk.bus import MemoryBus
from kiosk.settings import Settings
from tests import databases
from tests.api import staff
from tests.api.attacks.feeding import roles_of
from tests.api.world import OWN, fill

Json = dict[str, Any]
Case = schemathesis.Case[Any]


@pytest.fixture
def document(client: TestClient) -> Json:
    said: Json = client.get("/api/v1/openapi.json").json()
    return said


def contents(document: Json) -> Iterator[tuple[str, Json]]:
    """Every body in the document, with where it is."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "requestBody" in operation:
                for content in operation["requestBody"]["content"].values():
                    yield f"{method} {path} request", content
            for status, answer in operation["responses"].items():
                for kind, content in answer.get("content", {}).items():
                    yield f"{method} {path} {status} {kind}", content


def test_every_body_has_an_example_that_fits_its_schema(document: Json) -> None:
    checked = 0
    for where, content in contents(document):
        examples = [content["example"]] if "example" in content else [
            example["value"] for example in content["examples"].values()
        ]  # fmt: skip
        assert examples, where
        schema = {**content["schema"], "components": document["components"]}
        for example in examples:
            error = next(iter(jsonschema_rs.validator_for(schema).iter_errors(example)), None)
            assert error is None, f"{where}: {error}"
            checked += 1
    assert checked > 100


def test_every_error_is_a_problem_and_every_operation_tells_its_own(document: Json) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            responses = operation["responses"]
            assert {"500", "421"} <= responses.keys(), where
            if "requestBody" in operation:
                assert {"413", "400", "422"} <= responses.keys(), where
            # FHIR's own errors are its own: the one exception
            fhir = path.startswith("/fhir/R4/")
            if operation.get("parameters"):
                assert responses.keys() & {"400" if fhir else "422"}, where
            for status, answer in responses.items():
                if fhir and status >= "400" and status not in ("421", "500"):
                    assert list(answer["content"]) == ["application/fhir+json"], where
                elif status >= "400":
                    assert list(answer["content"]) == ["application/problem+json"], where
                    schema = answer["content"]["application/problem+json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Problem"}
            assert operation["tags"], where
            assert operation["summary"], where
            assert operation["description"], where
            for parameter in operation.get("parameters", []):
                assert parameter.get("description") or parameter["schema"].get("description"), (where, parameter)


def test_the_document_names_itself_and_all_its_tags(document: Json) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"]
    used = {tag for ops in document["paths"].values() for operation in ops.values() for tag in operation["tags"]}
    assert used == {tag["name"] for tag in document["tags"]}
    assert not {"HTTPValidationError", "ValidationError"} & document["components"]["schemas"].keys()


def test_no_page_of_ours_needs_a_cdn(client: TestClient) -> None:
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


EXAMPLES = 4
"""Fuzzed requests of each operation beside its own examples: what a build may cost, and always the same ones."""
ROLES = (Role.CLINICIAN, Role.INTEGRATOR, Role.ADMINISTRATOR)
"""Those that may most. Of what none of them may, somebody else is asked who may."""


@dataclass
class Served:
    """A real server of the app, and logins in it."""

    address: str
    database: Database
    turns: dict[str, Iterator[int]] = field(default_factory=dict)

    def headers(self, name: str) -> dict[str, str]:
        """A login of its own for each case, some of them end it: by turns of each role that may ask for this."""
        may = ALLOWED_TO.get(name, frozenset(Role))
        roles = [role for role in ROLES if role in may] or sorted(may)
        turn = next(self.turns.setdefault(name, count()))
        return staff.bearer(self.database, staff.hire(self.database, roles[turn % len(roles)], OWN))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on a database with two clinics that have one of everything."""
    folder = tmp_path_factory.mktemp("schemathesis")
    url, cluster = None, None
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "kiosk.sqlite")
    else:
        cluster = request.getfixturevalue("server")
        with cluster.connect() as connection:
            connection.execute("CREATE DATABASE fuzzed TEMPLATE template")
        url = cluster.url("fuzzed")
    database = databases.database(folder, url)
    fill(database)
    app = create_app(settings=Settings(data=folder), database=database, bus=MemoryBus())
    # failures are told at once here: why they are not elsewhere, tests of the login show
    app.state.desk.failure_takes = 0.0
    running = server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=asyncio.run, args=(running.serve(),))
    thread.start()
    while not running.started:
        thread.join(0.01)
    yield Served(f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}", database)
    running.should_exit = True
    thread.join()
    database.close()
    if cluster is not None:
        with cluster.connect() as connection:
            connection.execute("DROP DATABASE fuzzed WITH (FORCE)")


described = create_app(settings=Settings(), database=Database.to(Settings()), bus=MemoryBus())
ALLOWED_TO = dict(roles_of(described.routes))
api = schemathesis.openapi.from_dict(
    described.openapi(),
    # its hundreds of fixed cases an operation take many minutes: our own corpus is in tests/api/attacks
    config=SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}}),
)


def excluded(case: Case) -> list[CheckFunction]:
    """What a schema cannot say: cursors are opaque, a window has a length, a year may not have come yet."""
    query, body = case.query or {}, case.body if isinstance(case.body, dict) else {}
    # a date may have a 30th of February, and a page's place is as opaque
    fhir = {"_page", "_lastUpdated", "date", "authored", "recorded"}
    beyond = ({"cursor", "start", "end", "points"} | fhir) & query.keys() or {
        # a questionnaire's own options, which of two limits is higher, what a moved beat needs
        "birth_year", "birth_date", "given", "name", "family", "email", "identifier", "answers", "low", "high",
        "severity", "items"
    } & body.keys()  # fmt: skip
    # nor can it say that a key was used before
    unsaid = bool(beyond) or "Idempotency-Key" in (case.headers or {})
    # FHIR leaves out of account what it does not know, unless `Prefer: handling=strict` asks for a refusal
    lenient = case.path.startswith("/fhir/") and {"_include", "_sort"} & query.keys()
    return [*([positive_data_acceptance] if unsaid else []), *([negative_data_rejection] if lenient else [])]


@api.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_the_api_keeps_what_its_document_says(case: Case, served: Served) -> None:
    headers = served.headers(f"{case.operation.method.upper()} {case.operation.path}")
    case.call_and_validate(base_url=served.address, headers=headers, excluded_checks=excluded(case), timeout=60)

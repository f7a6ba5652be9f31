"""The OpenAPI document is complete and true."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.testclient import TestClient

from api.app import create_app
from api.server import server
from api.store import Database
from kiosk.bus import MemoryBus
from kiosk.messages import Status
from kiosk.settings import Settings
from tests.api.conftest import opened, record

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
            if operation.get("parameters"):
                assert responses.keys() & {"422"}, where
            for status, answer in responses.items():
                if status >= "400":
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


@pytest.fixture(scope="module")
def base(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server of the app."""
    folder = tmp_path_factory.mktemp("schemathesis")
    (folder / "kiosk.sqlite").write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{folder / 'kiosk.sqlite'}")
    record(database, opened("s-20250102-0001"), Status("sensors", "running"))
    running = server(create_app(settings=Settings(data=folder), database=database, bus=MemoryBus()), "127.0.0.1", 0)
    thread = threading.Thread(target=asyncio.run, args=(running.serve(),))
    thread.start()
    while not running.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    running.should_exit = True
    thread.join()
    database.close()


described = create_app(settings=Settings(), database=Database("sqlite://"), bus=MemoryBus()).openapi()
api = schemathesis.openapi.from_dict(described)


def excluded(case: Case) -> list[CheckFunction]:
    """What a schema cannot say: cursors are opaque, a window has a length, a year may not have come yet."""
    query, body = case.query or {}, case.body if isinstance(case.body, dict) else {}
    beyond = {"cursor", "start", "end", "points"} & query.keys() or "birth_year" in body
    return [positive_data_acceptance] if beyond else []


@api.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_the_api_keeps_what_its_document_says(case: Case, base: str) -> None:
    case.call_and_validate(base_url=base, excluded_checks=excluded(case), timeout=20)

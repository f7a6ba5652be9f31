"""Every error has one shape, on every path to it, and tells nothing that it should not."""

import logging
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import SessionTransaction
from starlette.testclient import TestClient

from api.middleware import HEADERS, MOST_BODY, is_ours
from api.store import DatabaseDown, sessions
from tests.api.conftest import problem_of

LIST = "/api/v1/sessions"


def raising(error: Exception) -> object:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_an_unknown_address_is_a_problem(client: TestClient) -> None:
    for path in ("/api/v1/nothing", "/nothing", "/api/v1/sessions/", "/docs", "/redoc", "/static/x/y.js"):
        problem_of(client.get(path), 404, "not-found")


def test_a_wrong_method_is_a_problem_that_names_the_right_ones(client: TestClient) -> None:
    for method, path in (("DELETE", LIST), ("PUT", f"{LIST}/x"), ("POST", "/metrics"), ("TRACE", LIST)):
        response = client.request(method, path)
        problem_of(response, 405, "method-not-allowed")
        assert "GET" in response.headers["allow"]
    assert client.put(f"{LIST}/x").headers["allow"] == "DELETE, GET, PATCH"


def test_a_wrong_body_is_a_problem_that_does_not_repeat_it(client: TestClient) -> None:
    for content, kind in (
        (b"{", "application/json"),
        (b"secret", "application/json"),
        (b'{"sex": "secret"}', "application/json"),
        (b"{}", "text/plain"),
        (b"", "application/json"),
    ):
        response = client.post("/api/v1/patients", content=content, headers={"content-type": kind})
        said = problem_of(response, 422, "invalid")
        assert said["errors"]
        assert all(fault["where"] and fault["what"] for fault in said["errors"])
        assert "secret" not in response.text


def test_a_body_that_cannot_be_read_is_a_problem(client: TestClient) -> None:
    for content in (b'"\xff"', b"[" * 5000):
        response = client.post("/api/v1/patients", content=content, headers={"content-type": "application/json"})
        problem_of(response, 400, "unparsable")


def test_a_body_that_is_too_large_is_a_problem_however_it_comes(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 10_000

    kind = {"content-type": "application/json"}
    response = client.post("/api/v1/patients", content=b" " * (MOST_BODY + 1), headers=kind)
    problem_of(response, 413, "body-too-large")
    problem_of(client.post("/api/v1/patients", content=pieces(), headers=kind), 413, "body-too-large")


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT secret", {"secret": 1}, Exception("secret")),
        InterfaceError("SELECT secret", {"secret": 1}, Exception("secret")),
        IntegrityError("SELECT", {}, Exception("secret"), connection_invalidated=True),
        PoolExhausted("secret"),
        DatabaseDown("secret"),
    ],
)
def test_a_database_that_is_away_is_a_problem_for_now(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sessions, "get", raising(error))
    response = client.get(f"{LIST}/x")
    problem_of(response, 503, "database-down")
    assert int(response.headers["retry-after"]) > 0
    assert "secret" not in response.text + caplog.text


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("secret"),
        KeyError("secret"),
        DataError("SELECT secret", {"secret": 1}, Exception("secret")),
        ExceptionGroup("secret", [ValueError("secret")]),
    ],
)
def test_an_error_of_ours_tells_an_id_and_the_log_tells_where(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sessions, "get", raising(error))
    with caplog.at_level(logging.INFO):
        response = client.get(f"{LIST}/a-session-id")
    said = problem_of(response, 500, "internal")
    (line,) = [entry for entry in caplog.records if entry.name == "api.errors"]
    text = line.getMessage()
    assert said["instance"] in text
    assert type(error).__name__ in text
    assert "/api/v1/sessions/{session}" in text
    assert "in _found" in text
    assert "secret" not in response.text + caplog.text
    assert "a-session-id" not in text


def test_every_answer_carries_the_safe_headers(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "get", raising(ValueError()))
    responses = [
        client.get(LIST),
        client.get("/nothing"),
        client.get(f"{LIST}/x"),
        client.get(LIST, headers={"host": "evil.example"}),
        client.get("/api/v1/openapi.json"),
        client.get("/metrics"),
    ]
    for response in responses:
        for name, value in HEADERS.items():
            assert response.headers[name] == value
        assert "access-control-allow-origin" not in response.headers
    for directive in HEADERS["Content-Security-Policy"].split(";"):
        assert "unsafe" not in directive
        assert "*" not in directive
        assert "http" not in directive


def test_another_site_gets_no_permission(client: TestClient) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    response = client.options("/api/v1/patients", headers=headers)
    problem_of(response, 405, "method-not-allowed")
    assert not [name for name in response.headers if name.startswith("access-control")]


def test_a_foreign_name_is_not_answered(client: TestClient) -> None:
    problem_of(client.get(LIST, headers={"host": "rebound.example:8000"}), 421, "foreign-host")


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8000", True),
        ("127.0.0.1", True),
        ("localhost:8000", True),
        ("api", True),
        ("[::1]:8000", True),
        ("[::1]", True),
        ("10.1.2.3:80", True),
        ("evil.example", False),
        ("evil.example:8000", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
        ("a:b:c", False),
    ],
)
def test_only_addresses_and_short_names_are_ours(host: str, ours: bool) -> None:
    assert is_ours(host) == ours


def test_a_commit_that_fails_is_told_before_the_answer_leaves(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SessionTransaction, "commit", raising(OperationalError("COMMIT", {}, Exception())))
    # that it failed cannot be noted either, and that is what is said
    problem_of(client.post("/api/v1/patients", json={}), 503, "not-noted")
    monkeypatch.undo()
    assert client.get("/api/v1/patients").json()["items"] == []

"""What load balancers and Prometheus are told."""

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from api.routes import health
from api.store import Database
from kiosk.bus import MemoryBus
from tests.api.conftest import Visit, problem_of


def test_health_is_ok_when_database_and_broker_answer(client: TestClient) -> None:
    assert client.get("/api/v1/health").json() == {"status": "ok", "database": "ok", "broker": "ok"}
    assert client.get("/api/v1/health/live").json() == {"status": "ok"}


def test_health_says_what_is_missing(client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: MemoryBus) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(health, "PATIENCE", 0.2)
    monkeypatch.setattr(MemoryBus, "wait_connected", never)
    said = problem_of(client.get("/api/v1/health"), 503, "not-ready")
    assert said["missing"] == ["broker"]
    with database.transaction() as db:
        db.connection().exec_driver_sql("DELETE FROM alembic_version")
    response = client.get("/api/v1/health")
    assert problem_of(response, 503, "not-ready")["missing"] == ["database", "broker"]
    assert response.headers["retry-after"]
    assert client.get("/api/v1/health/live").status_code == 200


def samples(client: TestClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
    }


def test_metrics_count_requests_by_template_and_never_by_id(client: TestClient, visit: Visit) -> None:
    client.get(f"/api/v1/sessions/{visit.session}")
    client.get("/api/v1/sessions/nobody")
    client.get("/somewhere/else")
    client.request("FROBNICATE", "/api/v1/sessions")
    counts = samples(client)

    def requests(method: str, route: str, status: str) -> float:
        return counts["kiosk_http_requests_total", (("method", method), ("route", route), ("status", status))]

    assert requests("GET", "/api/v1/sessions/{session}", "200") == 1
    assert requests("GET", "/api/v1/sessions/{session}", "404") == 1
    assert requests("GET", "other", "404") == 1
    assert requests("other", "/api/v1/sessions", "405") == 1
    assert counts["kiosk_sessions", (("state", "open"),)] == 1
    assert counts["kiosk_sessions", (("state", "closed"),)] == 0
    assert counts["kiosk_live_clients", ()] == 0
    assert counts["kiosk_live_messages_dropped_total", ()] == 0
    assert visit.session not in client.get("/metrics").text


def test_metrics_do_not_need_the_database(client: TestClient, database: Database) -> None:
    with database.transaction() as db:
        db.connection().exec_driver_sql("ALTER TABLE sessions RENAME TO away")
    counts = samples(client)
    assert ("kiosk_live_clients", ()) in counts
    assert ("kiosk_sessions", (("state", "open"),)) not in counts

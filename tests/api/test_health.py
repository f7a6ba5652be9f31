"""What load balancers and Prometheus are told."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from api.store import Database, DatabaseDown, KeyStore, KeysUnusable
from kiosk.bus import MemoryBus
from tests.api import staff
from tests.api.conftest import Visit, problem_of

READY = ("/health/ready", "/api/v1/health/ready", "/api/v1/health")
LIVE = ("/health/live", "/api/v1/health/live")


def test_health_is_ok_when_all_that_is_needed_answers(anonymous: TestClient) -> None:
    for path in READY:
        said = anonymous.get(path).json()
        assert said == {"status": "ok", "database": "ok", "migration": "ok", "keys": "ok", "broker": "ok"}
    for path in LIVE:
        assert anonymous.get(path).json() == {"status": "ok"}


@pytest.mark.parametrize("path", READY)
def test_health_says_what_is_missing(
    anonymous: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def missing() -> object:
        return problem_of(anonymous.get(path), 503, "not-ready")["missing"]

    async def never(_: MemoryBus) -> None:
        raise TimeoutError

    def gone(_: KeyStore, __: str) -> bytes:
        raise KeysUnusable("the key store does not answer")

    monkeypatch.setattr(MemoryBus, "wait_connected", never)
    assert missing() == ["broker"]
    with database.transaction() as db:
        db.connection().exec_driver_sql("DELETE FROM alembic_version")
    assert missing() == ["migration", "broker"]
    monkeypatch.setattr(KeyStore, "mark", gone)
    assert missing() == ["migration", "keys", "broker"]

    def away(_: Database) -> None:
        raise DatabaseDown("no connection")

    monkeypatch.setattr(Database, "check", away)
    assert missing() == ["database", "keys", "broker"]
    assert anonymous.get(path).headers["retry-after"]
    for each in LIVE:
        assert anonymous.get(each).status_code == 200


def test_logins_are_counted_by_what_came_of_them(anonymous: TestClient, database: Database) -> None:
    staff.hire(database, "clinician", login="anna")
    for password in (staff.PASSWORD, "another one, not hers"):
        anonymous.post("/api/v1/account/login", json={"login": "anna", "password": password})
    counts = samples(anonymous)
    assert counts["kiosk_logins_total", (("outcome", "done"),)] == 1
    assert counts["kiosk_logins_total", (("outcome", "refused"),)] == 1
    assert counts["kiosk_audit_rows_total", ()] == 2
    assert counts["kiosk_audit_waiting", ()] == 0
    assert counts["kiosk_audit_broken", ()] == 0
    assert "anna" not in anonymous.get("/metrics").text


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

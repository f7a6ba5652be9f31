"""Every request that somebody is let through for, or not, leaves one row before its answer leaves."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import event, select, text
from starlette.responses import Response
from starlette.testclient import TestClient

from api import errors
from api.dependencies import Reader, Writer, may
from api.errors import Failed
from api.security import Action, Identity
from api.store import Database, auditing
from api.tables import AuditRow, PatientRow
from tests.api.conftest import ClientAs, Visit, problem_of
from tests.api.sockets import live

KNOWN = "p-00000000000000aa"
router = APIRouter(prefix="/api/v1/patients")


@router.get("/{patient}/trial/{note}")
def read(patient: str, note: str, who: Annotated[Identity, may(Action.READ_PATIENTS)], db: Reader) -> dict[str, str]:
    if patient == "p-broken":
        raise RuntimeError(patient)
    if patient != KNOWN:
        raise Failed(errors.NO_PATIENT)
    return {"secret": "Anna Schmidt"}


@router.get("/trial/list")
def several(who: Annotated[Identity, may(Action.READ_PATIENTS)]) -> dict[str, list[str]]:
    return {"items": ["Anna", "Boris", "Clara"]}


@router.post("/trial", status_code=201)
def make(who: Annotated[Identity, may(Action.WRITE_PATIENTS)], db: Writer, answer: Response) -> dict[str, str]:
    db.add(PatientRow(id=KNOWN, pseudonym="trial", created_ns=0))
    answer.headers["Location"] = f"/api/v1/patients/{KNOWN}"
    return {"secret": "Anna Schmidt"}


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    app.include_router(router)
    return app


def audit_of(database: Database) -> list[AuditRow]:
    with database.reading() as db:
        assert auditing.verify(db).broken is None
        return list(db.execute(select(AuditRow).order_by(AuditRow.__table__.c.seq)).scalars())  # type: ignore[attr-defined]


def said(row: AuditRow) -> tuple[Any, ...]:
    return row.action, row.object_kind, row.object_id, row.outcome, row.detail


def test_a_reading_is_noted_with_who_what_and_whose(client: TestClient, database: Database) -> None:
    assert client.get(f"/api/v1/patients/{KNOWN}/trial/n-0123456789abcdef").status_code == 200
    [row] = audit_of(database)
    assert said(row) == ("patients.read", "patient", KNOWN, "done", {"note": "n-0123456789abcdef"})
    assert (row.actor, row.role, row.clinic_id) == ("u-clinician-main", "clinician", "main")


@pytest.mark.parametrize(
    ("path", "role", "status", "noted"),
    [
        ("p-00000000000000bb", "clinician", 404, ("p-00000000000000bb", "absent")),
        ("Anna-Schmidt", "clinician", 404, ("?", "absent")),
        (KNOWN, "auditor", 403, (KNOWN, "refused")),
        ("Anna.Schmidt", "auditor", 403, ("?", "refused")),
        ("p-broken", "clinician", 500, ("?", "failed")),
    ],
)
def test_what_is_not_told_is_noted_too_and_without_what_was_typed(
    client_as: ClientAs, database: Database, path: str, role: str, status: int, noted: tuple[str, str]
) -> None:
    assert client_as(role).get(f"/api/v1/patients/{path}/trial/x").status_code == status
    [row] = audit_of(database)
    assert (row.object_id, row.outcome) == noted


def test_a_list_is_one_row_with_its_count(client: TestClient, database: Database) -> None:
    assert len(client.get("/api/v1/patients/trial/list?patient=p-0123456789abcdef").json()["items"]) == 3
    [row] = audit_of(database)
    assert (row.object_id, row.outcome) == ("*", "done")
    assert row.detail == {"count": 3, "patient": "p-0123456789abcdef"}


def test_who_is_not_known_leaves_a_count_and_no_row(anonymous: TestClient, database: Database) -> None:
    assert anonymous.get(f"/api/v1/patients/{KNOWN}/trial/x").status_code == 401
    assert audit_of(database) == []
    metrics = anonymous.get("/metrics").text
    assert 'kiosk_refusals_total{route="/api/v1/patients/{patient}/trial/{note}",status="401"} 1.0' in metrics
    assert KNOWN not in metrics


def test_a_change_and_its_row_are_one_transaction(client: TestClient, database: Database) -> None:
    assert client.post("/api/v1/patients/trial").status_code == 201
    [row] = audit_of(database)
    assert (row.action, row.object_kind, row.object_id, row.outcome) == ("patients.write", "patient", KNOWN, "done")
    # its pseudonym is there already: nothing is changed, and that is noted
    assert client.post("/api/v1/patients/trial").status_code >= 400
    assert [each.outcome for each in audit_of(database)] == ["done", "failed"]


@pytest.fixture
def full(database: Database) -> Iterator[None]:
    """The audit takes nothing, as on a full disk."""

    def refuse(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("INSERT INTO audit"):
            raise OSError("no space left on device")

    event.listen(database.engine, "before_cursor_execute", refuse)
    yield
    event.remove(database.engine, "before_cursor_execute", refuse)


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("path", [f"{KNOWN}/trial/x", "trial/list", "p-broken/trial/x", "p-nobody/trial/x"])
def test_what_cannot_be_noted_is_not_told(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/v1/patients/{path}")
    problem_of(answer, 503, "not-noted")
    assert "Anna" not in answer.text
    assert answer.headers["retry-after"]
    assert "kiosk_audit_failures_total 1.0" in client.get("/metrics").text


def test_what_cannot_be_noted_is_not_changed(client: TestClient, database: Database) -> None:
    with database.transaction() as db:
        db.execute(text("ALTER TABLE audit RENAME TO away"))
    answer = client.post("/api/v1/patients/trial")
    problem_of(answer, 503, "not-noted")
    with database.reading() as db:
        assert db.get(PatientRow, KNOWN) is None


def test_fifty_readers_at_once_are_noted_in_few_commits(client: TestClient, app: FastAPI, database: Database) -> None:
    # in the app's own loop, as concurrent requests are
    async def call() -> int:
        status = 0

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        headers = [(b"host", b"testserver"), (b"authorization", client.headers["authorization"].encode())]
        path = f"/api/v1/patients/{KNOWN}/trial/x"
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
                 "headers": headers, "http_version": "1.1", "scheme": "http", "client": ("127.0.0.1", 1),
                 "server": ("testserver", 80), "root_path": "", "app": app}  # fmt: skip
        await app(scope, receive, send)
        return status

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(call() for _ in range(50)))

    assert client.portal is not None
    assert client.portal.call(all_of_them) == [200] * 50
    counts = app.state.auditor.counts
    assert counts.rows == 50
    assert counts.commits <= 25
    assert len(audit_of(database)) == 50


def test_a_live_socket_is_noted_when_it_opens(client_as: ClientAs, visit: Visit, database: Database) -> None:
    client = client_as("clinician")
    with live(client, f"/api/v1/sessions/{visit.session}/live") as socket:
        assert socket.receive_json()["kind"] == "hello"
        [row] = audit_of(database)
        assert said(row) == ("live.watch", "session", visit.session, "done", None)
    with live(client, "/api/v1/sessions/nobody/live") as socket:
        assert socket.receive_json()["kind"] == "problem"
    assert said(audit_of(database)[1]) == ("live.watch", "session", "?", "absent", None)


@pytest.mark.usefixtures("full")
def test_a_live_socket_that_cannot_be_noted_says_nothing(client_as: ClientAs, visit: Visit) -> None:
    with live(client_as("clinician"), f"/api/v1/sessions/{visit.session}/live") as socket:
        closed = socket.receive()
    assert closed["type"] == "websocket.close"
    assert closed["code"] == 4503


def test_auditors_read_who_did_what_in_their_clinic(client_as: ClientAs, database: Database) -> None:
    for clinic in ("main", "other"):
        client_as("clinician", clinic=clinic).get(f"/api/v1/patients/{KNOWN}/trial/x")
        client_as("clinician", clinic=clinic).get("/api/v1/patients/p-00000000000000bb/trial/x")
    auditor = client_as("auditor")
    page = auditor.get("/api/v1/audit", params={"object_kind": "patient"}).json()
    assert [(row["actor"], row["outcome"]) for row in page["items"]] == [
        ("u-clinician-main", "absent"),
        ("u-clinician-main", "done"),
    ]
    assert len(client_as("auditor", clinic=None).get("/api/v1/audit?object_kind=patient").json()["items"]) == 4
    assert auditor.get(f"/api/v1/audit?object_id={KNOWN}").json()["items"][0]["outcome"] == "done"
    assert auditor.get("/api/v1/audit?outcome=absent").json()["items"][0]["object_id"] == "p-00000000000000bb"
    assert auditor.get("/api/v1/audit?action=patients.read&until=2020-01-01T00:00:00Z").json()["items"] == []
    first = auditor.get("/api/v1/audit?limit=1&object_kind=patient").json()
    second = auditor.get(f"/api/v1/audit?limit=1&object_kind=patient&cursor={first['next']}").json()
    assert [row["outcome"] for row in first["items"] + second["items"]] == ["absent", "done"]
    # reading the audit is in it, with its count
    newest = auditor.get("/api/v1/audit?limit=1").json()["items"][0]
    assert (newest["action"], newest["object_kind"], newest["detail"]) == ("audit.read", "audit", {"count": 1})
    assert client_as("administrator").get("/api/v1/audit").status_code == 403

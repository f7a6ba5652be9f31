"""Sessions over HTTP."""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from api.store import Database, results, sessions
from api.store.results import Found
from api.tables import SessionRow
from kiosk.measures import Reason
from kiosk.messages import SECOND, End, Lost, Session, Stream
from tests.api.conftest import ORIGIN, Visit, chunks_of, opened, problem_of, record, session_stream

LIST = "/api/v1/sessions"


def every_page(client: TestClient, limit: int, **query: str) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        params: dict[str, Any] = {**query, "limit": limit, **({"cursor": cursor} if cursor else {})}
        said = client.get(LIST, params=params).json()
        assert len(said["items"]) <= limit
        found += [item["id"] for item in said["items"]]
        cursor = said["next"]
        if cursor is None:
            return found


def test_a_session_tells_its_streams_and_how_much_is_delivered(client: TestClient, visit: Visit) -> None:
    said = client.get(f"{LIST}/{visit.session}").json()
    assert said["started"] == "2025-01-02T09:00:00Z"
    assert (said["state"], said["kiosk"], said["revision"], said["orphan"]) == ("open", "kiosk-1", 0, False)
    streams = {stream["signal"]: stream for stream in said["streams"]}
    ecg = streams["ecg"]
    # 2250 of 2500 samples came: chunk 40 is not there, so 40 are delivered in a row
    assert (ecg["samples"], ecg["seconds"], ecg["start"], ecg["end"]) == (2250, 9.0, 0.0, 10.0)
    assert (ecg["delivered"], ecg["expected"], ecg["complete"]) == (40, None, False)
    assert (ecg["unit"], ecg["channels"], ecg["rate"]) == ("mV", ["I"], 250.0)
    assert (streams["readings"]["delivered"], streams["readings"]["complete"]) == (2, True)
    assert said["delivery"] == {"delivered": 45, "expected": None, "lost": 0, "complete": False}


def test_a_complete_session_says_so_and_losses_have_reasons(client: TestClient, database: Database) -> None:
    stream = Stream("s-done", "a", "ecg", "r1")
    record(
        database,
        opened("s-done"),
        *chunks_of(stream, np.ones((50, 1), np.float32), 250.0, ["I"]),
        Lost(stream, 2, 4, "outbox_full"),
        End(stream, 4),
        Session(session_stream("s-done"), 1, "ended", ORIGIN, 180 * SECOND, (stream,)),
        End(session_stream("s-done"), 1),
    )
    said = client.get(f"{LIST}/s-done").json()
    assert (said["state"], said["duration"]) == ("ended", 180.0)
    assert said["delivery"] == {"delivered": 7, "expected": 7, "lost": 3, "complete": True}
    (ecg,) = [shape for shape in said["streams"] if shape["signal"] == "ecg"]
    assert ecg["losses"] == [{"first": 2, "last": 4, "reason": "outbox_full"}]


def finding(value: float | None, *, source: str = "ecg", preferred: bool = True, scope: str = "recording") -> Found:
    absent: Reason | None = "noisy" if value is None else None
    return Found(
        "heart_rate", value, None, None, 0.9, absent, source, scope, "a-method", preferred, 0, 10 * SECOND
    )  # fmt: skip


def revision(database: Database, session: str, number: int, *found: Found) -> None:
    with database.transaction() as db:
        row = db.get(SessionRow, session)
        assert row
        row.state, row.revision = "closed", number
        results.add(
            db, session, number, outcome="complete", version="0.1.0", context={}, beats=None, readings=found, now=1
        )


def test_a_list_says_whose_sessions_these_are_and_how_fast_their_hearts_beat(
    client: TestClient, database: Database, visit: Visit
) -> None:
    person = client.post("/api/v1/patients", json={}).json()
    with database.transaction() as db:
        for number, name in enumerate(("twice", "absent", "analysed-in-vain")):
            sessions.make_orphan(db, name, "kiosk-1", 1000 + number)
            sessions.assign(db, name, person["id"])
    first = finding(60.0)
    revision(database, "twice", 1, first)
    revision(
        database, "twice", 2, finding(80.0, source="ppg", preferred=False), finding(72.4), finding(90.0, scope="step")
    )
    revision(database, "absent", 1, first)
    revision(database, "absent", 2, finding(None))
    revision(database, "analysed-in-vain", 1)
    said = {item["id"]: item for item in client.get(LIST).json()["items"]}
    assert {name: item["heart_rate"] for name, item in said.items()} == {
        "twice": 72.4, "absent": None, "analysed-in-vain": None, visit.session: None,
    }  # fmt: skip
    assert {name: item["pseudonym"] for name, item in said.items()} == {
        **dict.fromkeys(("twice", "absent", "analysed-in-vain"), person["pseudonym"]), visit.session: None,
    }  # fmt: skip
    one = client.get(f"{LIST}/twice").json()
    assert {name: one[name] for name in said["twice"]} == said["twice"]


def test_a_longer_list_takes_no_more_queries(client: TestClient, database: Database) -> None:
    queries: list[str] = []

    def count(*said: Any) -> None:
        queries.append(said[2])

    def asked(limit: int) -> list[str]:
        queries.clear()
        assert len(client.get(LIST, params={"limit": limit}).json()["items"]) == limit
        # beside who asks, and the audit's row
        others = ("FROM users", "FROM tokens", "FROM audit", "pg_advisory")
        return [query for query in queries if query.startswith("SELECT") and not any(each in query for each in others)]

    person = client.post("/api/v1/patients", json={}).json()["id"]
    with database.transaction() as db:
        engine = db.get_bind().engine
        for number in range(8):
            sessions.make_orphan(db, f"s-{number}", "kiosk-1", 1000 + number)
            sessions.assign(db, f"s-{number}", person)
    for number in range(8):
        revision(database, f"s-{number}", 1, finding(70.0 + number))
    event.listen(engine, "before_cursor_execute", count)
    assert len(asked(8)) == len(asked(1)) == 3


def test_paging_neither_skips_nor_repeats(client: TestClient, database: Database) -> None:
    with database.transaction() as db:
        for number in range(23):
            # several in the same nanosecond: only the id orders them
            sessions.make_orphan(db, f"s-{number:02}", "kiosk-1", 1000 + number // 5)
    expected = sorted(
        (f"s-{number:02}" for number in range(23)), key=lambda id_: (int(id_[2:]) // 5, id_), reverse=True
    )
    for limit in (1, 4, 5, 23, 200):
        assert every_page(client, limit) == expected


def test_sessions_that_arrive_while_paging_move_nothing(client: TestClient, database: Database) -> None:
    with database.transaction() as db:
        for number in range(6):
            sessions.make_orphan(db, f"s-{number}", "kiosk-1", 1000 + number)
    first = client.get(LIST, params={"limit": 3}).json()
    with database.transaction() as db:
        sessions.make_orphan(db, "s-new", "kiosk-1", 2000)
        sessions.touch(db, ["s-1"], 3000)
    second = client.get(LIST, params={"limit": 3, "cursor": first["next"]}).json()
    assert [item["id"] for item in first["items"] + second["items"]] == [f"s-{number}" for number in range(5, -1, -1)]


def test_filters_hold_on_every_page(client: TestClient, database: Database) -> None:
    patient = client.post("/api/v1/patients", json={}).json()["id"]
    with database.transaction() as db:
        for number in range(12):
            sessions.make_orphan(db, f"s-{number:02}", f"kiosk-{number % 2}", 1000 + number)
        sessions.assign(db, "s-04", patient)
        row = db.get(SessionRow, "s-07")
        assert row
        row.state = "closed"
    assert every_page(client, 2, kiosk="kiosk-1") == [f"s-{number:02}" for number in range(11, 0, -2)]
    assert every_page(client, 2, state="closed") == ["s-07"]
    assert every_page(client, 2, patient=patient) == ["s-04"]
    assert every_page(client, 2, state="ended") == []


def test_a_session_is_assigned_and_analysed_again(client: TestClient, database: Database, visit: Visit) -> None:
    patient = client.post("/api/v1/patients", json={}).json()["id"]
    with database.transaction() as db:
        row = db.get(SessionRow, visit.session)
        assert row
        row.state, row.revision = "closed", 1
    said = client.patch(f"{LIST}/{visit.session}", json={"patient_id": patient})
    assert said.status_code == 200
    assert (said.json()["patient_id"], said.json()["changed"]) == (patient, True)
    assert client.get(f"{LIST}/{visit.session}").json()["patient_id"] == patient
    assert client.patch(f"{LIST}/{visit.session}", json={"patient_id": None}).json()["patient_id"] is None


def test_wrong_assignments_are_refused(client: TestClient, visit: Visit) -> None:
    address = f"{LIST}/{visit.session}"
    problem_of(client.patch(address, json={"patient_id": "p-nobody"}), 409, "no-such-patient")
    problem_of(client.patch(address, json={}), 422, "invalid")
    problem_of(client.patch(address, json={"patient_id": None, "state": "closed"}), 422, "invalid")
    problem_of(client.patch(f"{LIST}/nobody", json={"patient_id": None}), 404, "unknown-session")
    assert client.get(address).json()["patient_id"] is None


@pytest.mark.parametrize("cursor", ["AAAA", "WzEsMl0", "WzEsIiJd", "WzFlOTk5OSwiYSJd", "WzEsImFcdTAwMDAiXQ", "x" * 400])
def test_a_cursor_that_is_not_ours_is_refused(client: TestClient, cursor: str) -> None:
    said = problem_of(client.get(LIST, params={"cursor": cursor}), 422, "invalid")
    assert said["errors"][0]["where"] == "query.cursor"


def test_wrong_questions_are_refused(client: TestClient) -> None:
    for query in ("limit=0", "limit=201", "state=weird", "stat=open", "kiosk=a/b", "kiosk=%00", "cursor=!"):
        said = problem_of(client.get(f"{LIST}?{query}"), 422, "invalid")
        assert said["errors"][0]["where"].startswith("query.")
    problem_of(client.get(f"{LIST}/nobody"), 404, "unknown-session")
    problem_of(client.get(f"{LIST}/%2e%2e"), 422, "invalid")

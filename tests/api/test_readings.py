"""Readings, revisions and events over HTTP."""

from starlette.testclient import TestClient

from api.store import Database, results
from api.store.results import Found
from api.tables import SessionRow
from kiosk.messages import SECOND, Event, Stream
from tests.api.conftest import Visit, opened, problem_of, record

BASE = "/api/v1/sessions/s-visit"


def found(measure: str, value: float | None, *, preferred: bool = False, source: str = "chest-strap") -> Found:
    return Found(
        measure, value, None, None, 0.9, None if value is not None else "too_short", source, "recording", "a-method",
        preferred, 0, 10 * SECOND,
    )  # fmt: skip


def close(database: Database, session: str, number: int, *readings: Found) -> None:
    with database.transaction() as db:
        results.add(
            db, session, number, outcome="complete", version="0.1.0", context={"age": 44}, beats=b"\0" * 80,
            readings=readings, now=1_735_808_400 * SECOND,
        )  # fmt: skip
        row = db.get(SessionRow, session)
        assert row
        row.revision, row.state = number, "closed"


def test_readings_are_those_of_the_newest_revision_and_of_devices(
    client: TestClient, database: Database, visit: Visit
) -> None:
    close(database, visit.session, 1, found("heart_rate", 60.0))
    close(
        database, visit.session, 2, found("heart_rate", 61.0), found("lf_power", None),
        found("heart_rate", 62.0, preferred=True, source="cuff"),
    )  # fmt: skip
    said = client.get(f"{BASE}/readings").json()
    assert said["revision"] == 2
    # in the order of the catalogue, the preferred one first
    assert [(item["measure"], item["value"], item["revision"]) for item in said["items"]] == [
        ("heart_rate", 62.0, 2),
        ("heart_rate", 61.0, 2),
        ("lf_power", None, 2),
        ("systolic", 121.0, 0),
        ("diastolic", None, 0),
    ]
    heart, *_, power, _, cuff = said["items"]
    assert heart["code"] == {"system": "http://loinc.org", "code": "8867-4"}
    assert (heart["title"], heart["unit"], heart["decimals"], heart["end"]) == ("Heart rate", "/min", 0, 10.0)
    assert (power["absent"], power["quality"]) == ("too_short", 0.9)
    assert power["code"]["system"].startswith("https://")
    assert (cuff["absent"], cuff["scope"], cuff["low"]) == ("noisy", "spot", None)


def test_readings_can_be_narrowed(client: TestClient, database: Database, visit: Visit) -> None:
    close(database, visit.session, 1, found("heart_rate", 60.0))
    close(database, visit.session, 2, found("heart_rate", 61.0))

    def values(query: str) -> list[float | None]:
        return [item["value"] for item in client.get(f"{BASE}/readings?{query}").json()["items"]]

    assert values("revision=1") == [60.0]
    assert values("revision=0") == [121.0, None]
    assert values("measure=heart_rate") == [61.0]
    assert values("scope=spot") == [121.0, None]
    assert values("measure=sdnn") == []
    problem_of(client.get(f"{BASE}/readings?revision=3"), 404, "unknown-revision")
    problem_of(client.get(f"{BASE}/readings?measure=luck"), 422, "invalid")
    problem_of(client.get(f"{BASE}/readings?measured=sdnn"), 422, "invalid")


def test_revisions_are_all_there(client: TestClient, database: Database, visit: Visit) -> None:
    close(database, visit.session, 1)
    close(database, visit.session, 2)
    items = client.get(f"{BASE}/revisions").json()["items"]
    assert [item["number"] for item in items] == [1, 2]
    assert items[0] == {
        "number": 1,
        "outcome": "complete",
        "reason": "closed",
        "requested_by": None,
        "created": "2025-01-02T09:00:00Z",
        "version": "0.1.0",
        "context": {"age": 44},
        "beats": 10,
    }


def test_events_come_in_the_order_of_their_times_page_by_page(client: TestClient, database: Database) -> None:
    record(
        database,
        opened("s-events"),
        *(
            Event(Stream("s-events", device, "events", "r1"), seq, "moved", (seq // 2) * SECOND, f"{device}{seq}")
            for device in ("a", "b")
            for seq in range(7)
        ),
    )
    found_: list[str] = []
    cursor = None
    while True:
        query = {"limit": "3", **({"cursor": cursor} if cursor else {})}
        said = client.get("/api/v1/sessions/s-events/events", params=query).json()
        found_ += [item["detail"] for item in said["items"]]
        cursor = said["next"]
        if cursor is None:
            break
    assert found_ == ["a0", "a1", "b0", "b1", "a2", "a3", "b2", "b3", "a4", "a5", "b4", "b5", "a6", "b6"]


def test_what_is_unknown_is_a_problem(client: TestClient) -> None:
    for part in ("readings", "revisions", "events"):
        problem_of(client.get(f"/api/v1/sessions/nobody/{part}"), 404, "unknown-session")
    problem_of(client.get("/api/v1/sessions/nobody/events?cursor=AAAA"), 404, "unknown-session")

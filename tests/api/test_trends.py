"""Trends: a person's sessions, their own usual beside them, gaps as gaps."""

import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, update
from starlette.testclient import TestClient

from api.baselines import baseline, expected
from api.closing import context_of
from api.store import Database
from api.tables import SessionRow
from tests.api.conftest import ClientAs, problem_of
from tests.api.records import analysed, patient

AT = "/api/v1/patients/p-one/trends"


def trends(client: TestClient, **wanted: str | int) -> dict[str, Any]:
    answer = client.get(AT, params=wanted)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def fill(database: Database, values: list[float | None], measure: str = "heart_rate") -> None:
    patient(database)
    for day, value in enumerate(values):
        analysed(database, f"s-{day:03}", {measure: value}, whose="p-one", day=day)


def test_a_series_has_values_reasons_and_gaps(client: TestClient, database: Database) -> None:
    fill(database, [70.0, None, 74.0])
    analysed(database, "s-other", {"rmssd": 30.0}, whose="p-one", day=3)
    said = trends(client, measures="heart_rate,stress")
    assert said["sessions"] == ["s-000", "s-001", "s-002", "s-other"]
    (series,) = said["series"]
    assert [(point["value"], point["absent"]) for point in series["points"]] == [
        (70.0, None),
        (None, "noisy"),
        (74.0, None),
    ]
    assert [point["usual"] and point["usual"]["sessions"] for point in series["points"]] == [None, 1, 1]


def test_usual_is_what_the_analysis_compared_with(client: TestClient, database: Database) -> None:
    values = [60.0 + (day * 7) % 11 for day in range(30)]
    fill(database, [*values[:12], None, *values[12:]])
    (series,) = trends(client, measures="heart_rate")["series"]
    for place in (1, 5, 15, 30):
        (known,) = context_of(database, f"s-{place:03}").baselines
        usual = series["points"][place]["usual"]
        assert (usual["mean"], usual["sd"], usual["sessions"]) == pytest.approx((known.mean, known.sd, known.sessions))
    assert series["points"][30]["usual"]["sessions"] == 19  # twenty sessions, one without a value


def test_a_change_beyond_a_persons_own_range_is_said(client: TestClient, database: Database) -> None:
    fill(database, [70.0, 71.0, 69.0, 70.5, 69.5, 70.2, 90.0, 45.0])
    points = trends(client, measures="heart_rate")["series"][0]["points"]
    assert [point["change"] for point in points] == [None] * 6 + ["above", "below"]
    assert points[4]["usual"]["low"] is None
    assert points[6]["usual"]["high"] == pytest.approx(70.033 + 2.571 * 0.712 * (7 / 6) ** 0.5, abs=0.01)


def test_the_newest_revision_speaks_and_spot_readings_are_a_series_of_their_own(
    client: TestClient, database: Database
) -> None:
    fill(database, [70.0])
    analysed(database, "s-000", {"heart_rate": 75.0}, revision=2)
    answers = {"q1": 3, "q2": 2, "q3": 3, "q4": 1, "q5": 3}
    client.post("/api/v1/sessions/s-000/answers", json={"questionnaire": "who5", "answers": answers})
    series = trends(client, measures="who5,heart_rate")["series"]
    assert [(each["measure"], each["scope"], each["points"][0]["value"]) for each in series] == [
        ("who5", "spot", 48.0),
        ("heart_rate", "recording", 75.0),
    ]


def test_pages_join_without_a_seam_and_their_usual_does_not_depend_on_them(
    client: TestClient, database: Database
) -> None:
    fill(database, [60.0 + day % 7 for day in range(60)])
    whole = trends(client, measures="heart_rate")["series"][0]["points"]
    pages: list[list[dict[str, Any]]] = []
    cursor: str | None = None
    while True:
        page = trends(client, measures="heart_rate", limit=17, **({"cursor": cursor} if cursor else {}))
        pages.insert(0, page["series"][0]["points"])
        cursor = page["next"]
        if cursor is None:
            break
    assert [point for page in pages for point in page] == whole
    assert [len(page) for page in pages] == [9, 17, 17, 17]


def test_a_window_of_time_keeps_the_usual_of_before(client: TestClient, database: Database) -> None:
    fill(database, [70.0 + day for day in range(10)])
    whole = trends(client, measures="heart_rate")
    some = trends(client, measures="heart_rate", **{"from": whole["times"][3], "to": whole["times"][8]})
    assert some["sessions"] == whole["sessions"][3:8]
    assert some["series"][0]["points"] == whole["series"][0]["points"][3:8]
    assert some["next"] is None


@pytest.mark.parametrize(
    "wanted",
    [
        {"measures": ""},
        {"measures": "mood"},
        {"measures": "heart_rate,"},
        {"measures": "heart_rate", "limit": 1001},
        {"measures": "heart_rate", "from": "2025-01-01"},
        {"measures": "heart_rate", "cursor": "AAAA"},
    ],
    ids=range(6),
)
def test_what_cannot_be_asked_is_refused(client: TestClient, database: Database, wanted: dict[str, str | int]) -> None:
    patient(database)
    problem_of(client.get(AT, params=wanted), 422, "invalid")


def test_a_person_without_sessions_has_empty_trends_and_a_stranger_none(
    client: TestClient, client_as: ClientAs, database: Database
) -> None:
    patient(database)
    assert trends(client, measures="heart_rate") == {"sessions": [], "times": [], "series": [], "next": None}
    stranger = client_as("clinician", "elsewhere")
    problem_of(stranger.get(AT, params={"measures": "heart_rate"}), 404, "unknown-patient")
    problem_of(client_as("operator").get(AT, params={"measures": "heart_rate"}), 403, "forbidden")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=25))
def test_a_baseline_is_mean_sd_and_count(values: list[float]) -> None:
    known = baseline("heart_rate", values)
    assert known.mean == pytest.approx(statistics.fmean(values))
    assert known.sd == pytest.approx(statistics.stdev(values) if len(values) > 1 else 0.0, abs=1e-6)
    assert known.sessions == len(values)
    limits = expected(known)
    assert limits is None or limits.low < known.mean < limits.high
    assert (limits is None) == (len(values) < 5 or known.sd == 0.0)


def test_nobody_is_compared_with_a_simulation(client: TestClient, database: Database) -> None:
    fill(database, [70.0, 200.0, 72.0, 201.0, 74.0])
    with database.transaction() as db:
        db.execute(update(SessionRow).where(col(SessionRow.id).in_(["s-001", "s-003"])).values(simulated=True))
    points = trends(client, measures="heart_rate")["series"][0]["points"]
    assert [point["usual"] and point["usual"]["mean"] for point in points] == [None, None, 70.0, 200.0, 71.0]
    last = trends(client, measures="heart_rate", limit=1)["series"][0]["points"]
    assert last == points[4:]
    for place, point in enumerate(points):
        known = context_of(database, f"s-{place:03}").baselines
        assert [each.mean for each in known] == ([] if point["usual"] is None else [point["usual"]["mean"]])

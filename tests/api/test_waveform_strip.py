"""What the strip draws: windows in binary, where samples are missing and why, and what is usual for the person."""

import numpy as np
import pytest
from starlette.testclient import TestClient

from analytics import norms
from api.store import Database, results, sessions, utc_now
from api.store.sessions import Due
from kiosk.messages import SECOND, Chunk, Lost, Stream
from tests.api.conftest import Visit, chunks_of, opened, problem_of, record

WINDOW = "/api/v1/sessions/s-visit/waveforms/ecg"


def drawn(client: TestClient, address: str = WINDOW, **query: object) -> tuple[dict[str, str], bytes]:
    response = client.get(address, params={"format": "drawn", **{name: str(each) for name, each in query.items()}})
    assert response.status_code == 200, response.text
    return dict(response.headers), response.content


def test_a_binary_window_has_the_buckets_that_json_has(client: TestClient, visit: Visit) -> None:
    assert visit
    said = client.get(WINDOW, params={"start": 0, "end": 10, "points": 100}).json()
    headers, body = drawn(client, start=0, end=10, points=100)
    assert headers["kiosk-form"] == "buckets"
    assert headers["kiosk-shape"] == "100,1"
    low, high = np.frombuffer(body, "<f4").reshape(2, 100)
    for shown, told in ((low, said["low"][0]), (high, said["high"][0])):
        expected = np.array([np.nan if each is None else each for each in told], np.float32)
        assert shown.tobytes() == expected.tobytes()


def test_few_samples_come_as_they_are_with_nan_in_the_gap(client: TestClient, visit: Visit) -> None:
    headers, body = drawn(client, start=0, end=10, points=2000)
    assert headers["kiosk-form"] == "samples"
    values = np.frombuffer(body, "<f4")
    assert values[:1000].tobytes() == visit.ecg[:1000].tobytes()
    assert np.isnan(values[1000:1250]).all()
    assert float(headers["kiosk-start"]) == 0.0
    assert float(headers["kiosk-rate"]) == 250.0


def test_few_samples_in_a_long_window_are_no_long_grid_of_nothing(client: TestClient, visit: Visit) -> None:
    assert visit
    headers, body = drawn(client, start=0, end=16384, points=2000)
    assert headers["kiosk-form"] == "buckets"
    assert len(body) == 2 * 2000 * 4
    low, high = np.frombuffer(body, "<f4").reshape(2, 2000)
    assert np.nanmax(high) == np.nanmax(visit.ecg[~np.isin(np.arange(2500), np.arange(1000, 1250))])
    assert np.isnan(low[3:]).all()


def test_samples_with_times_of_their_own_keep_them(client: TestClient, database: Database) -> None:
    stream = Stream("s-rr", "strap", "rr", "r1")
    intervals, offsets = np.array([800, 810, 790], "<f4"), np.array([0, 810_000, 1_600_000], "<i4")
    record(database, opened("s-rr"), Chunk(stream, 0, SECOND, None, ("rr",), intervals.tobytes(), offsets.tobytes()))
    headers, body = drawn(client, "/api/v1/sessions/s-rr/waveforms/rr", start=0, end=8)
    assert headers["kiosk-form"] == "timed"
    assert np.frombuffer(body, "<f8", 3).tolist() == [1.0, 1.81, 2.6]
    assert np.frombuffer(body, "<f4", 3, 24).tolist() == [800, 810, 790]


def test_a_window_without_samples_is_empty(client: TestClient, visit: Visit) -> None:
    assert visit
    headers, body = drawn(client, start=20, end=24)
    assert (headers["kiosk-shape"], body) == ("0,1", b"")


def test_a_hole_says_why_it_is_there(client: TestClient, database: Database) -> None:
    stream = Stream("s-holes", "a", "ecg", "r1")
    wave = np.ones((250, 1), np.float32)
    piece = [chunks_of(stream, wave, 250.0, ["I"], size=250, start=at * SECOND, seq=seq)[0]
             for seq, at in ((0, 0), (1, 1), (2, 5), (4, 7), (7, 10))]  # fmt: skip
    second = chunks_of(Stream("s-holes", "a", "ecg", "r2"), wave, 250.0, ["I"], size=250, start=20 * SECOND)
    record(database, opened("s-holes"), *piece, *second, Lost(stream, 5, 6, "outbox_full"))
    said = client.get("/api/v1/sessions/s-holes/waveforms/ecg/holes").json()
    assert said == {
        "items": [
            {"start": 2.0, "end": 5.0, "reason": "silent"},
            {"start": 6.0, "end": 7.0, "reason": "not_delivered"},
            {"start": 8.0, "end": 10.0, "reason": "outbox_full"},
            {"start": 11.0, "end": 20.0, "reason": "stopped"},
        ],
        "more": False,
    }


def test_an_unbroken_signal_has_no_holes_and_an_unknown_one_is_none(client: TestClient, database: Database) -> None:
    stream = Stream("s-whole", "a", "ecg", "r1")
    wave = np.ones((3000, 1), np.float32)
    record(database, opened("s-whole"), *chunks_of(stream, wave, 256.0, ["I"], size=64))
    assert client.get("/api/v1/sessions/s-whole/waveforms/ecg/holes").json() == {"items": [], "more": False}
    problem_of(client.get("/api/v1/sessions/s-whole/waveforms/ppg/holes"), 404, "no-waveform")


@pytest.fixture
def analysed(database: Database, visit: Visit) -> str:
    with database.transaction() as db:
        row = sessions.get(db, visit.session)
        assert row is not None
        row.state = "ended"
    with database.transaction() as db:
        due = Due(visit.session, "complete", 0)
        assert sessions.claim(db, due, "test", utc_now())
        assert sessions.close(db, due, "test", utc_now())
        results.add(
            db, visit.session, 1, outcome="complete", version="0.1.0", context={"age": 44.0, "sex": "female"},
            beats=None, now=utc_now(), readings=[],
        )  # fmt: skip
    return visit.session


def test_what_is_usual_is_that_of_the_person_whom_the_analysis_knew(client: TestClient, analysed: str) -> None:
    said = client.get(f"/api/v1/sessions/{analysed}/usual").json()
    assert (said["age"], said["sex"], said["version"]) == (44.0, "female", norms.VERSION)
    heart = next(each for each in said["items"] if each["measure"] == "heart_rate")
    row = norms.norm("heart_rate", age=44.0, sex="female")
    assert row is not None
    assert heart["low"] < heart["middle"] < heart["high"]
    assert (heart["middle"], heart["source"], heart["doi"]) == (row.middle(), row.source, row.doi)
    # five of a hundred lie below, and five above
    assert norms.percentile("heart_rate", heart["low"], age=44.0, sex="female") == pytest.approx(5, abs=0.1)
    assert norms.percentile("heart_rate", heart["high"], age=44.0, sex="female") == pytest.approx(95, abs=0.1)


def test_nothing_is_usual_for_somebody_of_no_known_age(client: TestClient, visit: Visit) -> None:
    said = client.get(f"/api/v1/sessions/{visit.session}/usual").json()
    assert (said["age"], said["items"]) == (None, [])
    problem_of(client.get(f"/api/v1/sessions/{visit.session}/usual", params={"revision": 7}), 404, "unknown-revision")

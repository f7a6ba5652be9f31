"""Waveforms over HTTP: what was recorded is what comes back."""

import json
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from api import drawing
from api.routes.waveforms.shapes import Waveform
from api.store import Database
from kiosk.messages import SECOND, Chunk, Stream
from tests.api.conftest import Visit, chunks_of, opened, problem_of, record

WINDOW = "/api/v1/sessions/s-visit/waveforms/ecg"


def get(client: TestClient, address: str = WINDOW, **query: object) -> dict[str, Any]:
    response = client.get(address, params={name: str(value) for name, value in query.items()})
    assert response.status_code == 200, response.text
    said: dict[str, Any] = response.json()
    assert Waveform.model_validate(said).model_dump() == said
    return said


def test_samples_come_back_bit_for_bit_with_one_null_per_gap(client: TestClient, visit: Visit) -> None:
    said = get(client)
    assert not said["decimated"]
    assert (said["unit"], said["rate"], said["channels"], said["device"]) == ("mV", 250.0, ["I"], "chest-strap")
    (shown,) = said["values"]
    times = said["times"]
    hole = [time for time, value in zip(times, shown, strict=True) if value is None]
    assert hole == [0.4, 4.0]  # the sample that the device lost, and the second that was not delivered
    kept = np.array([np.nan if value is None else value for value in shown], np.float32)
    kept = np.delete(kept, times.index(4.0))
    expected = np.concatenate([visit.ecg[:1000, 0], visit.ecg[1250:, 0]])
    assert kept.tobytes() == expected.tobytes()


def test_a_window_holds_what_is_in_it_and_no_more(client: TestClient, visit: Visit) -> None:
    said = get(client, start=2.002, end=3.0)
    assert said["times"][0] == 2.004
    assert said["times"][-1] == 2.996
    assert np.array(said["values"][0], np.float32).tobytes() == visit.ecg[501:750, 0].tobytes()


def test_decimated_windows_keep_the_extremes_and_the_gap(client: TestClient, visit: Visit) -> None:
    said = get(client, points=100)
    assert said["decimated"]
    assert said["values"] is None
    low, high = said["low"][0], said["high"][0]
    delivered = np.concatenate([visit.ecg[:1000], visit.ecg[1250:]])
    assert min(value for value in low if value is not None) == np.nanmin(delivered)
    assert max(value for value in high if value is not None) == np.nanmax(delivered)
    gap = [time for time, value in zip(said["times"], low, strict=True) if value is None]
    assert gap == [round(4.0 + step / 10, 6) for step in range(10)]


def test_raw_rows_are_the_grid_with_nan_for_what_is_missing(client: TestClient, visit: Visit) -> None:
    response = client.get(WINDOW, params={"format": "f32"})
    assert response.headers["content-type"] == "application/octet-stream"
    rows, columns = map(int, response.headers["kiosk-shape"].split(","))
    values = np.frombuffer(response.content, "<f4").reshape(rows, columns)
    assert (rows, columns) == (2500, 1)
    assert values[:1000].tobytes() == visit.ecg[:1000].tobytes()
    assert np.isnan(values[1000:1250]).all()
    assert values[1250:].tobytes() == visit.ecg[1250:].tobytes()
    assert json.loads(response.headers["kiosk-channels"]) == ["I"]
    assert float(response.headers["kiosk-rate"]) == 250.0
    assert float(response.headers["kiosk-start"]) == 0.0


def test_irregular_samples_keep_their_own_times(client: TestClient, database: Database) -> None:
    stream = Stream("s-rr", "strap", "rr", "r1")
    intervals = np.array([800, 810, 790], "<f4")
    offsets = np.array([0, 810_000, 1_600_000], "<i4")
    record(
        database,
        opened("s-rr"),
        Chunk(stream, 0, SECOND, None, ("rr",), intervals.tobytes(), offsets.tobytes()),
        Chunk(stream, 1, 3 * SECOND, None, ("rr",), intervals[:1].tobytes(), offsets[:1].tobytes()),
    )
    address = "/api/v1/sessions/s-rr/waveforms/rr"
    said = get(client, address)
    assert said["times"] == [1.0, 1.81, 2.6, 3.0]
    assert said["values"] == [[800, 810, 790, 800]]
    assert said["rate"] is None
    assert get(client, address, start=2, end=2.7)["times"] == [2.6]
    problem_of(client.get(address, params={"format": "f32"}), 409, "irregular")


def test_two_devices_or_two_shapes_are_never_mixed(client: TestClient, database: Database) -> None:
    wave = np.ones((50, 1), np.float32)
    record(
        database,
        opened("s-two"),
        *chunks_of(Stream("s-two", "a", "ecg", "r1"), wave, 250.0, ["I"]),
        *chunks_of(Stream("s-two", "b", "ecg", "r1"), 2 * wave, 250.0, ["I"]),
        *chunks_of(Stream("s-two", "b", "ecg", "r2"), 3 * wave, 500.0, ["I"], start=SECOND),
    )
    address = "/api/v1/sessions/s-two/waveforms/ecg"
    problem_of(client.get(address), 409, "several-waveforms")
    assert set(get(client, address, device="a")["values"][0]) == {1}
    problem_of(client.get(address, params={"device": "b"}), 409, "several-waveforms")
    assert set(get(client, address, device="b", run="r2")["values"][0]) == {3}


def test_runs_of_one_shape_follow_each_other(client: TestClient, database: Database) -> None:
    wave = np.ones((50, 1), np.float32)
    record(
        database,
        opened("s-runs"),
        *chunks_of(Stream("s-runs", "a", "ecg", "r2"), 2 * wave, 250.0, ["I"], start=SECOND),
        *chunks_of(Stream("s-runs", "a", "ecg", "r1"), wave, 250.0, ["I"]),
    )
    said = get(client, "/api/v1/sessions/s-runs/waveforms/ecg")
    assert said["values"][0] == [1.0] * 50 + [None] + [2.0] * 50
    assert said["times"] == sorted(said["times"])


def test_windows_that_make_no_sense_or_too_much_work_are_refused(client: TestClient, visit: Visit) -> None:
    assert visit
    problem_of(client.get(WINDOW, params={"start": 3, "end": 3}), 422, "invalid")
    problem_of(client.get(WINDOW, params={"start": "nan"}), 422, "invalid")
    problem_of(client.get(WINDOW, params={"points": 0}), 422, "invalid")
    problem_of(client.get(WINDOW, params={"start": 0, "end": 6 * 3600 + 1}), 413, "window-too-large")
    problem_of(client.get(WINDOW, params={"start": 60}), 404, "no-waveform")
    problem_of(client.get(WINDOW, params={"device": "other"}), 404, "no-waveform")
    problem_of(client.get("/api/v1/sessions/s-visit/waveforms/ppg"), 404, "no-waveform")
    problem_of(client.get("/api/v1/sessions/s-visit/waveforms/readings"), 404, "no-waveform")
    problem_of(client.get("/api/v1/sessions/nobody/waveforms/ecg"), 404, "unknown-session")
    assert get(client, start=20, end=21)["times"] == []


def test_a_long_window_is_read_in_portions(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    wave = np.random.default_rng(1).normal(size=(60_000, 2)).astype(np.float32)
    record(
        database,
        opened("s-long"),
        *chunks_of(Stream("s-long", "a", "ppg", "r1"), wave, 100.0, ["red", "infrared"], size=100),
    )
    monkeypatch.setattr(drawing, "PORTION_BYTES", 10_000)
    said = get(client, "/api/v1/sessions/s-long/waveforms/ppg", points=300)
    groups = wave.reshape(300, 200, 2)
    assert np.array(said["low"], np.float32).T.tobytes() == groups.min(axis=1).tobytes()
    assert np.array(said["high"], np.float32).T.tobytes() == groups.max(axis=1).tobytes()

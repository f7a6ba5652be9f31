"""CSV and Parquet: everything as it is stored, nothing rounded, nothing that a spreadsheet computes."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.interop.tables import SPREADSHEETS, defused
from api.store import Database
from kiosk.messages import SECOND
from tests.api.conftest import ClientAs, opened, problem_of, record
from tests.api.interop.exporting import irregular, mixed, stored, taken, unzipped, wave


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_parquet_has_every_sample_and_every_time_exactly(database: Database, tmp_path: Path) -> None:
    known = mixed(database)
    found = unzipped(taken(database, "s-mixed", "parquet"), tmp_path)
    ppg = pq.read_table(found["waveforms/ppg_d.parquet"])
    assert np.array_equal(ppg["ir"].to_numpy(), known["ppg"][0][:, 0])
    times = np.rint(ppg["time_s"].to_numpy() * SECOND).astype(np.int64)
    assert np.array_equal(times, 700_000_000 + 8_000_000 * np.arange(1250))
    assert ppg.schema.metadata[b"unit"] == b"1"
    ecg = pq.read_table(found["waveforms/ecg_d.parquet"])
    kept = np.r_[0:1000, 1500:2500]
    assert np.array_equal(ecg["I"].to_numpy(), known["ecg"][0][kept, 0], equal_nan=True)
    camera = pq.read_table(found["waveforms/ppg_camera.parquet"])
    times = [3_000_000 + k * 33_367_000 + (k % 3) * 1_000_000 for k in range(90)]
    assert np.rint(camera["time_s"].to_numpy() * SECOND).astype(np.int64).tolist() == times
    assert np.array_equal(camera["g"].to_numpy(), wave(90, 1, 5)[:, 0])
    assert pq.read_table(found["beats.parquet"])["time_s"].to_pylist() == [0.5, 1.3, 2.104, 3.0, 7.25]


def test_csv_has_the_same_to_the_last_bit(database: Database, tmp_path: Path) -> None:
    known = mixed(database)
    found = unzipped(taken(database, "s-mixed", "csv"), tmp_path)
    ecg = rows(found["waveforms/ecg_d.csv"])
    kept = np.r_[0:1000, 1500:2500]
    values = np.array([float(each["I"] or "nan") for each in ecg], np.float32)
    assert np.array_equal(values, known["ecg"][0][kept, 0], equal_nan=True)
    assert [round(float(each["time_s"]) * SECOND) for each in ecg] == (kept * 4_000_000).tolist()
    readings = rows(found["readings.csv"])
    assert [(each["measure"], each["value"], each["unit"]) for each in readings] == [
        ("systolic", "121", "mm[Hg]"), ("heart_rate", "72.25", "/min"),
    ]  # fmt: skip
    said = json.loads(found["session.json"].read_text())
    assert (said["pseudonym"], said["origin"]) == ("K7QF-p-1", "2025-01-02T09:00:00+00:00")
    assert len(said["waveforms"]) == 5


def test_no_text_cell_and_no_heading_begins_a_formula(database: Database, tmp_path: Path) -> None:
    mixed(database)
    found = unzipped(taken(database, "s-mixed", "csv"), tmp_path)
    assert rows(found["events.csv"])[0]["detail"] == "'=HYPERLINK(1)"
    assert rows(found["readings.csv"])[1]["method"] == "'=m"
    assert found["waveforms/eeg_cap.csv"].read_text("utf-8").splitlines()[0].endswith('"\'=1+1"')
    # and Parquet, which no spreadsheet computes, has the text itself
    plain = unzipped(taken(database, "s-mixed", "parquet"), tmp_path / "parquet")
    assert pq.read_table(plain["events.parquet"])["detail"][0].as_py() == "=HYPERLINK(1)"


@given(st.text(max_size=20))
def test_defused_text_begins_no_formula_and_loses_nothing(text: str) -> None:
    cell = defused(text)
    assert not cell.startswith(SPREADSHEETS)
    assert cell.removeprefix("'" if cell != text else "") == text


def test_an_empty_session_has_tables_without_rows(database: Database, tmp_path: Path) -> None:
    record(database, opened("s"))
    found = unzipped(taken(database, "s", "csv"), tmp_path)
    assert set(found) == {"session.json", "readings.csv", "events.csv", "beats.csv"}
    assert rows(found["readings.csv"]) == []


def test_names_of_files_are_plain_and_differ(database: Database, tmp_path: Path) -> None:
    record(database, opened("s"))
    for device in ("a.b", "a-b", "A-b"):
        irregular(database, "s", [0, SECOND], wave(2, 1, 1), device=device)
    found = [name for name in unzipped(taken(database, "s", "csv"), tmp_path) if "/" in name]
    assert found == ["waveforms/ppg_a-b.csv", "waveforms/ppg_a-b_2.csv", "waveforms/ppg_A-b_3.csv"]


# --- over HTTP


@pytest.mark.parametrize("form", ["edf", "wfdb", "csv", "parquet"])
def test_the_route_sends_the_file(client: TestClient, database: Database, form: str) -> None:
    mixed(database)
    answer = client.get("/api/v1/sessions/s-mixed/export", params={"format": form})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith('attachment; filename="s-mixed')
    assert answer.content == taken(database, "s-mixed", form)  # type: ignore[arg-type]
    assert answer.content[:2] == (b"0 " if form == "edf" else b"PK")


def test_what_does_not_fit_is_a_problem_and_no_half_file(client: TestClient, database: Database) -> None:
    record(database, opened("s"))
    stored(database, "s", "ecg", wave(50, 1, 3), 250.0, ["I"])
    stored(database, "s", "ecg", wave(50, 1, 3), 250.0, ["I"], start=2_000_000 * SECOND, run="r2")
    for form in ("edf", "wfdb"):
        problem_of(client.get(f"/api/v1/sessions/s/export?format={form}"), 409, "not-in-format")
    assert client.get("/api/v1/sessions/s/export?format=parquet").status_code == 200


def test_exports_are_for_clinicians_and_integrators_of_the_clinic(
    client: TestClient, client_as: ClientAs, database: Database
) -> None:
    mixed(database)
    address = "/api/v1/sessions/s-mixed/export?format=csv"
    assert client_as("integrator").get(address).status_code == 200
    for role in ("operator", "researcher", "administrator", "auditor"):
        problem_of(client_as(role).get(address), 403, "forbidden")
    problem_of(client_as("clinician", "other").get(address), 404, "unknown-session")
    problem_of(client.get("/api/v1/sessions/s-none/export?format=csv"), 404, "unknown-session")
    problem_of(client.get("/api/v1/sessions/s-mixed/export?format=exe"), 422, "invalid")


def test_an_export_of_what_was_erased_says_so(client: TestClient, database: Database) -> None:
    mixed(database)
    database.vault.destroy("session", ["s-mixed"])
    for form in ("edf", "wfdb", "csv", "parquet"):
        problem_of(client.get(f"/api/v1/sessions/s-mixed/export?format={form}"), 410, "erased")

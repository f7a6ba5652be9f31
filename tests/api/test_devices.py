"""What the technician is told: rates as they are, gaps, ages, versions; of the own clinic alone."""

import math

import numpy as np
import pytest
from starlette.testclient import TestClient

from api.security import Role
from api.store import Database, kiosks, utc_now
from api.tables import AuditRow, KioskRow
from kiosk.messages import SECOND, Chunk, Lost, Origin, Session, Status, Stream
from tests.api import staff
from tests.api.conftest import ClientAs, problem_of, record

LIST = "/api/v1/devices"
RATE = 250.0


def begin(database: Database, kiosk: str, *, seconds: float = 30.0, ahead: float = 0.0) -> str:
    """A session that began so long ago by the kiosk's clock, which is ahead by some seconds."""
    session = f"s-{kiosk}"
    origin = Origin(utc_now() - round((seconds - ahead) * SECOND), 0, "b")
    record(database, Session(Stream(session, "station", "session", "r"), 0, "open", origin), kiosk=kiosk)
    return session


def chunks(session: str, seqs: range, *, size: int = 250) -> list[Chunk]:
    stream = Stream(session, "strap", "ecg", "r1")
    samples = np.zeros(size, "<f4").tobytes()
    return [Chunk(stream, seq, seq * SECOND, RATE, ("I",), samples) for seq in seqs]


def test_a_signal_tells_its_rate_its_age_and_its_gaps(client: TestClient, database: Database) -> None:
    session = begin(database, "kiosk-1", seconds=32)
    record(database, *chunks(session, range(10)), *chunks(session, range(12, 30)), kiosk="kiosk-1")
    record(database, Status("sensors", "running", session=session, version="0.1.0"), kiosk="kiosk-1")
    (kiosk,) = client.get(LIST).json()["items"]
    (ecg,) = kiosk["signals"]
    assert (ecg["device"], ecg["signal"], ecg["nominal"]) == ("strap", "ecg", RATE)
    # 28 of 30 seconds came
    assert math.isclose(ecg["measured"], RATE * 28 / 30, rel_tol=0.03)
    assert ecg["missing"] == 2
    assert 1.5 < ecg["age"] < 10
    assert (kiosk["state"], kiosk["session"], kiosk["version"]) == ("measuring", session, "0.1.0")


def test_a_signal_that_stopped_has_neither_rate_nor_age(client: TestClient, database: Database) -> None:
    session = begin(database, "kiosk-1", seconds=300)
    record(database, *chunks(session, range(3)), Lost(Stream(session, "strap", "ecg", "r1"), 5, 8, "outbox_full"))
    (ecg,) = client.get(LIST).json()["items"][0]["signals"]
    assert (ecg["measured"], ecg["age"], ecg["lost"]) == (None, None, 4)


def test_a_slow_device_is_seen_by_its_rate(client: TestClient, database: Database) -> None:
    session = begin(database, "kiosk-1", seconds=22)
    record(database, *chunks(session, range(20), size=200))
    (ecg,) = client.get(LIST).json()["items"][0]["signals"]
    assert math.isclose(ecg["measured"], 200, rel_tol=0.02)


def test_trouble_silence_and_revocation_are_told_apart(client: TestClient, database: Database) -> None:
    record(database, Status("sensors", "running"), kiosk="k-fine")
    record(database, Status("sensors", "running"), Status("cuff", "failed", detail="no cuff"), kiosk="k-failed")
    record(database, Status("sensors", "gone"), kiosk="k-gone")
    record(database, Status("sensors", "running", waiting=5000), kiosk="k-piled")
    with database.transaction() as db:
        kiosks.add(db, KioskRow(name="k-never", clinic_id="main", added_ns=1))
        kiosks.add(db, KioskRow(name="k-revoked", clinic_id="main", added_ns=1))
        kiosks.revoke(db, "k-revoked", utc_now())
    told = {each["kiosk"]: (each["state"], each["age"] is None) for each in client.get(LIST).json()["items"]}
    assert told == {
        "k-fine": ("free", False),
        "k-failed": ("trouble", False),
        "k-gone": ("offline", False),
        "k-piled": ("trouble", False),
        "k-never": ("offline", True),
        "k-revoked": ("revoked", True),
    }


def test_one_kiosk_tells_how_its_sessions_came_in(client: TestClient, database: Database) -> None:
    begin(database, "kiosk-1", seconds=0, ahead=30)
    record(database, Status("sensors", "running"))
    told = client.get(f"{LIST}/kiosk-1").json()
    (last,) = told["history"]
    assert (last["session"], last["expected"], last["lost"]) == ("s-kiosk-1", None, 0)
    assert 20 < told["clock_offset"] <= 30.1
    problem_of(client.get(f"{LIST}/nowhere"), 404, "unknown-kiosk")


def test_the_clock_of_a_kiosk_without_sessions_is_unknown(client: TestClient, database: Database) -> None:
    record(database, Status("sensors", "running"))
    assert client.get(f"{LIST}/kiosk-1").json()["clock_offset"] is None


def test_devices_of_another_clinic_are_not_there(client_as: ClientAs, database: Database) -> None:
    staff.hire(database, Role.OPERATOR, "other")
    with database.transaction() as db:
        kiosks.add(db, KioskRow(name="k-other", clinic_id="other", added_ns=1))
    session = begin(database, "k-other")
    record(database, *chunks(session, range(3)), kiosk="k-other")
    mine = client_as(Role.OPERATOR)
    assert mine.get(LIST).json()["items"] == []
    problem_of(mine.get(f"{LIST}/k-other"), 404, "unknown-kiosk")
    theirs = client_as(Role.OPERATOR, "other")
    assert theirs.get(f"{LIST}/k-other").json()["signals"]


@pytest.mark.parametrize("role", [Role.RESEARCHER, Role.AUDITOR])
def test_devices_are_for_those_who_look_after_kiosks(client_as: ClientAs, role: Role) -> None:
    problem_of(client_as(role).get(LIST), 403, "forbidden")


def test_the_chain_of_the_audit_is_verified_for_auditors(client_as: ClientAs, database: Database) -> None:
    auditor = client_as(Role.AUDITOR)
    assert auditor.get("/api/v1/audit").status_code == 200
    whole = auditor.get("/api/v1/audit/chain").json()
    assert whole["whole"]
    assert whole["rows"] >= 1
    with database.transaction() as db:
        row = db.get(AuditRow, 1)
        assert row is not None
        row.actor = "u-somebody-else"
    broken = auditor.get("/api/v1/audit/chain").json()
    assert (broken["whole"], broken["broken_at"]) == (False, 1)
    problem_of(client_as(Role.ADMINISTRATOR).get("/api/v1/audit/chain"), 403, "forbidden")

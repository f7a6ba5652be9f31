"""Kiosks that were added: whose they are, and that nothing more is recorded of one that was revoked."""

import pytest

from api.store import Database, kiosks, utc_now
from api.tables import MAIN, KioskRow, StreamRow
from kiosk.messages import Status
from tests.api import staff
from tests.api.conftest import ClientAs, opened, problem_of, record

LIST = "/api/v1/kiosks"


def test_a_kiosk_that_was_added_is_listed_before_it_speaks(client_as: ClientAs, database: Database) -> None:
    other = client_as("administrator", clinic="other")
    with database.transaction() as db:
        kiosks.add(db, KioskRow(name="k-hall", clinic_id="other", place="hall", added_ns=utc_now()))
    (shown,) = other.get(LIST).json()["items"]
    assert shown == {"kiosk": "k-hall", "clinic": "other", "place": "hall", "revoked": None, "devices": []}
    assert client_as("administrator").get(LIST).json()["items"] == []


def test_a_kiosk_that_was_merely_heard_of_is_the_clinics_that_adds_it(database: Database) -> None:
    staff.hire(database, "auditor", "other")
    record(database, Status("sensors", "running"))
    with database.transaction() as db:
        mine = KioskRow(name="kiosk-1", clinic_id="other", place="hall", added_ns=utc_now())
        kiosks.add(db, mine, speaks=False)
    with database.reading() as db:
        row = kiosks.get(db, "kiosk-1")
        assert row is not None
        assert (row.clinic_id, row.place, row.revoked_ns) == ("other", "hall", None)


def test_what_a_kiosk_measured_stays_with_its_clinic(database: Database) -> None:
    staff.hire(database, "auditor", "other")
    record(database, opened("s-early"))
    with database.transaction() as db, pytest.raises(kiosks.Known):
        kiosks.add(db, KioskRow(name="kiosk-1", clinic_id="other", place="", added_ns=utc_now()), speaks=False)
    with database.transaction() as db:
        kiosks.add(db, KioskRow(name="kiosk-1", clinic_id=MAIN, place="hall", added_ns=utc_now()), speaks=False)


def test_a_kiosk_that_was_revoked_is_recorded_no_more(client_as: ClientAs, database: Database) -> None:
    record(database, Status("sensors", "running"))
    problem_of(client_as("administrator", clinic="other").delete(f"{LIST}/kiosk-1"), 404, "unknown-kiosk")
    problem_of(client_as("clinician").delete(f"{LIST}/kiosk-1"), 403, "forbidden")
    admin = client_as("administrator")
    assert admin.delete(f"{LIST}/kiosk-1").status_code == 204
    assert admin.get(LIST).json()["items"][0]["revoked"] is not None
    assert admin.get(LIST).json()["items"][0]["clinic"] == MAIN
    record(database, opened("s-late"))
    with database.reading() as db:
        assert db.query(StreamRow).count() == 0

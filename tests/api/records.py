"""Patients and analysed sessions made straight in the database, for tests of what people add to them."""

from collections.abc import Mapping

from api import alerts
from api.store import Database, results, vault_of
from api.store.results import Found
from api.tables import MAIN, ClinicRow, PatientRow, SessionRow
from kiosk.messages import SECOND

DAY = 86_400 * SECOND
BEGAN = 1_735_808_400 * SECOND


def patient(database: Database, name: str = "p-one", clinic: str = MAIN) -> str:
    """A patient."""
    with database.transaction() as db:
        if db.get(ClinicRow, clinic) is None:
            db.add(ClinicRow(id=clinic, name=clinic, created_ns=0))
            db.flush()
        db.add(PatientRow(id=name, clinic_id=clinic, pseudonym=name.upper(), created_ns=BEGAN))
    return name


def analysed(
    database: Database,
    session: str,
    values: Mapping[str, float | None],
    *,
    whose: str | None = None,
    day: int = 0,
    clinic: str = MAIN,
    quality: float = 0.9,
    revision: int = 1,
) -> str:
    """A session with a revision that says these values over the whole recording; one more where it is there."""
    now = BEGAN + day * DAY
    with database.transaction() as db:
        row = db.get(SessionRow, session)
        if row is None:
            row = SessionRow(
                id=session, kiosk="k1", clinic_id=clinic, patient_id=whose, state="closed", outcome="complete",
                origin_utc_ns=now, first_seen_ns=now, last_seen_ns=now, closed_ns=now,
            )  # fmt: skip
            db.add(row)
            vault_of(db).assign(session, whose)
            db.flush()
        row.revision = revision
        found = [
            Found(
                measure, value, None, None, quality, None if value is not None else "noisy", "ecg", "recording",
                "m-1", preferred, 0, SECOND,
            )
            for measure, value in values.items()
            for preferred in (True, False)
        ]  # fmt: skip
        results.add(
            db, session, revision, outcome="complete", version="1", context={}, beats=None, readings=found, now=now
        )
        db.flush()
        alerts.evaluate(db, session, now)
    return session

"""Patients: pseudonyms, and the little that an analysis needs to know."""

from collections.abc import Collection, Mapping

from sqlalchemy import select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.sessions import mark_changed
from api.tables import PatientRow, SessionRow
from kiosk.errors import KioskError

CONTEXT = {"birth_year", "sex"}
"""What an analysis takes into account: a change makes new revisions of the person's sessions."""


class PseudonymTaken(KioskError):
    """Another patient has this pseudonym."""


def add(db: Session, patient: PatientRow) -> None:
    """Insert a patient."""
    try:
        with db.begin_nested():
            db.add(patient)
    except IntegrityError:
        raise PseudonymTaken("another patient has this pseudonym") from None


def change(db: Session, patient: str, values: Mapping[str, object]) -> None:
    """Set some of a patient's columns."""
    if not values:
        return
    try:
        with db.begin_nested():
            db.execute(update(PatientRow).where(col(PatientRow.id) == patient).values(dict(values)))
            if not values.keys().isdisjoint(CONTEXT):
                mine = select(col(SessionRow.id)).where(col(SessionRow.patient_id) == patient)
                mark_changed(db, db.execute(mine).scalars())
    except IntegrityError:
        raise PseudonymTaken("another patient has this pseudonym") from None


def get(db: Session, patient: str) -> PatientRow | None:
    """One patient, as the database has it now."""
    return db.get(PatientRow, patient, populate_existing=True)


def pseudonyms(db: Session, wanted: Collection[str]) -> dict[str, str]:
    """What these patients are called, by id."""
    rows = db.execute(select(col(PatientRow.id), col(PatientRow.pseudonym)).where(col(PatientRow.id).in_(wanted)))
    return {row[0]: row[1] for row in rows}


def newest(db: Session, *, limit: int, before: tuple[int, str] | None = None) -> list[PatientRow]:
    """Patients, newest first; `before` is (created_ns, id) of the last one seen."""
    query = select(PatientRow).order_by(col(PatientRow.created_ns).desc(), col(PatientRow.id).desc()).limit(limit)
    if before is not None:
        query = query.where(tuple_(col(PatientRow.created_ns), col(PatientRow.id)) < before)
    return list(db.execute(query).scalars())

"""Kiosks that were added: whose they are, where they stand, and whether they may speak still."""

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import ClinicRow, KioskRow, SessionRow
from kiosk.errors import KioskError


class NoClinic(KioskError):
    """A kiosk is of a clinic that is there."""


class Known(KioskError):
    """A kiosk of this name was added already."""


def get(db: Session, kiosk: str) -> KioskRow | None:
    """One kiosk that was added."""
    return db.get(KioskRow, kiosk, populate_existing=True)


def every(db: Session, clinic: str | None = None) -> list[KioskRow]:
    """All that were ever added, or a clinic's, by name."""
    query = select(KioskRow).order_by(col(KioskRow.name))
    if clinic is not None:
        query = query.where(col(KioskRow.clinic_id) == clinic)
    return list(db.execute(query).scalars())


def clinic_names(db: Session) -> dict[str, str]:
    """What the clinics are called, by id."""
    return {row.id: row.name for row in db.execute(select(ClinicRow)).scalars()}


def add(db: Session, kiosk: KioskRow, *, speaks: bool = True) -> None:
    """Add a kiosk; one that was revoked comes back, at the clinic whose its sessions are.

    `speaks`: it has a password. One without, of which there is a row, was merely heard of where nobody asks for any.
    """
    if db.get(ClinicRow, kiosk.clinic_id) is None:
        raise NoClinic("there is no such clinic")
    known = get(db, kiosk.name)
    if known is None:
        db.add(kiosk)
        db.flush()
        return
    if known.revoked_ns is None and speaks:
        raise Known("a kiosk of this name is there already: `rotate` gives it another password")
    measured = select(col(SessionRow.id)).where(col(SessionRow.kiosk) == kiosk.name).limit(1)
    if known.clinic_id != kiosk.clinic_id and db.execute(measured).first() is not None:
        raise Known("what a kiosk of this name measured is another clinic's: choose another name")
    known.clinic_id, known.place, known.revoked_ns = kiosk.clinic_id, kiosk.place or known.place, None


def revoke(db: Session, kiosk: str, now: int) -> bool:
    """A kiosk may speak no more; False where none of this name may."""
    known = get(db, kiosk)
    if known is None or known.revoked_ns is not None:
        return False
    known.revoked_ns = now
    return True

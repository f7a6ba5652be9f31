"""Devices read back: what each kiosk's devices last said of themselves."""

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import MAIN, DeviceRow, KioskRow, SessionRow


def every(db: Session, clinic: str | None = None) -> list[DeviceRow]:
    """All devices of a clinic's kiosks, or of all."""
    query = select(DeviceRow).order_by(col(DeviceRow.kiosk), col(DeviceRow.device))
    if clinic is not None:
        owner = func.coalesce(col(KioskRow.clinic_id), MAIN)
        query = query.outerjoin(KioskRow, col(KioskRow.name) == col(DeviceRow.kiosk)).where(owner == clinic)
    return list(db.execute(query).scalars())


def clinic_of(db: Session, kiosk: str) -> str | None:
    """Whose kiosk it is; None where nothing was ever heard of it."""
    owner = db.execute(select(col(KioskRow.clinic_id)).where(col(KioskRow.name) == kiosk)).scalar_one_or_none()
    return owner or (MAIN if _spoke(db, kiosk) else None)


def _spoke(db: Session, kiosk: str) -> bool:
    spoke = exists().where(col(DeviceRow.kiosk) == kiosk)
    measured = exists().where(col(SessionRow.kiosk) == kiosk)
    return bool(db.execute(select(or_(spoke, measured))).scalar_one())

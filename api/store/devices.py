"""Devices read back: what each kiosk's devices last said of themselves."""

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import DeviceRow, SessionRow


def every(db: Session) -> list[DeviceRow]:
    """All devices of all kiosks."""
    return list(db.execute(select(DeviceRow).order_by(col(DeviceRow.kiosk), col(DeviceRow.device))).scalars())


def knows(db: Session, kiosk: str) -> bool:
    """Whether anything was ever heard of this kiosk."""
    spoke = exists().where(col(DeviceRow.kiosk) == kiosk)
    measured = exists().where(col(SessionRow.kiosk) == kiosk)
    return bool(db.execute(select(or_(spoke, measured))).scalar_one())

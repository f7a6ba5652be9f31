"""Alert rules of clinics and of patients."""

from collections.abc import Collection

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import ClinicRow, RuleRow


def add(db: Session, rule: RuleRow) -> None:
    """Insert a rule."""
    db.add(rule)
    db.flush()


def get(db: Session, rule: str, *, hold: bool = False) -> RuleRow | None:
    """One rule; to `hold` it is to let nobody else change it until the transaction ends."""
    return db.get(RuleRow, rule, populate_existing=True, with_for_update=hold or None)


def in_force(db: Session, clinic: str, patient: str | None) -> list[RuleRow]:
    """The enabled rules that speak about a session of a patient, or of nobody."""
    whose = or_(col(RuleRow.patient_id).is_(None), col(RuleRow.patient_id) == patient)
    query = select(RuleRow).where(col(RuleRow.clinic_id) == clinic, col(RuleRow.enabled), whose)
    return list(db.execute(query.order_by(col(RuleRow.created_ns), col(RuleRow.id))).scalars())


def of_measure(db: Session, clinic: str, measure: str) -> RuleRow | None:
    """The oldest rule of a clinic about a measure, enabled or not."""
    query = select(RuleRow).where(
        col(RuleRow.clinic_id) == clinic, col(RuleRow.measure) == measure, col(RuleRow.patient_id).is_(None)
    )
    return db.execute(query.order_by(col(RuleRow.created_ns), col(RuleRow.id)).limit(1)).scalar_one_or_none()


def hold_clinic(db: Session, clinic: str) -> None:
    """Let nobody else who holds it make a rule of this clinic until the transaction ends."""
    db.get(ClinicRow, clinic, populate_existing=True, with_for_update=True)


def by_id(db: Session, wanted: Collection[str]) -> list[RuleRow]:
    """Rules by their ids."""
    return list(db.execute(select(RuleRow).where(col(RuleRow.id).in_(wanted))).scalars()) if wanted else []


def listed(db: Session, *, clinic: str | None, patient: str | None, limit: int, after: str | None) -> list[RuleRow]:
    """Rules in the order of their ids; of one patient, or of all."""
    query = select(RuleRow).order_by(col(RuleRow.id)).limit(limit)
    if clinic is not None:
        query = query.where(col(RuleRow.clinic_id) == clinic)
    if patient is not None:
        query = query.where(col(RuleRow.patient_id) == patient)
    if after is not None:
        query = query.where(col(RuleRow.id) > after)
    return list(db.execute(query).scalars())

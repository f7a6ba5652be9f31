"""Which patients, consents and devices there are."""

from collections.abc import Collection

from sqlalchemy import FromClause, String, case, cast, func, literal, null
from sqlmodel import col

from api.store import consents as agreed
from api.store.fhir.columns import Condition, places
from api.store.fhir.wanted import Wanted
from api.tables import MAIN, ConsentRow, DeviceRow, IdentityRow, KioskRow, PatientRow


def patients(wanted: Wanted, vitals: Collection[str]) -> FromClause:
    """Patients, by name where somebody said one."""
    del vitals
    query = places(
        key=col(PatientRow.id),
        session=cast(null(), String),
        patient=col(PatientRow.id),
        at=col(PatientRow.created_ns),
        updated=func.coalesce(col(IdentityRow.updated_ns), col(PatientRow.created_ns)),
        identifier=col(PatientRow.pseudonym),
        gender=func.coalesce(col(PatientRow.sex), "unknown"),
    ).outerjoin(IdentityRow, col(IdentityRow.patient_id) == col(PatientRow.id))
    return query.where(*_of_patients(wanted)).subquery("places")


def _of_patients(wanted: Wanted) -> list[Condition]:
    said: list[Condition] = []
    if wanted.clinic is not None:
        said.append(col(PatientRow.clinic_id) == wanted.clinic)
    if wanted.patients is not None:
        said.append(col(PatientRow.id).in_(wanted.patients))
    if wanted.sharing:
        said.append(agreed.agrees(col(PatientRow.id), "share"))
    return said


def _given_in(wanted: Wanted) -> list[Condition]:
    return [] if wanted.sessions is None else [col(ConsentRow.session_id).in_(wanted.sessions)]


def consents(wanted: Wanted, vitals: Collection[str]) -> FromClause:
    """What patients agreed to."""
    del vitals
    status = case((col(ConsentRow.withdrawn_ns).is_(None), "active"), else_="inactive")
    return (
        places(
            key=col(ConsentRow.id),
            session=col(ConsentRow.session_id),
            patient=col(ConsentRow.patient_id),
            at=col(ConsentRow.given_ns),
            updated=func.coalesce(col(ConsentRow.withdrawn_ns), col(ConsentRow.given_ns)),
            status=status,
        )
        .join(PatientRow, col(PatientRow.id) == col(ConsentRow.patient_id))
        .where(*_of_patients(wanted), *_given_in(wanted))
        .subquery("places")
    )


def devices(wanted: Wanted, vitals: Collection[str]) -> FromClause:
    """Devices of kiosks."""
    del vitals
    clinic = func.coalesce(col(KioskRow.clinic_id), MAIN)
    query = places(
        key=(col(DeviceRow.kiosk) + literal(" ") + col(DeviceRow.device)),
        session=cast(null(), String),
        patient=cast(null(), String),
        at=col(DeviceRow.seen_ns),
        updated=col(DeviceRow.seen_ns),
        identifier=(col(DeviceRow.kiosk) + literal("/") + col(DeviceRow.device)),
    ).outerjoin(KioskRow, col(KioskRow.name) == col(DeviceRow.kiosk))
    return (query if wanted.clinic is None else query.where(clinic == wanted.clinic)).subquery("places")

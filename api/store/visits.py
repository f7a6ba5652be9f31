"""Whose a visit is, and what the visitor agreed to: the rows that a visitor's own word makes and takes back."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store import patients
from api.store.sealing import vault_of
from api.store.streams import insert
from api.tables import ConsentRow, EntryRow, IdentityDigestRow, IdentityRow, PatientRow

VISITOR = "visitor"
"""Who recorded it, where it was the visitor's own hand at a kiosk."""


def with_entries(db: Session, sessions: Collection[str]) -> set[str]:
    """Those of these sessions in which something was told."""
    found = select(col(EntryRow.session_id)).where(col(EntryRow.session_id).in_(list(sessions))).distinct()
    return set(db.execute(found).scalars()) if sessions else set()


def by_code(db: Session, clinic: str, codes: Collection[str]) -> str | None:
    """The patient of this clinic who is called like this; nobody for one that was merged away, or erased. Held: nobody
    merges or erases them before this transaction ends."""
    mine = select(PatientRow).where(
        col(PatientRow.pseudonym).in_(list(codes)),
        col(PatientRow.clinic_id) == clinic,
        col(PatientRow.merged_into).is_(None),
    )
    found = db.execute(mine.with_for_update(read=True).execution_options(populate_existing=True)).scalars().all()
    if len(found) != 1 or vault_of(db).is_erased("patient", found[0].id):
        return None
    return found[0].id


def unmake(db: Session, patient: str, *, into: str | None) -> None:
    """Take back a patient who was made before it was known whose session it is. One of whom staff have written since
    is not taken back: that one is merged, or stays."""
    row = patients.get(db, patient)
    if row is None or row.merged_into is not None:
        return
    if into is not None:
        db.execute(update(ConsentRow).where(col(ConsentRow.patient_id) == patient).values(patient_id=into))
    try:
        with db.begin_nested():
            for table in (IdentityDigestRow, IdentityRow):
                db.execute(delete(table).where(col(table.patient_id) == patient))
            db.execute(delete(PatientRow).where(col(PatientRow.id) == patient))
    except IntegrityError:
        if into is not None:
            patients.merge(db, patient, into)


def set_consents(db: Session, session: str, rows: Sequence[Mapping[str, object]]) -> None:
    """These are what the visitor agreed to in this session, and nothing else is. What was withdrawn stays so."""
    insert(db, ConsentRow, [dict(row) for row in rows])
    mine = (col(ConsentRow.session_id) == session) & (col(ConsentRow.recorded_by) == VISITOR)
    db.execute(delete(ConsentRow).where(mine, col(ConsentRow.id).not_in([str(row["id"]) for row in rows])))
    for row in rows:
        # it may have come before it was known whose the session is, and what its clock says
        values = {"patient_id": row["patient_id"], "given_ns": row["given_ns"]}
        db.execute(update(ConsentRow).where(mine, col(ConsentRow.id) == row["id"]).values(values))

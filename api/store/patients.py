"""Patients: pseudonyms, and the little that an analysis needs to know. Merging two that are one person."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, bindparam, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store import identities
from api.store.sealing import vault_of
from api.store.sessions import mark_changed
from api.tables import AnalysisRow, ConsentRow, NoteRow, PatientRow, RuleRow, SessionRow
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


def change(db: Session, patient: str, values: Mapping[str, object], *, version: int | None = None) -> bool:
    """Set some of a patient's columns; False where the row no longer has that version."""
    if not values:
        return True
    try:
        with db.begin_nested():
            if not touch(db, patient, version=version, values=values):
                return False
            if not values.keys().isdisjoint(CONTEXT):
                mine = select(col(SessionRow.id)).where(col(SessionRow.patient_id) == patient)
                mark_changed(db, db.execute(mine).scalars(), reason="assigned")
    except IntegrityError:
        raise PseudonymTaken("another patient has this pseudonym") from None
    return True


def touch(db: Session, patient: str, *, version: int | None = None, values: Mapping[str, object] | None = None) -> bool:
    """Make the next version of a patient; False where another writer made it already, or merged it."""
    same = (col(PatientRow.id) == patient) & col(PatientRow.merged_into).is_(None)
    query = update(PatientRow).where(same if version is None else same & (col(PatientRow.version) == version))
    done = db.execute(query.values({**(values or {}), "version": col(PatientRow.version) + 1}))
    return cast("CursorResult[Any]", done).rowcount == 1


def get(db: Session, patient: str, *, held: bool = False) -> PatientRow | None:
    """One patient, as the database has it now; `held`: nobody merges or erases it before this transaction ends."""
    return db.get(PatientRow, patient, populate_existing=True, with_for_update={"read": True} if held else None)


# built once: every list of sessions asks it
_PSEUDONYMS = select(col(PatientRow.id), col(PatientRow.pseudonym)).where(
    col(PatientRow.id).in_(bindparam("wanted", expanding=True))
)


def pseudonyms(db: Session, wanted: Collection[str]) -> dict[str, str]:
    """What these patients are called, by id."""
    if not wanted:
        return {}
    rows = db.connection().execute(_PSEUDONYMS, {"wanted": list(wanted)})
    return {row[0]: row[1] for row in rows}


def newest(
    db: Session,
    *,
    limit: int,
    before: tuple[int, str] | None = None,
    clinic: str | None = None,
    pseudonym: str | None = None,
    sex: str | None = None,
    born_from: int | None = None,
    born_to: int | None = None,
) -> list[PatientRow]:
    """Patients, newest first, without those that were merged; `before` is (created_ns, id) of the last one seen."""
    query = select(PatientRow).order_by(col(PatientRow.created_ns).desc(), col(PatientRow.id).desc()).limit(limit)
    query = query.where(col(PatientRow.merged_into).is_(None))
    if before is not None:
        query = query.where(tuple_(col(PatientRow.created_ns), col(PatientRow.id)) < before)
    if clinic is not None:
        query = query.where(col(PatientRow.clinic_id) == clinic)
    if pseudonym is not None:
        query = query.where(col(PatientRow.pseudonym).startswith(pseudonym, autoescape=True))
    if sex is not None:
        query = query.where(col(PatientRow.sex) == sex)
    if born_from is not None:
        query = query.where(col(PatientRow.birth_year) >= born_from)
    if born_to is not None:
        query = query.where(col(PatientRow.birth_year) <= born_to)
    return list(db.execute(query).scalars())


# --- merging


@dataclass(frozen=True, slots=True)
class Merged:
    """What moved from one patient to the other."""

    sessions: list[str]
    """Whose keys are to be wrapped under the survivor's, once this is committed."""
    notes: int
    consents: int
    rules: int
    analyses: int


class NotMergeable(KioskError):
    """One of the two is gone, was merged before, or belongs to another clinic."""


def merge(db: Session, patient: str, into: str) -> Merged:
    """Give all that one patient has to another; the first stays as a pointer to the second.

    The session keys follow after the commit (`Vault.assign`): erasing looks at rows and keys both, so that a crash in
    between leaves nothing behind. What the pointer's own key sealed before stays under it, in backups alone.
    """
    # in one order, so that two merges of the same pair wait for each other
    both = db.execute(
        select(PatientRow)
        .where(col(PatientRow.id).in_([patient, into]))
        .order_by(col(PatientRow.id))
        .with_for_update()
        # whoever we waited for may have merged them
        .execution_options(populate_existing=True)
    )
    found = {row.id: row for row in both.scalars()}
    if len(found) != 2 or any(row.merged_into for row in found.values()):
        raise NotMergeable("both must be there, and neither merged")
    if found[patient].clinic_id != found[into].clinic_id:
        raise NotMergeable("both must be of one clinic")
    theirs = list(db.execute(select(col(SessionRow.id)).where(col(SessionRow.patient_id) == patient)).scalars())
    identities.merge(db, patient, into, found[into].clinic_id)
    notes = _merge_notes(db, patient, into)
    moved = {
        table: cast(
            "CursorResult[Any]",
            db.execute(update(table).where(col(table.patient_id) == patient).values(patient_id=into)),
        ).rowcount
        for table in (ConsentRow, RuleRow, AnalysisRow)
    }
    db.execute(
        update(SessionRow)
        .where(col(SessionRow.patient_id) == patient)
        .values(patient_id=into, version=col(SessionRow.version) + 1)
    )
    # the baseline of each is made of other sessions now
    everything = select(col(SessionRow.id)).where(col(SessionRow.patient_id) == into)
    mark_changed(db, db.execute(everything).scalars().all(), reason="assigned")
    known = found[into]
    missing = {
        name: getattr(found[patient], name)
        for name in sorted(CONTEXT)
        if getattr(known, name) is None and getattr(found[patient], name) is not None
    }
    touch(db, into, values=missing)
    # no chains: what pointed to the one points to the other
    pointers = or_(col(PatientRow.id) == patient, col(PatientRow.merged_into) == patient)
    db.execute(update(PatientRow).where(pointers).values(merged_into=into, version=col(PatientRow.version) + 1))
    return Merged(theirs, notes, moved[ConsentRow], moved[RuleRow], moved[AnalysisRow])


def _merge_notes(db: Session, patient: str, into: str) -> int:
    """Notes are under the key of whom they are about: sealed anew, under the other's."""
    old, new = vault_of(db).patient(patient), vault_of(db).patient(into)
    # held, so that what somebody writes anew this moment is not overwritten with what was there
    mine = select(NoteRow).where(col(NoteRow.patient_id) == patient).with_for_update()
    rows = list(db.execute(mine.execution_options(populate_existing=True)).scalars())
    for row in rows:
        where = f"notes:{row.id}"
        row.text = new.seal(old.open(row.text, where), where)
        row.patient_id = into
    db.flush()
    return len(rows)

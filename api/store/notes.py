"""Notes: free text about a patient or a session, sealed under that one's key."""

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.sealing import Box, vault_of
from api.tables import NoteRow


def write(db: Session, note: NoteRow, text: str) -> None:
    """Seal a text into a note, new or not."""
    note.text = _box(db, note).seal(text.encode(), f"notes:{note.id}")
    db.add(note)
    db.flush()


def read(db: Session, note: NoteRow) -> str:
    """A note's text; Destroyed where it was erased."""
    return _box(db, note).open(note.text, f"notes:{note.id}").decode()


def get(db: Session, note: str, *, hold: bool = False) -> NoteRow | None:
    """One note; to `hold` it is to let nobody else change it until the transaction ends."""
    return db.get(NoteRow, note, populate_existing=True, with_for_update=hold or None)


def remove(db: Session, note: str) -> None:
    """Delete a note."""
    db.execute(delete(NoteRow).where(col(NoteRow.id) == note))


def newest(
    db: Session,
    *,
    limit: int,
    patient: str | None = None,
    session: str | None = None,
    before: tuple[int, str] | None = None,
) -> list[NoteRow]:
    """Notes on a patient or a session, newest first; `before` is (created_ns, id) of the last one seen."""
    order = (col(NoteRow.created_ns), col(NoteRow.id))
    query = select(NoteRow).order_by(*(each.desc() for each in order)).limit(limit)
    query = query.where(col(NoteRow.patient_id) == patient, col(NoteRow.session_id) == session)
    if before is not None:
        query = query.where(tuple_(*order) < before)
    return list(db.execute(query).scalars())


def _box(db: Session, note: NoteRow) -> Box:
    vault = vault_of(db)
    if note.session_id is not None:
        return vault.session(note.session_id)
    assert note.patient_id is not None
    return vault.patient(note.patient_id)

"""Erasure: keys first, then rows, then files, then the bytes that the database still holds of them.

Once its keys are destroyed what was encrypted is gone wherever copies of it lie. The rest - computed numbers, times,
ids - is deleted here; a crash in between is finished by `resume`, from the key store's list of what was destroyed.
"""

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from api.audit import NO_ROLE, Entry, note
from api.store import Database, Transaction, idempotency, patients, sessions, utc_now
from api.store import erasure as store
from api.uploads import places
from kiosk.errors import KioskError

log = logging.getLogger(__name__)

PERSON, SESSION = "patients.erase", "sessions.erase"
"""The actions as the audit has them: those of the requests that do the same."""


class Nothing(KioskError):
    """There is no such patient or session."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How much was erased. Counts alone: it may be kept."""

    patients: int = 0
    """The merged ones of the same person too."""
    sessions: int = 0
    uploads: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    """Deleted rows by table."""


def erase_patient(database: Database, data: Path, patient: str, *, by: str | None = None) -> Receipt:
    """Erase a person: identity, consents, notes, and all sessions; Nothing where there is none.

    `by` is noted in the audit (`api.audit.CLI`, `SYSTEM`); without, the caller has noted it: a request has.
    """
    with database.reading() as db:
        row = patients.get(db, patient)
        if row is None:
            raise Nothing("there is no such patient")
        if row.merged_into is not None:
            raise Nothing(f"this patient was merged into {row.merged_into}: erase that one")
    if by is not None:
        note(database, Entry(by, NO_ROLE, PERSON, "patient", patient, clinic=row.clinic_id))
    return _erase(database, data, [patient], [])


def erase_session(database: Database, data: Path, session: str, *, by: str | None = None) -> Receipt:
    """Erase one session, whoever's it is; Nothing where there is none."""
    with database.reading() as db:
        row = sessions.get(db, session)
        if row is None:
            raise Nothing("there is no such session")
    if by is not None:
        note(database, Entry(by, NO_ROLE, SESSION, "session", session, clinic=row.clinic_id))
    return _erase(database, data, [], [session])


def erase_sessions(database: Database, data: Path, chosen: Sequence[str], *, by: str) -> Receipt:
    """Erase several, as a retention rule says."""
    with database.reading() as db:
        known = [row for row in (sessions.get(db, each) for each in chosen) if row is not None]
    if not known:
        return Receipt()
    note(database, *(Entry(by, NO_ROLE, SESSION, "session", row.id, clinic=row.clinic_id) for row in known))
    return _erase(database, data, [], [row.id for row in known])


def resume(database: Database, data: Path) -> Receipt:
    """Finish what broke off, and do again what a restored backup undid: whatever of the destroyed is still there.

    To be called when the recorder starts, after a restore, and once an hour, because another process may have known a
    destroyed key for half a minute and stored something under it.
    """
    keys = database.vault.keys
    with database.reading() as db:
        persons, single = store.still_there(db, keys.erased("patient"), keys.erased("session"))
    receipt = Receipt()
    if persons or single:
        log.warning("erasing again what is still there of %d patients and %d sessions", len(persons), len(single))
        receipt = _erase(database, data, persons, single)
    uploads = data / places.FOLDER
    for folder in uploads.iterdir() if uploads.is_dir() else ():
        if keys.is_erased("purpose", places.purpose(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)
    return receipt


def compact(database: Database, *, entirely: bool = False) -> bool:
    """Have the database let go of the deleted bytes; False where a reader held them: the next hour tries again."""
    done = store.compact(database, entirely=entirely)
    if not done:
        log.warning("the write-ahead log is in use: what was deleted leaves it with the next attempt")
    return done


def _erase(database: Database, data: Path, persons: Sequence[str], single: Sequence[str]) -> Receipt:
    with database.reading() as db:
        everybody = _everybody(db, persons)
        gone = sorted({*single, *store.sessions_of(db, everybody)})
        uploads = store.uploads_of(db, everybody, gone)
    vault = database.vault
    under = {session for person in everybody for session in vault.keys.sessions_of(person)}
    gone = sorted({*gone, *under})
    # persons first: whose tombstone stands, all of theirs is found again
    vault.destroy("patient", everybody)
    vault.destroy("session", gone)
    vault.destroy("purpose", [places.purpose(upload) for upload in uploads])
    idempotency.destroy(vault, utc_now())
    rows = store.forget(database, everybody, gone)
    for upload in uploads:
        places.forget(vault, data, upload)
    return Receipt(len(everybody), rows.get("sessions", 0), len(uploads), rows)


def _everybody(db: Transaction, persons: Sequence[str]) -> list[str]:
    return sorted({each for person in persons for each in store.same_person(db, person)})

"""What earlier versions stored plain: encrypted after a migration, some rows at a time. It can stop and go on."""

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store import chunks, events
from api.store.arrivals import owner, place_aside, quarantine_box
from api.store.keys import Destroyed
from api.store.sealing import vault_of
from api.tables import ChunkRow, EventRow, QuarantineRow, SessionRow, StreamRow

log = logging.getLogger(__name__)

TABLES = ("chunks", "events", "quarantine")
BATCH = 1000
_PLAIN = text("NOT sealed")
"""As the index of plain chunks says it."""
_PLAIN_EVENTS = text("NOT events.sealed")


def seal(transaction: Callable[[], AbstractContextManager[Session]]) -> int:
    """Encrypt what is plain; how many rows were. What belongs to a session that was erased goes: a restored backup
    may have brought it back."""
    with transaction() as db:
        _assign(db)
    total = 0
    for some in (_chunks, _events, _quarantine):
        while True:
            with transaction() as db:
                done = some(db)
            total += done
            if done < BATCH:
                break
            log.info("encrypting what was stored plain: %d rows so far", total)
    return total


def _assign(db: Session) -> None:
    """Put the keys of sessions under their patients', where an earlier version knew of no keys."""
    patient = col(SessionRow.patient_id)
    owned = db.execute(select(col(SessionRow.id), patient).where(patient.is_not(None))).all()
    if not owned:
        return
    vault = vault_of(db)
    there = vault.keys.owners()
    for session, person in owned:
        if there.get(session) != person and not vault.is_erased("session", session):
            try:
                vault.assign(session, person)
            except Destroyed:
                vault.destroy("session", [session])


def _chunks(db: Session) -> int:
    query = (
        select(ChunkRow.stream_id, ChunkRow.seq, ChunkRow.samples, ChunkRow.offsets, StreamRow.session_id)  # type: ignore[call-overload]
        .join(StreamRow, col(StreamRow.id) == col(ChunkRow.stream_id))
        .where(_PLAIN)
        .order_by(col(ChunkRow.stream_id), col(ChunkRow.seq))
        .limit(BATCH)
    )
    rows = db.execute(query).all()
    vault = vault_of(db)
    for stream, seq, samples, offsets, session in rows:
        mine = (col(ChunkRow.stream_id) == stream, col(ChunkRow.seq) == seq)
        try:
            box = vault.session(session)
        except Destroyed:
            db.execute(delete(ChunkRow).where(*mine))
            continue
        sealed, later = chunks.sealed(box, stream, seq, samples, offsets)
        db.execute(update(ChunkRow).where(*mine).values(samples=sealed, offsets=later, sealed=True))
    return len(rows)


def _events(db: Session) -> int:
    query = select(EventRow).where(_PLAIN_EVENTS, col(EventRow.detail).is_not(None)).limit(BATCH)
    rows = db.execute(query).scalars().all()
    vault = vault_of(db)
    for row in rows:
        try:
            box = vault.session(row.session_id)
        except Destroyed:
            db.delete(row)
            continue
        row.detail, row.sealed = box.seal(row.detail or b"", events.place(row.stream_id, row.seq)), True
    return len(rows)


def _quarantine(db: Session) -> int:
    rows: Iterable[QuarantineRow] = db.execute(select(QuarantineRow).where(_PLAIN).limit(BATCH)).scalars().all()
    vault, count = vault_of(db), 0
    for row in rows:
        count += 1
        session = owner(db, row.payload)
        try:
            box = quarantine_box(vault, session, row.received_ns)
        except Destroyed:
            db.delete(row)
            continue
        row.payload, row.session_id, row.sealed = box.seal(row.payload, place_aside(row.digest)), session, True
    return count

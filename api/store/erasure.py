"""Deletes every row about a session or a patient, in whatever table; and has the database let go of the bytes."""

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, Table, delete, null, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlmodel import SQLModel, col

from api.store import analyses
from api.store.database import Database
from api.store.outage import is_outage
from api.tables import (
    AlertRow,
    AnalysisRow,
    ChunkRow,
    ConsentRow,
    IdempotencyRow,
    PatientRow,
    PyramidRow,
    QuarantineRow,
    RevisionRow,
    RuleRow,
    SessionRow,
    StreamRow,
)

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Ids in one statement."""
MOST_ATTEMPTS = 5
WAIT_FOR_READERS = 5_000
"""Milliseconds that emptying the write-ahead log waits for those who read it."""


def sessions_of(db: Session, patients: Collection[str]) -> list[str]:
    """The sessions of these patients, those too that their uploads are about to become."""
    found = set(db.execute(select(col(SessionRow.id)).where(col(SessionRow.patient_id).in_(patients))).scalars())
    uploads = db.execute(select(col(AnalysisRow.id)).where(col(AnalysisRow.patient_id).in_(patients))).scalars()
    return sorted(found | {analyses.session_of(each) for each in uploads})


def uploads_of(db: Session, patients: Collection[str], sessions: Collection[str]) -> list[str]:
    """The uploads of these patients and sessions."""
    found: set[str] = set()
    for some in _parts(sorted(sessions)):
        found.update(db.execute(select(col(AnalysisRow.id)).where(col(AnalysisRow.session_id).in_(some))).scalars())
    found.update(db.execute(select(col(AnalysisRow.id)).where(col(AnalysisRow.patient_id).in_(patients))).scalars())
    return sorted(found)


def same_person(db: Session, patient: str) -> list[str]:
    """A patient, and the ids that were merged into it."""
    others = db.execute(select(col(PatientRow.id)).where(col(PatientRow.merged_into) == patient)).scalars()
    return [patient, *others]


def still_there(db: Session, patients: Sequence[str], sessions: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those of which there are rows."""
    persons = list(_among(db, patients, col(PatientRow.id)))
    found = set(_among(db, sessions, col(SessionRow.id)))
    return persons, sorted(found.union(_among(db, sessions, col(QuarantineRow.session_id))))


def _among(db: Session, ids: Sequence[str], column: Any) -> Iterator[str]:  # noqa: ANN401 - a column
    for some in _parts(ids):
        yield from db.execute(select(column).where(column.in_(some)).distinct()).scalars()


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many at once as a statement takes."""
    return (ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE))


def forget(database: Database, patients: Collection[str], sessions: Iterable[str]) -> dict[str, int]:
    """Delete all rows about these patients and sessions; how many of each table.

    Whatever names a session, a stream or a patient is found by its column, so that no table can be forgotten here.
    What arrives meanwhile makes the deletion fail, and it is begun again.
    """
    for attempt in range(1, MOST_ATTEMPTS + 1):
        try:
            with database.transaction() as db:
                return _forget(db, database, patients, set(sessions))
        except (IntegrityError, OperationalError) as error:
            if attempt == MOST_ATTEMPTS or is_outage(error):
                raise
            log.warning("an erasure is tried again: %s", type(error).__name__)
    raise AssertionError


def _forget(db: Session, database: Database, patients: Collection[str], sessions: set[str]) -> dict[str, int]:
    if database.dialect == "sqlite":
        # what is deleted is overwritten with zeros, by this connection
        db.connection().exec_driver_sql("PRAGMA secure_delete=ON")
    db.execute(select(col(PatientRow.id)).where(col(PatientRow.id).in_(patients)).with_for_update())
    late = set(sessions_of(db, patients)) - sessions
    if late:
        database.vault.destroy("session", sorted(late))
    counts: dict[str, int] = {}
    for some in _parts(sorted(sessions | late)):
        _forget_sessions(db, some, counts)
    if patients:
        _forget_patients(db, patients, counts)
    # answers that were kept for repeated requests may quote what they were about
    _count(counts, IdempotencyRow, db.execute(delete(IdempotencyRow).where(col(IdempotencyRow.status).is_not(None))))
    return {table: count for table, count in counts.items() if count}


def _forget_sessions(db: Session, sessions: Collection[str], counts: dict[str, int]) -> None:
    # who adds to them now waits, and finds nothing to add to; in the recorder's order, so that neither waits for ever
    streams = select(col(StreamRow.id)).where(col(StreamRow.session_id).in_(sessions))
    db.execute(streams.with_for_update())
    db.execute(select(col(SessionRow.id)).where(col(SessionRow.id).in_(sessions)).with_for_update())
    # that somebody agreed is the patient's, and outlives the session
    db.execute(update(ConsentRow).where(col(ConsentRow.session_id).in_(sessions)).values(session_id=null()))
    for table in _children_first():
        if "session_id" in table.c:
            _count(counts, table, db.execute(delete(table).where(table.c.session_id.in_(sessions))))
        elif "stream_id" in table.c:
            _count(counts, table, db.execute(delete(table).where(table.c.stream_id.in_(streams))))
    _count(counts, SessionRow, db.execute(delete(SessionRow).where(col(SessionRow.id).in_(sessions))))


def _forget_patients(db: Session, patients: Collection[str], counts: dict[str, int]) -> None:
    rules = select(col(RuleRow.id)).where(col(RuleRow.patient_id).in_(patients))
    _count(counts, AlertRow, db.execute(delete(AlertRow).where(col(AlertRow.rule_id).in_(rules))))
    for table in _children_first():
        if "patient_id" in table.c and table.name != SessionRow.__tablename__:
            _count(counts, table, db.execute(delete(table).where(table.c.patient_id.in_(patients))))
    _count(counts, PatientRow, db.execute(delete(PatientRow).where(col(PatientRow.id).in_(patients))))


def _children_first() -> list[Table]:
    return list(reversed(SQLModel.metadata.sorted_tables))


def _count(counts: dict[str, int], table: Table | type[SQLModel], done: object) -> None:
    name = table.name if isinstance(table, Table) else str(table.__tablename__)
    counts[name] = counts.get(name, 0) + cast("CursorResult[Any]", done).rowcount


# --- what is old


def forget_waveforms(database: Database, before: int, now: int, *, limit: int = 50) -> int:
    """Delete the samples of some closed sessions that nothing came for since then; of how many sessions."""
    with database.transaction() as db:
        if database.dialect == "sqlite":
            db.connection().exec_driver_sql("PRAGMA secure_delete=ON")
        some = waveforms_before(db, before, limit=limit)
        mine = col(SessionRow.id).in_(some)
        db.execute(update(SessionRow).where(mine).values(samples_gone_ns=now))
        streams = select(col(StreamRow.id)).where(col(StreamRow.session_id).in_(some))
        for table in (PyramidRow, ChunkRow):
            db.execute(delete(table).where(col(table.stream_id).in_(streams)))
        return len(some)


def waveforms_before(db: Session, before: int, *, limit: int | None = None) -> list[str]:
    """Closed sessions that have samples still, and for which nothing came since then."""
    has = select(col(StreamRow.session_id)).join(ChunkRow, col(ChunkRow.stream_id) == col(StreamRow.id))
    old = (
        select(col(SessionRow.id))
        .where(col(SessionRow.state) == "closed", col(SessionRow.last_seen_ns) < before)
        .where(has.where(col(StreamRow.session_id) == col(SessionRow.id)).exists())
    )
    return list(db.execute(old.order_by(col(SessionRow.last_seen_ns)).limit(limit)).scalars())


def waveforms_are_gone(db: Session, session: str) -> bool:
    """Whether samples were let go: such a session cannot be analysed again, not by what comes late alone either."""
    gone = select(col(SessionRow.samples_gone_ns)).where(col(SessionRow.id) == session)
    return db.execute(gone).scalar_one_or_none() is not None


def sessions_before(db: Session, before: int, *, unassigned: bool = False) -> list[str]:
    """Sessions for which nothing came since then; `unassigned`: only those that are nobody's."""
    query = select(col(SessionRow.id)).where(col(SessionRow.last_seen_ns) < before)
    if unassigned:
        query = query.where(col(SessionRow.patient_id).is_(None))
    return list(db.execute(query.order_by(col(SessionRow.last_seen_ns))).scalars())


def fleeting_before(db: Session, closed: int, seen: int) -> list[str]:
    """Sessions that are not to be stored and were closed before the one time; or never, and began before the other."""
    first = (
        select(col(RevisionRow.created_ns))
        .where(col(RevisionRow.session_id) == col(SessionRow.id), col(RevisionRow.number) == 1)
        .scalar_subquery()
    )
    over = (first < closed) | (col(SessionRow.first_seen_ns) < seen)
    mine = select(col(SessionRow.id)).where(col(SessionRow.fleeting), over)
    return list(db.execute(mine.order_by(col(SessionRow.first_seen_ns))).scalars())


def quarantined_before(db: Session, before: int) -> list[str]:
    """Payloads that were put aside before then."""
    return list(db.execute(select(col(QuarantineRow.digest)).where(col(QuarantineRow.received_ns) < before)).scalars())


def forget_quarantine(database: Database, before: int) -> int:
    """Delete payloads that were put aside before then; how many."""
    with database.transaction() as db:
        done = db.execute(delete(QuarantineRow).where(col(QuarantineRow.received_ns) < before))
        return cast("CursorResult[Any]", done).rowcount


# --- the bytes


def compact(database: Database, *, entirely: bool = False) -> bool:
    """Have the database let go of what was deleted; False where a reader held it, and it is to be tried again.

    SQLite: the write-ahead log is emptied into the file and cut to nothing. PostgreSQL: the touched tables are
    vacuumed. `entirely` writes everything anew, which takes the time and the room of another copy.
    """
    if database.dialect == "sqlite":
        return _compact_sqlite(database, entirely=entirely)
    about = {"session_id", "stream_id", "patient_id"}
    tables = [table.name for table in SQLModel.metadata.sorted_tables if about & set(table.c.keys())]
    with database.engine.connect() as plain:
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")
        for table in (*tables, SessionRow.__tablename__, PatientRow.__tablename__, IdempotencyRow.__tablename__):
            connection.exec_driver_sql(f"VACUUM {'(FULL)' if entirely else ''} {table}")
    return True


def _compact_sqlite(database: Database, *, entirely: bool) -> bool:
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={WAIT_FOR_READERS}")
        if entirely:
            cursor.execute("VACUUM")
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.close()
    finally:
        connection.close()
    return not busy

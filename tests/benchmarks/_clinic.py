"""A database as a large clinic has it after years: sessions, readings, patients, some waveforms. All made up.

Rows are written in bulk past the store, waveforms and names through it, so that they are sealed like real ones.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import psycopg
from sqlmodel import SQLModel

from api.store import Database, Transaction, chunks, identities, streams, utc_now
from api.tables import MAIN, KioskRow, PatientRow, ReadingRow, RevisionRow, SessionRow
from kiosk.measures import MEASURES
from kiosk.messages import SECOND, Chunk, Stream

DAY = 86_400 * SECOND
PER_SESSION = 100
NAMED = 2_000
"""Patients with an identity: sealing every one would only make the filling longer."""
WAVED = 40
"""Sessions with five minutes of ECG."""
WAVE_SECONDS, RATE = 300, 250.0
BATCH = 200_000
KINDS = tuple(MEASURES)


@dataclass(frozen=True, slots=True)
class Filled:
    """What to ask for."""

    sessions: int
    patients: int
    kiosks: int
    readings: int
    waved: tuple[str, ...]
    began_ns: int

    def session(self, number: int) -> str:
        """An id."""
        return f"s-{number:07}"

    def patient(self, number: int) -> str:
        """An id. Patient 0 comes every week, the others a few times."""
        return f"p-{number:07}"


def fill(database: Database, sessions: int) -> Filled:
    """Fill an empty, migrated database."""
    patients, kiosks = max(10, sessions // 8), max(2, sessions // 1000)
    began = utc_now() - sessions * 600 * SECOND
    filled = Filled(
        sessions, patients, kiosks, sessions * PER_SESSION, tuple(f"s-{each:07}" for each in _waved(sessions)), began
    )
    _load(database, KioskRow, _kiosks(filled))
    _load(database, PatientRow, _patients(filled))
    _load(database, SessionRow, _sessions(filled))
    _load(database, RevisionRow, _revisions(filled))
    _load(database, ReadingRow, _readings(filled))
    with database.transaction() as db:
        for number in range(min(NAMED, patients)):
            identities.put(db, filled.patient(number), MAIN, _who(number))
    for session in filled.waved:
        with database.transaction() as db:
            _wave(db, session)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    return filled


def _waved(sessions: int) -> range:
    return range(0, sessions, max(1, sessions // WAVED))


def _kiosks(filled: Filled) -> Iterator[dict[str, object]]:
    for number in range(filled.kiosks):
        yield {"name": f"k-{number:04}", "clinic_id": MAIN, "place": "", "added_ns": filled.began_ns}


def _patients(filled: Filled) -> Iterator[dict[str, object]]:
    for number in range(filled.patients):
        yield {
            "id": filled.patient(number),
            "clinic_id": MAIN,
            "pseudonym": f"P{number:07}",
            "birth_year": 1930 + number % 75,
            "sex": ("female", "male")[number % 2],
            "version": 1,
            "created_ns": filled.began_ns + number,
        }


def _sessions(filled: Filled) -> Iterator[dict[str, object]]:
    for number in range(filled.sessions):
        at = filled.began_ns + number * 600 * SECOND
        yield {
            "id": filled.session(number),
            "kiosk": f"k-{number % filled.kiosks:04}",
            "clinic_id": MAIN,
            "patient_id": filled.patient(0 if number % 1000 == 0 else number % filled.patients),
            "version": 1,
            "state": "closed",
            "outcome": "complete",
            "orphan": False,
            "simulated": False,
            "origin_utc_ns": at,
            "origin_boot_ns": 0,
            "boot_id": "b",
            "first_seen_ns": at,
            "last_seen_ns": at + 300 * SECOND,
            "ended_ns": 300 * SECOND,
            "ended_seen_ns": at + 300 * SECOND,
            "closed_ns": at + 302 * SECOND,
            "revision": 1,
            "changed": False,
            "quality": 0.9,
        }


def _revisions(filled: Filled) -> Iterator[dict[str, object]]:
    for number in range(filled.sessions):
        yield {
            "session_id": filled.session(number),
            "number": 1,
            "outcome": "complete",
            "reason": "closed",
            "created_ns": filled.began_ns,
            "version": "0.1.0",
            "context": '{"age": 44.0, "sex": "female"}',
        }


def _readings(filled: Filled) -> Iterator[dict[str, object]]:
    values = np.random.default_rng(1).normal(70, 8, 4096)
    identity = 0
    for number in range(filled.sessions):
        session = filled.session(number)
        for place in range(PER_SESSION):
            identity += 1
            yield {
                "id": identity,
                "session_id": session,
                "revision": 1,
                "measure": KINDS[place % len(KINDS)],
                "value": float(values[identity % 4096]),
                "quality": 0.9,
                "source": "ecg",
                "scope": "recording",
                "method": "made-up",
                "version": "0.1.0",
                "preferred": place < len(KINDS),
                "note": "",
                "note_ru": "",
                "start_ns": 0,
                "end_ns": 300 * SECOND,
            }


def _who(number: int) -> identities.Who:
    return identities.Who(
        given=(f"Given{number}",), family=f"Family{number % 500}", birth_date=f"19{number % 90 + 10}-01-02"
    )


def _wave(db: Transaction, session: str) -> None:
    stream = Stream(session, "strap", "ecg", "r1")
    number = streams.find_or_make(db, stream).id
    streams.set_shape(db, number, RATE, ("I",))
    rng = np.random.default_rng(number)
    size = round(RATE / 4)
    wave = rng.normal(0, 0.1, (WAVE_SECONDS * 4, size)).astype("<f4")
    made = [
        (number, Chunk(stream, seq, seq * SECOND // 4, RATE, ("I",), row.tobytes())) for seq, row in enumerate(wave)
    ]
    chunks.add(db, made)
    streams.set_progress(db, [(number, len(made) - 1, len(made) - 1)])


def _load(database: Database, table: type[SQLModel], rows: Iterable[dict[str, object]]) -> None:
    """In batches, one commit each."""
    batch: list[Sequence[object]] = []
    names: tuple[str, ...] = ()
    for row in rows:
        names = names or tuple(row)
        batch.append(tuple(row.values()))
        if len(batch) >= BATCH:
            _write(database, table, names, batch)
            batch = []
    if batch:
        _write(database, table, names, batch)


def _write(database: Database, table: type[SQLModel], names: Sequence[str], rows: list[Sequence[object]]) -> None:
    columns, into = ", ".join(names), str(table.__tablename__)
    with database.transaction() as db:
        raw = db.connection().connection.driver_connection
        if database.dialect == "postgresql":
            with cast("psycopg.Connection[Any]", raw).cursor().copy(f"COPY {into} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(names))
            cast(sqlite3.Connection, raw).executemany(f"INSERT INTO {into} ({columns}) VALUES ({marks})", rows)

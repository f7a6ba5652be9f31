"""The outbox's file: its tables, and settings by which every commit is on the disk and nothing deleted is left."""

import sqlite3
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, origin TEXT NOT NULL, simulated INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS streams (
    id INTEGER PRIMARY KEY, session TEXT NOT NULL, device TEXT NOT NULL, signal TEXT NOT NULL, run TEXT NOT NULL,
    next INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0,
    UNIQUE (session, device, signal, run)
);
CREATE TABLE IF NOT EXISTS items (
    id INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL, kind TEXT NOT NULL, seq INTEGER NOT NULL,
    topic TEXT NOT NULL, payload BLOB NOT NULL, sealed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS items_by_stream ON items (stream, seq);
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO counts VALUES ('lost', 0), ('refused', 0);
CREATE TABLE IF NOT EXISTS visit (one INTEGER PRIMARY KEY CHECK (one = 1), session TEXT NOT NULL, state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS clinic (one INTEGER PRIMARY KEY CHECK (one = 1), setup BLOB NOT NULL);
"""


def opened(path: Path) -> sqlite3.Connection:
    """The file, for this process alone."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=3)
    try:
        # one process owns the file; a second one would number the same streams
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        # what is deleted is overwritten: the plain payloads of an earlier version too
        db.execute("PRAGMA secure_delete=ON")
        db.executescript(_SCHEMA)
        if "sealed" not in [row[1] for row in db.execute("PRAGMA table_info(items)")]:
            db.execute("ALTER TABLE items ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0")
        # a crash may have left the log as it was
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except BaseException:
        db.close()
        raise
    return db

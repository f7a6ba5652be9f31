"""The keys of runs that are not receipted yet: a file of its own beside the outbox, so that what is forgotten is gone.

An SQLite file could keep a deleted payload in a free page, in its log, or in a block of the disk that was written once.
So samples are encrypted before they are written, each run's under a key of its own, and to forget a run is to destroy
32 bytes: here they are overwritten, in a file that has no write-ahead log.
"""

import contextlib
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kiosk.errors import KioskError
from kiosk.messages import Stream

KEY_BYTES = 32
NONCE_BYTES = 12
"""Random for each message: NIST SP 800-38D allows 2**32 of them under one key."""

Run = tuple[str, str]
"""Session and run."""


def run_of(stream: Stream) -> Run:
    """The run that a stream is of."""
    return stream.session, stream.run


class Unreadable(KioskError):
    """Its key is not there, or it was damaged."""


class RunKeys:
    """The keys of runs, each durable before anything is encrypted under it."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        path.chmod(0o600)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=3)
        try:
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            # no write-ahead log, which would keep what was destroyed; the journal is emptied at each commit
            self._db.execute("PRAGMA journal_mode=TRUNCATE")
            self._db.execute("PRAGMA secure_delete=ON")
            self._db.execute("PRAGMA synchronous=EXTRA")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS keys"
                " (session TEXT, run TEXT, key BLOB NOT NULL, PRIMARY KEY (session, run))"
            )
            rows = self._db.execute("SELECT session, run, key FROM keys").fetchall()
        except BaseException:
            self._db.close()
            raise
        self._ciphers: dict[Run, AESGCM] = {}
        for session, run, key in rows:
            # a row that makes no key is as good as none: its outbox says what is lost
            with contextlib.suppress(ValueError, TypeError):
                self._ciphers[session, run] = AESGCM(key)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __contains__(self, run: Run) -> bool:
        return run in self._ciphers

    def seal(self, run: Run, payload: bytes, place: str) -> bytes:
        """Encrypted under the run's key, which is made and on the disk when it is the first."""
        cipher = self._ciphers.get(run)
        if cipher is None:
            key = secrets.token_bytes(KEY_BYTES)
            self._db.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?)", (*run, key))
            cipher = self._ciphers[run] = AESGCM(key)
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + cipher.encrypt(nonce, payload, place.encode())

    def open(self, run: Run, sealed: bytes, place: str) -> bytes:
        """What was sealed there, or Unreadable."""
        cipher = self._ciphers.get(run)
        if cipher is None:
            raise Unreadable("its key is not there")
        try:
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError):
            raise Unreadable("it is not what was sealed") from None

    def destroy(self, runs: Iterable[Run]) -> None:
        """Destroy keys. What was under them is gone, wherever copies of it lie."""
        gone = [run for run in runs if run in self._ciphers]
        if gone:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany("DELETE FROM keys WHERE session = ? AND run = ?", gone)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            for run in gone:
                del self._ciphers[run]

    def keep(self, runs: Iterable[Run]) -> None:
        """Destroy all keys but these: a crash may have come between the last receipt and its key's end."""
        kept = set(runs)
        self.destroy([run for run in list(self._ciphers) if run not in kept])

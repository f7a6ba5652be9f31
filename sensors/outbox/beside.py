"""What the station keeps in the outbox's file: where the visit is, and what the clinic told about itself.

A visit's state holds what its visitor answered. It is encrypted under a key of its own, which is destroyed when the
visit is forgotten: nothing of it can be read after that in any block of the disk.
"""

import sqlite3
from typing import NamedTuple

from sensors.outbox.keys import Run, RunKeys, Unreadable

_RUN, _PLACE = "visit", "visit"


class Kept(NamedTuple):
    """A visit's state, and the session that it is of."""

    session: str
    state: bytes


class Beside:
    """Rows of `visit` and `clinic`, one each. Whoever calls holds the outbox's lock, and its transaction."""

    def __init__(self, db: sqlite3.Connection, keys: RunKeys) -> None:
        self._db, self._keys = db, keys

    def runs(self) -> set[Run]:
        """The key of the visit that is kept: it is no run, but a name among them."""
        return {(row[0], _RUN) for row in self._db.execute("SELECT session FROM visit")}

    def keep(self, kept: Kept) -> None:
        """Keep a visit's state in place of the one before."""
        sealed = self._keys.seal((kept.session, _RUN), kept.state, _PLACE)
        self._db.execute("INSERT OR REPLACE INTO visit VALUES (1, ?, ?)", (kept.session, sealed))

    def kept(self) -> Kept | None:
        """The visit that is kept; None without one, or where it cannot be read any more."""
        row = self._db.execute("SELECT session, state FROM visit").fetchone()
        if row is None:
            return None
        try:
            return Kept(row[0], self._keys.open((row[0], _RUN), row[1], _PLACE))
        except Unreadable:
            return None

    def forget(self) -> None:
        """Keep no visit any more. Its key is destroyed after the commit."""
        self._db.execute("DELETE FROM visit")

    def setup(self) -> bytes | None:
        """What the clinic told last."""
        row = self._db.execute("SELECT setup FROM clinic").fetchone()
        return None if row is None else bytes(row[0])

    def keep_setup(self, setup: bytes) -> None:
        """Keep what the clinic told; nothing of it is about a person."""
        self._db.execute("INSERT OR REPLACE INTO clinic VALUES (1, ?)", (setup,))

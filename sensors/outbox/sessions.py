"""The sessions of an outbox: open, ended, and recorded until the bus retains them no more."""

import sqlite3

import msgspec

from kiosk.messages import Origin
from sensors.driver import Visit

_OPEN, _ENDED, _RECORDED = 0, 1, 2
"""Of a session: recorded is what the recorder has receipted and the bus still retains."""


class Sessions:
    """Rows of `sessions`. Whoever calls holds the outbox's lock, and its transaction where rows change."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, visit: Visit) -> None:
        """A visitor sits down."""
        self._db.execute(
            "INSERT INTO sessions (id, origin, simulated) VALUES (?, ?, ?)",
            (visit.session, msgspec.json.encode(visit.origin).decode(), visit.simulated),
        )

    def open(self) -> list[Visit]:
        """Those that have not ended, the newest first."""
        rows = self._db.execute(
            "SELECT id, origin, simulated FROM sessions WHERE ended = ? ORDER BY rowid DESC", (_OPEN,)
        )
        return [_visit(row) for row in rows.fetchall()]

    def get(self, session: str) -> Visit | None:
        """One that has not ended."""
        row = self._db.execute(
            "SELECT id, origin, simulated FROM sessions WHERE id = ? AND ended = ?", (session, _OPEN)
        ).fetchone()
        return None if row is None else _visit(row)

    def end(self, session: str) -> None:
        """Its last word is emitted."""
        self._db.execute("UPDATE sessions SET ended = ? WHERE id = ?", (_ENDED, session))

    def record(self, session: str) -> None:
        """Its last word is receipted."""
        self._db.execute("UPDATE sessions SET ended = ? WHERE id = ?", (_RECORDED, session))

    def recorded(self) -> list[str]:
        """Those that the record has."""
        return [row[0] for row in self._db.execute("SELECT id FROM sessions WHERE ended = ?", (_RECORDED,))]

    def forget(self, session: str) -> None:
        """The bus does not retain it any more."""
        self._db.execute("DELETE FROM sessions WHERE id = ? AND ended = ?", (session, _RECORDED))


def _visit(row: tuple[str, str, int]) -> Visit:
    return Visit(row[0], msgspec.json.decode(row[1], type=Origin), bool(row[2]))

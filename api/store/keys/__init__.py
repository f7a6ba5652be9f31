"""The key store: a database of its own, outside the main one and outside every backup of it.

What is encrypted under a key that was destroyed here is gone, wherever copies of it lie. Each key stands here wrapped:
a session's under its patient's, a patient's and every other under the master key, which is in no database at all.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from sqlalchemy import (
    Connection,
    create_engine,
    delete,
    event,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from api.store.clock import utc_now
from api.store.keys.cipher import KEY_BYTES, NONCE_BYTES, decrypt, encrypt
from api.store.keys.master import master_key
from api.store.keys.rows import ERASED, KEYS, MARKS, TABLES, Copied, KeyCopy, Kind, Tombstone
from kiosk.errors import BadSettings, KioskError

_CHECK = "check"

__all__ = [
    "KEY_BYTES",
    "NONCE_BYTES",
    "Copied",
    "Destroyed",
    "KeyCopy",
    "KeyDamaged",
    "KeyStore",
    "KeysUnusable",
    "Kind",
    "Tombstone",
    "decrypt",
    "encrypt",
    "master_key",
]


class KeysUnusable(KioskError):
    """The key store cannot be opened, or its master key is another one."""


class KeyDamaged(KioskError):
    """The key is there, and does not open: its row was changed, or what wraps it was."""


class Destroyed(KioskError):
    """The key is gone, and with it what was under it."""


class KeyStore:
    """Keys by kind and id. Nothing is remembered here: `api.store.sealing` does that, and forgets in time."""

    def __init__(self, url: str, master: bytes) -> None:
        self._master = master
        try:
            self.url = make_url(url)
            self._engine = create_engine(self.url, pool_pre_ping=True, hide_parameters=True)
        except (ArgumentError, NoSuchModuleError):
            raise BadSettings("KIOSK_KEYS_URL is no SQLite or PostgreSQL address") from None
        if self.url.get_backend_name() == "sqlite" and self.url.database:
            path = Path(self.url.database)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(mode=0o600)
            except OSError as error:
                raise KeysUnusable(f"key store {path}: {error.strerror}") from None
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _careful_sqlite)
            event.listen(self._engine, "begin", _begin)
        try:
            TABLES.create_all(self._engine)
            self._check()
        except (DBAPIError, sqlite3.Error) as error:
            where, cause = self.url.render_as_string(hide_password=True), getattr(error, "orig", None) or error
            raise KeysUnusable(f"key store {where}: {str(cause).splitlines()[0]}") from None

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def find(self, kind: Kind, name: str) -> bytes:
        """A key that is there, or Destroyed."""
        with self._transaction() as db:
            key = self._find(db, kind, name)
            if key is None:
                raise Destroyed(f"the key of this {kind} is not there")
            return key

    def find_or_make(self, kind: Kind, name: str) -> bytes:
        """A key, a new one where there was never one; Destroyed where there was."""
        with self._transaction() as db:
            key = self._find(db, kind, name)
            if key is not None:
                return key
            if self._is_erased(db, kind, name):
                raise Destroyed(f"the key of this {kind} was destroyed")
            return self._make(db, kind, name)

    def assign(self, session: str, patient: str | None) -> None:
        """Wrap a session's key under a patient's; without one, under the master key again."""
        with self._transaction() as db:
            key = self._find(db, "session", session)
            if key is None:
                if self._is_erased(db, "session", session):
                    raise Destroyed("the key of this session was destroyed")
                key = self._make(db, "session", session)
            over = self._master
            if patient is not None:
                if self._is_erased(db, "patient", patient):
                    raise Destroyed("the key of this patient was destroyed")
                over = self._find(db, "patient", patient) or self._make(db, "patient", patient)
            mine = (KEYS.c.kind == "session") & (KEYS.c.id == session)
            wrapped = encrypt(over, key, f"session:{session}")
            db.execute(update(KEYS).where(mine).values(under=patient, wrapped=wrapped))

    def sessions_of(self, patient: str) -> list[str]:
        """The sessions whose keys are under a patient's."""
        with self._transaction() as db:
            found = select(KEYS.c.id).where(KEYS.c.kind == "session", KEYS.c.under == patient)
            return list(db.execute(found).scalars())

    def owners(self) -> dict[str, str | None]:
        """Every session that has a key, and the patient whose key is over it."""
        with self._transaction() as db:
            rows = db.execute(select(KEYS.c.id, KEYS.c.under).where(KEYS.c.kind == "session"))
            return {row.id: row.under for row in rows}

    def rewrap(self, master: bytes) -> int:
        """Wrap everything that the master key wraps with another one; how many keys. All of them, or none."""
        with self._transaction() as db:
            rows = db.execute(select(KEYS.c.kind, KEYS.c.id, KEYS.c.wrapped).where(KEYS.c.under.is_(None))).all()
            for kind, name, wrapped in rows:
                place = f"{kind}:{name}"
                try:
                    key = decrypt(self._master, bytes(wrapped), place)
                except (InvalidTag, ValueError):
                    raise KeyDamaged(f"the key of a {kind} does not open: nothing was changed") from None
                mine = (KEYS.c.kind == kind) & (KEYS.c.id == name)
                db.execute(update(KEYS).where(mine).values(wrapped=encrypt(master, key, place)))
        self._master = master
        return len(rows)

    def destroy(self, kind: Kind, names: Iterable[str]) -> None:
        """Destroy keys, and remember that they were: they are never made again. Of a patient, the sessions' too."""
        with self._transaction() as db:
            for name in names:
                if kind == "patient":
                    under = select(KEYS.c.id).where(KEYS.c.kind == "session", KEYS.c.under == name)
                    for session in list(db.execute(under).scalars()):
                        self._destroy(db, "session", session)
                self._destroy(db, kind, name)

    def is_erased(self, kind: Kind, name: str) -> bool:
        """Whether this key was destroyed."""
        with self._transaction() as db:
            return self._is_erased(db, kind, name)

    def erased(self, kind: Kind) -> list[str]:
        """What was destroyed: a restored backup may hold it still."""
        with self._transaction() as db:
            return list(db.execute(select(ERASED.c.id).where(ERASED.c.kind == kind)).scalars())

    def mark(self, name: str) -> bytes | None:
        """What was put down here, because who changes the main database does not reach it."""
        with self._transaction() as db:
            return db.execute(select(MARKS.c.sealed).where(MARKS.c.name == name)).scalar_one_or_none()

    def set_mark(self, name: str, sealed: bytes, instead_of: bytes | None) -> bool:
        """Put something down in place of what was there; False where it is something else by now."""
        with self._transaction() as db:
            if instead_of is not None:
                same = (MARKS.c.name == name) & (MARKS.c.sealed == instead_of)
                return db.execute(update(MARKS).where(same).values(sealed=sealed)).rowcount == 1
            try:
                with db.begin_nested():
                    db.execute(insert(MARKS).values(name=name, sealed=sealed))
            except IntegrityError:
                return False
            return True

    def copied(self) -> Copied:
        """Everything that is here, keys wrapped as they are."""
        with self._transaction() as db:
            return Copied(
                keys=[KeyCopy(*row) for row in db.execute(select(*KEYS.columns)).all()],
                erased=[Tombstone(*row) for row in db.execute(select(*ERASED.columns)).all()],
                marks={row.name: row.sealed for row in db.execute(select(*MARKS.columns)).all()},
            )

    def take(self, copied: Copied) -> None:
        """Add what is missing here. What was destroyed, here or there, is destroyed."""
        with self._transaction() as db:
            for stone in copied.erased:
                self._destroy(db, stone.kind, stone.id)
            gone = {(row.kind, row.id) for row in db.execute(select(ERASED.c.kind, ERASED.c.id)).all()}
            here = {(row.kind, row.id): row.wrapped for row in db.execute(select(*KEYS.columns)).all()}
            for key in copied.keys:
                known = here.get((key.kind, key.id))
                if known is not None:
                    if key.kind == "purpose" and key.id != _CHECK and bytes(known) != key.wrapped:
                        raise KeysUnusable("this key store has keys of its own: these are another installation's")
                elif (key.kind, key.id) not in gone and ("patient", key.under) not in gone:
                    db.execute(insert(KEYS).values(key._asdict()))
            known_marks = set(db.execute(select(MARKS.c.name)).scalars())
            for name, sealed in copied.marks.items():
                if name not in known_marks:
                    db.execute(insert(MARKS).values(name=name, sealed=sealed))

    # --- within a transaction

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except (DBAPIError, sqlite3.Error) as error:
            raise KeysUnusable(f"the key store does not answer: {type(error).__name__}") from None

    def _check(self) -> None:
        with self._engine.begin() as db:
            try:
                if self._find(db, "purpose", _CHECK) is None:
                    self._make(db, "purpose", _CHECK)
            except KeyDamaged:
                raise KeysUnusable("the master key is not the one that this key store was made with") from None

    def _find(self, db: Connection, kind: Kind, name: str) -> bytes | None:
        wanted = select(KEYS.c.wrapped, KEYS.c.under).where(KEYS.c.kind == kind, KEYS.c.id == name)
        row = db.execute(wanted).one_or_none()
        if row is None:
            return None
        over = self._master if row.under is None else self._find(db, "patient", row.under)
        if over is None:
            return None
        try:
            return decrypt(over, bytes(row.wrapped), f"{kind}:{name}")
        except (InvalidTag, ValueError):
            raise KeyDamaged(f"the key of this {kind} does not open") from None

    def _make(self, db: Connection, kind: Kind, name: str) -> bytes:
        key = secrets.token_bytes(KEY_BYTES)
        row = {
            "kind": kind,
            "id": name,
            "under": None,
            "wrapped": encrypt(self._master, key, f"{kind}:{name}"),
            "created_ns": utc_now(),
        }
        try:
            with db.begin_nested():
                db.execute(insert(KEYS).values(row))
        except IntegrityError:  # another process was faster
            made = self._find(db, kind, name)
            assert made is not None
            return made
        return key

    @staticmethod
    def _is_erased(db: Connection, kind: Kind, name: str) -> bool:
        found = select(ERASED.c.id).where(ERASED.c.kind == kind, ERASED.c.id == name)
        return db.execute(found).first() is not None

    def _destroy(self, db: Connection, kind: Kind, name: str) -> None:
        db.execute(delete(KEYS).where(KEYS.c.kind == kind, KEYS.c.id == name))
        if not self._is_erased(db, kind, name):
            db.execute(insert(ERASED).values(kind=kind, id=name, erased_ns=utc_now()))


def _careful_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    # no write-ahead log, which would keep a destroyed key; and what is deleted is overwritten
    cursor.execute("PRAGMA journal_mode=DELETE")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")

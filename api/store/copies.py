"""Copies of the whole database, consistent while it is written to, and what puts one in its place."""

import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from alembic.script import ScriptDirectory
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, delete, func, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session as Transaction
from sqlmodel import SQLModel

from api.store.database import MIGRATIONS, Database, DatabaseDown
from api.tables import IdempotencyRow, TokenRow
from kiosk.errors import KioskError

ASIDE = "before_restore"
"""PostgreSQL's schema in which what is replaced waits until its replacement is there."""
SEEDED = frozenset({"clinics", "consent_texts", "audit"})
"""Tables that have rows without anybody having measured anything."""


class NoTool(KioskError):
    """A program of PostgreSQL is missing, or failed."""


def copy(database: Database, to: Path) -> dict[str, int]:
    """Write a copy of one moment of the database; how many rows each table has in it."""
    return _copy_sqlite(database, to) if database.dialect == "sqlite" else _copy_postgresql(database, to)


def load(database: Database, copied: Path) -> None:
    """Put a copy in the place of everything that is there. Fails without having changed anything."""
    if database.dialect == "sqlite":
        _load_sqlite(database, copied)
    else:
        _load_postgresql(database, copied)


def revision_of(database: Database) -> str | None:
    """The schema's revision, None in an empty database."""
    with database.engine.connect() as db:
        if not inspect(db).has_table("alembic_version"):
            return None
        found: str | None = db.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        return found


def is_known(revision: str) -> bool:
    """Whether this program has the migrations from a revision on."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    return any(script.revision == revision for script in scripts.walk_revisions())


def is_empty(database: Database) -> bool:
    """Whether nothing of anybody is there."""
    with database.engine.connect() as db:
        present = set(inspect(db).get_table_names()) - {"alembic_version"}
        return not any(_rows(db, name) for name in present - SEEDED)


def forget_logins(db: Transaction) -> None:
    """End every login, and forget answered requests: a copy knows nothing of what was revoked since."""
    db.execute(delete(TokenRow))
    db.execute(delete(IdempotencyRow))


# --- SQLite: its online backup, in both directions


def _copy_sqlite(database: Database, to: Path) -> dict[str, int]:
    source = _file_of(database)
    to.touch(mode=0o600)
    opened = sqlite3.connect(f"{source.as_uri()}?mode=rw", uri=True, timeout=30)
    with closing(opened) as theirs, closing(sqlite3.connect(to)) as mine:
        # all pages in one step: one read transaction, which in WAL mode holds up no writer
        theirs.backup(mine, pages=-1)
        mine.execute("PRAGMA journal_mode=DELETE")
        problems = mine.execute("PRAGMA quick_check").fetchall()
        if problems != [("ok",)]:
            raise DatabaseDown("the database is damaged: its copy does not pass SQLite's check")
        names = [name for (name,) in mine.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        known = sorted(set(names) & set(SQLModel.metadata.tables))
        return {name: mine.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in known}  # noqa: S608 - names of ours


def _load_sqlite(database: Database, copied: Path) -> None:
    database.engine.dispose()
    with closing(sqlite3.connect(f"{copied.absolute().as_uri()}?mode=ro", uri=True)) as theirs:
        if theirs.execute("PRAGMA quick_check").fetchall() != [("ok",)]:
            raise DatabaseDown("the copy is damaged: it does not pass SQLite's check")
        with closing(sqlite3.connect(_file_of(database), timeout=5)) as mine:
            mine.execute("PRAGMA synchronous=FULL")
            try:
                # one transaction: a reader sees the old contents or the new ones
                theirs.backup(mine, pages=-1)
            except sqlite3.OperationalError:
                raise DatabaseDown("the database is in use: stop the services first") from None
            mine.execute("PRAGMA journal_mode=WAL")


def _file_of(database: Database) -> Path:
    if not database.url.database:
        raise DatabaseDown("a database in memory has no backup")
    return Path(database.url.database).absolute()


# --- PostgreSQL: its own tools


def _copy_postgresql(database: Database, to: Path) -> dict[str, int]:
    tool = _tool("pg_dump")
    with (
        database.engine.connect().execution_options(isolation_level="REPEATABLE READ") as db,
        _login(database) as where,
    ):
        # what the tool dumps and what we count is the same moment
        snapshot = db.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        to.touch(mode=0o600)
        _run([tool, "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={to}",
              f"--dbname={where}"])  # fmt: skip
        present = set(inspect(db).get_table_names())
        return {name: _rows(db, name) for name in sorted(present & set(SQLModel.metadata.tables))}


def _load_postgresql(database: Database, copied: Path) -> None:
    tool = _tool("pg_restore")
    with database.engine.begin() as db:
        _move(db, "public", ASIDE)
    try:
        with _login(database) as where:
            _run([tool, "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", f"--dbname={where}",
                  str(copied)])  # fmt: skip
    except KioskError:
        with database.engine.begin() as db:
            _move(db, ASIDE, "public")
            db.execute(text(f"DROP SCHEMA {ASIDE}"))
        raise
    with database.engine.begin() as db:
        db.execute(text(f"DROP SCHEMA {ASIDE} CASCADE"))
    database.engine.dispose()


def _move(db: Connection, source: str, target: str) -> None:
    """Move every table, with what belongs to it, to another schema."""
    db.execute(text(f"CREATE SCHEMA IF NOT EXISTS {target}"))
    for name in inspect(db).get_table_names(schema=source):
        db.execute(text(f'ALTER TABLE {source}."{name}" SET SCHEMA {target}'))


@contextmanager
def _login(database: Database) -> Iterator[str]:
    """The words by which PostgreSQL's tools connect: without the password, which everybody could read in a list of
    processes. It is in a file that only we can read."""
    given = dict(database.engine.dialect.create_connect_args(database.url)[1])
    given.pop("context", None)  # the driver's own
    password = given.pop("password", None)
    with tempfile.TemporaryDirectory(prefix="kiosk-") as folder:
        if password is not None:
            file = Path(folder, "password")
            file.touch(mode=0o600)
            escaped = str(password).replace("\\", "\\\\").replace(":", "\\:")
            file.write_text(f"*:*:*:*:{escaped}\n")
            given["passfile"] = str(file)
        yield make_conninfo(**given)


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NoTool(f"{name} is not installed: it comes with PostgreSQL's client programs (postgresql-client)")
    return found


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        words = (done.stderr.strip().splitlines() or ["no word"])[0][:300]
        raise NoTool(f"{Path(command[0]).name} failed: {words}")


def _rows(db: Connection, name: str) -> int:
    table = SQLModel.metadata.tables.get(name)
    try:
        return 0 if table is None else int(db.execute(select(func.count()).select_from(table)).scalar_one())
    except DBAPIError as error:
        raise DatabaseDown(f"table {name} cannot be counted: {type(error).__name__}") from None

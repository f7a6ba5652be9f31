"""The connection to SQLite or PostgreSQL, opened so that a commit is on the disk when it returns."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from api.store import plain
from api.store.sealing import Vault
from kiosk.errors import BadSettings, KioskError
from kiosk.settings import Settings

MIGRATIONS = Path(__file__).parent.parent / "migrations"


log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds between two looks at a database that does not answer, at most."""


class DatabaseDown(KioskError):
    """The database does not answer, or is not migrated."""


class NotMigrated(DatabaseDown):
    """The database answers, and has other tables than this program's."""


class Database:
    """An engine with durable settings. `transaction()` is the only way to a session."""

    def __init__(self, url: str, vault: Vault) -> None:
        self.vault = vault
        try:
            self.url: URL = make_url(url)
            if self.url.get_backend_name() == "sqlite" and self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine: Engine = create_engine(self.url, pool_pre_ping=True, hide_parameters=True)
        except (ArgumentError, NoSuchModuleError):
            raise BadSettings("KIOSK_DATABASE_URL is no SQLite or PostgreSQL address") from None
        self._reader = self.engine.execution_options(reads_only=True)
        if self.dialect == "sqlite":
            event.listen(self.engine, "connect", _durable_sqlite)
            event.listen(self.engine, "begin", _begin)
        elif self.dialect == "postgresql":
            event.listen(self.engine, "connect", _durable_postgresql)
        else:
            raise BadSettings(f"{self.dialect} is not supported: SQLite and PostgreSQL are")

    @classmethod
    def to(cls, settings: Settings) -> Self:
        """The database that the settings describe, with its keys."""
        return cls(settings.database, Vault.to(settings))

    @property
    def dialect(self) -> str:
        """sqlite or postgresql."""
        return self.engine.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose changes are committed together at its end, or not at all."""
        with Session(self.engine, expire_on_commit=False, info={"vault": self.vault}) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database, waits for no writer and changes nothing."""
        with Session(self._reader, expire_on_commit=False, info={"vault": self.vault}) as session:
            yield session

    def migrate(self) -> None:
        """Bring the schema to the newest revision, and encrypt what earlier ones left plain."""
        config = _alembic(self.url)
        with self._reachable(), self.engine.connect() as connection:
            # by our own connection, so that a migration is as durable as what it makes room for
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        self._seal()

    def _seal(self) -> None:
        """Encrypt what earlier versions left plain, and leave nothing of it in the file."""
        with self._reachable():
            if not plain.seal(self.transaction):
                return
            if self.dialect == "sqlite":
                # pages that are free now may hold it still, and so may the write-ahead log
                with closing(sqlite3.connect(str(self.url.database), isolation_level=None, timeout=30)) as file:
                    file.execute("PRAGMA secure_delete=ON")
                    file.execute("VACUUM")
                    file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                return
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                for table in plain.TABLES:
                    connection.exec_driver_sql(f"VACUUM (FULL) {table}")

    def check(self) -> None:
        """Say in words when the database cannot be used: unreachable, or older than this program."""
        with self._reachable(), self.engine.connect() as connection:
            present = MigrationContext.configure(connection).get_current_revision()
        newest = ScriptDirectory.from_config(_alembic(self.url)).get_current_head()
        if present != newest:
            raise NotMigrated(f"the database is at revision {present}, this program needs {newest}: run kiosk migrate")

    async def wait(self) -> None:
        """Wait until it answers, as a service must whose database starts later than itself, and check it."""
        pause = 0.1
        while True:
            try:
                return await asyncio.to_thread(self.check)
            except NotMigrated:
                raise
            except DatabaseDown as error:
                log.warning("waiting for the database: %s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, PATIENCE)

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            where = self.url.render_as_string(hide_password=True)
            raise DatabaseDown(f"{where}: {str(error.orig).splitlines()[0]}") from None

    def close(self) -> None:
        """Give the connections back, and forget the keys."""
        self.engine.dispose()
        self.vault.close()


def _alembic(url: URL) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    # configparser expands %: a password may hold one
    config.set_main_option("sqlalchemy.url", url.render_as_string(hide_password=False).replace("%", "%%"))
    return config


def _durable_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # the driver would begin transactions by itself, late and not for every statement
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # what is deleted is overwritten: an erasure leaves no ciphertext either
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _begin(connection: Connection) -> None:
    # a deferred transaction that turns into a writer can fail at any statement; an immediate one waits at its start
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _durable_postgresql(connection: Any, _: object) -> None:  # noqa: ANN401 - a DBAPI connection has no type
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
    connection.commit()

"""The schema is what the tables say, and a commit is on the disk when it returns."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlmodel import SQLModel

import api.tables  # noqa: F401 - registers the tables
from api.store import Database, DatabaseDown
from tests import databases
from tests.postgres import Cluster, cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deep' / 'kiosk.sqlite'}"
    server: Cluster = request.getfixturevalue("server")
    with server.connect() as connection:
        connection.execute("DROP DATABASE IF EXISTS empty WITH (FORCE)")
        connection.execute("CREATE DATABASE empty")
    return server.url("empty")


def test_migrations_from_empty_give_exactly_the_tables(empty: str, tmp_path: Path) -> None:
    database = databases.database(tmp_path, empty)
    with pytest.raises(DatabaseDown, match="kiosk migrate"):
        database.check()
    database.migrate()
    database.check()
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
    database.migrate()
    database.close()


def test_a_commit_is_durable(database: Database, request: pytest.FixtureRequest) -> None:
    if database.dialect == "postgresql":
        server: Cluster = request.getfixturevalue("server")
        with server.connect() as connection:
            # as an operator in a hurry may have left it: ours must say otherwise by itself
            connection.execute(f"ALTER DATABASE {database.url.database} SET synchronous_commit = off")
        database.close()
        with database.transaction() as db:
            assert db.connection().exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
        with database.reading() as db:
            assert db.connection().exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
        return
    with database.transaction() as db:
        connection_ = db.connection()
        assert connection_.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection_.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection_.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


def test_readers_wait_for_no_writer(database: Database) -> None:
    with database.transaction() as writer:
        writer.connection().exec_driver_sql("DELETE FROM devices")
        with database.reading() as reader:
            assert reader.connection().exec_driver_sql("SELECT count(*) FROM devices").scalar_one() == 0


def test_an_unreachable_database_is_said_without_its_password(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    database = databases.database(tmp_path, f"postgresql+psycopg://user:hushed-4711@/x?host={tmp_path}")
    with pytest.raises(DatabaseDown) as raised:
        database.check()
    assert "hushed" not in str(raised.value)
    database.close()


async def test_a_service_waits_for_a_late_database(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with cluster(tmp_path) as server:
        database = databases.database(tmp_path, server.url())
        database.migrate()
        server.kill()
        waiting = asyncio.create_task(database.wait())
        while "waiting for the database" not in caplog.text:
            assert not waiting.done()
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(30):
            await waiting
        database.close()


async def test_a_service_does_not_wait_for_a_migration(tmp_path: Path) -> None:
    database = databases.database(tmp_path / "new")
    with pytest.raises(DatabaseDown, match="kiosk migrate"):
        await database.wait()
    database.close()

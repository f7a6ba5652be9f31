"""What routes are given: settings, database sessions, the bus, the live hub. All of it hangs on the app."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from api.commands import Commands
from api.live import Hub
from api.metrics import Metrics
from api.store import Database, Transaction
from kiosk.bus import Bus
from kiosk.settings import Settings


def _settings(connection: HTTPConnection) -> Settings:
    settings: Settings = connection.app.state.settings
    return settings


def _database(connection: HTTPConnection) -> Database:
    database: Database = connection.app.state.database
    return database


def _bus(connection: HTTPConnection) -> Bus:
    bus: Bus = connection.app.state.bus
    return bus


def _hub(connection: HTTPConnection) -> Hub:
    hub: Hub = connection.app.state.hub
    return hub


def _commands(connection: HTTPConnection) -> Commands:
    commands: Commands = connection.app.state.commands
    return commands


def _metrics(connection: HTTPConnection) -> Metrics:
    metrics: Metrics = connection.app.state.metrics
    return metrics


TheSettings = Annotated[Settings, Depends(_settings)]
TheDatabase = Annotated[Database, Depends(_database)]
TheBus = Annotated[Bus, Depends(_bus)]
TheHub = Annotated[Hub, Depends(_hub)]
TheCommands = Annotated[Commands, Depends(_commands)]
TheMetrics = Annotated[Metrics, Depends(_metrics)]


def _reader(database: TheDatabase) -> Iterator[Transaction]:
    with database.reading() as db:
        yield db


def _writer(database: TheDatabase) -> Iterator[Transaction]:
    with database.transaction() as db:
        yield db


# scope="function": what a request wrote is committed before its answer leaves
Reader = Annotated[Transaction, Depends(_reader, scope="function")]
Writer = Annotated[Transaction, Depends(_writer, scope="function")]

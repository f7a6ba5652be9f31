"""What routes are given: settings, database sessions, the bus, the live hub. All of it hangs on the app."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.responses import Response

from api import errors, witness
from api.audit import AuditDown
from api.commands import Commands
from api.errors import Failed
from api.live import Hub
from api.metrics import Metrics
from api.security import Action, Identity
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


class Gate(Protocol):
    """Knows who a request comes from. `api.login` has the real one."""

    def identify(self, connection: HTTPConnection) -> Identity | None:
        """Who it is by cookie, token or API key; None without a valid one. Raises Failed(CSRF)."""
        ...

    def alive(self, who: Identity) -> bool:
        """Whether their login, or key, still counts: sockets outlive the access token that opened them."""
        ...


def identity_of(connection: HTTPConnection) -> Identity:
    """Who asks, or Failed(NO_LOGIN)."""
    gate: Gate = connection.app.state.gate
    known = gate.identify(connection)
    if known is None:
        raise Failed(errors.NO_LOGIN)
    connection.state.identity = known
    return known


TheIdentity = Annotated[Identity, Depends(identity_of)]


@dataclass(frozen=True, slots=True)
class Permission:
    """Lets through who may do something. Each route has exactly one of these, or none needs to be known for it."""

    action: Action

    def __call__(self, who: TheIdentity, connection: HTTPConnection) -> Identity:
        """Who asks, or Failed(FORBIDDEN)."""
        witness.looked_at(connection, self.action, who)
        if not who.may(self.action):
            raise Failed(errors.FORBIDDEN)
        return who


def may(action: Action) -> Any:  # noqa: ANN401 - what Depends() is, is FastAPI's
    """For a route's signature: `who: Annotated[Identity, may(Action.READ_SESSIONS)]`."""
    return Depends(Permission(action))


TheSettings = Annotated[Settings, Depends(_settings)]
TheDatabase = Annotated[Database, Depends(_database)]
TheBus = Annotated[Bus, Depends(_bus)]
TheHub = Annotated[Hub, Depends(_hub)]
TheCommands = Annotated[Commands, Depends(_commands)]
TheMetrics = Annotated[Metrics, Depends(_metrics)]


def _reader(database: TheDatabase) -> Iterator[Transaction]:
    with database.reading() as db:
        yield db


def _writer(connection: HTTPConnection, answer: Response, database: TheDatabase) -> Iterator[Transaction]:
    try:
        with database.transaction() as db:
            yield db
            witness.note_change(connection, db, answer.headers)
    except AuditDown:
        raise Failed(errors.NO_AUDIT) from None


# scope="function": what a request wrote is committed before its answer leaves
Reader = Annotated[Transaction, Depends(_reader, scope="function")]
Writer = Annotated[Transaction, Depends(_writer, scope="function")]

"""A clinic under attack: the real app, gate and desk, with two clinics that have one of everything."""

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.login.throttle import Rate, Throttle
from api.security import Role
from api.store import Database, users
from kiosk.bus import MemoryBus
from kiosk.settings import Settings
from tests import databases
from tests.api import staff
from tests.api.world import CLINICS, FOREIGN, OWN, fill

Evidence = list[str]
"""What an attacker got. Empty: nothing."""


class Ear(logging.Handler):
    """Hears every line that is logged, as it is written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@dataclass
class Target:
    """What is attacked. `client` has no login; `ear` hears the log."""

    app: FastAPI
    client: TestClient
    database: Database
    folder: Path
    ear: Ear = field(default_factory=Ear)

    def headers(self, role: Role | str = Role.CLINICIAN, clinic: str = OWN) -> dict[str, str]:
        """A new login of somebody of a clinic."""
        return staff.bearer(self.database, staff.hire(self.database, role, clinic))

    def cookies(self, role: Role | str = Role.CLINICIAN, clinic: str = OWN) -> dict[str, str]:
        """The cookies of one."""
        user = staff.hire(self.database, role, clinic)
        return staff.cookies(self.database, self.app.state.gate, user)

    def ask(self, method: str, path: str, role: Role | str = Role.CLINICIAN, clinic: str = OWN, **more: Any) -> Any:
        """A request of somebody who is logged in."""
        given: Mapping[str, str] = more.pop("headers", {})
        return self.client.request(method, path, headers={**self.headers(role, clinic), **given}, **more)

    def unthrottle(self) -> None:
        """Let attempts be told at once and never be throttled: for attacks on what is behind that."""
        self.app.state.desk.throttle = Throttle(Rate(1e9, 1e9), Rate(1e9, 1e9))
        self.app.state.desk.failure_takes = 0.0

    def someone(self, login: str, **more: Any) -> str:
        """A user with a login of their own; their id."""
        return staff.hire(self.database, Role.CLINICIAN, OWN, login=login, **more).id

    def failures(self, user: str) -> int:
        """How often somebody tried in vain."""
        with self.database.reading() as db:
            row = users.get(db, user)
        assert row is not None
        return row.failures


THINGS, THEIRS = CLINICS[OWN], CLINICS[FOREIGN]
Attack = Callable[[Target], Evidence]


@contextmanager
def besieged(folder: Path, database: Database, **more: Any) -> Iterator[Target]:
    """A target on a migrated database."""
    fill(database)
    app = create_app(settings=Settings(data=folder, **more), database=database, bus=MemoryBus())
    app.state.desk.failure_takes = 0.0
    root = logging.getLogger()
    # errors become problems, cookies are what an attack says, and nobody follows where an answer leads
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        target = Target(app, client, database, folder)
        root.addHandler(target.ear)
        try:
            yield target
        finally:
            root.removeHandler(target.ear)


@contextmanager
def on_sqlite(folder: Path, template: Path, **more: Any) -> Iterator[Target]:
    """A target in a folder of its own."""
    shutil.copy(template, folder / "kiosk.sqlite")
    database = databases.database(folder)
    try:
        with besieged(folder, database, **more) as target:
            yield target
    finally:
        database.close()

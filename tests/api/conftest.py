"""The app on a fresh database, SQLite and PostgreSQL in turn, with a session in it that the recorder recorded."""

import asyncio
import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from fastapi import FastAPI
from numpy.typing import NDArray
from playwright.sync_api import Browser, sync_playwright
from starlette.testclient import TestClient

from api.app import create_app
from api.recorder import Recorder
from api.security import Role
from api.store import Database
from api.tables import MAIN
from kiosk.bus import Delivery, MemoryBus
from kiosk.messages import SECOND, Chunk, End, Event, Message, Origin, Reading, Session, Status, Stream, address, encode
from kiosk.settings import Settings
from tests import databases
from tests.api import staff
from tests.api.dashboard.clinic import Clinic, clinic
from tests.conftest import require
from tests.postgres import Cluster, cluster

ORIGIN = Origin(utc=1_735_808_400 * SECOND, boot=5_000 * SECOND, boot_id="b7f0c1d2")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    database = databases.database(path.parent, f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL server with an empty, migrated database to copy, named `template`."""
    folder = tmp_path_factory.mktemp("postgres")
    with cluster(folder) as started:
        with started.connect() as connection:
            connection.execute("CREATE DATABASE template")
        database = databases.database(folder, started.url("template"))
        database.migrate()
        database.close()
        yield started


_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    if request.param == "sqlite":
        path = tmp_path / "kiosk.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Cluster = request.getfixturevalue("server")
    name = f"test_{next(_numbers)}"
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template")
    yield server.url(name)
    with server.connect() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(url: str, tmp_path: Path) -> Iterator[Database]:
    """A fresh, migrated database."""
    opened = databases.database(tmp_path, url)
    yield opened
    opened.close()


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
def app(database: Database, bus: MemoryBus, tmp_path: Path) -> FastAPI:
    return create_app(settings=Settings(data=tmp_path), database=database, bus=bus)


@pytest.fixture
def anonymous(app: FastAPI) -> Iterator[TestClient]:
    """A client that has not logged in."""
    # errors of ours must become problems, not exceptions in the test
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


ClientAs = Callable[..., TestClient]


@pytest.fixture
def client_as(app: FastAPI, anonymous: TestClient, database: Database) -> ClientAs:
    """Makes clients of the same app that are logged in: `client_as("auditor", clinic="other")`."""

    def make(role: Role | str, clinic: str | None = MAIN) -> TestClient:
        made = TestClient(app, raise_server_exceptions=False)
        # the same event loop: the app runs once
        made.portal = anonymous.portal
        made.headers.update(staff.bearer(database, staff.hire(database, role, clinic)))
        return made

    return make


@pytest.fixture
def client(client_as: ClientAs) -> TestClient:
    """A client that is logged in as a clinician of the main clinic."""
    return client_as(Role.CLINICIAN)


def record(database: Database, *messages: Message, kiosk: str = "kiosk-1") -> None:
    """Let the recorder commit messages as they would come from a kiosk."""
    Recorder(database).commit([Delivery(address(kiosk, message), encode(message)) for message in messages])


def session_stream(session: str) -> Stream:
    return Stream(session, "station", "session", "r1")


def opened(session: str, *, simulated: bool = False, seq: int = 0) -> Session:
    return Session(session_stream(session), seq, "open", ORIGIN, simulated=simulated)


def chunks_of(
    stream: Stream,
    samples: NDArray[np.float32],
    rate: float,
    channels: Sequence[str],
    size: int = 25,
    start: int = 0,
    seq: int = 0,
) -> list[Chunk]:
    """A recording cut into chunks."""
    return [
        Chunk(
            stream,
            seq + number,
            start + round(begin * SECOND / rate),
            rate,
            tuple(channels),
            samples[begin : begin + size].astype("<f4").tobytes(),
        )
        for number, begin in enumerate(range(0, len(samples), size))
    ]


class Visit(NamedTuple):
    """A recorded session and what is in it."""

    session: str
    ecg: NDArray[np.float32]


@pytest.fixture
def visit(database: Database) -> Visit:
    """Ten seconds of ECG with a hole from 4.0 to 5.0 s, a cuff, two events, and a device that was seen."""
    session = "s-visit"
    ecg = Stream(session, "chest-strap", "ecg", "r1")
    cuff = Stream(session, "cuff", "readings", "r1")
    marks = Stream(session, "station", "events", "r1")
    samples = np.random.default_rng(7).normal(0, 0.3, (2500, 1)).astype(np.float32)
    samples[100] = np.nan
    chunks = [chunk for chunk in chunks_of(ecg, samples, 250.0, ["I"]) if not 4 * SECOND <= chunk.start < 5 * SECOND]
    record(
        database,
        opened(session),
        *chunks,
        Reading(cuff, 0, "systolic", 121.0, "cuff", "spot", "oscillometric", 0, 30 * SECOND, quality=0.9),
        Reading(cuff, 1, "diastolic", None, "cuff", "spot", "oscillometric", 0, 30 * SECOND, absent="noisy"),
        Event(marks, 0, "step_began", 2 * SECOND, "sit still"),
        Event(marks, 1, "step_ended", 9 * SECOND),
        End(cuff, 1),
        Status("chest-strap", "running", drift_ppm=-11.5, waiting=3),
    )
    return Visit(session, samples)


def problem_of(response: Any, status: int, slug: str) -> dict[str, Any]:
    """The problem that a response says; it must be one, of this kind."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = response.json()
    assert said["status"] == status
    assert said["type"] == f"https://health-kiosk.example/problems/{slug}"
    assert said["title"]
    assert said["detail"]
    return said


async def settled() -> None:
    """Give tasks of this loop their turn."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("google-chrome") or playwright.chromium.executable_path
        require(Path(found).exists(), "chromium")
        made = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with clinic(tmp_path_factory.mktemp("clinic")) as made:
        yield made

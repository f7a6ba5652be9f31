"""Uploads for tests: simulated recordings as files, and the worker that works them off at once."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlmodel import col
from starlette.testclient import TestClient

from analytics.session import FinalReading, session
from api.store import Database
from api.tables import ReadingRow
from api.uploads.worker import Uploads
from kiosk.commands.services import read_upload
from kiosk.models import FOLDER
from kiosk.recording import Context
from kiosk.settings import Settings
from sensors.drivers.simulated import Body, Person

ADDRESS = "/api/v1/analyses"
Json = dict[str, Any]


def ecg(path: Path, *, seconds: float = 60, rate: float = 250.0, heart_rate: float = 66.0) -> Path:
    """A simulated person's ECG as a table with its times."""
    person = replace(Person.random(4).undisturbed(), heart_rate=heart_rate)
    times = np.arange(int(seconds * rate)) / rate
    wave = Body(person).ecg(times)[:, 0]
    lines = ["time (s),ecg (mV)", *(f"{at:.9f},{value:.5f}" for at, value in zip(times, wave, strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return path


def send(client: TestClient, *files: Path | tuple[str, bytes], headers: Mapping[str, str] = {}, **said: object) -> Any:
    """The answer to an upload."""
    parts = [(each.name, each.read_bytes()) if isinstance(each, Path) else each for each in files]
    return client.post(
        ADDRESS, files=[("files", part) for part in parts], data={k: str(v) for k, v in said.items()}, headers=headers
    )


def work(database: Database, settings: Settings) -> int:
    """Work everything off that waits; how much that was."""
    uploads, done = Uploads(database, settings, read_upload), 0
    while uploads.work():
        done += 1
    return done


def become(
    client: TestClient, database: Database, settings: Settings, *files: Path | tuple[str, bytes], **said: object
) -> Json:
    """What an upload has become in the end."""
    response = send(client, *files, headers={}, **said)
    assert response.status_code == 202, response.text
    assert work(database, settings) == 1
    answer: Json = client.get(response.headers["location"]).json()
    return answer


def stored(database: Database, session_id: str, revision: int = 1) -> list[ReadingRow]:
    """A session's readings."""
    with database.reading() as db:
        wanted = select(ReadingRow).where(
            col(ReadingRow.session_id) == session_id, col(ReadingRow.revision) == revision
        )
        return list(db.execute(wanted.order_by(col(ReadingRow.id))).scalars())


def analysed(files: Path, settings: Settings, context: Context | None = None, **hints: Any) -> tuple[FinalReading, ...]:
    """What `kiosk analyze` says of a file."""
    from sensors import files as reader

    models = settings.data / FOLDER
    return session(reader.read(files, models=models, **hints), context or Context(), models=models).readings


def assert_same(rows: list[ReadingRow], readings: tuple[FinalReading, ...]) -> None:
    """Every reading is the same, to 1e-9."""
    assert [row.measure for row in rows] == [reading.measure for reading in readings]
    for row, reading in zip(rows, readings, strict=True):
        assert (row.absent, row.method, row.preferred) == (reading.absent, reading.method, reading.preferred)
        for name in ("value", "low", "high", "quality"):
            mine, theirs = getattr(row, name), getattr(reading, name)
            assert (mine is None) == (theirs is None), (row.measure, name)
            if mine is not None:
                assert abs(mine - theirs) <= 1e-9 * max(1.0, abs(theirs)), (row.measure, name, mine, theirs)


def dumped(thing: object) -> str:
    """As text, for messages."""
    return json.dumps(thing, indent=1, default=str)

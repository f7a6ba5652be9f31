"""A visit with a film before the camera, from the driver to the database, and everything that was written or sent."""

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlmodel import col

from api.recorder import Recorder
from api.store import Database, arrivals, chunks, events
from api.tables import QuarantineRow, SessionRow
from kiosk import topics
from kiosk.bus import Bus, Subscription
from kiosk.messages import SECOND, Chunk, Event, Message, decode
from sensors.clock import Clock, SystemClock
from sensors.driver import Driver, DriverFactory, Visit
from sensors.drivers.camera.devices import camera
from sensors.drivers.camera.watch import LookerFactory
from sensors.outbox import Outbox
from sensors.service import Sensors
from tests import databases


@dataclass(frozen=True)
class Told:
    """All that a visit left behind."""

    messages: tuple[Message, ...]
    """As they were on the bus, each once."""
    payloads: tuple[bytes, ...]
    """Of the same messages, as they were on the wire."""
    places: dict[str, bytes]
    """Every byte, by where it is."""
    origin: int
    """Boot-clock nanoseconds of the session's time zero."""

    @property
    def chunks(self) -> list[Chunk]:
        """The waveforms."""
        return [message for message in self.messages if isinstance(message, Chunk)]


class Kept(logging.Handler):
    """Every log record of every logger, as text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s %(args)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.lines.append(self.format(record))


async def told(film: Path, folder: Path, buses: Sequence[Bus], looker: LookerFactory) -> Told:
    """Play the film to a camera as a visit. `folder` has the outbox and the database, and whatever else is left."""
    kept, root = Kept(), logging.getLogger()
    before = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    try:
        heard, origin, waiting, stored = await _visited(film, folder, buses, looker)
    finally:
        root.removeHandler(kept)
        root.setLevel(before)
    once = {payload: topic for topic, payload in heard if payload}
    decoded = [(decode(topic, payload)[1], payload) for payload, topic in once.items()]
    # files first: to open a database folds its log into it
    places = {
        f"file {path.relative_to(folder)}": path.read_bytes() + path.name.encode()
        for path in folder.rglob("*")
        if path.is_file()
    }
    places |= {
        "bus": b"\n".join(topic.encode() + b" " + payload for topic, payload in heard),
        "samples on the bus": b"\n".join(
            message.samples + (message.offsets or b"") for message, _ in decoded if isinstance(message, Chunk)
        ),
        "events on the bus": "\n".join(each.detail for each, _ in decoded if isinstance(each, Event)).encode(),
        "log": "\n".join(kept.lines).encode(),
        "outbox, row by row": _rows(folder / "waiting.sqlite") + b"\n" + waiting,
        "database, row by row": _rows(folder / "kiosk.sqlite") + b"\n" + stored,
    }
    return Told(tuple(message for message, _ in decoded), tuple(payload for _, payload in decoded), places, origin)


async def _visited(
    film: Path, folder: Path, buses: Sequence[Bus], looker: LookerFactory
) -> tuple[list[tuple[str, bytes]], int, bytes, bytes]:
    heard: list[tuple[str, bytes]] = []
    visits: list[Visit] = []
    sensors_bus, recorder_bus, listener_bus = buses
    factories = camera(str(film), looker=looker)

    def noted(number: int) -> DriverFactory:
        def make(visit: Visit, clock: Clock) -> Driver:
            visits.append(visit)
            return factories[number](visit, clock)

        return make

    database = databases.database(folder)
    database.migrate()
    recorder = Recorder(database)
    with Outbox(folder / "outbox.sqlite", "k1", limit=10**9) as outbox:
        sensors = Sensors(
            kiosk="k1", bus=sensors_bus, outbox=outbox, clock=SystemClock(), simulated=True,
            visitor=lambda: [noted(number) for number in range(len(factories))],
        )  # fmt: skip
        async with listener_bus.subscribe(topics.pattern("+")) as arriving:
            background = [asyncio.create_task(_listen(arriving, heard))]
            async with sensors.running():
                await sensors.start_visit()
                await sensors.devices_finished()
                # the recorder comes late: what it receipts is deleted, and until then the outbox holds everything
                _copy(folder / "outbox.sqlite", folder / "waiting.sqlite")
                waiting = b"\n".join(item.topic.encode() + b" " + item.payload for item in outbox.waiting(0, 10**6))
                background.append(asyncio.create_task(recorder.serve(recorder_bus)))
                await sensors.end_visit()
                async with asyncio.timeout(30):
                    await sensors.sender.drained()
            await asyncio.sleep(0.2)
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
    # as a thief of the running machine finds it
    _copy(folder / "kiosk.sqlite", folder / "running.sqlite")
    # and as one who has the keys too
    stored = _opened(database)
    database.close()
    return heard, visits[0].origin.boot, waiting, stored


async def _listen(arriving: Subscription, heard: list[tuple[str, bytes]]) -> None:
    async for topic, payload in arriving:
        heard.append((topic, payload))


def _copy(source: Path, into: Path) -> None:
    """The file of a database that somebody else has open, with the log that is written ahead."""
    for suffix in ("", "-wal"):
        if (path := source.with_name(source.name + suffix)).exists():
            into.with_name(into.name + suffix).write_bytes(path.read_bytes())


def _opened(database: Database) -> bytes:
    """What the rows hold that is encrypted."""
    with database.reading() as db:
        found: list[bytes] = []
        for session in db.execute(select(col(SessionRow.id))).scalars().all():
            found += [chunk.samples + (chunk.offsets or b"") for chunk in chunks.of_session(db, session)]
            found += [said.detail.encode() for said, _ in events.of_session(db, session, limit=10**6)]
        found += [
            arrivals.quarantined(db, each) or b"" for each in db.execute(select(col(QuarantineRow.digest))).scalars()
        ]
    return b"\n".join(found)


def _rows(path: Path) -> bytes:
    """Every cell of every table."""
    cells = []
    with sqlite3.connect(path) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in db.execute(f'SELECT * FROM "{table}"'):
                cells += [cell if isinstance(cell, bytes) else str(cell).encode() for cell in row]
    return b"\n".join(cells)


def seconds(chunks: Sequence[Chunk]) -> float:
    """From the first sample to the last."""
    return float(max(int(chunk.times()[-1]) for chunk in chunks) - min(chunk.start for chunk in chunks)) / SECOND

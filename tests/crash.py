"""The crash harness: chunks flow through real processes while parts of the line are killed, and bad messages rain.

`Line` starts broker, recorder and sensors as processes of their own. `storm` kills them with SIGKILL at seeded random
moments, while a gremlin on the bus doubles, delays and damages what it sees. `verdict` then compares the database with
what the outbox's witness wrote down after each commit.
"""

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sqlalchemy import select
from sqlmodel import col

from api.store.chunks import opened
from api.tables import ChunkRow, LossRow, StreamRow
from kiosk import topics
from kiosk.broker import HOST
from kiosk.bus import Delivery
from kiosk.messages import Command
from kiosk.mqtt import MqttBus
from tests import databases
from tests.brokers import start_mosquitto, stop
from tests.postgres import Cluster

KIOSK = "crash-1"
Key = tuple[str, str, str, str, int]
"""Session, device, signal, run, seq."""


@dataclass
class Verdict:
    """What came of it."""

    emitted: int = 0
    stored: int = 0
    lost: int = 0
    problems: list[str] = field(default_factory=list)


class Line:
    """Broker, recorder and sensors as processes. `kill` ends one without a word, `start` brings it back."""

    def __init__(self, folder: Path, cluster: Cluster | None, database: str) -> None:
        self.folder, self.cluster = folder, cluster
        self.database = databases.database(folder, database)
        self.witness = folder / "witness"
        self.victims = ["broker", "recorder", "sensors", *(["database"] if cluster else [])]
        self._broker, self.port = start_mosquitto(folder)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KIOSK_")},
            "KIOSK_ID": KIOSK,
            "KIOSK_DATA": str(folder),
            "KIOSK_BROKER_PORT": str(self.port),
            "KIOSK_DATABASE_URL": database,
        }

    def __enter__(self) -> Self:
        self.database.migrate()
        for name in ("recorder", "sensors"):
            self.start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children.values():
            stop(child)
        stop(self._broker)
        self.database.close()

    @property
    def outbox(self) -> Path:
        """The sensors' outbox file."""
        return self.folder / f"outbox-{KIOSK}.sqlite"

    def start(self, name: str) -> None:
        """Start a part that is down."""
        if name == "broker":
            self._broker, _ = start_mosquitto(self.folder, port=self.port)
        elif name == "database":
            assert self.cluster is not None
            self.cluster.start()
        else:
            command = {
                "recorder": [sys.executable, "-c", "from kiosk.__main__ import main; main()", "recorder"],
                "sensors": [sys.executable, str(Path(__file__).parent / "crash_sensor.py"), str(self.witness)],
            }[name]
            with (self.folder / f"{name}.log").open("ab") as log:
                self._children[name] = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        """End a part without a word."""
        if name == "broker":
            self._broker.kill()
            self._broker.wait()
        elif name == "database":
            assert self.cluster is not None
            self.cluster.kill()
        else:
            self._children[name].kill()
            self._children[name].wait()

    def emitted(self) -> int:
        """How much the witness has seen."""
        return self.witness.read_bytes().count(b"\n") if self.witness.exists() else 0

    def waiting(self) -> int:
        """What the outbox still holds; the sensors must not be running, the file is theirs alone."""
        with contextlib.closing(sqlite3.connect(self.outbox)) as db:
            return int(db.execute("SELECT count(*) FROM items").fetchone()[0])

    def log(self, name: str) -> str:
        """The last lines of a part's log."""
        return (self.folder / f"{name}.log").read_text(errors="replace")[-3000:]

    def stop_sensors(self) -> None:
        """An orderly end of the sensors' process."""
        child = self._children["sensors"]
        child.send_signal(signal.SIGTERM)
        child.wait(20)


async def storm(line: Line, rng: random.Random, rounds: int) -> Counter[str]:
    """Kill one part after another, a random moment apart."""
    killed: Counter[str] = Counter()
    async with MqttBus(host=HOST, port=line.port, name="gremlin") as bus:
        gremlin = asyncio.create_task(_gremlin(bus, rng))
        try:
            for _ in range(rounds):
                # a part that is starting still has nothing to lose
                await _flows(line)
                await asyncio.sleep(rng.uniform(0.05, 0.8))
                victims = rng.sample(line.victims, k=2 if rng.random() < 0.2 else 1)
                for victim in victims:
                    await asyncio.to_thread(line.kill, victim)
                    killed[victim] += 1
                await asyncio.sleep(rng.uniform(0, 0.3))
                for victim in reversed(victims):
                    await asyncio.to_thread(line.start, victim)
        finally:
            gremlin.cancel()
            await asyncio.gather(gremlin, return_exceptions=True)
    return killed


async def _flows(line: Line) -> None:
    """Wait until more is emitted, by a good part of what devices say in a second."""
    wanted = line.emitted() + 40
    async with asyncio.timeout(60):
        while line.emitted() < wanted:
            await asyncio.sleep(0.05)


async def _gremlin(bus: MqttBus, rng: random.Random) -> None:
    """Doubles, delays and damages the chunks that pass."""
    held: list[Delivery] = []
    mine: set[bytes] = set()
    async with bus.subscribe(topics.pattern("chunk", kiosk=KIOSK)) as arriving:
        async for delivery in arriving:
            if delivery.payload in mine:  # not its own echo for ever
                mine.discard(delivery.payload)
                continue
            if rng.random() > 0.1:
                continue
            held.append(delivery)
            if len(held) < 5:
                continue
            rng.shuffle(held)
            while len(held) > 2:
                topic, payload = held.pop()
                await _publish(bus, mine, topic, payload)
                spoilt = bytearray(payload)
                spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
                await _publish(bus, mine, topic, bytes(spoilt[: rng.randrange(1, len(spoilt) + 1)]))


async def _publish(bus: MqttBus, mine: set[bytes], topic: str, payload: bytes) -> None:
    if len(mine) > 1000:
        mine.clear()
    mine.add(payload)
    await bus.publish(topic, payload)


async def settle(line: Line) -> None:
    """End the visit, and wait until the outbox is empty."""
    async with MqttBus(host=HOST, port=line.port, name="judge") as bus:
        await bus.wait_first_connection(30)
        command = Command("the-end", "stop")
        async with asyncio.timeout(90), bus.subscribe(topics.pattern("status", kiosk=KIOSK)) as arriving:
            repeat = asyncio.create_task(_repeat(bus, command))
            try:
                async for delivery in arriving:
                    # the service's own word: it obeyed, and nothing waits any more
                    if b'"command":"the-end"' in delivery.payload and b'"waiting":0,' in delivery.payload:
                        break
            finally:
                repeat.cancel()
    await asyncio.to_thread(line.stop_sensors)


async def _repeat(bus: MqttBus, command: Command) -> None:
    from kiosk.bus import send

    while True:
        await send(bus, KIOSK, command)
        await asyncio.sleep(1)


def verdict(line: Line) -> Verdict:
    """Every emitted chunk is stored exactly once, unchanged and in order, or is listed as lost."""
    result = Verdict()
    said: dict[Key, int] = {}
    for entry in line.witness.read_text().splitlines():
        session, device, name, run, number, crc = entry.split()
        said[(session, device, name, run, int(number))] = int(crc)
    result.emitted = len(said)
    with line.database.reading() as db:
        rows = {row.id: row for row in db.execute(select(StreamRow)).scalars()}
        stored: dict[Key, int] = {}
        latest: dict[int, int] = {}
        for stream, seq, start, samples in db.execute(
            select(col(ChunkRow.stream_id), col(ChunkRow.seq), col(ChunkRow.start_ns), col(ChunkRow.samples)).order_by(
                col(ChunkRow.stream_id), col(ChunkRow.seq)
            )
        ):
            row = rows[stream]
            plain, _ = opened(line.database.vault.session(row.session_id), stream, seq, samples, None)
            stored[(row.session_id, row.device, row.signal, row.run, seq)] = zlib.crc32(plain)
            if stream in latest and start <= latest[stream]:
                result.problems.append(f"{row.device} {row.signal} {row.run}: seq {seq} starts before its predecessor")
            latest[stream] = start
        lost = {
            (row.session_id, row.device, row.signal, row.run, seq)
            for loss in db.execute(select(LossRow)).scalars()
            for row in [rows[loss.stream_id]]
            for seq in range(loss.first, loss.last + 1)
        }
        # said, and yet not to happen: a key is on the disk before what it seals
        for loss in db.execute(select(LossRow).where(col(LossRow.reason) == "unreadable")).scalars():
            result.problems.append(f"unreadable: {loss.first} to {loss.last}")
        for row in rows.values():
            if row.last is None or row.upto != row.last:
                result.problems.append(f"{row.device} {row.signal} {row.run}: upto {row.upto}, last {row.last}")
    result.stored, result.lost = len(stored), len(lost)
    for key, checksum in said.items():
        if key not in stored and key not in lost:
            result.problems.append(f"emitted and gone: {key}")
        elif key in stored and stored[key] != checksum:
            result.problems.append(f"stored with other samples: {key}")
    for row in rows.values():
        if row.channels is None or row.last is None:
            continue
        mine = (row.session_id, row.device, row.signal, row.run)
        holes = [seq for seq in range(row.last + 1) if (*mine, seq) not in stored and (*mine, seq) not in lost]
        if holes:
            result.problems.append(f"{row.device} {row.signal} {row.run}: nothing of {holes[:5]}")
    return result

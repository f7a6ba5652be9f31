"""A sensors' process for the crash test: fast devices, and a witness file of what the outbox has committed.

Run as `python tests/crash_sensor.py WITNESS`; settings come from the environment as for `kiosk sensors`.
"""

import asyncio
import os
import sys
import zlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np

from kiosk import settings
from kiosk.commands.running import run
from kiosk.messages import SECOND, Chunk, Message, Numbered
from kiosk.mqtt import MqttBus
from sensors.clock import Clock, SystemClock
from sensors.driver import Block, DriverFactory, Item, Port
from sensors.outbox import Outbox
from sensors.outbox.waiting import Waiting
from sensors.service import Sensors

EVERY = 0.02


class Testifying(Waiting):
    """Puts down a line for each chunk that it stores."""

    lines: list[bytes]

    def store(self, number: int, kind: str, seq: int, message: Message) -> None:
        """Store, then testify."""
        super().store(number, kind, seq, message)
        if isinstance(message, Chunk):
            stream = message.stream
            said = (
                f"{stream.session} {stream.device} {stream.signal} {stream.run} {seq} {zlib.crc32(message.samples)}\n"
            )
            self.lines.append(said.encode())


class Witnessed(Outbox):
    """Writes down what it has committed, after the commit: whatever stands there was emitted."""

    def __init__(self, path: Path, kiosk: str, *, limit: int, witness: Path) -> None:
        super().__init__(path, kiosk, limit=limit)
        self._witness = os.open(witness, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._waiting = self._testifying = Testifying(self._db, self._keys, kiosk, limit)
        self._testifying.lines = []

    def emit(self, messages: Sequence[Numbered]) -> None:
        """Commit, then testify."""
        self._testifying.lines.clear()
        super().emit(messages)
        os.write(self._witness, b"".join(self._testifying.lines))


class Fast:
    """A device of five seconds' worth of chunks a second, each unlike any other."""

    simulated = True
    trouble = ""
    ports = (Port("ecg", ("II",), 250.0), Port("respiration", ("belt",), 25.0))

    def __init__(self, number: int, clock: Clock) -> None:
        self.name = f"fast-{number}"
        self._clock = clock
        self._rng = np.random.default_rng()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def items(self) -> AsyncIterator[Item]:
        """Blocks of random samples."""
        turn = self._clock.now()
        while True:
            turn += round(EVERY * SECOND)
            await self._clock.sleep_until(turn)
            for port in self.ports:
                count = round(5 * EVERY * (port.rate or 0))
                yield Block(port.signal, self._rng.standard_normal((count, 1)), self._clock.now())


def visitor() -> list[DriverFactory]:
    """Two such devices."""

    def factory(number: int) -> DriverFactory:
        return lambda _visit, clock: Fast(number, clock)

    return [factory(1), factory(2)]


async def serve(witness: Path) -> None:
    """Sensors that start a visit by themselves and end it when commanded."""
    loaded = settings.load()
    with Witnessed(loaded.outbox, loaded.id, limit=loaded.outbox_bytes, witness=witness) as outbox:
        async with MqttBus.to(loaded, "sensors") as bus:
            service = Sensors(
                kiosk=loaded.id, bus=bus, outbox=outbox, clock=SystemClock(), visitor=visitor, simulated=True
            )
            async with service.running():
                # the first process starts the visit; those after a crash find it in the outbox
                if service.visit is None and not witness.with_suffix(".started").exists():
                    await service.start_visit()
                    witness.with_suffix(".started").touch()
                await asyncio.Event().wait()


if __name__ == "__main__":
    run(serve(Path(sys.argv[1])), settings.load())

"""A kiosk's process for the crash test of visits: does what its standard input says, and prints where the visit is.

Run as `python crash_station.py OUTBOX`. Each line in is an act in JSON; each line out is the state after a change.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Self

import msgspec
import numpy as np

from kiosk import protocols
from kiosk.bus import MemoryBus
from kiosk.messages import SECOND
from sensors.clock import Clock, SystemClock
from sensors.driver import Block, DriverFactory, Item, Port, Visit
from sensors.outbox import Outbox
from sensors.service import Sensors
from sensors.station.progress import left, step_of
from sensors.station.reception import Reception
from sensors.station.view import Act

SHORT = """
id = "short"
version = "1"
minutes = 1
idle = 600.0
title = { en = "Short" }
about = { en = "For tests." }
steps = [
    { id = "consent", kind = "consent" },
    { id = "check_in", kind = "check_in" },
    { id = "electrodes", kind = "electrodes", needs = ["ecg"] },
    { id = "rest", kind = "measure", seconds = 8, mark = "rest" },
    { id = "mood", kind = "questionnaire", questionnaire = "phq2" },
    { id = "results", kind = "results" },
]
"""


class Ecg:
    """Some samples ten times a second."""

    name, simulated, trouble = "ecg", True, ""
    ports = (Port("ecg", ("II",), 250.0),)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def items(self) -> AsyncIterator[Item]:
        """Zeros."""
        while True:
            await self._clock.sleep_until(self._clock.now() + SECOND // 10)
            yield Block("ecg", np.zeros((25, 1)), self._clock.now())


def devices() -> Sequence[DriverFactory]:
    """One."""

    def make(_visit: Visit, clock: Clock) -> Ecg:
        return Ecg(clock)

    return [make]


async def serve(path: Path) -> None:
    """Hold visits until killed."""
    made = MappingProxyType({"short": protocols.read(SHORT)})
    listed: Callable[[], object] = lambda: made  # noqa: E731
    protocols.listed = listed  # type: ignore[assignment]
    clock, bus = SystemClock(), MemoryBus()
    with Outbox(path, "k1", limit=10**9) as outbox:
        sensors = Sensors(kiosk="k1", bus=bus, outbox=outbox, clock=clock, visitor=devices, simulated=True)
        reception = Reception(sensors=sensors, outbox=outbox, bus=bus, kiosk="k1", clock=clock, simulated=True)
        async with sensors.running(), reception.running():
            reader = asyncio.StreamReader()
            await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
            acting = asyncio.create_task(_act(reader, reception))
            while not acting.done():
                step = step_of(reception.progress)
                measuring = step is not None and step.kind == "measure"
                state = {
                    "at": step.id if step is not None else reception.progress.screen,
                    "session": reception.record.session,
                    "item": reception.progress.item,
                    "answers": reception.progress.answers,
                    "left": left(reception.progress, clock.now()) if measuring else None,
                }
                sys.stdout.write(f"{json.dumps(state)}\n")
                sys.stdout.flush()
                await asyncio.sleep(0.05)


async def _act(reader: asyncio.StreamReader, reception: Reception) -> None:
    while line := await reader.readline():
        await reception.act(msgspec.json.decode(line, type=Act))


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))

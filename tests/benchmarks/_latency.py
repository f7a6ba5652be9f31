"""The open-loop part of the pipeline benchmark: a fleet of kiosks, the services, and a client on all their sockets."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from math import floor
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
import uvloop
from numpy.typing import NDArray
from websockets.asyncio.client import connect

from kiosk.messages import SECOND, Stream
from kiosk.mqtt import MqttBus
from sensors.clock import Clock, SystemClock
from sensors.driver import Block, DriverFactory, Item, Port, Visit
from sensors.drivers.simulated import Body, Person
from sensors.outbox import Outbox
from sensors.service import Sensors
from tests import databases
from tests.api import staff
from tests.benchmarks._measuring import cpu_seconds, environment, kiosk_process, percentiles
from tests.brokers import free_port, start_mosquitto, stop

HERE = Path(__file__)
RATES = {"ecg": 250.0, "ppg": 100.0, "eeg": 250.0, "rgb": 30.0}
LIVE = ("ecg", "ppg")
WARM_UP = 6.0
"""Seconds before anything counts: processes start, visits begin, sockets open."""
RENDERED = 60
LATE = 1.0
KIOSKS_PER_PROCESS = 10
"""A real kiosk is a machine of its own; fifty interpreters would only measure this one's memory."""


def latency(kiosks: int, seconds: float) -> tuple[object, ...]:
    """One row: percentiles of (arrival - due time of a chunk's first sample), and what each process costs."""
    with tempfile.TemporaryDirectory(prefix="kiosk-bench-") as temporary:
        folder = Path(temporary)
        store = databases.database(folder)
        store.migrate()
        staff.let_in(store)
        store.close()
        broker, port = start_mosquitto(folder)
        http = free_port()
        given = environment(folder, port, KIOSK_HTTP_PORT=str(http))
        processes = {name: kiosk_process(folder, given, name) for name in ("recorder", "analytics", "api")}
        processes["broker"] = broker
        try:
            time.sleep(5)
            fleets = []
            for first in range(0, kiosks, KIOSKS_PER_PROCESS):
                count = min(KIOSKS_PER_PROCESS, kiosks - first)
                fleets.append(f"fleet-{first}")
                processes[fleets[-1]] = _start(folder, given, fleets[-1], "--fleet", first, count, port)
            processes["client"] = _start(folder, given, "client", "--client", len(fleets), http, seconds)
            time.sleep(WARM_UP + 2)
            before = {name: cpu_seconds(process.pid) for name, process in processes.items()}
            started = time.monotonic()
            time.sleep(max(1.0, seconds - 3))
            passed = time.monotonic() - started
            cpu = {name: (cpu_seconds(process.pid) - before[name]) / passed for name, process in processes.items()}
            said, _ = processes["client"].communicate(timeout=60)
            if not said:
                logs = (folder / f"{name}.log" for name in processes)
                raise RuntimeError("".join(log.read_text()[-2000:] for log in logs if log.exists()))
            got = json.loads(said)
        finally:
            for process in processes.values():
                stop(process)
        p50, p95, p99 = percentiles(got["latencies"])
        cpu["fleet"] = sum(cpu[name] for name in fleets)
        shares = [f"{cpu[name]:.2f}" for name in ("fleet", "broker", "recorder", "analytics", "api", "client")]
        bad = got["missing"] + sum(each > LATE * 1000 for each in got["latencies"])
        rate = len(got["latencies"]) / seconds
        return (kiosks, f"{rate:.0f}", f"{p50:.0f}", f"{p95:.0f}", f"{p99:.0f}", bad,
                f"{kiosks * simulator_cost():.2f}", *shares)  # fmt: skip


def _start(folder: Path, given: Mapping[str, str], name: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", str(HERE), str(arguments[0]), str(folder), *map(str, arguments[1:])]
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=dict(given))


def simulator_cost() -> float:
    """CPU seconds that rendering one body costs per second, for the four signals."""
    body = Body(Person.random(5))
    started = time.process_time()
    for second in range(20):
        for signal, rate in RATES.items():
            body.block(signal, rate, second)
    return (time.process_time() - started) / 20


class Played:
    """A device that plays rendered samples by the clock; its rendering is not what is measured."""

    simulated = True
    trouble = ""

    def __init__(self, signal: str, channels: tuple[str, ...], samples: NDArray[np.float32], clock: Clock) -> None:
        self.name = f"played-{signal}"
        self.ports = (Port(signal, channels, RATES[signal]),)
        self._signal, self._samples, self._clock = signal, samples, clock
        self._every = round((0.1 if signal in LIVE else 1.0) * SECOND)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def items(self) -> AsyncIterator[Item]:
        """Samples as they fall due."""
        start, rate = self._clock.now(), RATES[self._signal]
        done = turn = 0
        while True:
            turn += 1
            await self._clock.sleep_until(start + turn * self._every)
            due = floor((self._clock.now() - start) * rate / SECOND + 1e-6)
            rows = np.arange(done, due) % len(self._samples)
            done = due
            yield Block(self._signal, self._samples[rows], self._clock.now())


async def fleet(folder: Path, first: int, kiosks: int, port: int) -> None:
    """So many kiosks, each with its own outbox and connection, in one process."""
    body = Body(Person(seed=3))
    rendered = {
        signal: np.concatenate([body.block(signal, rate, second) for second in range(RENDERED)]).astype("<f4")
        for signal, rate in RATES.items()
    }

    def visitor() -> list[DriverFactory]:
        def factory(signal: str) -> DriverFactory:
            return lambda _visit, clock: Played(signal, body.channels(signal), rendered[signal], clock)

        return [factory(signal) for signal in RATES]

    clock = SystemClock()
    visits: list[Visit] = []
    async with AsyncExitStack() as stack:
        for number in range(first, first + kiosks):
            kiosk = f"fleet-{number}"
            outbox = stack.enter_context(Outbox(folder / f"{kiosk}.sqlite", kiosk, limit=10**9))
            bus = await stack.enter_async_context(MqttBus(host="127.0.0.1", port=port, name=kiosk))
            await bus.wait_first_connection(10)
            service = Sensors(kiosk=kiosk, bus=bus, outbox=outbox, clock=clock, visitor=visitor, simulated=True)
            await stack.enter_async_context(service.running())
            await service.start_visit()
            assert service.visit is not None
            visits.append(service.visit)
            # real kiosks are not in step
            await asyncio.sleep(1.03 / kiosks)
        listing = json.dumps({visit.session: visit.origin.boot for visit in visits})
        (folder / f"fleet-{first}.part").write_text(listing)
        (folder / f"fleet-{first}.part").rename(folder / f"fleet-{first}.json")
        await asyncio.Event().wait()


class Seen(msgspec.Struct):
    """What the client reads of a frame."""

    stream: Stream | None = None
    seq: int = 0
    start: int = 0
    kind: str = ""


async def client(folder: Path, fleets: int, port: int, seconds: float) -> None:
    """Watch all sessions at once."""
    while len(list(folder.glob("fleet-*.json"))) < fleets:
        await asyncio.sleep(0.05)
    origins: dict[str, int] = {}
    for file in folder.glob("fleet-*.json"):
        origins |= json.loads(file.read_text())
    await asyncio.sleep(1)
    latencies: list[float] = []
    missing = 0
    clock, decode = SystemClock(), msgspec.json.Decoder(Seen).decode
    begin = clock.now() + round(1.5 * SECOND)
    end = begin + round(seconds * SECOND)

    async def watch(session: str, origin: int) -> None:
        nonlocal missing
        last: dict[Stream, int] = {}
        address = f"ws://127.0.0.1:{port}/api/v1/sessions/{session}/live?signals={','.join(LIVE)}"
        async with connect(address, compression=None, max_size=None, additional_headers=staff.KNOWN) as socket:
            while (now := clock.now()) < end:
                frame = await asyncio.wait_for(socket.recv(), 10)
                now = clock.now()
                seen = decode(frame)
                if seen.kind != "chunk" or seen.stream is None:
                    continue
                if now > begin:
                    latencies.append((now - origin - seen.start) / 1e6)
                    missing += max(0, seen.seq - last.get(seen.stream, seen.seq - 1) - 1)
                last[seen.stream] = seen.seq

    await asyncio.gather(*(watch(session, origin) for session, origin in origins.items()))
    sys.stdout.write(json.dumps({"latencies": latencies, "missing": missing}))


if __name__ == "__main__":
    _, what, place, *rest = sys.argv
    if what == "--fleet":
        uvloop.run(fleet(Path(place), *map(int, rest)))
    else:
        uvloop.run(client(Path(place), int(rest[0]), int(rest[1]), float(rest[2])))

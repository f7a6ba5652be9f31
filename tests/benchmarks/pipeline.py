"""The line under load: chunks from outbox to committed row, and latency from a sample's due time to the WebSocket.

    kiosk bench pipeline [--seconds 15] [--databases sqlite,postgresql] [--kiosks 1,10,50]

Throughput: a producer process emits ECG chunks of 0.1 s into its outbox as fast as they are receipted; broker
(mosquitto), recorder and database are processes of their own. Counted are rows committed while it lasts. Beside it
stands what one would write by hand: paho to paho at QoS 1 into SQLite, with none of the promises.
Latency is open loop: the kiosks emit by the clock, whatever the rest does. A chunk's latency is the time from the due
time of its first sample (so it includes the 100 ms that the chunk takes to fill) to its arrival at a WebSocket client.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sqlalchemy import func, select

from api.store import Database
from api.tables import ChunkRow
from kiosk.messages import SECOND, Chunk, Origin, Stream
from kiosk.mqtt import MqttBus
from sensors.driver import Visit
from sensors.outbox import Outbox
from sensors.sender import Sender
from tests import databases
from tests.benchmarks._measuring import cpu_seconds, environment, kiosk_process, peak_megabytes, report
from tests.benchmarks._plain import plain
from tests.brokers import start_mosquitto, stop
from tests.postgres import postgresql

HERE = Path(__file__)


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--kiosks", default="1,10,50")
    parser.add_argument("--part", choices=("all", "throughput", "latency"), default="all")
    parser.add_argument("--producer", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.producer:
        folder, port, seconds = arguments.producer
        asyncio.run(produce(Path(folder), int(port), float(seconds)))
        return
    if arguments.part != "latency":
        rate, cpu = plain(arguments.seconds)
        rows = [
            _row("paho QoS 1 -> SQLite, by hand", rate, rate, cpu, ("", "")),
            *(
                _row(f"outbox -> {name}", *throughput(name, arguments.seconds, rate))
                for name in arguments.databases.split(",")
            ),
        ]
        report(
            "to committed row over mosquitto (synthetic ECG, chunks of 25 samples, every commit synced)",
            (
                "line",
                "chunks/s",
                "samples/s",
                "ratio",
                "CPU s/s sender",
                "broker",
                "recorder",
                "peak MB sender",
                "recorder",
            ),
            rows,
        )
    if arguments.part != "throughput":
        from tests.benchmarks._latency import latency

        rows = [latency(int(count), arguments.seconds) for count in arguments.kiosks.split(",")]
        report(
            "sample due -> WebSocket, ms (ECG 250 Hz, PPG 100 Hz drawn live; EEG 8x250 Hz, rgb 30 Hz recorded), SQLite",
            ("kiosks", "chunks/s", "p50", "p95", "p99", "late or lost", "CPU s/s simulator", "kiosks", "broker",
             "recorder", "analytics", "api", "client"),
            rows,
        )  # fmt: skip


@contextmanager
def database(name: str, folder: Path) -> Iterator[str]:
    """The address of an empty database of this kind, with durable commits."""
    if name == "sqlite":
        yield f"sqlite:///{folder / 'kiosk.sqlite'}"
    else:
        with postgresql(folder, durable=True) as url:
            yield url


def _row(
    name: str, rate: float, plain_rate: float, cpu: Sequence[float], memory: Sequence[object]
) -> tuple[object, ...]:
    shares = [f"{each:.2f}" for each in cpu]
    return name, f"{rate:,.0f}", f"{25 * rate:,.0f}", f"{rate / plain_rate:.1f}", *shares, *memory


def throughput(name: str, seconds: float, plain_rate: float) -> tuple[float, float, Sequence[float], Sequence[object]]:
    """Rows per second; CPU seconds per second of sender, broker and recorder; peak megabytes."""
    with tempfile.TemporaryDirectory(prefix="kiosk-bench-") as temporary, database(name, Path(temporary)) as url:
        folder = Path(temporary)
        store = databases.database(folder, url)
        store.migrate()
        broker, port = start_mosquitto(folder)
        recorder = kiosk_process(folder, environment(folder, port, KIOSK_DATABASE_URL=url), "recorder")
        time.sleep(3)
        producer = subprocess.Popen(
            [sys.executable, "-P", str(HERE), "--producer", str(folder), str(port), str(seconds)],
            stdout=subprocess.PIPE,
        )
        try:
            before = {each.pid: cpu_seconds(each.pid) for each in (producer, broker, recorder)}
            # the first seconds belong to starting up
            time.sleep(3)
            started, first = time.monotonic(), _rows(store)
            busy = {pid: cpu_seconds(pid) for pid in before}
            time.sleep(seconds - 3)
            passed, count = time.monotonic() - started, _rows(store) - first
            cpu = [(cpu_seconds(pid) - busy[pid]) / passed for pid in before]
            memory = [peak_megabytes(producer.pid), peak_megabytes(recorder.pid)]
            said, _ = producer.communicate(timeout=60)
            emitted = json.loads(said)["emitted"]
            assert _rows(store) == emitted, f"{emitted} emitted, {_rows(store)} stored"
        finally:
            for process in (producer, recorder, broker):
                stop(process)
            store.close()
        return count / passed, plain_rate, cpu, [f"{each:.0f}" for each in memory]


def _rows(store: Database) -> int:
    with store.reading() as db:
        return int(db.execute(select(func.count()).select_from(ChunkRow)).scalar_one())


async def produce(folder: Path, port: int, seconds: float) -> None:
    """Emit as fast as the line takes it, for so long; then wait until all of it is receipted."""
    with Outbox(folder / "outbox.sqlite", "bench-1", limit=10**10) as outbox:
        async with MqttBus(host="127.0.0.1", port=port, name="bench") as bus:
            await bus.wait_first_connection(10)
            sender = Sender(bus, outbox, "bench-1")
            sending = asyncio.create_task(sender.run())
            visit = Visit("bench", Origin(0, 0, "bench"), simulated=True)
            await asyncio.to_thread(outbox.open_session, visit, "run")
            stream = Stream("bench", "ecg-1", "ecg", "run")
            samples = np.random.default_rng(1).standard_normal(25).astype("<f4").tobytes()
            emitted, end = 0, time.monotonic() + seconds
            while time.monotonic() < end:
                if outbox.waiting_count > 6000:
                    await asyncio.sleep(0.005)
                    continue
                batch = [
                    Chunk(stream, 0, (emitted + index) * SECOND // 10, 250.0, ("II",), samples) for index in range(500)
                ]
                await asyncio.to_thread(outbox.emit, batch)
                emitted += len(batch)
                sender.wake()
            await sender.drained()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            sys.stdout.write(json.dumps({"emitted": emitted, "again": sender.sent_again}))


if __name__ == "__main__":
    main()

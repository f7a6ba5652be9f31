"""What encryption at rest costs: a chunk recorded, a message in the outbox, a waveform read.

    kiosk bench encryption [--hours 6]

All in one process, on synthetic samples, SQLite in a temporary folder; CPU time, because wall time is the disk's.
Beside each figure stands the same without encryption: the same code with a box that does nothing.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import msgspec
import numpy as np

from api import drawing
from api.recorder import Recorder
from api.routes import waveforms as route
from api.store import Database, pyramids, waveforms
from api.store.sealing import Box
from kiosk.bus import Delivery
from kiosk.messages import SECOND, Chunk, Receipt, Stream, address, encode
from sensors.outbox import Outbox
from sensors.outbox.keys import RunKeys
from tests import databases
from tests.benchmarks._measuring import report

STREAM = Stream("bench", "ecg-1", "ecg", "run")
RATE = 250.0
SIZE = 25
BATCH = 2000


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=6)
    hours = parser.parse_args().hours
    rows: list[tuple[object, ...]] = []
    for name, measured in (("recorder, commits of 2000", recorded), ("outbox, commits of 500", lambda: kept(500)),
                           ("outbox, commits of 5", lambda: kept(5))):  # fmt: skip
        with plain():
            before = measured()
        rows.append((name, *(f"{1e6 * each:.1f}" for each in (before, measured()))))
    report("CPU microseconds per chunk of 25 samples (synthetic)", ("path", "plain", "encrypted"), rows)
    rows = []
    for seconds in (300.0, hours * 3600):
        with tempfile.TemporaryDirectory(prefix="kiosk-bench-") as folder:
            rows += drawn(databases.database(Path(folder)), seconds)
    report(
        "a waveform of one channel at 250 Hz, 2000 buckets, milliseconds (synthetic)",
        ("window", "read from", "CPU, median of 7", "wall, median", "worst"),
        rows,
    )


@contextmanager
def plain() -> Iterator[None]:
    """Boxes that do nothing."""
    with ExitStack() as stack:
        for where in (Box, RunKeys):
            for name in ("seal", "open"):
                stack.enter_context(patch.object(where, name, _seen if where is Box else _seen_of_run))
        yield


def _seen(_: Box, data: bytes, where: str) -> bytes:
    return data


def _seen_of_run(_: RunKeys, run: object, data: bytes, where: str) -> bytes:
    return data


def chunks(first: int, count: int) -> list[Chunk]:
    """Chunks as a chest strap makes them."""
    samples = np.random.default_rng(first).standard_normal((count, SIZE)).astype("<f4")
    return [
        Chunk(STREAM, first + n, (first + n) * SECOND // 10, RATE, ("II",), samples[n].tobytes()) for n in range(count)
    ]


def deliveries(first: int, count: int) -> list[Delivery]:
    """The same, on the wire."""
    return [Delivery(address("k1", chunk), encode(chunk)) for chunk in chunks(first, count)]


def recorded() -> float:
    """CPU seconds per chunk of the recorder's commit."""
    with tempfile.TemporaryDirectory(prefix="kiosk-bench-") as folder:
        database = databases.database(Path(folder))
        database.migrate()
        recorder, taken = Recorder(database), []
        for batch in range(20):
            some = deliveries(batch * BATCH, BATCH)
            taken.append(_cpu(lambda some=some: recorder.commit(some)) / BATCH)  # type: ignore[misc]
        database.close()
    return statistics.median(taken[3:])


def kept(batch: int) -> float:
    """CPU seconds per chunk to emit, read for sending, and forget."""
    count = min(20_000, 1000 * batch)
    with (
        tempfile.TemporaryDirectory(prefix="kiosk-bench-") as folder,
        Outbox(Path(folder) / "outbox.sqlite", "k1", limit=10**10) as outbox,
    ):

        def emit() -> None:
            for _ in range(0, count, batch):
                outbox.emit(some)

        def send() -> None:
            cursor = 0
            while items := outbox.waiting(cursor, 256):
                cursor = items[-1].id

        def forget() -> None:
            for upto in range(0, count, batch):
                outbox.receipts([Receipt(STREAM, upto)])

        some = chunks(0, batch)
        return sum(_cpu(each) for each in (emit, send, forget)) / count


def drawn(database: Database, seconds: float) -> list[tuple[object, ...]]:
    """Rows: a whole recording of so many seconds, from its chunks and from its pyramid."""
    database.migrate()
    recorder, total = Recorder(database), round(seconds * 10)
    for first in range(0, total, BATCH):
        recorder.commit(deliveries(first, min(BATCH, total - first)))
    rows: list[tuple[object, ...]] = []
    end = round(seconds * SECOND)

    def read() -> None:
        with database.reading() as db:
            (stream,) = waveforms.streams_of(db, "bench", "ecg")
            found = drawing.draw(db, [stream], 0, end, 2000, 1)
            msgspec.json.encode(route._described(stream, found, 0, end))

    window = f"{seconds / 60:.0f} min"
    rows.append((window, "chunks", *_wall(read)))
    with database.reading() as db:
        made = drawing.make_pyramids(db, "bench")
    with database.transaction() as db:
        pyramids.store(db, made)
    rows.append((window, "pyramid", *_wall(read)))
    database.close()
    return rows


def _wall(function: Callable[[], None]) -> tuple[str, ...]:
    taken, busy = [], []
    for _ in range(7):
        begin = time.perf_counter()
        busy.append(1000 * _cpu(function))
        taken.append(1000 * (time.perf_counter() - begin))
    return f"{statistics.median(busy):.0f}", f"{statistics.median(taken):.0f}", f"{max(taken):.0f}"


def _cpu(function: Callable[[], object]) -> float:
    begin = time.process_time()
    function()
    return time.process_time() - begin


if __name__ == "__main__":
    main()

"""What one would write in an afternoon: paho to paho at QoS 1, a row per message into SQLite, synced commits.

No outbox, no seqs, no receipts: a crash of any part loses messages unnoticed. It is what the pipeline is compared with.
Run as `_plain.py --publish PORT SECONDS` and `_plain.py --store PORT FILE SECONDS`.
"""

import json
import queue
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from kiosk.messages import Chunk, Stream, encode
from tests.benchmarks._measuring import cpu_seconds
from tests.brokers import start_mosquitto, stop

HERE = Path(__file__)
TOPIC = "plain/ecg"
BATCH = 100
"""Rows in a commit."""


def plain(seconds: float) -> tuple[float, list[float]]:
    """Rows per second, and CPU seconds per second of publisher, broker and store."""
    with tempfile.TemporaryDirectory(prefix="kiosk-bench-") as temporary:
        folder = Path(temporary)
        broker, port = start_mosquitto(folder)
        file = folder / "plain.sqlite"
        store = subprocess.Popen(
            [sys.executable, "-P", str(HERE), "--store", str(port), str(file), str(seconds + 4)], stdout=subprocess.PIPE
        )
        time.sleep(2)
        publisher = subprocess.Popen([sys.executable, "-P", str(HERE), "--publish", str(port), str(seconds)])
        try:
            time.sleep(3)
            before = {each.pid: cpu_seconds(each.pid) for each in (publisher, broker, store)}
            started, first = time.monotonic(), _rows(file)
            time.sleep(seconds - 4)
            passed, count = time.monotonic() - started, _rows(file) - first
            cpu = [(cpu_seconds(pid) - used) / passed for pid, used in before.items()]
        finally:
            for process in (publisher, store, broker):
                stop(process)
            assert store.stdout is not None
            store.stdout.close()
        return count / passed, cpu


def _rows(file: Path) -> int:
    with sqlite3.connect(file, timeout=10) as db:
        count = int(db.execute("SELECT count(*) FROM chunks").fetchone()[0])
    db.close()
    return count


def publish(port: int, seconds: float) -> None:
    """Publish at QoS 1, as fast as it is acknowledged."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    stream = Stream("bench", "ecg-1", "ecg", "run")
    samples = np.random.default_rng(1).standard_normal(25).astype("<f4").tobytes()
    end, seq = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        last = None
        for _ in range(500):
            last = client.publish(TOPIC, encode(Chunk(stream, seq, seq * 10**8, 250.0, ("II",), samples)), qos=1)
            seq += 1
        assert last is not None
        last.wait_for_publish(10)


def keep(port: int, file: str, seconds: float) -> None:
    """Store what comes, a row each."""
    db = sqlite3.connect(file)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE chunks (id INTEGER PRIMARY KEY, seq INTEGER, start INTEGER, samples BLOB)")
    db.commit()
    waiting: queue.Queue[bytes] = queue.Queue()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: waiting.put(bytes(message.payload))
    client.connect("127.0.0.1", port)
    client.subscribe(TOPIC, 1)
    client.loop_start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rows: list[tuple[int, int, str]] = []
        try:
            while len(rows) < BATCH:
                chunk = json.loads(waiting.get(timeout=0.05))
                rows.append((chunk["seq"], chunk["start"], chunk["samples"]))
        except queue.Empty:
            pass
        with db:
            db.executemany("INSERT INTO chunks (seq, start, samples) VALUES (?, ?, ?)", rows)


if __name__ == "__main__":
    if sys.argv[1] == "--publish":
        publish(int(sys.argv[2]), float(sys.argv[3]))
    else:
        keep(int(sys.argv[2]), sys.argv[3], float(sys.argv[4]))

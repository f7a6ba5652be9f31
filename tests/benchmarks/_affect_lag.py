"""What networks cost live analysis: six sessions at 800 chunks a second, without networks and beside them.

Open loop: a chunk is due by the clock, whatever the analysis is at. Lag is from its due time to when its readings are
there. The networks run as in a kiosk: in another process, one thread each, a voice every second and every installed
expression network four times a second for each session.
"""

import argparse
import contextlib
import heapq
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from analytics.router import Router
from kiosk import models
from kiosk.errors import BadModel
from kiosk.messages import SECOND, Chunk, Stream
from kiosk.models.opening import OpenNetwork
from sensors.drivers.simulated import Body, Person
from tests.benchmarks._measuring import percentiles, report
from tests.brokers import stop

SESSIONS, CHUNKS = 6, 800
DEVICES = {"ecg": 4, "ppg": 4, "respiration": 2, "eeg": 2}
"""Of each session: as many streams as the router analyses of one."""
RATES = {"ecg": 250.0, "ppg": 100.0, "respiration": 50.0, "eeg": 250.0}
WARM_UP = 12.0
"""Seconds before anything counts: first windows fill, imports happen."""
SCORES = 4.0
"""A second, of an expression network."""
HERE = Path(__file__)
Face = tuple[OpenNetwork, tuple[int, ...]]
"""An expression network and the shape of what it takes."""


def run(folder: Path, *, quick: bool) -> None:
    """Measure both, turn by turn, and print."""
    seconds, turns = (15.0, 1) if quick else (60.0, 3)
    rows: dict[str, list[tuple[float, float, float]]] = {"without networks": [], "beside networks": []}
    asked = 0.0
    for _ in range(turns):
        for name, found in rows.items():
            with contextlib.ExitStack() as stack:
                if name.startswith("beside"):
                    asked = stack.enter_context(_networks(folder))
                found.append(percentiles(_lags(seconds)))
    middles = {name: np.median(np.array(found), axis=0) for name, found in rows.items()}
    more = middles["beside networks"] - middles["without networks"]
    report(
        f"Live lag in ms, {SESSIONS} sessions, {CHUNKS} chunks/s, median of {turns} turns of {seconds:.0f} s; "
        f"{asked:.0f} networks run a second (synthetic)",
        ("", "p50", "p95", "p99"),
        [(name, *(f"{value:.1f}" for value in found)) for name, found in [*middles.items(), ("difference", more)]],
    )


def _lags(seconds: float) -> list[float]:
    """Milliseconds from due to analysed, of every chunk."""
    router, queue = Router(), _chunks()
    start = time.monotonic_ns()
    lags = []
    for due, chunk in queue:
        now = time.monotonic_ns() - start
        if due > (WARM_UP + seconds) * SECOND:
            break
        if due > now:
            time.sleep((due - now) / SECOND)
        router.feed("lag", chunk)
        if due > WARM_UP * SECOND:
            lags.append((time.monotonic_ns() - start - due) / 1e6)
    if router.counters.failures or router.counters.overflowing or not router.counters.readings:
        raise RuntimeError(f"this is no live analysis: {router.counters}")
    return lags


def _chunks() -> Iterator[tuple[int, Chunk]]:
    """When each is due and what it holds, in order; the streams are out of step."""
    streams = SESSIONS * sum(DEVICES.values())
    seconds = streams / CHUNKS
    body = Body(Person(seed=3))
    waves = {
        signal: np.concatenate([body.block(signal, rate, second) for second in range(60)]).astype("<f4")
        for signal, rate in RATES.items()
    }
    lines: list[tuple[int, int, Stream, str, int]] = []
    for session in range(SESSIONS):
        for signal, devices in DEVICES.items():
            for device in range(devices):
                at = round(len(lines) / streams * seconds * SECOND)
                stream = Stream(f"s{session}", f"{signal}-{device}", signal, "run")
                lines.append((at + round(seconds * SECOND), len(lines), stream, signal, 0))
    heapq.heapify(lines)
    while True:
        due, number, stream, signal, seq = heapq.heappop(lines)
        wave, rate = waves[signal], RATES[signal]
        begin, end = round(seq * seconds * rate), round((seq + 1) * seconds * rate)
        samples = wave[np.arange(begin, end) % len(wave)]
        start = round(begin * SECOND / rate)
        yield due, Chunk(stream, seq, start, rate, tuple(body.channels(signal)), samples.tobytes())
        heapq.heappush(lines, (due + round(seconds * SECOND), number, stream, signal, seq + 1))


@contextlib.contextmanager
def _networks(folder: Path) -> Iterator[float]:
    """The networks of all sessions at work; how many runs a second they were asked for."""
    with tempfile.TemporaryDirectory(prefix="kiosk-bench-") as temporary:
        process = subprocess.Popen(
            [sys.executable, "-P", str(HERE), "--networks", str(folder), temporary], stdout=subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("the networks did not start")
            yield float(json.loads(line))
        finally:
            stop(process)


def serve(folder: Path, temporary: Path) -> None:
    """Run the voice network every second and the expression networks on every look, for each session, until stopped."""
    from sensors.sound.emotion import LONGEST, Emotions

    for file in (folder.parent / "models").rglob("*.onnx"):
        with contextlib.suppress(BadModel):
            models.add(file, temporary)
    voice = Emotions(temporary)
    speech = np.random.default_rng(0).standard_normal(round(16_000 * LONGEST)).astype(np.float32) / np.float32(10)
    voice.scores(speech)
    faces = list(_expressions(temporary))
    jobs: list[tuple[float, float, Face | None]] = []
    if voice.channels:
        jobs += [(n / SESSIONS, 1.0, None) for n in range(SESSIONS)]
    jobs += [((n + 0.5) / SESSIONS / SCORES, 1 / SCORES, face) for n in range(SESSIONS) for face in faces]
    sys.stdout.write(json.dumps(sum(1 / every for _, every, _ in jobs)) + "\n")
    sys.stdout.flush()
    queue = [(at, number) for number, (at, _, _) in enumerate(jobs)]
    heapq.heapify(queue)
    start = time.monotonic()
    while True:
        at, number = heapq.heappop(queue)
        time.sleep(max(0.0, at - (time.monotonic() - start)))
        every, face = jobs[number][1:]
        if face is None:
            voice.scores(speech)
        else:
            network, shape = face
            network.run(np.zeros(shape, dtype=np.float32))
        # latest wins: what came meanwhile is left out
        heapq.heappush(queue, (max(at + every, time.monotonic() - start), number))


def _expressions(folder: Path) -> Iterator[Face]:
    for network in models.listed():
        if "happiness" in network.labels and network.inputs[0].order and models.status(network, folder) == "installed":
            yield models.open_network(network.name, folder), tuple(size or 1 for size in network.inputs[0].shape)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", nargs=2, type=Path)
    serve(*parser.parse_args().networks)

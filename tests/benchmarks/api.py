"""The REST API of a large clinic: 100,000 sessions with 10 million readings, made up.

    kiosk bench api [--sessions 100000] [--databases sqlite,postgresql] [--seconds 10] [--part queries,http,recording]

queries: the ten commonest queries in the process that asks. http: the ten commonest calls over HTTP, with login, audit
and decryption: one client after the other, fifty that ask again at once, fifty people who ask once a second; beside
them the list of sessions from a plain FastAPI and SQLModel app that knows no login, no audit and no clinic. recording:
fifty people while fifty kiosks are recorded. Server, database and clients share the machine.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.security import Role
from api.store import Database
from tests import databases
from tests.api.staff import bearer, hire
from tests.benchmarks._asking import CALLS, Asked, ask, calls
from tests.benchmarks._clinic import Filled, fill
from tests.benchmarks._measuring import cpu_seconds, environment, kiosk_process, peak_megabytes, percentiles, report
from tests.benchmarks._queries import queries
from tests.brokers import free_port, start_mosquitto, stop
from tests.postgres import postgresql

HERE = Path(__file__).parent
PARTS = ("queries", "http", "recording")
KIOSKS = 50


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--part", default=",".join(PARTS))
    arguments = parser.parse_args()
    parts = arguments.part.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for kind in arguments.databases.split(","):
        with tempfile.TemporaryDirectory(prefix="kiosk-bench-") as temporary, _database(kind, Path(temporary)) as url:
            folder = Path(temporary)
            store = databases.database(folder, url)
            store.migrate()
            begun = time.monotonic()
            filled = fill(store, arguments.sessions)
            took = time.monotonic() - begun
            what = f"{kind}, {filled.sessions:,} sessions, {filled.readings:,} readings (filled in {took:.0f} s)"
            if "queries" in parts:
                report(f"queries, ms; {what}", ("query", "p50", "p95", "p99"), queries(store, filled))
            if {"http", "recording"} & set(parts):
                _over_http(folder, url, store, filled, arguments.seconds, parts, what)
            store.close()


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'kiosk.sqlite'}"
        return
    with postgresql(folder, durable=True) as url:
        yield url


def _over_http(
    folder: Path, url: str, store: Database, filled: Filled, seconds: float, parts: list[str], what: str
) -> None:
    headers = bearer(store, hire(store, Role.CLINICIAN))
    broker, port = start_mosquitto(folder)
    http, plain = free_port(), free_port()
    given = environment(folder, port, KIOSK_DATABASE_URL=url, KIOSK_HTTP_PORT=str(http))
    server = kiosk_process(folder, given, "api")
    other = _plain(url, plain)
    processes = [server, other, broker]
    try:
        for each in (http, plain):
            _wait(each)
        wanted = calls(filled)
        if "http" in parts:
            rows = [_row(name, ask(http, headers, [wanted[name]], clients=1, seconds=seconds / 4)) for name in CALLS]
            report(f"one client, call by call, ms; {what}", ("call", "calls/s", "p50", "p95", "p99", "failed"), rows)
            mixed = [each for name in CALLS for each in wanted[name]]
            listed = wanted["sessions, first page"]
            rows = [
                _row("one client, all calls in turn", ask(http, headers, [mixed], clients=1, seconds=seconds)),
                _row("50 clients, each asks again at once", ask(http, headers, [mixed], clients=50, seconds=seconds)),
                _row(
                    "50 people, each asks once a second",
                    ask(http, headers, [mixed], clients=50, seconds=seconds, pace=1.0),
                ),
                _row("list of sessions, 50 clients", ask(http, headers, [listed], clients=50, seconds=seconds)),
                _row("the same list, plain app, 50 clients", ask(plain, {}, [listed], clients=50, seconds=seconds)),
            ]
            report(f"over HTTP, ms; {what}", ("who asks", "calls/s", "p50", "p95", "p99", "failed"), rows)
            report(
                "what it took", ("process", "CPU s", "peak MB"),
                [("api", f"{cpu_seconds(server.pid):.0f}", f"{peak_megabytes(server.pid):.0f}")],
            )  # fmt: skip
        if "recording" in parts:
            mixed = [each for name in CALLS for each in wanted[name]]
            quiet = ask(http, headers, [mixed], clients=50, seconds=seconds, pace=1.0)
            processes += _record(folder, given, port)
            busy = ask(http, headers, [mixed], clients=50, seconds=seconds, pace=1.0)
            rows = [_row("nothing is recorded", quiet), _row(f"{KIOSKS} kiosks are recorded", busy)]
            report(f"50 people, once a second, ms; {what}", ("while", "calls/s", "p50", "p95", "p99", "failed"), rows)
    finally:
        for process in reversed(processes):
            stop(process)


def _record(folder: Path, given: dict[str, str], port: int) -> list[subprocess.Popen[bytes]]:
    started = [kiosk_process(folder, given, "recorder")]
    for first in range(0, KIOSKS, 10):
        command = [sys.executable, "-P", str(HERE / "_latency.py"), "--fleet", str(folder), str(first), "10", str(port)]
        with (folder / f"fleet-{first}.log").open("wb") as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=log, env=given))
    time.sleep(15)
    return started


def _plain(url: str, port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-P", str(HERE / "_plain_api.py"), url, str(port)])


def _wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the server did not start")


def _row(name: str, asked: Asked) -> tuple[object, ...]:
    p50, p95, p99 = percentiles([1000 * each for each in asked.seconds])
    return name, f"{asked.rate:.0f}", f"{p50:.1f}", f"{p95:.1f}", f"{p99:.1f}", asked.failed


if __name__ == "__main__":
    main()

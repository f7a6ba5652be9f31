"""Brokers for tests: a mosquitto of its own process, an amqtt in this one. Each on a free port of 127.0.0.1."""

import contextlib
import getpass
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from kiosk.broker import HOST, MOSQUITTO, embedded, find_mosquitto
from tests.conftest import require

START_TIMEOUT = 10.0
ATTEMPTS = 5
find = find_mosquitto


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def start_mosquitto(
    folder: Path, config: str | None = None, port: int | None = None
) -> tuple[subprocess.Popen[bytes], int]:
    """A running mosquitto and its port. The caller stops it, or kills it where that is the test."""
    program = find()
    require(program, "mosquitto")
    assert program
    said = ""
    for _ in range(1 if port else ATTEMPTS):
        chosen = port or free_port()
        settings, log = folder / f"mosquitto-{chosen}.conf", folder / f"mosquitto-{chosen}.log"
        text = (MOSQUITTO if config is None else config).replace("{port}", str(chosen))
        # started by root it would become the user `mosquitto`, who may not read a test's folder
        settings.write_text(f"{text}\nuser {getpass.getuser()}\n")
        with log.open("wb") as output:
            process = subprocess.Popen([program, "-c", str(settings)], stdout=output, stderr=subprocess.STDOUT)
        if _listens(process, log):
            return process, chosen
        stop(process)
        said = log.read_text(errors="replace")[-2000:]
        if "Address already in use" not in said:
            break
    raise RuntimeError(f"mosquitto did not start:\n{said}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that we started, the hard way when it does not listen."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


@contextmanager
def mosquitto(folder: Path, config: str | None = None, port: int | None = None) -> Iterator[tuple[str, int]]:
    """Host and port of a mosquitto for as long as the context lasts."""
    process, chosen = start_mosquitto(folder, config, port)
    try:
        yield HOST, chosen
    finally:
        stop(process)


@asynccontextmanager
async def amqtt(port: int = 0) -> AsyncIterator[tuple[str, int]]:
    """Host and port of an amqtt in this event loop for as long as the context lasts."""
    async with embedded(port) as chosen:
        yield HOST, chosen


def _listens(process: subprocess.Popen[bytes], log: Path) -> bool:
    """Whether it came up. Its own word first: on a lost port race somebody else would answer a connection."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        if b" running" in log.read_bytes():
            port = int(log.stem.rpartition("-")[2])
            with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
                return True
        time.sleep(0.01)
    return False

"""`kiosk up`, as a person starts it: a page with a live session, and nothing left behind at its end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.login import demo
from tests.brokers import find, free_port
from tests.conftest import require
from tests.processes import runs

UP = [sys.executable, "-c", "from kiosk.__main__ import main; main()", "up"]


@contextmanager
def up(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running product, and the address that it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KIOSK_")}
    environment["KIOSK_BROKER_PORT"] = str(free_port())
    command = [*UP, "--data", str(folder), "--port", str(free_port()), "--visit", "8", "--pause", "1", *options]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    said = ""
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if (found := re.search(r"http://\S+", line)) is not None:
                yield process, found[0]
                break
        else:
            pytest.fail(f"kiosk up ended: {said}")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(40)
        assert process.stdout is not None
        process.stdout.close()


def log_in(address: str, folder: Path) -> dict[str, str]:
    """The header of the login that `kiosk up` prints."""
    path = folder / demo.FILE
    assert path.stat().st_mode & 0o077 == 0
    password = json.loads(path.read_text())[demo.CLINICIAN]
    body = json.dumps({"login": demo.CLINICIAN, "password": password}).encode()
    request = urllib.request.Request(f"{address}/api/v1/account/login", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return {"Authorization": f"Bearer {json.loads(answer.read())['access']}"}


def get(address: str, headers: dict[str, str]) -> str:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=5) as answer:
        return str(answer.read().decode())


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in found.read_text().split()] if found.exists() else []


@pytest.mark.timeout(180)
@pytest.mark.parametrize("broker", ["mosquitto", "embedded"])
def test_up_shows_a_session_that_is_then_stored(broker: str, tmp_path: Path) -> None:
    if broker == "mosquitto":
        require(find() is not None, "mosquitto")
    options = () if broker == "mosquitto" else ("--embedded",)
    with up(tmp_path, *options) as (process, address):
        started = children(process.pid)
        assert len(started) >= 4
        me = log_in(address, tmp_path)
        deadline = time.monotonic() + 60
        closed: list[Any] = []
        while not closed and time.monotonic() < deadline:
            time.sleep(0.5)
            listed = json.loads(get(f"{address}/api/v1/sessions", me))["items"]
            closed = [each for each in listed if each["state"] == "closed"]
        assert closed, "no session was closed within a minute"
        assert closed[0]["outcome"] == "complete"
        assert closed[0]["simulated"]
        assert closed[0]["id"] in get(f"{address}/sessions/{closed[0]['id']}", me)
        # what one part kills, up brings back
        os.kill(started[-1], signal.SIGKILL)
    assert process.returncode == 0
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]


@pytest.mark.timeout(120)
def test_killed_outright_it_takes_its_processes_along(tmp_path: Path) -> None:
    require(find() is not None, "mosquitto")
    with up(tmp_path) as (process, _):
        started = children(process.pid)
        process.kill()
        process.wait(10)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and any(runs(pid) for pid in started):
            time.sleep(0.1)
        assert not [pid for pid in started if runs(pid)]

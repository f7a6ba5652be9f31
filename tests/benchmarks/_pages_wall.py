"""A screen full of kiosks: what the live wall costs the browser and the server. Simulated visitors.

The server, its kiosks and a memory bus are one process, the browser another; the server's own cost is what it needs
more while a page looks.
"""

import asyncio
import json
import multiprocessing
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import typer
import uvicorn
from numpy.typing import NDArray
from playwright.sync_api import ViewportSize, sync_playwright

from api.app import create_app
from api.recorder import Recorder
from api.security import Role
from api.store import Database, utc_now
from api.tables import MAIN, AlertRow, KioskRow, PatientRow, RuleRow, SessionRow
from kiosk.bus import MemoryBus, send
from kiosk.messages import SECOND, Chunk, Reading, Status, Stream
from kiosk.settings import Settings
from sensors.drivers.simulated.body import Body
from sensors.drivers.simulated.person import Person
from tests import databases
from tests.api import staff

KIOSKS = 50
SECONDS = 20.0
RATES = {"ecg": 250.0, "ppg": 100.0, "respiration": 25.0}
LENGTH = 60
"""Seconds of signal that are made of each body and then played again."""
BODIES = 8
VIEW: ViewportSize = {"width": 1366, "height": 768}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """Shares of one core."""

    browser: float
    """Renderer and GPU process."""
    all_of_the_browser: float
    server: float
    """While a page looks, less what the same process needs when none does."""
    feeding: float
    """The process without a page: its kiosks, bus and nothing else."""
    pictures: float
    """A second, as the page drew them."""
    shown: int


class Simulated:
    """One kiosk of the crowd."""

    def __init__(self, number: int, does: str) -> None:
        self.name = f"kiosk-{number + 1:02}"
        self.does, self.number = does, number
        self.session = f"s-{number + 1:04}" if does in ("measuring", "trouble", "stopped") else None
        self.began = utc_now() - (20 + number * 7 % 200) * SECOND
        self.sent = dict.fromkeys(RATES, 0)
        self.seq = dict.fromkeys(RATES, -1)

    def due(self, now: int) -> Iterator[Chunk]:
        """Samples that were taken since the last call."""
        assert self.session is not None
        for signal, rate in RATES.items():
            until = int((now - self.began) * rate / SECOND)
            first = self.sent[signal] or until - 1
            self.sent[signal] = until
            wave = _wave(self.number % BODIES, signal)
            picked = np.take(wave, np.arange(first, until), mode="wrap").astype("<f4")
            if picked.size:
                self.seq[signal] += 1
                stream = Stream(self.session, f"simulated-{signal}", signal, "r1")
                start = round(first * SECOND / rate)
                yield Chunk(stream, self.seq[signal], start, rate, ("I",), picked.tobytes())


@cache
def _wave(body: int, signal: str) -> NDArray[np.float64]:
    made = Body(Person(seed=body + 1))
    rate = RATES[signal]
    return np.asarray(made.stretch(signal, rate, 0, int(LENGTH * rate)), dtype=np.float64)[:, 0]


def _crowd(kiosks: int, *, mixed: bool) -> list[Simulated]:
    does = ["measuring", "measuring", "free", "measuring", "trouble", "measuring", "offline", "measuring", "stopped"]
    return [Simulated(number, does[number % len(does)] if mixed else "measuring") for number in range(kiosks)]


def _record(database: Database, crowd: list[Simulated]) -> None:
    """What the recorder would have written."""
    now = utc_now()
    with database.transaction() as db:
        for each in crowd:
            place = f"Room {each.number % 12 + 1}, floor {each.number % 3}" if each.number % 4 else ""
            db.add(KioskRow(name=each.name, clinic_id=MAIN, place=place, added_ns=1))
            if each.session is None:
                continue
            patient = f"p-{each.number}" if each.number % 5 else None
            if patient:
                db.add(PatientRow(id=patient, pseudonym=f"K{each.number:03}-9M2X", created_ns=now))
                db.flush()
            db.add(
                SessionRow(
                    id=each.session, kiosk=each.name, patient_id=patient, simulated=True, first_seen_ns=each.began,
                    last_seen_ns=now, origin_utc_ns=each.began, origin_boot_ns=0, boot_id="b",
                )
            )  # fmt: skip
            db.flush()
            if each.number % 16 == 3:
                severity = ("urgent", "notice", "warning")[each.number // 16 % 3]
                rule = RuleRow(id=f"r-{each.number}", clinic_id=MAIN, measure="heart_rate", high=1, severity=severity,
                               author_id="u", created_ns=now)  # fmt: skip
                db.add(rule)
                db.flush()
                db.add(AlertRow(id=f"a-{each.number}", clinic_id=MAIN, rule_id=rule.id, session_id=each.session,
                                revision=1, measure="heart_rate", value=2, severity=severity,
                                raised_ns=now))  # fmt: skip


async def _feed(bus: MemoryBus, crowd: list[Simulated]) -> None:
    turn = 0
    alive = [each for each in crowd if each.does != "offline"]
    while True:
        began = time.monotonic()
        for each in alive:
            now = utc_now()
            if turn % 50 == each.number % 50 or turn < 2:
                await _speak(bus, each)
            if each.session is None or (each.does == "stopped" and turn > 50):
                continue
            for chunk in each.due(now):
                await send(bus, each.name, chunk)
            if turn % 10 == each.number % 10:
                await _measure(bus, each, now - each.began)
        turn += 1
        await asyncio.sleep(max(0.0, 0.1 - (time.monotonic() - began)))


async def _speak(bus: MemoryBus, each: Simulated) -> None:
    await send(bus, each.name, Status("sensors", "running", simulated=True, session=each.session))
    if each.does == "trouble":
        detail = "the strap is not found: is it switched on and near?"
        await send(bus, each.name, Status("chest-strap", "failed", detail=detail))


async def _measure(bus: MemoryBus, each: Simulated, now: int) -> None:
    assert each.session is not None
    stream = Stream(each.session, "analytics", "readings", "r1")
    heart = 62 + each.number % 30 + 3 * np.sin(now / SECOND / 5)
    quality = 0.95 if each.number % 6 else 0.4
    span = (max(0, now - 8 * SECOND), now)
    if each.number % 11 == 7:
        await send(bus, each.name, Reading(stream, 0, "heart_rate", None, "ecg", "live", "m", *span, absent="noisy"))
    else:
        value = round(float(heart), 1)
        await send(bus, each.name, Reading(stream, 0, "heart_rate", value, "ecg", "live", "m", *span, quality=quality))
    breath = 12.0 + each.number % 7
    await send(bus, each.name, Reading(stream, 0, "respiration_rate", breath, "respiration", "live", "m", *span,
                                       quality=0.8))  # fmt: skip


def serve(folder: str, kiosks: int, mixed: bool, said: Connection) -> None:
    """A clinic with a crowd of kiosks, in a process of its own; it says where it is, and how to come in."""
    database = databases.database(Path(folder))
    database.migrate()
    crowd = _crowd(kiosks, mixed=mixed)
    _record(database, crowd)
    bus = MemoryBus()
    app = create_app(settings=Settings(data=Path(folder)), database=database, bus=bus)
    listening = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="websockets-sansio"))

    async def all_of_it() -> None:
        feeding = asyncio.create_task(_feed(bus, crowd))
        recording = asyncio.create_task(Recorder(database).serve(bus)) if mixed else None
        serving = asyncio.create_task(running.serve([listening]))
        while not running.started:
            await asyncio.sleep(0.01)
        cookies = {
            role.value: staff.cookies(database, app.state.gate, staff.hire(database, role, login=f"{role.value}"))
            for role in Role
        }
        said.send((f"http://127.0.0.1:{listening.getsockname()[1]}", cookies))
        await asyncio.to_thread(said.recv)
        feeding.cancel()
        if recording:
            recording.cancel()
        running.should_exit = True
        await serving

    asyncio.run(all_of_it())
    database.close()


@contextmanager
def crowd(kiosks: int, *, mixed: bool = False) -> Iterator[tuple[str, dict[str, dict[str, str]], int]]:
    """A running clinic: its address, cookies by role, and its process."""
    with tempfile.TemporaryDirectory() as folder:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=serve, args=(folder, kiosks, mixed, there))
        process.start()
        try:
            assert here.poll(120), "the clinic did not start"
            address, cookies = here.recv()
            assert process.pid is not None
            yield address, cookies, process.pid
        finally:
            here.send("enough")
            process.join(20)


def _seconds(pid: int) -> float:
    """Of a core, since a process began."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def _children(pid: int) -> dict[int, str]:
    """All processes below one, with what Chromium says they are for."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        for child, of in parents.items():
            if of == parent and child not in found:
                try:
                    words = Path(f"/proc/{child}/cmdline").read_bytes().decode(errors="replace")
                except OSError:
                    continue
                kind = words.partition("--type=")[2].partition("\0")[0].partition(" ")[0]
                found[child] = kind or "browser"
                waiting.append(child)
    return found


def measured(kiosks: int = KIOSKS, seconds: float = SECONDS) -> Cost:
    """The cost of a wall of so many kiosks, all measuring, in a headless Chromium."""
    with crowd(kiosks) as (address, cookies, server):
        time.sleep(3)
        before = _seconds(server)
        time.sleep(seconds)
        feeding = (_seconds(server) - before) / seconds
        with sync_playwright() as playwright:
            found = shutil.which("chromium") or playwright.chromium.executable_path
            browser = playwright.chromium.launch(
                executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            context = browser.new_context(viewport=VIEW)
            given = cookies[Role.CLINICIAN.value]
            context.add_cookies([{"name": name, "value": value, "url": address} for name, value in given.items()])
            page = context.new_page()
            page.goto(f"{address}/wall")
            page.locator('.seat[data-state="measuring"]').nth(kiosks - 1).wait_for(state="attached", timeout=60_000)
            time.sleep(8)
            kinds = _children(os.getpid())
            kinds.pop(server, None)
            chromium = {pid: kind for pid, kind in kinds.items() if _is_chromium(pid)}
            start = {pid: _seconds(pid) for pid in chromium}
            looked, began = _seconds(server), time.monotonic()
            pictures = page.evaluate("seconds => new Promise(done => { let n = 0; const pen = CanvasRenderingContext2D."
                                     "prototype, own = pen.stroke; pen.stroke = function () { n++; own.call(this); };"
                                     "setTimeout(() => { pen.stroke = own; done(n); }, 1000 * seconds); })",
                                     seconds)  # fmt: skip
            took = time.monotonic() - began
            spent = {pid: (_seconds(pid) - start[pid]) / took for pid in chromium}
            served = (_seconds(server) - looked) / took
            shown = page.locator(".seat:visible").count()
            browser.close()
    drawing = sum(share for pid, share in spent.items() if chromium[pid] in ("renderer", "gpu-process"))
    return Cost(drawing, sum(spent.values()), served - feeding, feeding, pictures / took / kiosks, shown)


def _is_chromium(pid: int) -> bool:
    try:
        return "chrom" in Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0].decode(errors="replace")
    except OSError:
        return False


def run(kiosks: int = KIOSKS, seconds: float = SECONDS) -> Cost:
    """Measure, and say it."""
    cost = measured(kiosks, seconds)
    typer.echo(f"live wall, {kiosks} simulated kiosks measuring, {VIEW['width']}x{VIEW['height']}, over {seconds:g} s")
    typer.echo(f"  browser, renderer and GPU process  {100 * cost.browser:5.1f} % of a core")
    typer.echo(f"  browser, all its processes         {100 * cost.all_of_the_browser:5.1f} % of a core")
    typer.echo(f"  server, for the page               {100 * cost.server:5.1f} % of a core")
    typer.echo(f"  its kiosks and bus, for comparison {100 * cost.feeding:5.1f} % of a core")
    typer.echo(f"  {cost.pictures:.1f} pictures a second of each trace, {cost.shown} cards on the page")
    return cost


if __name__ == "__main__":
    typer.echo(json.dumps({"browser": run().browser}))

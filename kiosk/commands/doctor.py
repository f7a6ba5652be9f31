"""`kiosk doctor`: what is installed, reachable and configured, in words a technician understands."""

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from kiosk import models
from kiosk.broker import find_mosquitto
from kiosk.commands.running import load_settings
from kiosk.errors import KioskError
from kiosk.mqtt import MqttBus
from kiosk.settings import Settings, given

app = typer.Typer()

PACKAGES = ("numpy", "scipy", "paho-mqtt", "fastapi", "sqlmodel", "onnxruntime", "neurokit2", "plotly")
ENOUGH_DISK = 2_000_000_000
PATIENCE = 3.0
"""Seconds that a broker has for its answer."""
MARKS = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "bad": "[red]bad[/]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: `ok`, `note` (works without it) or `bad` (will not work)."""

    what: str
    state: str
    words: str


@app.command()
def doctor() -> None:
    """Check this machine: Python, packages, disk, broker, database, models, settings."""
    loaded = load_settings()
    findings = [finding for check in CHECKS for finding in check(loaded)]
    table = Table("", "what", "finding", box=None)
    for each in findings:
        table.add_row(MARKS[each.state], each.what, each.words)
    console = Console()
    console.print(table)
    shown = Table("setting", "value", "", box=None)
    for name, value in given(loaded):
        hidden = "(set, not shown)" if isinstance(value, SecretStr) else str(value)
        shown.add_row(f"KIOSK_{name.upper()}", hidden, "" if name in loaded.model_fields_set else "default")
    console.print(shown)
    if any(each.state == "bad" for each in findings):
        raise typer.Exit(1)


def _python(_: Settings) -> list[Finding]:
    fits = (3, 11) <= sys.version_info[:2] < (3, 13)
    words = platform.python_version() if fits else f"{platform.python_version()}: 3.11 or 3.12 is needed"
    return [Finding("Python", "ok" if fits else "bad", words)]


def _packages(_: Settings) -> list[Finding]:
    missing, found = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return [Finding("packages", "bad", f"missing: {', '.join(missing)}; run make up again")]
    return [Finding("packages", "ok", ", ".join(found))]


def _folder(loaded: Settings) -> list[Finding]:
    place = next(each for each in (loaded.data, *loaded.data.parents) if each.exists())
    if not os.access(place, os.W_OK):
        return [Finding("data folder", "bad", f"{loaded.data}: {place} cannot be written by this user")]
    free = shutil.disk_usage(place).free
    state = "ok" if free > max(ENOUGH_DISK, loaded.outbox_bytes) else "note"
    return [Finding("data folder", state, f"{loaded.data}, {free / 1e9:.0f} GB free")]


def _broker(loaded: Settings) -> list[Finding]:
    own = find_mosquitto()
    installed = Finding("mosquitto", "ok" if own else "note", own or "not installed: kiosk up uses its embedded broker")
    where = f"{loaded.broker_host}:{loaded.broker_port}"
    try:
        asyncio.run(_connect(loaded))
    except KioskError as error:
        return [installed, Finding("broker", "note", f"{where} does not answer ({error}); kiosk up starts one")]
    return [installed, Finding("broker", "ok", f"{where} answers")]


async def _connect(loaded: Settings) -> None:
    async with MqttBus.to(loaded, "doctor") as bus:
        await bus.wait_first_connection(PATIENCE)


def _database(loaded: Settings) -> list[Finding]:
    from api.store import Database

    try:
        database = Database(loaded.database)
        if database.dialect == "sqlite" and not Path(database.url.database or "").exists():
            return [Finding("database", "note", f"{database.url.database} does not exist yet: kiosk migrate makes it")]
        database.check()
    except KioskError as error:
        return [Finding("database", "bad", str(error))]
    return [Finding("database", "ok", database.url.render_as_string(hide_password=True))]


def _models(loaded: Settings) -> list[Finding]:
    folder = loaded.data / models.FOLDER
    states = {network.name: models.status(network, folder) for network in models.listed()}
    damaged = [name for name, state in states.items() if state == "damaged"]
    if damaged:
        return [Finding("models", "bad", f"damaged: {', '.join(damaged)}; add their files again")]
    installed = sum(state == "installed" for state in states.values())
    return [Finding("models", "ok" if installed else "note", f"{installed} of {len(states)} installed in {folder}")]


def _device_libraries(_: Settings) -> list[Finding]:
    """What drivers need as compiled libraries, which not every machine has."""
    from sensors.drivers.brainflow.library import library
    from sensors.drivers.lsl.library import version as lsl_version
    from sensors.drivers.microphone.soundcard import problem

    def boards() -> str:
        return f"{len(library().names())} boards"

    found: list[Finding] = []
    asked: tuple[tuple[str, Callable[[], str]], ...] = (("BrainFlow", boards), ("liblsl", lsl_version))
    for what, words in asked:
        try:
            found.append(Finding(what, "ok", words()))
        except KioskError as error:
            found.append(Finding(what, "note", str(error)))
    missing = problem()
    found.append(Finding("PortAudio", "note" if missing else "ok", missing or "a microphone can be opened"))
    return found


def _clock(_: Settings) -> list[Finding]:
    synchronised = Path("/run/systemd/timesync/synchronized").exists()
    words = (
        "kept by systemd-timesyncd" if synchronised else "not known to be synchronised: dates of sessions may be off"
    )
    return [Finding("wall clock", "ok" if synchronised else "note", words)]


CHECKS: tuple[Callable[[Settings], list[Finding]], ...] = (
    _python,
    _packages,
    _folder,
    _broker,
    _database,
    _models,
    _device_libraries,
    _clock,
)

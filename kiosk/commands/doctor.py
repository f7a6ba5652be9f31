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
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from api.store import Database

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
    """Check this machine: Python, packages, disk, broker, keys, database, users, audit, models. It makes nothing."""
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

    file = _sqlite_file(loaded.database)
    if file is not None and not file.exists():
        # not even opened: that would make it
        return [Finding("database", "note", f"{file} does not exist yet: kiosk migrate makes it")]
    try:
        database = Database.to(loaded)
        try:
            database.check()
            return [
                Finding("database", "ok", database.url.render_as_string(hide_password=True)),
                _users(database),
                *_audit(database, loaded),
                *_backup(database),
            ]
        finally:
            database.close()
    except KioskError as error:
        return [Finding("database", "bad", str(error))]


def _sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None of another one, or one in memory."""
    file = url.removeprefix("sqlite:///")
    return Path(file) if file not in (url, "", ":memory:") else None


def _users(database: "Database") -> Finding:
    from api.login.gate import DEMO
    from api.store import users

    with database.reading() as db:
        found = users.page(db, None, limit=200)
    # those of a demonstration are nobody elsewhere
    able = [row for row in found if row.disabled_ns is None and not row.id.startswith(DEMO)]
    if able:
        return Finding("users", "ok", f"{len(able)}{' or more' if len(found) == 200 else ''} may log in")
    return Finding("users", "note", "nobody can log in yet: kiosk users add LOGIN --role administrator --everywhere")


def _audit(database: "Database", loaded: Settings) -> list[Finding]:
    """Whether the chain leads through the row that the key store remembers: what can be seen without reading all."""
    from api.store import audit

    if not _keys_exist(loaded):
        return []
    with database.reading() as db:
        last = audit.last_row(db)
        if not last.seq:
            return []
        try:
            head = audit.kept_head(database.vault)
        except audit.NoHead as error:
            return [Finding("audit", "bad", f"{error}: run kiosk audit verify")]
        if audit.chain_at(db, head.seq) != head.chain:
            return [Finding("audit", "bad", f"it does not lead through row {head.seq} any more: kiosk audit verify")]
    return [Finding("audit", "ok", f"{last.seq} rows; kiosk audit verify reads them all")]


def _backup(database: "Database") -> list[Finding]:
    if database.dialect == "sqlite" or (shutil.which("pg_dump") and shutil.which("pg_restore")):
        return []
    return [Finding("backup", "note", "no pg_dump on PATH: kiosk backup needs postgresql-client")]


def _keys_exist(loaded: Settings) -> bool:
    """Whether looking at the keys would make none."""
    store = _sqlite_file(loaded.keys)
    return (store is None or store.exists()) and (loaded.master_key is not None or loaded.key_file.exists())


def _keys(loaded: Settings) -> list[Finding]:
    """The key store, and the key that opens it. Neither is opened here."""
    store, master = _sqlite_file(loaded.keys), loaded.key_file
    findings = []
    for what, file in (("key store", store), ("master key", None if loaded.master_key is not None else master)):
        if file is None:
            words = "in a database of its own" if what == "key store" else "from KIOSK_MASTER_KEY"
            findings.append(Finding(what, "ok", words))
        elif not file.exists():
            findings.append(Finding(what, "note", f"{file} does not exist yet: it is made when it is needed"))
        elif not os.access(file, os.R_OK):
            findings.append(Finding(what, "bad", f"{file} cannot be read by this user"))
        elif file.stat().st_mode & 0o077:
            findings.append(Finding(what, "bad", f"{file} can be read by others: chmod 600 {file}"))
        else:
            findings.append(Finding(what, "ok", f"{file}, readable by its owner alone"))
    if loaded.master_key is None and store is not None and store.parent == master.parent and not loaded.demo:
        words = "master key and key store lie in one folder: whoever copies it has both (docs/encryption.md)"
        findings.append(Finding("keys", "note", words))
    return findings


def _pages(loaded: Settings) -> list[Finding]:
    """How browsers reach the pages."""
    if loaded.http_cert is not None:
        unreadable = [
            str(each) for each in (loaded.http_cert, loaded.http_key) if each and not os.access(each, os.R_OK)
        ]
        if unreadable:
            return [Finding("pages", "bad", f"cannot be read by this user: {', '.join(unreadable)}")]
        return [Finding("pages", "ok", f"over TLS of their own, port {loaded.http_port}")]
    if loaded.behind_proxy:
        words = "a proxy speaks TLS: it must be the only way in"
        if not loaded.host_names:
            words += "; KIOSK_HTTP_NAMES is empty, so that no name with a dot is answered to"
        return [Finding("pages", "ok" if loaded.host_names else "note", words)]
    return [Finding("pages", "ok", "without TLS, and so on this machine alone")]


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
    _keys,
    _database,
    _pages,
    _models,
    _device_libraries,
    _clock,
)

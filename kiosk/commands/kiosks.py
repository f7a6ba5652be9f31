"""Who may speak: a kiosk's credentials at the broker, and the broker's certificate."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk import certificates, credentials
from kiosk.commands.printable import printable
from kiosk.commands.running import load_settings
from kiosk.errors import KioskError
from kiosk.settings import Settings

if TYPE_CHECKING:
    from api.store import Database
    from api.store.audit import Entry

app = typer.Typer()
kiosks = typer.Typer(help="Kiosks and their credentials at the broker.", no_args_is_help=True)
app.add_typer(kiosks, name="kiosks")

Name = Annotated[str, typer.Argument(help="The kiosk's KIOSK_ID, which is its user name at the broker.")]
Passwords = Annotated[
    Path | None, typer.Option(help="The broker's password file; broker/passwords in KIOSK_DATA if not given.")
]
PidFile = Annotated[
    Path | None,
    typer.Option(
        help="The broker's pid_file: it is told to read its password file again. Without it, tell it yourself."
    ),
]
Pid = Annotated[int | None, typer.Option(min=2, help="The same, by the process id.")]
Host = Annotated[str | None, typer.Option(help="The broker's host as the kiosk reaches it.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The port where the broker speaks TLS.")]
Ca = Annotated[Path, typer.Option(help="Where ca.pem will lie on the kiosk.")]
DEFAULT_CA = Path("/etc/health-kiosk/ca.pem")
TLS_PORT = 8883


@kiosks.command()
def add(
    name: Name,
    clinic: Annotated[str, typer.Option(help="Whose it is.")] = "main",
    place: Annotated[str, typer.Option(help="Where it stands, for people.")] = "",
    passwords: Passwords = None,
    pid_file: PidFile = None,
    pid: Pid = None,
    host: Host = None,
    port: Port = TLS_PORT,
    ca: Ca = DEFAULT_CA,
) -> None:
    """Let a kiosk in, and print once what it needs: `kiosk kiosks add NAME > NAME.env`."""
    from api.store import Database, utc_now
    from api.store import kiosks as store
    from api.store.audit import append
    from api.tables import KioskRow

    with _words():
        settings = load_settings()
        if len(place) > 200:
            raise credentials.BadCredentials("a place has at most 200 characters")
        row = KioskRow(name=credentials.checked_name(name), clinic_id=clinic, place=place, added_ns=utc_now())
        broker = _broker(pid_file, pid)
        with _opened(Database.to(settings)) as database, database.transaction() as db:
            store.add(db, row, speaks=name in _file(settings, passwords).users())
            append(db, [_entry(name, clinic)])
            # before the commit: a file that cannot be written leaves no kiosk that cannot speak
            password = _let_in(_file(settings, passwords), name)
    _reload(broker)
    _tell(settings, name, password, host, port, ca)


@kiosks.command()
def rotate(
    name: Name,
    passwords: Passwords = None,
    pid_file: PidFile = None,
    pid: Pid = None,
    host: Host = None,
    port: Port = TLS_PORT,
    ca: Ca = DEFAULT_CA,
) -> None:
    """Give a kiosk another password. The old one ends when the broker has read the file; its outbox loses nothing."""
    from api.store import Database
    from api.store import kiosks as store
    from api.store.audit import append

    with _words():
        settings = load_settings()
        broker = _broker(pid_file, pid)
        with _opened(Database.to(settings)) as database, database.transaction() as db:
            row = store.get(db, name)
            if row is None or row.revoked_ns is not None:
                raise credentials.BadCredentials(f"no kiosk {name[:80]!r} may speak: `add` lets it in")
            append(db, [_entry(name, row.clinic_id)])
        password = _let_in(_file(settings, passwords), name)
    _reload(broker)
    _tell(settings, name, password, host, port, ca)


@kiosks.command()
def revoke(name: Name, passwords: Passwords = None, pid_file: PidFile = None, pid: Pid = None) -> None:
    """Let a kiosk in no more: at once, when the broker is told. What it measured stays."""
    from api.store import Database, utc_now
    from api.store import kiosks as store
    from api.store.audit import append

    with _words():
        settings = load_settings()
        credentials.checked_name(name)
        broker = _broker(pid_file, pid)
        # the password first: it is what counts
        removed = _file(settings, passwords).remove(name)
        with _opened(Database.to(settings)) as database, database.transaction() as db:
            known = store.revoke(db, name, utc_now())
            if removed or known:
                row = store.get(db, name)
                append(db, [_entry(name, row.clinic_id if row is not None else None)])
        if not (removed or known):
            raise credentials.BadCredentials(f"no kiosk {name[:80]!r} may speak")
    _reload(broker)
    typer.echo(f"{name} is revoked", err=True)


@kiosks.command("list")
def list_(passwords: Passwords = None) -> None:
    """Every kiosk that was added, or has a password: clinic, place, since when, and whether it may speak."""
    from api.store import Database
    from api.store import kiosks as store

    with _words():
        settings = load_settings()
        with _opened(Database.to(settings)) as database, database.reading() as db:
            rows = store.every(db)
        users = set(_file(settings, passwords).users()) - credentials.SERVICES
    for row in rows:
        if row.revoked_ns is not None:
            state = "revoked" if row.name not in users else "revoked, but has a password: revoke it again"
        else:
            state = "may speak" if row.name in users else "has no password in this file"
        since = datetime.fromtimestamp(row.added_ns / 1e9, UTC)
        typer.echo("\t".join((row.name, row.clinic_id, printable(row.place), f"{since:%Y-%m-%d}", state)))
    for name in sorted(users - {row.name for row in rows}):
        typer.echo("\t".join((printable(name), "-", "", "-", "may speak, was never added")))


@kiosks.command()
def ca(
    host: Annotated[
        list[str] | None, typer.Option("--host", help="A name or address by which kiosks reach the broker; several.")
    ] = None,
    broker: Annotated[
        Path | None, typer.Option(help="Folder for ca.pem, server.pem, server.key; broker in KIOSK_DATA if not given.")
    ] = None,
    authority: Annotated[
        Path | None, typer.Option(help="Folder of the authority's key; authority in KIOSK_DATA if not given.")
    ] = None,
) -> None:
    """Make an authority and the broker's certificate, or renew it. Run it again at any time: what is good stays."""
    from api.store import utc_now

    with _words():
        settings = load_settings()
        made = certificates.ensure(
            authority or settings.data / "authority",
            broker or settings.data / "broker",
            host or [settings.broker_host],
            datetime.fromtimestamp(utc_now() / 1e9, UTC),
        )
    done = "made" if made.renewed else "good"
    typer.echo(f"{made.certificate}: {done}, until {made.until:%Y-%m-%d}; kiosks need a copy of {made.authority}")


@contextmanager
def _words() -> Iterator[None]:
    """What went wrong, in a line."""
    try:
        yield
    except KioskError as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(2) from None


@contextmanager
def _opened(database: "Database") -> Iterator["Database"]:
    try:
        database.check()
        yield database
    finally:
        database.close()


def _entry(name: str, clinic: str | None) -> "Entry":
    """What the audit says of a change."""
    from api.audit import CLI, NO_ROLE, Entry
    from api.security import Action

    return Entry(CLI, NO_ROLE, Action.MANAGE_KIOSKS, "kiosk", name, "done", clinic)


def _file(settings: Settings, given: Path | None) -> credentials.PasswordFile:
    return credentials.PasswordFile(given or settings.data / "broker" / "passwords")


def _let_in(file: credentials.PasswordFile, name: str) -> str:
    password = credentials.new_password()
    file.set(name, password)
    return password


def _broker(pid_file: Path | None, pid: int | None) -> int | None:
    """The broker's process, looked up before anything changes."""
    if pid_file is not None:
        try:
            pid = int(pid_file.read_text("ascii"))
        except (OSError, ValueError):
            raise credentials.BadCredentials(f"{pid_file} names no process: is the broker running?") from None
    if pid is None:
        return None
    # anything else would die of the signal: a pid file outlives its process
    program = Path(f"/proc/{pid}/comm")
    if not program.exists() or program.read_text("utf-8", errors="replace").strip() != "mosquitto":
        raise credentials.BadCredentials(f"process {pid} is no mosquitto")
    return pid


def _reload(broker: int | None) -> None:
    if broker is None:
        typer.echo("now let the broker read its password file again: kill -HUP PID", err=True)
        return
    try:
        os.kill(broker, signal.SIGHUP)
    except OSError as error:
        typer.echo(f"kiosk: the broker was not told ({error.strerror}): kill -HUP {broker}", err=True)
        raise typer.Exit(2) from None


def _tell(settings: Settings, name: str, password: str, host: str | None, port: int, ca: Path) -> None:
    """The kiosk's environment. The password is said here and never again."""
    typer.echo(
        f"KIOSK_ID={name}\n"
        f"KIOSK_BROKER_HOST={host or settings.broker_host}\n"
        f"KIOSK_BROKER_PORT={port}\n"
        f"KIOSK_BROKER_USERNAME={name}\n"
        f"KIOSK_BROKER_PASSWORD={password}\n"
        f"KIOSK_BROKER_CA={ca}"
    )
    typer.echo("this is shown once: `kiosk kiosks rotate` makes another password", err=True)

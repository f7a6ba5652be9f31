"""`kiosk up`: the whole product on one machine, as separate processes, with a simulated visitor."""

import asyncio
import contextlib
import getpass
import socket
import ssl
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from kiosk import broker
from kiosk.commands.running import FAILED, load_settings, run
from kiosk.errors import KioskError
from kiosk.processes import die_with_parent
from kiosk.settings import Settings, child_environment

app = typer.Typer()

READY_WITHIN = 60.0
STOP_WITHIN = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
FULL = "  to see it full, with a clinic of invented people: make up UP_ARGS=--demo-data\n\n"


class NotReady(KioskError):
    """A part did not come up."""


@app.command()
def up(
    data: Annotated[Path | None, typer.Option(help="Folder for database, outbox and logs.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the dashboard; another one if it is taken.")] = None,
    visit: Annotated[float, typer.Option(help="Seconds of a simulated visit.")] = 180.0,
    pause: Annotated[float, typer.Option(help="Seconds between visits.")] = 10.0,
    embedded: Annotated[bool, typer.Option("--embedded", help="Use amqtt even where mosquitto is installed.")] = False,
    demo_data: Annotated[
        bool, typer.Option("--demo-data", help="First fill the database with a clinic of invented people.")
    ] = False,
) -> None:
    """Start everything on this machine with simulated sensors, and print the address of the dashboard."""
    given = load_settings()
    changes: dict[str, object] = {"data": (data or given.data).absolute(), "log_level": given.log_level}
    changes["http_port"] = _free_port(port or given.http_port)
    changes["demo"] = True
    changes["station_port"] = _free_port(given.station_port)
    if "broker_host" not in given.model_fields_set:
        changes["broker_port"] = _free_port(given.broker_port)
    settings = given.model_copy(update=changes)
    run(_Up(settings, embedded=embedded, visit=visit, pause=pause, demo_data=demo_data).serve(), settings)


@app.command(hidden=True)
def embedded_broker() -> None:
    """The in-process broker as a process of its own."""
    settings = load_settings()

    async def serve() -> None:
        async with broker.embedded(settings.broker_port):
            await asyncio.Event().wait()

    run(serve(), settings)


class _Up:
    def __init__(
        self, settings: Settings, *, embedded: bool, visit: float, pause: float, demo_data: bool = False
    ) -> None:
        self._settings = settings
        self._visit, self._pause, self._demo_data = visit, pause, demo_data
        self._mosquitto = None if embedded else broker.find_mosquitto()
        self._own_broker = "broker_host" not in settings.model_fields_set
        self._logs = settings.data / "logs"
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._stopping = False
        self._login, self._others, self._file = ("", ""), [""], settings.data

    async def serve(self) -> None:
        """Start in order, say where, and keep everything running until told to stop."""
        self._logs.mkdir(parents=True, exist_ok=True)
        try:
            async with asyncio.TaskGroup() as group:
                await self._once("migrate")
                await asyncio.to_thread(self._make_logins)
                if self._demo_data:
                    typer.echo("  inventing a clinic: this takes a minute or two, once")
                    await self._once("demo-data")
                if self._own_broker:
                    group.create_task(self._keep("broker", *self._broker_command()))
                    await self._wait("broker", self._broker_answers)
                for name in ("recorder", "analytics", "api"):
                    group.create_task(self._keep(name, *_kiosk(name)))
                await self._wait("api", self._api_answers)
                visits = ("--visit", str(self._visit), "--pause", str(self._pause))
                group.create_task(self._keep("sensors", *_kiosk("sensors", "--station", *visits)))
                self._announce()
        except* KioskError as errors:
            raise NotReady(str(errors.exceptions[0])) from None
        finally:
            await self._stop()

    def _announce(self) -> None:
        settings = self._settings
        station = f"http://{broker.HOST}:{settings.station_port}/"
        kind = "external" if not self._own_broker else "mosquitto" if self._mosquitto else "amqtt (embedded)"
        typer.echo(
            f"\n  health-kiosk is up: {self._address}\n\n"
            f"  log in   {self._login[0]} with the password {self._login[1]}\n"
            f"  others   {', '.join(self._others)}: their passwords are in {self._file}\n\n"
            f"  visitor's screen  {station}\n"
            f"  while nobody uses it, a simulated visitor sits at {settings.id}\n\n"
            f"  broker   {kind} on {settings.broker_host}:{settings.broker_port}\n"
            f"  data     {settings.data}\n"
            f"  logs     {self._logs}\n\n"
            f"{'' if self._demo_data else FULL}"
            "  Ctrl-C stops it.\n"
        )
        sys.stdout.flush()

    @property
    def _address(self) -> str:
        scheme = "http" if self._settings.http_cert is None else "https"
        return f"{scheme}://{self._settings.http_host}:{self._settings.http_port}"

    def _make_logins(self) -> None:
        """Users to show the product with. They can log in where KIOSK_DEMO is set, and nowhere else."""
        from api.login import demo
        from api.store import Database

        database = Database.to(self._settings)
        try:
            made = demo.make_logins(database, self._settings.data)
        finally:
            database.close()
        self._login = (demo.CLINICIAN, made.pop(demo.CLINICIAN))
        self._others, self._file = sorted(made), self._settings.data / demo.FILE

    def _broker_command(self) -> tuple[str, ...]:
        if self._mosquitto is None:
            return _kiosk("embedded-broker")
        config = self._settings.data / "mosquitto.conf"
        # started by root it would become the user `mosquitto`
        text = broker.MOSQUITTO.format(port=self._settings.broker_port)
        config.write_text(f"{text}user {getpass.getuser()}\n")
        return self._mosquitto, "-c", str(config)

    async def _once(self, name: str) -> None:
        process = await self._start(name, *_kiosk(name))
        if await process.wait() != 0:
            raise NotReady(f"{name} failed: {self._last_words(name)}")

    async def _keep(self, name: str, *command: str) -> None:
        """Run a process, and again when it ends."""
        pause = FIRST_PAUSE
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            process = self._processes[name] = await self._start(name, *command)
            code = await process.wait()
            if self._stopping:
                return
            typer.echo(f"  {name} ended ({code}): {self._last_words(name)}; starting it again", err=True)
            if loop.time() - started > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _start(self, name: str, *command: str) -> asyncio.subprocess.Process:
        with (self._logs / f"{name}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=child_environment(self._settings),
                # Ctrl-C is ours: the children are stopped in order
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def _last_words(self, name: str) -> str:
        with contextlib.suppress(OSError, IndexError):
            return (self._logs / f"{name}.log").read_text(errors="replace").splitlines()[-1][:300]
        return "no word"

    async def _wait(self, name: str, answers: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(READY_WITHIN):
                while not await asyncio.to_thread(answers):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise NotReady(f"{name} did not come up in {READY_WITHIN:.0f} s: {self._last_words(name)}") from None

    def _broker_answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((broker.HOST, self._settings.broker_port), 1):
            return True
        return False

    def _api_answers(self) -> bool:
        # whoever answers with this very port is ours: whether a certificate has this name is no matter here
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        address = f"{self._address}/api/v1/health"
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2, context=trusting) as answer:  # noqa: S310
            return bool(answer.status == 200)
        return False

    async def _stop(self) -> None:
        """Sensors first, so that what they emitted last is still recorded; the broker last."""
        self._stopping = True
        for name in ("sensors", "analytics", "api", "recorder", "broker"):
            process = self._processes.get(name)
            if process is None or process.returncode is not None:
                continue
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(STOP_WITHIN):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()


def _kiosk(*arguments: str) -> tuple[str, ...]:
    """A command of ours, with this very interpreter and installation."""
    return sys.executable, "-c", "from kiosk.__main__ import main; main()", *arguments


def _free_port(wanted: int) -> int:
    """The wanted port, or a free one where it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((broker.HOST, port))
                return int(probe.getsockname()[1])
    raise typer.Exit(FAILED)

"""The processes: sensors, analytics, recorder, api, and the database's migration."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.commands.running import load_settings, run
from kiosk.messages import Status
from kiosk.mqtt import MqttBus
from kiosk.settings import Settings

if TYPE_CHECKING:
    from sensors.driver import DriverFactory
    from sensors.service import Sensors

app = typer.Typer()

Driver = Annotated[str, typer.Option(help="Which devices: simulated. Files are played with `kiosk replay`.")]
Visit = Annotated[
    float | None, typer.Option(help="Seconds of a visit; visits follow each other. Without it, commands start them.")
]
Pause = Annotated[float, typer.Option(help="Seconds between visits.")]


@app.command()
def sensors(driver: Driver = "simulated", visit: Visit = None, pause: Pause = 10.0) -> None:
    """Run this kiosk's devices: what they emit is kept in the outbox until it is receipted."""
    settings = load_settings()
    run(_serve_sensors(settings, driver, visit, pause), settings)


@app.command()
def analytics() -> None:
    """Compute live readings from the chunks on the bus."""
    settings = load_settings()
    run(_serve_analytics(settings), settings)


@app.command()
def recorder() -> None:
    """Commit what arrives to the database, receipt it, and close sessions that have ended."""
    settings = load_settings()
    run(_serve_recorder(settings), settings)


@app.command()
def api() -> None:
    """Serve the REST API and the dashboard."""
    settings = load_settings()
    run(_serve_api(settings), settings)


@app.command()
def migrate() -> None:
    """Create the database, or bring it to this version's tables."""
    from api.store import Database
    from kiosk.errors import KioskError

    settings = load_settings()
    try:
        database = Database(settings.database)
        database.migrate()
    except KioskError as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{database.url.render_as_string(hide_password=True)} is ready")


@asynccontextmanager
async def sensors_of(
    settings: Settings, visitor: "Callable[[], Sequence[DriverFactory]]", *, simulated: bool
) -> AsyncIterator["Sensors"]:
    """This kiosk's sensors, running: with its outbox, connected to its broker."""
    from sensors.clock import SystemClock
    from sensors.outbox import Outbox
    from sensors.service import SERVICE, Sensors

    gone = Status(SERVICE, "gone", simulated=simulated)
    with Outbox(settings.outbox, settings.id, limit=settings.outbox_bytes) as outbox:
        async with MqttBus.to(settings, "sensors", will=gone) as bus:
            service = Sensors(
                kiosk=settings.id, bus=bus, outbox=outbox, clock=SystemClock(), visitor=visitor, simulated=simulated
            )
            async with service.running():
                yield service


async def _serve_sensors(settings: Settings, driver: str, visit: float | None, pause: float) -> None:
    from sensors.registry import resolve

    async with sensors_of(settings, resolve(driver), simulated=driver == "simulated") as service:
        while visit is not None:
            if service.visit is None:
                await service.start_visit()
            await asyncio.sleep(visit)
            await service.end_visit()
            await asyncio.sleep(pause)
        await asyncio.Event().wait()


async def _serve_analytics(settings: Settings) -> None:
    from analytics.service import serve

    async with MqttBus.to(settings, "analytics") as bus:
        await serve(bus)


async def _serve_recorder(settings: Settings) -> None:
    from api.closing import Closer
    from api.recorder import Recorder
    from api.recorder_metrics import expose
    from api.store import Database

    database = Database(settings.database)
    await database.wait()
    recorder, closer = Recorder(database), Closer(database, settings)
    if settings.metrics_port is not None:
        expose(recorder.counts, closer.counts, settings.metrics_port)
    try:
        async with MqttBus.to(settings, "recorder") as bus, asyncio.TaskGroup() as group:
            group.create_task(recorder.serve(bus))
            group.create_task(closer.run())
    finally:
        database.close()


async def _serve_api(settings: Settings) -> None:
    from api.app import create_app
    from api.server import serve
    from api.store import Database

    database = Database(settings.database)
    await database.wait()
    try:
        async with MqttBus.to(settings, "api") as bus:
            await serve(
                create_app(settings=settings, database=database, bus=bus), settings.http_host, settings.http_port
            )
    finally:
        database.close()

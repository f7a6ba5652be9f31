"""The processes: sensors, analytics, recorder, api, and the database's migration."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk import models
from kiosk.commands.running import load_settings, run
from kiosk.errors import BadRecording, BadSettings
from kiosk.messages import Status
from kiosk.mqtt import MqttBus
from kiosk.settings import Settings

if TYPE_CHECKING:
    from kiosk.bus import Bus
    from kiosk.recording import Recording
    from sensors.driver import DriverFactory
    from sensors.outbox import Outbox
    from sensors.service import Sensors
    from sensors.station.reception import Reception
    from sensors.station.server import Station

log = logging.getLogger(__name__)
app = typer.Typer()

SIMULATED, CAMERA, MICROPHONE, PAGE = "simulated", "camera", "microphone", "page"
BRAINFLOW, LSL = "brainflow", "lsl"
Drivers = Annotated[
    list[str] | None,
    typer.Option(
        "--driver",
        help="Which devices: simulated (the default), camera, microphone, brainflow, lsl. May be given several times. "
        "Files are played with `kiosk replay`.",
    ),
]
Visit = Annotated[
    float | None, typer.Option(help="Seconds of a visit; visits follow each other. Without it, commands start them.")
]
Pause = Annotated[float, typer.Option(help="Seconds between visits.")]
WithStation = Annotated[
    bool,
    typer.Option(
        "--station",
        help="Serve the visitor's screen on 127.0.0.1 (KIOSK_STATION_PORT). With --visit, visits follow each other "
        "while nobody uses it.",
    ),
]


@app.command()
def sensors(driver: Drivers = None, visit: Visit = None, pause: Pause = 10.0, station: WithStation = False) -> None:
    """Run this kiosk's devices: what they emit is kept in the outbox until it is receipted."""
    settings = load_settings()
    drivers = tuple(dict.fromkeys(driver or [SIMULATED]))
    run(_serve_sensors(settings, drivers, visit, pause, with_station=station), settings)


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
        database = Database.to(settings)
        database.migrate()
    except KioskError as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{database.url.render_as_string(hide_password=True)} is ready")


@asynccontextmanager
async def sensors_of(
    settings: Settings,
    visitor: "Callable[[], Sequence[DriverFactory]]",
    *,
    simulated: bool,
    meet: "Callable[[Sensors, Outbox, Bus], None] | None" = None,
) -> AsyncIterator["Sensors"]:
    """This kiosk's sensors, running: with its outbox, connected to its broker. `meet` meets them before they run."""
    from sensors.clock import SystemClock
    from sensors.outbox import Outbox
    from sensors.service import SERVICE, Sensors

    gone = Status(SERVICE, "gone", simulated=simulated)
    with Outbox(settings.outbox, settings.id, limit=settings.outbox_bytes) as outbox:
        async with MqttBus.to(settings, "sensors", will=gone) as bus:
            service = Sensors(
                kiosk=settings.id, bus=bus, outbox=outbox, clock=SystemClock(), visitor=visitor, simulated=simulated
            )
            if meet is not None:
                meet(service, outbox, bus)
            async with service.running():
                yield service


async def _serve_sensors(
    settings: Settings, drivers: Sequence[str], visit: float | None, pause: float, *, with_station: bool
) -> None:
    async with AsyncExitStack() as stack:
        station = _station_of(drivers, settings, wanted=with_station)
        devices = [await _devices_of(name, settings, station) for name in drivers]
        # one simulated device makes the visit one that must never pass for a measurement
        simulated = _is_simulated(drivers, settings)
        receptions: list[Reception] = []

        def meet(service: "Sensors", outbox: "Outbox", bus: "Bus") -> None:
            if station is not None:
                receptions.append(_reception(settings, station, service, outbox, bus, simulated=simulated))

        service = await stack.enter_async_context(
            sensors_of(settings, lambda: [each for made in devices for each in made()], simulated=simulated, meet=meet)
        )
        for reception in receptions:
            assert station is not None
            await stack.enter_async_context(reception.running())
            await stack.enter_async_context(station.running(reception))
            typer.echo(f"the visitor's screen is at {station.address}", err=True)
            if visit is not None:
                await reception.demonstrate(visit, pause)
        while visit is not None:
            if service.visit is None:
                await service.start_visit()
            await asyncio.sleep(visit)
            await service.end_visit()
            await asyncio.sleep(pause)
        await asyncio.Event().wait()


async def _devices_of(
    name: str, settings: Settings, station: "Station | None"
) -> "Callable[[], Sequence[DriverFactory]]":
    """What makes a driver's devices for each visit; `station` is the page that some of them need."""
    from sensors.registry import resolve

    if name in _MAKERS:
        return await _MAKERS[name](settings)
    maker = resolve(name)
    if name == MICROPHONE:
        heard = await asyncio.to_thread(
            maker,
            settings.microphone,
            models=settings.data / models.FOLDER,
            page=station.microphone if station is not None else None,
        )
        return lambda: heard
    if name == SIMULATED:
        from sensors.drivers.simulated.talk import prepare

        # before the visit, not in its first seconds
        await asyncio.to_thread(prepare)
    if name != CAMERA:
        return maker
    # networks are opened: seconds, in which signals must be heard
    made = await asyncio.to_thread(
        maker,
        settings.camera,
        size=settings.camera_pixels,
        rate=settings.camera_rate,
        lock=settings.camera_lock,
        models=settings.data / models.FOLDER,
        page=station.camera if station is not None else None,
        also=station.codes.offer if station is not None else None,
    )
    return lambda: made


async def _brainflow(settings: Settings) -> "Callable[[], Sequence[DriverFactory]]":
    from sensors.drivers.brainflow.driver import brainflow

    if settings.brainflow_board is None:
        raise BadSettings("KIOSK_BRAINFLOW_BOARD names no board")
    # not in a thread: it silences a warning while it is imported, and filters of warnings are everybody's
    made = brainflow(settings.brainflow_board, settings.brainflow_params)
    return lambda: made


async def _lsl(settings: Settings) -> "Callable[[], Sequence[DriverFactory]]":
    from sensors.drivers.lsl.network import listening

    # it listens as long as the process runs: each visit begins with the streams that there are by then
    heard = listening(settings.lsl_streams)
    await asyncio.to_thread(heard.settle)
    return heard.devices


_MAKERS: "dict[str, Callable[[Settings], Awaitable[Callable[[], Sequence[DriverFactory]]]]]" = {
    BRAINFLOW: _brainflow,
    LSL: _lsl,
}
"""Drivers that need nothing but their settings."""


def _station_of(drivers: Sequence[str], settings: Settings, *, wanted: bool) -> "Station | None":
    """The visitor's screen, with the devices that are to be its own; None where nobody wants it."""
    seen, heard = settings.camera == PAGE and CAMERA in drivers, settings.microphone == PAGE and MICROPHONE in drivers
    if not (seen or heard or wanted):
        return None
    from sensors.clock import SystemClock
    from sensors.station.camera import PageCamera
    from sensors.station.microphone import PageMicrophone
    from sensors.station.server import Station

    clock = SystemClock()
    camera = PageCamera(clock, size=settings.camera_pixels, rate=settings.camera_rate or 30.0) if seen else None
    microphone = PageMicrophone(clock) if heard else None
    return Station(camera, settings.station_port, microphone=microphone)


def _reception(
    settings: Settings, station: "Station", service: "Sensors", outbox: "Outbox", bus: "Bus", *, simulated: bool
) -> "Reception":
    """What holds the visits of this kiosk."""
    from kiosk.assistant import chosen
    from sensors.clock import SystemClock
    from sensors.station.reception import Reception

    return Reception(
        sensors=service,
        outbox=outbox,
        bus=bus,
        kiosk=settings.id,
        clock=SystemClock(),
        assistant=chosen.of(settings),
        codes=station.codes,
        simulated=simulated,
        emergency=settings.emergency_number,
    )


def _is_simulated(drivers: Sequence[str], settings: Settings) -> bool:
    """Whether anything in a visit is played or simulated."""
    return (
        SIMULATED in drivers
        or (CAMERA in drivers and _is_film(settings))
        or (MICROPHONE in drivers and _is_sound_file(settings))
        or (BRAINFLOW in drivers and _is_no_board(settings))
    )


def _is_film(settings: Settings) -> bool:
    from sensors.drivers.camera.devices import is_played

    return is_played(settings.camera)


def _is_sound_file(settings: Settings) -> bool:
    from sensors.drivers.microphone.devices import is_played

    return is_played(settings.microphone)


def _is_no_board(settings: Settings) -> bool:
    from sensors.drivers.brainflow.driver import is_simulated

    return settings.brainflow_board is not None and is_simulated(settings.brainflow_board, settings.brainflow_params)


async def _serve_analytics(settings: Settings) -> None:
    from analytics.service import serve

    async with MqttBus.to(settings, "analytics") as bus:
        await serve(bus)


async def _serve_recorder(settings: Settings) -> None:
    from api import retention
    from api.closing import Closer
    from api.recorder import Recorder
    from api.recorder_metrics import expose
    from api.store import Database
    from api.uploads.worker import Uploads

    database = Database.to(settings)
    await database.wait()
    recorder, closer = Recorder(database), Closer(database, settings)
    if settings.metrics_port is not None:
        expose(recorder.counts, closer.counts, settings.metrics_port)
    try:
        async with MqttBus.to(settings, "recorder") as bus, asyncio.TaskGroup() as group:
            group.create_task(recorder.serve(bus))
            group.create_task(closer.run())
            group.create_task(retention.serve(database, settings))
            group.create_task(Uploads(database, settings, read_upload).run())
    finally:
        database.close()


def read_upload(files: Path, *, kind: str, channel: str | None, rate: float | None, models: Path | None) -> "Recording":
    """What `kiosk analyze` reads of a file or of the files of one recording; for the process that works uploads off."""
    from sensors import files as reader

    found = reader.find([files])
    if not found.recordings:
        raise BadRecording("no recording there")
    if len(found.recordings) == 1:
        return reader.read(found.recordings[0], kind=kind, channel=channel, rate=rate, models=models)
    optional = frozenset(found.recordings) - found.named
    return reader.read_session(
        found.recordings, kind=kind, channel=channel, rate=rate, name="upload", optional=optional, models=models
    )


async def _serve_api(settings: Settings) -> None:
    from api.app import create_app
    from api.server import serve
    from api.store import Database, users

    database = Database.to(settings)
    await database.wait()
    try:
        async with MqttBus.to(settings, "api") as bus:
            with database.reading() as db:
                if not users.page(db, None, limit=1):
                    log.warning("nobody can log in yet: run kiosk users add LOGIN --role administrator --everywhere")
            app = create_app(settings=settings, database=database, bus=bus)
            tls = None if settings.http_cert is None else (settings.http_cert, settings.http_key)
            await serve(app, settings.http_host, settings.http_port, tls)
    finally:
        database.close()

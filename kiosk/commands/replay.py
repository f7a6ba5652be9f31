"""`kiosk replay`: a recording, from files or from the store, as devices on the bus."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.commands.running import load_settings, run
from kiosk.commands.services import sensors_of
from kiosk.errors import KioskError

if TYPE_CHECKING:
    from kiosk.recording import Recording
    from kiosk.settings import Settings

app = typer.Typer()


@app.command()
def replay(
    source: Annotated[str, typer.Argument(help="A file (WFDB, EDF, CSV ...), or the id of a stored session.")],
    speed: Annotated[float, typer.Option(help="Times real time; 0 is as fast as possible.")] = 1.0,
    rate: Annotated[float | None, typer.Option(help="Hertz, where the file does not say.")] = None,
    kind: Annotated[str, typer.Option(help="auto, ecg, ppg, rr, eeg ...")] = "auto",
) -> None:
    """Play a recording as one visit over the bus; it is recorded and analysed like any other."""
    settings = load_settings()
    try:
        recording = _read(source, settings, kind, rate)
    except KioskError as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{source}: {recording.duration:.0f} s of {', '.join(t.signal for t in recording.tracks)}", err=True)
    run(_play(settings, recording, speed or None), settings)


async def _play(settings: "Settings", recording: "Recording", speed: float | None) -> None:
    from sensors.drivers.replay import replay as devices

    visitor = devices(recording, speed=speed)
    async with sensors_of(settings, lambda: visitor, simulated=True) as service:
        session = await service.start_visit()
        await service.devices_finished()
        await service.end_visit()
        await service.sender.drained()
    typer.echo(session)


def _read(source: str, settings: "Settings", kind: str, rate: float | None) -> "Recording":
    if Path(source).exists():
        from sensors import files

        return files.read(Path(source), kind=kind, rate=rate)
    from api.closing import load
    from api.store import Database

    database = Database.to(settings)
    try:
        database.check()
        return load(database, source)
    finally:
        database.close()

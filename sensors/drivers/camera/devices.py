"""What an operator names - a number, a device, a file, a folder, the page - as a camera."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from kiosk.errors import BadSettings
from sensors.clock import Clock
from sensors.driver import DriverFactory
from sensors.drivers.camera.driver import Cameras
from sensors.drivers.camera.watch import Looker, LookerFactory
from sensors.frames.latest import Also
from sensors.frames.page import Page
from sensors.frames.played import Played
from sensors.frames.source import Source, SourceFactory
from sensors.frames.webcam import Webcam
from sensors.station.camera import PageCamera

PAGE = "page"
"""The name of the camera that the kiosk's page has."""


def camera(
    where: str = "0",
    *,
    size: tuple[int, int] = (640, 480),
    rate: float | None = None,
    lock: bool = True,
    models: Path | None = None,
    page: PageCamera | None = None,
    looker: LookerFactory | None = None,
    name: str = "camera",
    also: Also | None = None,
) -> list[DriverFactory]:
    """The camera of a kiosk. Networks are opened once here, so that what is wrong with them is said at the start.

    `also` is offered each picture.
    """
    make = looker or partial(_observer, models)
    source = source_of(where, size=size, rate=rate, lock=lock, page=page)
    first = make()
    try:
        channels = tuple(first.score_channels)
    finally:
        first.close()
    return [Cameras(source, make, score_channels=channels, name=name, also=also)]


def source_of(
    where: str,
    *,
    size: tuple[int, int] = (640, 480),
    rate: float | None = None,
    lock: bool = True,
    page: PageCamera | None = None,
) -> SourceFactory:
    """What makes the source of each run."""
    if where == PAGE:
        if page is None:
            raise BadSettings("the camera of the kiosk's page needs the page")
        return partial(Page, page)
    if not is_played(where):
        return _webcam(int(where) if _is_number(where) else where, size, rate, lock)
    path = Path(where).expanduser()
    if where and (path.is_dir() or path.is_file()):
        return lambda clock: Played(path, clock, rate=rate)
    raise BadSettings(f"camera {where!r}: no number, no device of this machine, no file, no folder, and not {PAGE}")


def is_played(where: str) -> bool:
    """Whether what an operator named is a file or a folder: nobody sits before it."""
    return where != PAGE and not _is_number(where) and not where.startswith("/dev/")


def _is_number(where: str) -> bool:
    return where.isascii() and where.isdigit() and len(where) < 4


def _webcam(where: int | str, size: tuple[int, int], rate: float | None, lock: bool) -> Callable[[Clock], Source]:
    return lambda clock: Webcam(where, clock, size=size, rate=rate or 30.0, lock=lock)


def _observer(models: Path | None) -> Looker:
    from sensors.observer import Observer

    return Observer(models=models)

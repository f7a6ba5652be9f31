"""What an operator names - a number, a device, a file, a folder, the page - as a microphone."""

import re
from functools import partial
from pathlib import Path

from kiosk.errors import BadSettings
from sensors.driver import DriverFactory
from sensors.drivers.microphone.driver import Microphones
from sensors.drivers.microphone.hearing import Hears, ListenerFactory
from sensors.drivers.microphone.page import PageSound
from sensors.drivers.microphone.played import PlayedSound
from sensors.drivers.microphone.soundcard import Soundcard
from sensors.drivers.microphone.waiting import SourceFactory
from sensors.sound.rates import RATE
from sensors.station.microphone import PageMicrophone

PAGE, DEFAULT = "page", "default"
"""The microphone that the kiosk's page has; the one that the system chooses."""
_SUFFIX = re.compile(r"\.[A-Za-z]\w{1,3}")
"""Of a file that is not there. A name may have a dot as well: `USB 2.0 Audio`."""


def microphone(
    where: str = DEFAULT,
    *,
    models: Path | None = None,
    page: PageMicrophone | None = None,
    listener: ListenerFactory | None = None,
    name: str = "microphone",
) -> list[DriverFactory]:
    """The microphone of a kiosk. Networks are opened once here: what is wrong with them is said at the start."""
    make = listener or partial(_listener, models)
    source = source_of(where, page=page)
    return [Microphones(source, make, score_channels=tuple(make(RATE).score_channels), name=name)]


def source_of(where: str, *, page: PageMicrophone | None = None) -> SourceFactory:
    """What makes the source of each run."""
    if where == PAGE:
        if page is None:
            raise BadSettings("the microphone of the kiosk's page needs the page")
        return partial(PageSound, page)
    if is_played(where):
        path = Path(where).expanduser()
        return lambda clock: PlayedSound(path, clock)
    if where == DEFAULT:
        return lambda clock: Soundcard(None, clock)
    if not where or _SUFFIX.fullmatch(Path(where).suffix) or "/" in where:
        raise BadSettings(f"microphone {where!r}: there is no such file or folder")
    return lambda clock: Soundcard(int(where) if _is_number(where) else where, clock)


def is_played(where: str) -> bool:
    """Whether what an operator named is a file or a folder: nobody speaks into it."""
    if where in ("", PAGE, DEFAULT) or _is_number(where):
        return False
    try:
        return Path(where).expanduser().exists()
    except (OSError, RuntimeError):
        # a name too long for a file, the home of nobody
        return False


def _is_number(where: str) -> bool:
    return where.isascii() and where.isdigit() and len(where) < 4


def _listener(models: Path | None, rate: float) -> Hears:
    from sensors.listener import Listener

    return Listener(models, rate)

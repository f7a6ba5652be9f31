"""Which streams there are: a thread that listens all the time, so that a visit begins with what is there."""

import logging
import threading
from collections.abc import Callable, Sequence

from kiosk.errors import DriverFailed
from sensors.clock import Clock
from sensors.driver import DriverFactory, Visit
from sensors.drivers.lsl.driver import Lsl
from sensors.drivers.lsl.library import Heard, Network
from sensors.drivers.lsl.stream import (
    MOST_CHANNELS,
    TYPES,
    Found,
    Wanted,
    device_name,
    exactly,
    kind_of,
    reading,
    wanted,
)

log = logging.getLogger(__name__)

EVERY = 0.3
"""Seconds between looks at what the library has heard of."""
WAIT = 2.0
"""Seconds that streams have to be heard of, after which a visit may begin without them."""
MOST_STREAMS = 64
"""More are not asked what they are."""


def lsl(streams: str = "", *, wait: float = WAIT) -> list[DriverFactory]:
    """The devices of these streams, as far as they are there within `wait` seconds; of none named, of all that are."""
    heard = listening(streams)
    heard.settle(wait)
    return heard.devices()


def listening(streams: str = "") -> "Listening":
    """Listens for these streams, until it is closed."""
    return Listening(Heard, wanted(streams))


class Listening:
    """The streams that are wanted, as they come and go."""

    def __init__(self, hear: Callable[[], Network], wants: Sequence[Wanted] = ()) -> None:
        self._wants = tuple(wants)
        self._network = hear()
        self._streams: dict[str, tuple[Found, object]] = {}
        self._names: dict[tuple[str, str, str, str], str] = {}
        self._read: set[tuple[str, str, str, str]] = set()
        """Those that a driver has open."""
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._settled = threading.Event()
        threading.Thread(target=self._live, name="lsl-listening", daemon=True).start()

    def close(self) -> None:
        """Listen no longer."""
        self._stop.set()

    def settle(self, wait: float = WAIT) -> None:
        """Return when every wanted stream is there, or after so many seconds."""
        self._settled.wait(wait)

    def there(self) -> list[Found]:
        """The streams that there are."""
        with self._lock:
            return sorted((found for found, _ in self._streams.values()), key=lambda found: found.identity)

    def devices(self) -> list[DriverFactory]:
        """One for each wanted stream, there or not; where none is named, for each that is there, else the first."""
        if self._wants:
            return [self._factory(want) for want in self._wants]
        found = [each for each in self.there() if self._is_wanted(each)]
        return [self._factory(exactly(each, Wanted())) for each in found] or [self._factory(Wanted())]

    def _factory(self, want: Wanted) -> DriverFactory:
        def make(visit: Visit, clock: Clock) -> Lsl:
            found, handle = self._one(want)
            return Lsl(
                self._name(found),
                reading(found, want),
                lambda: self._network.inlet(handle),
                clock,
                rate=found.rate or None,
                taking=lambda is_open: self._take(found, is_open=is_open),
            )

        return make

    def _one(self, want: Wanted) -> tuple[Found, object]:
        """The stream that is meant; DriverFailed where it is none or not one."""
        with self._lock:
            matching = [(found, handle) for found, handle in self._streams.values() if want.matches(found)]
        if not want.conditions:
            matching = sorted(matching, key=lambda each: _rank(each[0]))[:1]
        if not matching:
            raise DriverFailed(f"no LSL stream {want} on the network")
        if len(matching) > 1:
            names = ", ".join(str(found) for found, _ in matching[:4])
            raise DriverFailed(f"{len(matching)} LSL streams are {want}: {names}; add name= or source_id="[:200])
        found = matching[0][0]
        with self._lock:
            if found.identity in self._read:
                raise DriverFailed(f"LSL stream {found} is read already")
        return matching[0]

    def _take(self, found: Found, *, is_open: bool) -> None:
        with self._lock:
            if is_open and found.identity in self._read:
                raise DriverFailed(f"LSL stream {found} is read already")
            (self._read.add if is_open else self._read.discard)(found.identity)

    def _name(self, found: Found) -> str:
        """A device name that no other stream has, the same whenever this one comes back."""
        with self._lock:
            if found.identity not in self._names:
                name, count = device_name(found), 1
                while name in self._names.values():
                    count += 1
                    name = f"{device_name(found)}-{count}"
                self._names[found.identity] = name
            return self._names[found.identity]

    def _is_wanted(self, found: Found) -> bool:
        if self._wants:
            return any(want.matches(found) for want in self._wants)
        return kind_of(found.type) is not None

    def _live(self) -> None:
        asked: dict[str, Found] = {}
        said: type[Exception] | None = None
        while not self._stop.wait(EVERY):
            try:
                self._look(asked)
                said = None
            except Exception as error:
                # listening goes on whatever one stream does to it; what goes on failing is said once
                if type(error) is not said:
                    log.exception("listening for LSL streams failed")
                said = type(error)

    def _look(self, asked: dict[str, Found]) -> None:
        heard = [(found, handle) for found, handle in self._network.found() if self._is_wanted(found)][:MOST_STREAMS]
        now: dict[str, tuple[Found, object]] = {}
        for found, handle in heard:
            if found.uid not in asked:
                try:
                    # one with more channels than any amplifier has is refused by their number alone
                    readable = found.count and not found.is_text and found.count <= MOST_CHANNELS
                    asked[found.uid] = self._network.described(handle) if readable else found
                except DriverFailed:
                    continue  # asked again in the next turn
            now[found.uid] = (asked[found.uid], handle)
        for uid in asked.keys() - now.keys():
            del asked[uid]
        with self._lock:
            self._streams = now
        if self._wants and all(any(want.matches(found) for found, _ in now.values()) for want in self._wants):
            self._settled.set()


def _rank(found: Found) -> tuple[int, tuple[str, str, str, str]]:
    """Signals before marks, in the order of the table, and always the same one of several."""
    kinds = list(dict.fromkeys(TYPES.values()))
    kind = kind_of(found.type)
    return kinds.index(kind) if kind in kinds else len(kinds), found.identity

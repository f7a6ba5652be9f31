"""A whole house in one process: a kiosk with its page, and the clinic with recorder, closer, API and dashboard.

The link between them can be cut. What a test calls may be called from its own thread.
"""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import pytest
import uvicorn

from analytics.service import serve as serve_analytics
from analytics.session import session as analysis
from api.app import create_app
from api.closing import Closer
from api.recorder import Recorder
from api.security import Role
from api.store import Transaction, sessions
from api.tables import SessionRow
from kiosk import protocols
from kiosk.bus import DEPTH, MemoryBus, Subscription
from kiosk.settings import Settings
from sensors.clock import SystemClock
from sensors.driver import DriverFactory
from sensors.drivers.camera.devices import camera
from sensors.drivers.microphone.devices import microphone
from sensors.drivers.simulated.driver import signal_factory
from sensors.drivers.simulated.person import Person
from sensors.outbox import Outbox
from sensors.service import Sensors
from sensors.station.camera import PageCamera
from sensors.station.microphone import PageMicrophone
from sensors.station.reception import Reception
from sensors.station.server import Station
from sensors.station.view import Do
from tests import databases
from tests.api import staff

T = TypeVar("T")
KIOSK = "kiosk-1"
CLOCK = SystemClock()
SECONDS = 12
"""Of measuring."""
BRIEF = protocols.read(f"""
id = "brief"
version = "1"
minutes = 1
title = {{ en = "Brief check", ru = "Краткая проверка" }}
about = {{ en = "For this test alone.", ru = "Только для этой проверки." }}
[[steps]]
id = "consent"
kind = "consent"
[[steps]]
id = "check_in"
kind = "check_in"
[[steps]]
id = "position"
kind = "position"
needs = ["face_motion"]
[[steps]]
id = "electrodes"
kind = "electrodes"
needs = ["ecg", "ppg"]
[[steps]]
id = "rest"
kind = "measure"
seconds = {SECONDS}
mark = "rest"
[[steps]]
id = "mood"
kind = "questionnaire"
questionnaire = "phq2"
[[steps]]
id = "results"
kind = "results"
""")
"""The visit of these journeys: long enough for a heart rate, and no longer."""


class Link:
    """The kiosk's side of the bus, which can be cut."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus, self._whole = bus, asyncio.Event()
        self._whole.set()
        self.connections = 1
        self._tied: list[tuple[Subscription, Subscription]] = []

    @property
    def is_cut(self) -> bool:
        """Whether nothing comes through."""
        return not self._whole.is_set()

    def cut(self) -> None:
        """Nothing comes through from now on."""
        self._whole.clear()

    def mend(self) -> None:
        """It is whole again."""
        self.connections += 1
        self._whole.set()

    async def wait_connected(self) -> None:
        """Return when it is whole."""
        await self._whole.wait()

    async def publish(self, topic: str, payload: bytes) -> bool:
        """Publish, unless it is cut."""
        return not self.is_cut and await self._bus.publish(topic, payload)

    @asynccontextmanager
    async def subscribe(self, *patterns: str, depth: int = DEPTH) -> AsyncIterator[Subscription]:
        """Deliveries, but for those that come while it is cut."""
        heard = Subscription(patterns, depth)

        async def pass_on() -> None:
            async with self._bus.subscribe(*patterns, depth=depth) as arriving:
                async for delivery in arriving:
                    if not self.is_cut:
                        heard.put(delivery)

        passing = asyncio.create_task(pass_on())
        await asyncio.sleep(0)
        try:
            yield heard
        finally:
            passing.cancel()
            heard.close()


class House:
    """Kiosk and clinic, on one event loop in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = databases.database(folder)
        self.database.migrate()
        # a visitor's phone would reach the pages here, as it does where KIOSK_DEMO shows the product on one machine
        self._socket = socket.create_server(("127.0.0.1", 0))
        port = self._socket.getsockname()[1]
        self.settings = Settings(data=folder, http_port=port, demo=True, silence_ends=60, close_after=60)
        self.address = f"http://127.0.0.1:{port}"
        self.clinician = staff.hire(self.database, Role.CLINICIAN)
        self.devices: Callable[[], Sequence[DriverFactory]] = self.whole
        self.person = Person(seed=21, age=44.0, sex="female", heart_rate=66.0)
        self.station = ""
        self.reception: Reception
        self.link: Link
        self.outbox: Outbox
        self._made: list[DriverFactory] = []
        self._loop = asyncio.new_event_loop()
        self._leave = asyncio.Event()
        self._ready = threading.Event()
        self._failed: BaseException | None = None

    def whole(self) -> Sequence[DriverFactory]:
        """Electrodes and a finger sensor that are simulated; camera and microphone of the page."""
        signals = [signal_factory(signal, person=self.person) for signal in ("ecg", "ppg", "respiration")]
        return [*signals, *self._made]

    @contextmanager
    def open(self) -> Iterator["House"]:
        """Open the house, and shut it."""
        thread = threading.Thread(target=self._run, name="house")
        thread.start()
        try:
            assert self._ready.wait(60), "the house does not open"
            if self._failed is not None:
                raise self._failed
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._leave.set)
            thread.join(40)
            self.database.close()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something where the bus lives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def leave(self) -> None:
        """Whoever is at the screen goes, so that the next one begins at its first screen."""
        for _ in range(2):
            self.call(self.reception.act(Do("leave")))

    def cut(self) -> None:
        """The network is lost."""
        self._loop.call_soon_threadsafe(self.link.cut)

    def mend(self) -> None:
        """The network is back."""
        self._loop.call_soon_threadsafe(self.link.mend)

    def rows(self) -> list[SessionRow]:
        """Every session that the clinic knows, the newest first."""
        with self.database.reading() as db:
            return sessions.newest(db, limit=100)

    def wait_for(self, what: str, condition: Callable[[Transaction], object], seconds: float = 40.0) -> None:
        """Wait until the database says so."""
        until = time.monotonic() + seconds
        while True:
            with self.database.reading() as db:
                if condition(db):
                    return
            assert time.monotonic() < until, what
            time.sleep(0.1)

    # --- inside

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            self._failed = error
            self._ready.set()
            raise
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        bus = MemoryBus()
        self.link = Link(bus)
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(settings=self.settings, database=self.database, bus=bus),
                log_level="error",
                ws="websockets-sansio",
            )
        )
        server.capture_signals = _nothing  # type: ignore[method-assign]
        closer = Closer(self.database, self.settings, partial(analysis, vote=False))
        async with AsyncExitStack() as stack:
            tasks = [
                asyncio.create_task(server.serve([self._socket])),
                asyncio.create_task(Recorder(self.database).serve(bus)),
                asyncio.create_task(serve_analytics(bus)),
                asyncio.create_task(_close(closer)),
            ]
            try:
                await self._kiosk(stack)
                while not server.started:
                    await asyncio.sleep(0.02)
                self._ready.set()
                await self._leave.wait()
            finally:
                server.should_exit = True
                await asyncio.wait([tasks[0]], timeout=10)
                for task in tasks[1:]:
                    task.cancel()
                await asyncio.wait(tasks[1:], timeout=10)

    async def _kiosk(self, stack: AsyncExitStack) -> None:
        eye, ear = PageCamera(CLOCK), PageMicrophone(CLOCK)
        # networks are opened once, before anybody sits there
        self._made = [*await asyncio.to_thread(camera, "page", page=eye)]
        self._made += await asyncio.to_thread(microphone, "page", page=ear)
        self.outbox = stack.enter_context(Outbox(self.folder / "outbox.sqlite", KIOSK, limit=200_000_000))
        sensors = Sensors(
            kiosk=KIOSK,
            bus=self.link,
            outbox=self.outbox,
            clock=CLOCK,
            visitor=lambda: self.devices(),  # noqa: PLW0108 - a test may change them
            simulated=True,
        )
        station = Station(eye, 0, microphone=ear)
        self.reception = Reception(
            sensors=sensors,
            outbox=self.outbox,
            bus=self.link,
            kiosk=KIOSK,
            clock=CLOCK,
            codes=station.codes,
            simulated=True,
        )
        await stack.enter_async_context(sensors.running())
        await stack.enter_async_context(self.reception.running())
        await stack.enter_async_context(station.running(self.reception))
        self.station = station.address


@contextmanager
def house(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house whose kiosk offers the brief visit as well."""
    known = protocols.listed()
    patch.setattr(protocols, "listed", lambda: MappingProxyType({BRIEF.id: BRIEF, **known}))
    with House(folder).open() as made:
        yield made


async def _close(closer: Closer) -> None:
    with ThreadPoolExecutor(1) as pool:
        while True:
            if not await closer.sweep(pool):
                await asyncio.sleep(0.1)


@contextmanager
def _nothing() -> Iterator[None]:
    yield

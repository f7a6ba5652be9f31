"""A thread that owns a device whose library blocks: connects, reads, disconnects, while the event loop goes on."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence

from kiosk.errors import DriverFailed, KioskError
from kiosk.messages import SECOND
from sensors.clock import Clock
from sensors.driver import Item

log = logging.getLogger(__name__)

MOST_WAITING = 500
"""Reads that nobody fetches, as while a disk is full; after that they are to stay in the library's own buffer."""
STOP_WITHIN = 3.0


class Reader:
    """The thread, and the way of what it read to the event loop."""

    def __init__(self, name: str, live: Callable[[], None], clock: Clock) -> None:
        self._name, self._live, self._clock = name, live, clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{name}-reader", daemon=True)
        self._failure: KioskError | None = None

    async def open(self) -> None:
        """Start, and return when the thread says that the device is open; raise what it failed with."""
        self._loop = asyncio.get_running_loop()
        self._opened = asyncio.Event()
        self._read: asyncio.Queue[Sequence[Item] | None] = asyncio.Queue()
        self._thread.start()
        try:
            await self._opened.wait()
        except BaseException:
            # the thread disconnects as soon as the library lets it
            self._stop.set()
            raise
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        """Tell the thread to disconnect, and wait for it; one that hangs is left alone."""
        self._stop.set()
        until = self._clock.now() + round(STOP_WITHIN * SECOND)
        while self._thread.is_alive() and self._clock.now() < until:
            await asyncio.sleep(0.01)
        if self._thread.is_alive():
            log.warning("%s does not disconnect in time", self._name)

    async def items(self) -> AsyncIterator[Item]:
        """What was read, until the device ends; then what it failed with is raised, if it did."""
        while (items := await self._read.get()) is not None:
            for item in items:
                yield item
        if self._failure is not None:
            raise self._failure

    # what follows is for the thread

    def ready(self) -> None:
        """The device is open."""
        self._tell(self._opened.set)

    def put(self, items: Sequence[Item]) -> None:
        """Hand over what was read."""
        if items:
            self._tell(lambda: self._read.put_nowait(items))

    @property
    def is_full(self) -> bool:
        """Whether nobody has fetched for a while."""
        return self._read.qsize() > MOST_WAITING

    def stopping(self, wait: float) -> bool:
        """Wait so many seconds, or until the device is to be left; whether it is."""
        return self._stop.wait(wait)

    def _run(self) -> None:
        try:
            self._live()
        except KioskError as error:
            self._failure = error
        except Exception as error:
            # a driver's bug; the trace has no samples in it
            log.exception("%s failed", self._name)
            self._failure = DriverFailed(f"{self._name} failed: {type(error).__name__}")
        finally:
            self._tell(self._opened.set)
            self._tell(lambda: self._read.put_nowait(None))

    def _tell(self, news: Callable[[], None]) -> None:
        # a loop that is closed waits for nothing
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(news)

"""A source that delivers at its own pace - pictures, sound - into a queue that somebody else empties."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from kiosk.errors import DriverFailed
from sensors.clock import Clock


class Queue(Protocol):
    """Where a source's deliveries wait. It never makes the source wait."""

    def end(self, failure: BaseException | None = None) -> None:
        """There is nothing more to come; with a failure, that is why."""
        ...

    def clear(self) -> None:
        """Forget what waits."""
        ...


Into = TypeVar("Into", bound=Queue)
Into_contra = TypeVar("Into_contra", bound=Queue, contravariant=True)


class Source(Protocol[Into_contra]):
    """Entering opens it; absence and failure are DriverFailed."""

    @property
    def simulated(self) -> bool:
        """Whether nobody is before it: a file that is played."""
        ...

    @property
    def trouble(self) -> str:
        """What an operator should know of it, in words; empty where all is well."""
        ...

    async def __aenter__(self) -> object:
        """Open it."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        ...

    async def feed(self, into: Into_contra) -> None:
        """Put in what comes, with the boot-clock time at which it was taken, until there is no more."""
        ...


class Feeding(Generic[Into]):
    """The task that feeds a queue from an open source, and the orderly end of both."""

    def __init__(self, source: Source[Into], into: Into, *, name: str) -> None:
        self._source, self._into, self._name = source, into, name
        self._task: asyncio.Task[None] | None = None

    def begin(self, ready: Callable[[], Awaitable[object]] | None = None) -> None:
        """Feed from now on, or from when `ready` has returned."""
        self._task = asyncio.create_task(self._feed(ready), name=f"{self._name}-feed")

    async def stop(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let nobody take what waits, feed no more, close the source."""
        self._into.clear()
        self._into.end()
        try:
            if self._task is not None:
                self._task.cancel()
                await asyncio.wait([self._task])
        finally:
            await self._source.__aexit__(kind, error, trace)

    async def _feed(self, ready: Callable[[], Awaitable[object]] | None) -> None:
        try:
            if ready is not None:
                await ready()
            await self._source.feed(self._into)
        except asyncio.CancelledError:
            raise
        except DriverFailed as error:
            self._into.end(error)
        except Exception as error:
            self._into.end(DriverFailed(f"the {self._name}'s source failed: {type(error).__name__}"))
        else:
            self._into.end()


async def gone(alive: Callable[[], bool], clock: Clock, within_ns: int) -> None:
    """Return when a worker has ended what it was at, or after so long."""
    until = clock.now() + within_ns
    while alive() and clock.now() < until:
        await asyncio.sleep(0.01)

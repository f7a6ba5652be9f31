"""What a source of pictures is: it is entered, feeds pictures into a `Latest`, and is left."""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from sensors.clock import Clock
from sensors.face.seen import Sight
from sensors.frames.latest import Latest


class Source(Protocol):
    """Entering opens it; absence and failure are DriverFailed."""

    @property
    def simulated(self) -> bool:
        """Whether nobody sits before it: a file that is played."""
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

    async def feed(self, into: Latest) -> None:
        """Put pictures in, each with the boot-clock time at which it was taken, until there are no more."""
        ...

    def saw(self, sight: Sight) -> None:
        """What was seen in one of its pictures, for a source that tells the visitor how to sit."""
        ...


SourceFactory = Callable[[Clock], Source]
"""Makes the source of one run of the driver."""

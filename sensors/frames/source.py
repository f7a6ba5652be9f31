"""What a source of pictures is: what any source is, and one that may show a visitor how to sit."""

from collections.abc import Callable
from typing import Protocol

from sensors import feeding
from sensors.clock import Clock
from sensors.face.seen import Sight
from sensors.frames.latest import Latest


class Source(feeding.Source[Latest], Protocol):
    """Pictures, each with the boot-clock time at which it was taken."""

    def saw(self, sight: Sight) -> None:
        """What was seen in one of its pictures, for a source that tells the visitor how to sit."""
        ...


SourceFactory = Callable[[Clock], Source]
"""Makes the source of one run of the driver."""

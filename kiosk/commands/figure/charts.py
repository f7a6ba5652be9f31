"""Charts: lines over a common axis, for what has no picture of its own - brain and voice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from kiosk.commands.figure.waves import Floats
from kiosk.recording import Recording


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    name: str
    x: Floats
    y: Floats
    dashed: bool = False
    marked: bool = False
    """Its points are few and shown."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines that share axes."""

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    limits: tuple[float, float] | None = None
    logarithmic: bool = False
    edges: tuple[float, ...] = ()
    """Where something begins or ends on the x axis."""


def charts(recording: Recording) -> tuple[Chart, ...]:
    """What to draw of brain and voice."""
    return ()


def batched(items: Sequence[Chart], count: int) -> Iterator[tuple[Chart, ...]]:
    """The items in groups of so many."""
    left = iter(items)
    while group := tuple(islice(left, count)):
        yield group

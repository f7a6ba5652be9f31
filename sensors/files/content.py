"""What every format is read into before it becomes a recording: named waves, in the file's own units."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND

Assumed = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Wave:
    """One channel as the file has it. Waves that were sampled together share the same `times` array."""

    name: str
    """Empty where the file names no channels."""
    unit: str
    """Empty where the file says none."""
    rate: float | None
    times: NDArray[np.int64]
    values: NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Start:
    """When a file's time zero was, in nanoseconds since 1970. Without a zone it is some local time."""

    time: int
    zoned: bool


@dataclass(frozen=True, slots=True)
class Annotation:
    """A mark in a file: seconds since its start, its length where it has one, and the text."""

    onset: float
    duration: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """A file's waves, or its beats."""

    waves: tuple[Wave, ...] = ()
    assumed: Assumed = ()
    start: Start | None = None
    intervals: "Intervals | None" = None
    hint: str = ""
    """The signal that these waves are if nothing else tells, from the format itself."""
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True)
class Intervals:
    """Beat-to-beat intervals: when each one ended, and how long it was."""

    ends: NDArray[np.float64]
    """Seconds."""
    lengths: NDArray[np.float64]
    """Seconds."""

    @property
    def beats(self) -> tuple[float, ...]:
        """Every beat once: an interval's beginning is a beat too, unless the one before ended there."""
        begins = self.ends - self.lengths
        # intervals of a device are rounded to a few milliseconds, and so is where they meet
        apart = np.concatenate(([True], np.abs(begins[1:] - self.ends[:-1]) > 0.02))
        return tuple(np.sort(np.concatenate((begins[apart], self.ends))).tolist())


def consecutive(lengths: NDArray[np.float64]) -> Intervals:
    """Intervals that follow each other without a gap, the first beat being time zero."""
    return Intervals(np.cumsum(lengths), lengths)


def steady_times(count: int, rate: float, start: int = 0) -> NDArray[np.int64]:
    """Times on a grid that begins at `start` nanoseconds."""
    times: NDArray[np.int64] = start + np.rint(np.arange(count) * (SECOND / rate)).astype(np.int64)
    return times


def merged(assumed: Iterable[tuple[str, str]]) -> Assumed:
    """Each word once, with all that was assumed under it: JSON prints them as one object."""
    words: dict[str, list[str]] = {}
    for what, value in assumed:
        values = words.setdefault(what, [])
        if value not in values:
            values.append(value)
    return tuple((what, "; ".join(values)) for what, values in words.items())

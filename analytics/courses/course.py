"""What a course is: how a number went over a recording; and the windows that all courses of a recording share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from analytics.beats import Floats
from kiosk.measures import MEASURES, Measure

HOP = 5.0
"""Seconds from one window to the next; windows begin at its multiples since the origin, so that those of all sources
lie above each other."""
MOST = 1000
"""Windows of a recording, about: those of a day lie further apart, at a multiple of the hop."""
FURTHER: Mapping[str, Measure] = MappingProxyType(
    {"eda_level": Measure("eda_level", "Skin conductance level", "uS", 0, 100, 2)}
)
"""What has a course and no reading: a level depends on electrodes and skin, only how it goes can be read."""


@dataclass(frozen=True, slots=True)
class Course:
    """A measure over time, or a figure's points."""

    measure: str
    source: str
    """As in readings."""
    method: str
    window: float
    """Seconds that each value is of; 0 where each stands for itself."""
    times: Floats
    """Seconds, the middles of the windows."""
    values: Floats
    """NaN where there is none."""


def known(measure: str) -> Measure | None:
    """Title, unit and decimals of what has a course."""
    return MEASURES.get(measure) or FURTHER.get(measure)


def hop(span: float) -> float:
    """Seconds between two windows of a recording that lasts so long."""
    return HOP * max(1.0, float(np.ceil(span / HOP / MOST)))


def begins(start: float, end: float, window: float, step: float) -> Floats:
    """Where the windows begin that lie within start and end."""
    first, last = np.ceil(start / step - 1e-6), np.floor((end - window) / step + 1e-6)
    return np.asarray(step * np.arange(first, last + 1.0))


def drawn(
    measure: str, source: str, method: str, window: float, at: Floats, value: Callable[[float], float | None]
) -> Course | None:
    """A course of what `value` says of the windows that begin at these times; None where it never says anything."""
    row = known(measure)
    values = np.array([np.nan if (told := value(begin)) is None else told for begin in at.tolist()], dtype=np.float64)
    if row is not None:
        with np.errstate(invalid="ignore"):
            values[(values < row.low) | (values > row.high)] = np.nan
    return Course(measure, source, method, window, at + window / 2, values) if np.isfinite(values).any() else None

"""How the level of skin conductance went."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analytics import skin
from analytics.beats import Flags, Floats
from analytics.courses.course import Course, begins, drawn
from analytics.sources import named
from analytics.stress.drift import RATES
from analytics.stress.eda import believed
from kiosk.recording import Recording

WINDOW = 10.0
"""Seconds whose median is a level: a response rises and falls within."""
LEAST = 0.5
"""Share of a window that must be believed."""


def of_sweat(recording: Recording, step: float) -> Iterator[Course | None]:
    """Of every device."""
    for track, name in named(recording, "eda"):
        x, rate = skin.grid(track), track.rate
        if x is None or rate is None or not RATES[0] <= rate <= RATES[1]:
            continue
        good, start = believed(x, rate), float(track.seconds[0])

        end = start + len(x) / rate
        yield drawn(
            "eda_level",
            name,
            skin.CONDUCTANCE_METHOD,
            WINDOW,
            begins(start, end, WINDOW, step),
            partial(_level, x, good, rate, start),
        )


def _level(x: Floats, good: Flags, rate: float, start: float, begin: float) -> float | None:
    """The median of what can be believed in a window; None where too little can."""
    first = max(0, round((begin - start) * rate))
    inside = slice(first, first + max(1, round(WINDOW * rate)))
    return float(np.median(x[inside][good[inside]])) if good[inside].mean() >= LEAST else None

"""How heart rate and its variability went, by every source of beats; and the beats themselves, for figures."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from enum import IntFlag

import numpy as np

from analytics import hrv, rppg
from analytics.beats import Change, Intervals
from analytics.courses.course import Course, begins, drawn
from analytics.hrv import spectrum
from analytics.hrv.findings import CORRECTED, CORRECTED_RATE, CORRECTION
from analytics.hrv.windows import COVERED, part
from analytics.sources import Source
from kiosk.messages import SECOND

RATE = 10.0
"""Seconds of a heart rate's window: the ten seconds of a standard ECG strip, and ten beats of a slow heart."""
VARIABILITY = 30.0
"""Seconds of RMSSD's: the shortest that a reading of it is made of."""
BEATS, FOUND, DENSITY, DENSITY_SLOW = "beats", "beats_found", "rr_density", "rr_density_slow"


class Code(IntFlag):
    """What is to be said of a beat in a figure; 0: it was measured where it stands."""

    MOVED = 1
    ADDED = 2
    BROKEN = 4
    """The interval that ends here is not used: a gap, an unreadable second, a hole that nothing fitted."""
    BY_HAND = 8
    """A person set it."""


def of_hearts(sources: Iterable[Source], step: float, *, told: Collection[tuple[str, str]]) -> Iterator[Course | None]:
    """Heart rate and RMSSD; `told` are measures by source that the whole recording has."""
    for source in sources:
        if source.pulse is not None:
            yield _of_camera(source, source.pulse, step)
        elif source.absent is None:
            yield _of_beats(source, "heart_rate", RATE, hrv.heart_rate, CORRECTED_RATE, step)
        # an irregular rhythm has no variability, and a pulse that is not sharp tells none
        if ("rmssd", source.name) in told:
            yield _of_beats(source, "rmssd", VARIABILITY, hrv.rmssd, CORRECTED, step)


def figures(sources: Iterable[Source], *, by_hand: Collection[int], told: Collection[tuple[str, str]]) -> list[Course]:
    """Beats of every source that has any, as they are used and as they were found; the spectrum of their intervals.

    `by_hand` are the places of beats among those that a person left. Values are a `Code`, or the `Kind` of a beat that
    was found. The spectrum is the density (ms2/Hz) whose sums are the readings.
    """
    made = []
    for source in (each for each in sources if each.absent is None):
        mended = source.corrected
        codes = np.zeros(len(mended.times), np.int64)
        codes[mended.changes == Change.MOVED] |= Code.MOVED
        codes[mended.changes == Change.ADDED] |= Code.ADDED
        codes[1:][~mended.held] |= Code.BROKEN
        if source.kind == "manual":
            codes[list(by_hand)] |= Code.BY_HAND
        made.append(Course(BEATS, source.name, source.method, 0.0, mended.times, codes.astype(np.float64)))
        kinds = source.beats.kinds.astype(np.float64)
        made.append(Course(FOUND, source.name, source.method, 0.0, source.beats.times, kinds))
        densities = spectrum.drawn(mended.intervals) if ("hf_power", source.name) in told else None
        if densities is not None:
            for name, values in ((DENSITY, densities.flat), (DENSITY_SLOW, densities.slow)):
                ms2 = values * spectrum.SQUARE_MILLISECONDS
                made.append(Course(name, source.name, densities.method, 0.0, densities.hertz, ms2))
    return made


def _of_beats(
    source: Source,
    measure: str,
    window: float,
    value: Callable[[Intervals], float | None],
    most: float,
    step: float,
) -> Course | None:
    """What the whole recording's function says of the intervals that end in each window."""
    intervals, mended = source.corrected.intervals, source.corrected
    touched = np.sort(np.concatenate((mended.times[mended.changes != Change.MEASURED], mended.removed)))

    def ask(begin: float) -> float | None:
        first, last = np.searchsorted(intervals.ends, (begin, begin + window), side="right").tolist()
        inside = part(intervals, first, last)
        if inside.values.sum() < COVERED * window:
            return None
        before, after = np.searchsorted(touched, (begin, begin + window), side="right").tolist()
        return None if after - before > most * len(inside.values) else value(inside)

    method = source.method if source.irregular or source.kind == "manual" else f"{source.method}+{CORRECTION}"
    return drawn(measure, source.name, method, window, begins(source.start, source.end, window, step), ask)


def _of_camera(source: Source, pulse: rppg.Pulse, step: float) -> Course | None:
    """What the whole recording's function says of the seconds in each window: it hangs on no single beat."""

    def ask(begin: float) -> float | None:
        first, last = np.searchsorted(pulse.starts, np.rint((begin + np.array([-0.5, RATE - 0.5])) * SECOND)).tolist()
        inside = slice(first, last)
        seconds = replace(
            pulse,
            starts=pulse.starts[inside],
            rates=pulse.rates[inside],
            quality=pulse.quality[inside],
            reasons=pulse.reasons[inside],
        )
        return rppg.heart_rate(seconds).value

    return drawn("heart_rate", source.name, pulse.method, RATE, begins(source.start, source.end, RATE, step), ask)

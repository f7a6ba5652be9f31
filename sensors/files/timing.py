"""Time columns: their unit, and whether they are a steady rate written down or true times of their own."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from sensors.files.content import Start
from sensors.files.source import bad, check_rate, check_span

JITTER = 0.02
"""Share of a sample's period that a time may be off the grid before the times are taken as they are."""
WANDER = 1e-3
"""Stamps that repeat say only the mean rate: how far, as a share of the span, they may wander about it."""
FACTORS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d{1,9})?)", re.ASCII)
_EPOCH = (3e8, 5e9)
"""Seconds since 1970 that a recording's time can be: 1979 to 2128."""


@dataclass(frozen=True, slots=True)
class Times:
    """Times of the samples from the recording's origin, and the rate where they are steady."""

    times: NDArray[np.int64]
    rate: float | None
    start: Start | None = None
    assumed: tuple[tuple[str, str], ...] = ()


def from_column(path: Path, column: NDArray[np.float64], unit: str, *, slow: bool) -> Times:
    """A column of numbers. `slow`: its signals are sampled a few times a second."""
    if not np.isfinite(column).all():
        raise bad(path, f"row {int(np.argmin(np.isfinite(column))) + 1} has no time")
    assumed: tuple[tuple[str, str], ...] = ()
    if not unit:
        unit = _guess_unit(path, column, slow=slow)
        assumed = (("time", f"in {unit}"),)
    factor = FACTORS[unit]
    start, origin = None, 0.0
    if _EPOCH[0] <= column[0] * factor <= _EPOCH[1]:
        origin = float(column[0])
        start = Start(round(origin * factor * SECOND), zoned=True)
    found = steady_or_true(path, (column - origin) * factor)
    return Times(found.times, found.rate, start, (*assumed, *found.assumed))


def from_texts(path: Path, texts: list[str]) -> Times:
    """A column of ISO 8601 time stamps, or of clock times since the beginning."""
    if _CLOCK.fullmatch(texts[0]):
        parts = [_CLOCK.fullmatch(text) for text in texts]
        if None in parts:
            raise bad(path, f"row {parts.index(None) + 1} is no time: {texts[parts.index(None)][:40]!r}")
        seconds = [int(p[1] or 0) * 3600 + int(p[2]) * 60 + float(p[3]) for p in parts if p]
        return steady_or_true(path, np.array(seconds))
    moments = []
    for row, text in enumerate(texts):
        moment = moment_of(text)
        if moment is None:
            raise bad(path, f"row {row + 1} is no time: {text[:40]!r}")
        moments.append(moment)
    zoned = moments[0].tzinfo is not None
    if any((moment.tzinfo is not None) != zoned for moment in moments):
        raise bad(path, "some times have a zone and others have none")
    if not zoned:
        moments = [moment.replace(tzinfo=UTC) for moment in moments]
    first = moments[0]
    found = steady_or_true(path, np.array([(moment - first).total_seconds() for moment in moments]))
    try:
        start = Start(round(first.timestamp() * SECOND), zoned)
    except (OverflowError, OSError):
        start = None
    return Times(found.times, found.rate, start, found.assumed)


def moment_of(text: str) -> datetime | None:
    """An ISO 8601 time stamp."""
    if not re.match(r"\d{4}-?\d\d-?\d\d[T ]", text.strip()):
        return None
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def is_clock(text: str) -> bool:
    """Whether a text is a clock time such as 0:00.004."""
    return _CLOCK.fullmatch(text.strip()) is not None


def _guess_unit(path: Path, column: NDArray[np.float64], *, slow: bool) -> str:
    for unit, factor in FACTORS.items():
        if _EPOCH[0] <= column[0] * factor <= _EPOCH[1]:
            return unit
    steps = np.diff(column)
    steps = steps[steps > 0]
    if not len(steps):
        raise bad(path, "the time column stands still")
    step = float(steps.mean() if len(steps) < 0.9 * (len(column) - 1) else np.median(steps))
    # the bounds are a factor of thousand apart, so that just one unit fits; a slow signal may be sampled fast
    for lowest in (0.04, 4.0) if slow else (4.0,):
        for unit, factor in FACTORS.items():
            if lowest <= 1 / (step * factor) < 1000 * lowest:
                return unit
    raise bad(path, f"time steps of {step:g} fit no unit: name the column time_s, time_ms or time_us")


def steady_or_true(path: Path, seconds: NDArray[np.float64]) -> Times:
    """A nominal rate where the times are a steady grid (with gaps), else the times themselves."""
    if len(seconds) < 2:
        raise bad(path, "one sample alone has no rate")
    span = float(seconds.max() - seconds.min())
    check_span(path, max(span, float(np.abs(seconds).max())))
    steps = np.diff(seconds)
    if (steps < 0).any():
        row = int(np.argmax(steps < 0))
        raise bad(path, f"times go back at row {row + 2} ({seconds[row]:.6g} s to {seconds[row + 1]:.6g} s)")
    if span == 0:
        raise bad(path, "the time column stands still")
    # stamps that repeat were made by a clock that ticks slower than the samples come
    repeated = bool((steps == 0).any())
    tick = float(np.median(steps[steps > 0])) if repeated else 0.0
    period = _whole_rate(_period(steps, tick), len(seconds))
    check_rate(path, 1 / period)
    tolerance = 2 * tick + min(WANDER * span, 1.0) if repeated else max(JITTER * period, 0.6 * _resolution(seconds))
    times = _on_grid(seconds, steps, period, tick, tolerance)
    if times is not None:
        assumed = [("rate", f"{1 / period:.6g} Hz, from the times")]
        if repeated:
            assumed.append(("time", f"stamps repeat, in ticks of {tick:.3g} s: samples are taken to be evenly spaced"))
        return Times(times, 1 / period, None, tuple(assumed))
    if repeated:
        row = int(np.argmax(steps == 0))
        raise bad(path, f"times repeat at row {row + 2} and are otherwise irregular")
    own = np.rint(seconds * SECOND).astype(np.int64)
    if (np.diff(own) <= 0).any():
        raise bad(path, "times are closer than a nanosecond")
    near = np.abs(steps - period) <= tolerance
    if near.mean() > 0.99 and not ((steps < 1.5 * period) & ~near).any():
        # a clock that wanders: steady from sample to sample, off any grid in the long run
        return Times(own, 1 / period, None, (("rate", f"{1 / period:.6g} Hz on average, from the times"),))
    return Times(own, None, None, (("time", "irregular: every sample has its own"),))


def _period(steps: NDArray[np.float64], tick: float) -> float:
    """Seconds from sample to sample, where nothing is missing."""
    if tick:
        # most steps are nothing or a tick: only their mean says something, without the gaps
        within = steps[steps <= 5 * tick]
        return float(within.mean())
    middle = float(np.median(steps))
    single = steps[np.abs(steps - middle) <= 0.6 * middle]
    rough = float(single.mean())
    # times written with few digits: 360 Hz in ms has steps of 2 and 3; count periods instead of averaging steps
    counts = np.rint(steps / rough)
    near = (counts >= 1) & (counts <= 3)
    return float(steps[near].sum() / counts[near].sum())


def _resolution(seconds: NDArray[np.float64]) -> float:
    """The step in which the times were written, in seconds; 0 where they have every digit."""
    for digits in range(7):
        written = seconds * 10**digits
        if float(np.abs(written - np.rint(written)).max()) < 1e-4:
            return float(10.0**-digits)
    return 0.0


def _whole_rate(period: float, count: int) -> float:
    """The period of a whole number of hertz, if over so many samples nobody could tell the difference."""
    nearest = 1 / max(round(1 / period), 1)
    return nearest if abs(nearest - period) * count <= 0.2 * period else period


def _on_grid(
    seconds: NDArray[np.float64], steps: NDArray[np.float64], period: float, tick: float, tolerance: float
) -> NDArray[np.int64] | None:
    """Times on the grid, segment by segment; None where some time is further off than the tolerance."""
    breaks = np.flatnonzero(steps > 1.5 * period + 4 * tick) + 1
    if len(breaks) > len(seconds) / 10:
        return None  # more gap than grid: these are times of their own
    times = np.empty(len(seconds))
    for begin, end in zip([0, *breaks], [*breaks, len(seconds)], strict=True):
        ideal = np.arange(end - begin) * period
        off = seconds[begin:end] - ideal
        middle = (float(off.max()) + float(off.min())) / 2
        if float(off.max()) - middle > tolerance:
            return None
        # a stamp is rounded, and its mean is right; the first is kept where all are as good
        exact = off.max() - off.min() <= 1e-9 + 1e-6 * period
        times[begin:end] = ideal + (float(off[0]) if exact else float(off.mean()))
    if seconds[0] >= 0:
        times += max(0.0, -float(times[0]))  # a mean may begin a little before the first stamp
    own = np.rint(times * SECOND).astype(np.int64)
    return own if (np.diff(own) > 0).all() else None

"""Columns of numbers, from whatever file, -> waves: which column is time, which is a counter, which are intervals."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import BadRecording
from kiosk.messages import SECOND
from sensors.files import naming, timing
from sensors.files.content import Content, Intervals, Start, Wave, consecutive, steady_times
from sensors.files.intervals import in_seconds
from sensors.files.source import NoRecording, bad, check_rate, check_span, none

_TIME = re.compile(
    r"t|time|times|timer|timestamps?|date ?time|datetime|date|elapsed(?: time)?|secs?|seconds?|ms|ts|utc"
)
_COUNTER = re.compile(
    r"|n|i|nr|no|#|seq|nseq|index|idx|frames?|frame ?(?:no|nr|number)?|samples?|sample ?#?(?:no|nr|number)?"
)
MOST = 1e30
"""Larger numbers are damage, and their squares would overflow."""
SHORT = 50
"""Rows below which a table without times is no signal: one second of the slowest ECG."""
LONG = 1000
"""Numbers in a column without a name from which it is taken for a wave whose rate was left out."""
_SLOW = ("eda", "skin_temperature", "respiration")


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns; those of text are kept apart, since one of them may be time stamps."""

    names: tuple[str, ...]
    columns: tuple[NDArray[np.float64] | None, ...]
    """None where the column is text."""
    texts: Mapping[int, list[str]] = field(default_factory=dict)
    units: tuple[str, ...] = ()
    rate: float | None = None
    start: Start | None = None
    time: int | None = None
    """The column of time, where the file itself says so."""
    hint: str = ""
    named: bool = True
    """Whether the names are the file's own."""

    def unit(self, index: int) -> str:
        """A column's unit, from its own row or from its name."""
        own = self.units[index] if index < len(self.units) else ""
        return own.strip().strip("'\"") or naming.take_apart(self.names[index]).unit


def read(path: Path, table: Table, *, kind: str, rate: float | None) -> Content:
    """The waves of a table, or its intervals."""
    table = replace(table, columns=tuple(None if column is None else _possible(column) for column in table.columns))
    numbers = [i for i, column in enumerate(table.columns) if column is not None]
    if not numbers:
        raise none(path, "has no column of numbers")
    intervals = _interval_column(table, numbers, kind)
    if intervals is not None:
        return _intervals(path, table, numbers, intervals)
    try:
        times, used = _times(path, table, numbers, kind, rate)
    except BadRecording as error:
        if kind == "auto" and rate is None and not _speaks(path, table, numbers):
            raise NoRecording(str(error)) from None
        raise
    waves = [i for i in numbers if i not in used]
    if not waves:
        raise bad(path, "has times and no samples")
    found = tuple(
        Wave(
            naming.take_apart(table.names[i]).title if table.named else "",
            table.unit(i),
            times.rate,
            times.times,
            _column(table, i),
        )
        for i in waves
    )
    skipped = [table.names[i] for i in table.texts if i not in used and table.names[i]]
    assumed = [*times.assumed, *(("not read", name) for name in skipped)]
    return Content(found, tuple(assumed), times.start or table.start, hint=table.hint)


def _speaks(path: Path, table: Table, numbers: list[int]) -> bool:
    """Whether anything but missing times speaks for a signal: a name, or one long column that is no list of marks."""
    if len(_column(table, numbers[0])) < SHORT:
        return False
    if table.hint or naming.hint(path.name) or any(naming.signal_of(naming.take_apart(n).title) for n in table.names):
        return True
    if len(numbers) != len(table.columns) or len(_column(table, numbers[0])) < LONG:
        return False
    return not any(bool((np.diff(_column(table, i)) > 0).all()) for i in numbers) and len(numbers) == 1


def _possible(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """The column with what no measurement can be as lost samples."""
    wrong = ~(np.abs(column) <= MOST)
    return np.where(wrong, np.nan, column) if wrong.any() else column


def _column(table: Table, index: int) -> NDArray[np.float64]:
    column = table.columns[index]
    assert column is not None
    return column


def _times(
    path: Path, table: Table, numbers: list[int], kind: str, rate: float | None
) -> tuple[timing.Times, tuple[int, ...]]:
    """The samples' times, and the columns that are no waves."""
    counters = tuple(i for i in numbers if _is_counter(table, i))
    stamps = [i for i, texts in table.texts.items() if timing.moment_of(texts[0]) or timing.is_clock(texts[0])]
    column = table.time if table.time is not None else _time_column(table, [i for i in numbers if i not in counters])
    if stamps:
        times, used = timing.from_texts(path, table.texts[stamps[0]]), (*counters, *stamps)
    elif column is not None:
        unit = table.unit(column)
        guess = unit if unit in timing.FACTORS else "ms" if table.names[column].lower() == "ms" else ""
        names = [naming.take_apart(table.names[i]).title for i in numbers if i != column]
        slow = kind in _SLOW or all(naming.signal_of(name) in _SLOW for name in names)
        times, used = timing.from_column(path, _column(table, column), guess, slow=slow), (*counters, column)
        if not table.named or not table.names[column]:
            times = timing.Times(
                times.times, times.rate, times.start, (("time", f"column {column + 1}"), *times.assumed)
            )
    else:
        known = table.rate or rate
        if known is None:
            raise bad(path, "has no time column and names no sampling rate: pass --rate HZ")
        _agree(path, rate, known, len(_column(table, numbers[0])))
        check_rate(path, known)
        count = len(_column(table, numbers[0]))
        check_span(path, count / known)
        return timing.Times(steady_times(count, known), known), counters
    if rate is not None and times.rate is None:
        raise bad(path, "its times are irregular: leave out --rate")
    _agree(path, rate, times.rate, len(times.times))
    if rate is not None and times.rate is not None:
        assumed = tuple(pair for pair in times.assumed if pair[0] != "rate")
        times = timing.Times(times.times, times.rate, times.start, assumed)
    return times, used


def _agree(path: Path, given: float | None, found: float | None, count: int) -> None:
    """Refuse a --rate that contradicts the file; a rounded one is well meant."""
    if given is not None and found is not None and abs(given - found) > 0.01 * found:
        raise bad(path, f"is sampled at {found:.6g} Hz over {count} samples, not {given:g} Hz: leave out --rate")


def _is_counter(table: Table, index: int) -> bool:
    """0, 1, 2, ...: a row number, unless it is called a time."""
    column = _column(table, index)
    name = naming.take_apart(table.names[index]).title.lower().replace("_", " ") if table.named else ""
    if table.time == index or len(column) < 3 or not _COUNTER.fullmatch(name):
        return False
    steps = np.diff(column)
    # a counter of a few bits starts again
    return bool(name and (steps != 0).all() and ((steps == 1) | (steps < 0)).all()) or bool(
        (steps == 1).all() and column[0] in (0, 1)
    )


def _time_column(table: Table, numbers: list[int]) -> int | None:
    """The column that is called time; without names, the first if it only ever goes up."""
    if table.named:
        for i in numbers:
            name = naming.take_apart(table.names[i]).title.lower().replace("_", " ")
            if _TIME.fullmatch(name):
                return i
        if any(table.names[i] for i in numbers):
            return None
    if len(numbers) < 2:
        return None
    steps = np.diff(_column(table, numbers[0]))
    return numbers[0] if len(steps) >= 3 and bool((steps >= 0).all()) and bool((steps > 0).mean() > 0.3) else None


def _interval_column(table: Table, numbers: list[int], kind: str) -> int | None:
    """The column of beat-to-beat intervals, if this table is about those."""
    if kind not in ("auto", "rr"):
        return None
    called = [i for i in numbers if naming.signal_of(naming.take_apart(table.names[i]).title) == "rr"]
    if called and (kind == "rr" or table.named):
        return called[0]
    if kind != "rr":
        return None
    rest = [i for i in numbers if not _is_counter(table, i)]
    column = _time_column(table, rest)
    rest = [i for i in rest if i != column]
    return rest[0] if len(rest) == 1 else None


def _intervals(path: Path, table: Table, numbers: list[int], index: int) -> Content:
    """Intervals one after the other, or each at the time of its end where there is a time column that fits."""
    lengths, assumed = in_seconds(path, _column(table, index), table.unit(index))
    column = table.time if table.time is not None else _time_column(table, [i for i in numbers if i != index])
    if column is None or len(lengths) < 2:
        return Content(intervals=consecutive(lengths), assumed=assumed, start=table.start)
    ends = _column(table, column)
    unit = table.unit(column)
    factor = timing.FACTORS.get(unit) or _factor_of(ends, lengths)
    ends = ends * factor
    if not np.isfinite(ends).all() or not (np.diff(ends) > 0).all():
        raise bad(path, "the beats' times do not increase")
    start = table.start
    if ends[0] > 3e8:
        start = Start(round(float(ends[0]) * SECOND), zoned=True)
        ends = ends - ends[0] + lengths[0]
    check_span(path, float(ends[-1]))
    if ends[0] - lengths[0] < -1e-6:
        # times of beginnings: the first interval would have begun before the recording
        ends = ends + lengths[0] - ends[0]
    return Content(intervals=Intervals(ends, lengths), assumed=assumed, start=start)


def _factor_of(ends: NDArray[np.float64], lengths: NDArray[np.float64]) -> float:
    """Seconds or milliseconds: whichever makes the typical step an interval."""
    step = float(np.median(np.diff(ends)))
    return 1e-3 if step > 30 * float(np.median(lengths)) else 1.0

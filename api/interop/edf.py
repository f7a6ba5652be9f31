"""EDF+: one file of all regular waveforms of a session, with beats and events as annotations.

Kemp & Olivan 2003, doi:10.1016/S1388-2457(03)00123-8. Written here in one pass over the samples after one that finds
their ranges, because a library would want all of them in memory; edfio reads it back in the tests.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from api.interop import flows
from api.interop.flows import Flow, Pipe, Survey
from api.interop.session import Exported
from api.store import Transaction
from api.waveform import Samples
from kiosk.errors import KioskError
from kiosk.messages import SECOND

LOST = -32_768
"""The digital value of a slot without a sample: below every sample's."""
LOWEST, HIGHEST = -32_767, 32_767
LONGEST_RECORD = 60
"""Seconds in a data record at most, so that every rate has a whole number of samples in it."""
RECORD_BYTES = 61_440
"""That a data record shall not exceed (EDF specification, 1992)."""
MOST_SPAN = 400 * 3600
"""Seconds from the first to the last sample: a stamp that is wrong by years must not make a file of zeros."""
MOST_GAPS = 2000
"""Gaps that are annotated, in order of time."""
_PREFIX = {"ecg": "ECG", "eeg": "EEG", "ppg": "PPG", "respiration": "Resp", "eda": "EDA", "skin_temperature": "Temp",
           "acceleration": "Acc"}  # fmt: skip
_UNITS = {"Cel": "degC", "1": ""}


class NotInEdf(KioskError):
    """The session does not fit into the format."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A channel's quantisation: digital -32768 stands for `low`, which no sample is, 32767 for `high`."""

    low: float
    high: float
    low_text: str
    high_text: str

    @property
    def quantum(self) -> float:
        """One digital step."""
        return (self.high - self.low) / (HIGHEST - LOST)

    def digital(self, values: NDArray[np.float32]) -> NDArray[np.int16]:
        """The nearest steps; LOST for what is no number."""
        known = np.isfinite(values)
        steps = np.rint((np.where(known, values, self.low).astype(np.float64) - self.low) / self.quantum) + LOST
        clipped = np.clip(steps, LOWEST, HIGHEST)
        found: NDArray[np.int16] = np.where(known, clipped, LOST).astype(np.int16)
        return found


def scale_of(low: float, high: float) -> Scale:
    """The narrowest range, of those that eight characters can say, that holds all samples and one step more below."""
    if not low <= high:
        low, high = -1.0, 1.0
    # a channel that never moved, or by less than float32 can tell, has some step all the same
    room = max(high - low, 2.0**-22 * max(abs(low), abs(high)), 1e-30)
    for _ in range(60):
        low_text, high_text = _eight(low - room / 65_000, up=False), _eight(high + room / 1e9, up=True)
        scale = Scale(float(low_text), float(high_text), low_text, high_text)
        if scale.high >= high and scale.low + scale.quantum <= low:
            return scale
        room *= 2
    raise NotInEdf("a channel's range cannot be said in eight characters")


def _eight(value: float, *, up: bool) -> str:
    """At most eight characters, not below (or above) the value."""
    rounding = math.ceil if up else math.floor
    candidates: list[tuple[float, str]] = []
    for decimals in range(7):
        text = f"{rounding(value * 10**decimals) / 10**decimals:.{decimals}f}" if abs(value) < 1e8 else ""
        candidates.append((float(text or "nan"), text))
    if value:
        exponent = math.floor(math.log10(abs(value)))
        for digits in range(6):
            # a rounded quotient may have a digit more before its point, which float() understands too
            scaled = rounding(value / 10.0 ** (exponent - digits))
            text = f"{scaled}E{exponent - digits}" if scaled else "0"
            candidates.append((float(text), text))
    fitting = [
        (abs(number - value), text)
        for number, text in candidates
        if text and len(text) <= 8 and (number >= value if up else number <= value)
    ]
    if not fitting:
        raise NotInEdf("a number cannot be said in eight characters")
    return min(fitting)[1]


@dataclass(frozen=True, slots=True)
class _Column:
    """One flow's place in the file."""

    flow: Flow
    survey: Survey
    per_record: int
    places: list[int]
    scales: tuple[Scale, ...]
    labels: tuple[str, ...]


def write(db: Transaction, given: Exported, pipe: Pipe) -> Iterator[None]:
    """The file, a piece at a time."""
    if flows.reach(flow for flow in given.flows if flow.rate is not None) > MOST_SPAN:
        raise NotInEdf("its samples are further apart than 400 hours")
    regular = [(flow, flows.survey(db, flow)) for flow in given.flows if flow.rate is not None]
    regular = [(flow, known) for flow, known in regular if known.count]
    length = record_length([flow.rate or 0.0 for flow, _ in regular], sum(len(flow.channels) for flow, _ in regular))
    step = round(float(length) * SECOND)
    zero = min(known.first for _, known in regular) // step * step if regular else 0
    columns = _columns(regular, length, zero)
    held = _held(columns)
    started = None if given.origin is None else given.origin + timedelta(microseconds=zero // 1000)
    late = 0.0 if started is None else started.microsecond / 1e6
    lists = _lists(_annotations(given, columns, length, zero), late)
    notes, room = _spread(lists, max(len(held), 1))
    gaps = len(held) > 1 and held[-1] - held[0] + 1 != len(held)
    pipe.write(_header(given, columns, length, max(len(held), 1), room, started, gaps=gaps))
    if not held:
        pipe.write(notes[0](0.0 + late))
        yield
        return
    filling = [_Filling(db, column) for column in columns]
    for number, record in enumerate(held):
        for each in filling:
            pipe.write(each.take(record).tobytes())
        pipe.write(notes[number](float(record * length) + late))
        if number % 64 == 63:
            yield
    yield


def record_length(rates: list[float], channels: int) -> Fraction:
    """Seconds in a data record: each rate has a whole number of samples in it, and it is no longer than needed."""
    if not rates:
        return Fraction(0)
    exact = [Fraction(rate).limit_denominator(1000) for rate in rates]
    length = Fraction(math.lcm(*(rate.denominator for rate in exact)))
    if length > LONGEST_RECORD:
        raise NotInEdf("its rates have no common record: ask for WFDB, CSV or Parquet")
    if all(rate < 1 for rate in exact):
        length = max(length, Fraction(1))
    size = 2 * channels * max(exact)
    for part in (2, 5, 10, 20):
        if size * length <= RECORD_BYTES:
            break
        if all((rate * length / part).denominator == 1 for rate in exact) and size * length / part <= RECORD_BYTES:
            length /= part
            break
    return length


def _columns(regular: list[tuple[Flow, Survey]], length: Fraction, zero: int) -> list[_Column]:
    labels: list[str] = []
    found = []
    for flow, known in regular:
        rate = Fraction(flow.rate or 0).limit_denominator(1000)
        mine = tuple(_label(flow.signal, channel, labels) for channel in flow.channels)
        scales = tuple(scale_of(float(low), float(high)) for low, high in zip(known.low, known.high, strict=True))
        begins = flows.places(known, float(rate), zero)
        found.append(_Column(flow, known, int(rate * length), begins, scales, mine))
    return found


def _held(columns: list[_Column]) -> list[int]:
    """The data records that have a sample."""
    found: set[int] = set()
    for column in columns:
        for begin, (_, _, count) in zip(column.places, column.survey.stretches, strict=True):
            found.update(range(begin // column.per_record, (begin + count - 1) // column.per_record + 1))
    return sorted(found)


class _Filling:
    """Gives a flow's samples out record by record."""

    def __init__(self, db: Transaction, column: _Column) -> None:
        self._column = column
        self._pieces = flows.slotted(db, column.flow, column.places)
        self._waiting: list[tuple[int, Samples]] = []

    def take(self, record: int) -> NDArray[np.int16]:
        """The digital samples of a record, channel after channel."""
        column, size = self._column, self._column.per_record
        begin, end = record * size, (record + 1) * size
        rows = np.full((size, len(column.labels)), np.nan, np.float32)
        while True:
            if not self._waiting:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._waiting.append(piece)
            slot, samples = self._waiting[0]
            if slot >= end:
                break
            taken = min(end - slot, len(samples))
            rows[slot - begin : slot - begin + taken] = samples[:taken]
            self._waiting.clear()
            if taken < len(samples):
                self._waiting.append((slot + taken, samples[taken:]))
                break
        each = [scale.digital(rows[:, place]) for place, scale in enumerate(column.scales)]
        return np.concatenate(each).astype("<i2", copy=False)


# --- annotations


def _annotations(
    given: Exported, columns: list[_Column], length: Fraction, zero: int
) -> Iterable[tuple[float, float | None, str]]:
    """Onset in seconds since the first record, duration, text."""
    base = zero / SECOND
    found: list[tuple[float, float | None, str]] = [(-base, None, "Session begins")]
    found += [(float(beat) - base, None, "Beat") for beat in given.beats]
    found += [(mark.time_ns / SECOND - base, None, mark.said) for mark in given.marks]
    for left in (flow for flow in given.flows if flow.rate is None):
        found.append((-base, None, f"Not in this file, for its samples have times of their own: {left.signal}"))
    gaps: list[tuple[float, float | None, str]] = []
    for column in columns:
        rate = float(column.per_record / length)
        ends = [begin + count for begin, (_, _, count) in zip(column.places, column.survey.stretches, strict=True)]
        gaps += [
            (end / rate, (begin - end) / rate, f"No samples: {', '.join(column.labels[:4])}")
            for end, begin in zip(ends, column.places[1:], strict=False)
            if begin > end
        ]
    return sorted(found + sorted(gaps)[:MOST_GAPS], key=lambda each: each[0])


def _lists(annotations: Iterable[tuple[float, float | None, str]], late: float) -> list[bytes]:
    """Time-stamped annotation lists; no text can end its list or begin another."""
    return [
        f"{_stamp(onset + late)}{'' if lasts is None else chr(21) + _seconds(lasts)}\x14{_clean(text)}\x14\0".encode()
        for onset, lasts, text in annotations
    ]


def _spread(lists: list[bytes], records: int) -> tuple["list[_Note]", int]:
    """Which record tells which annotations, and the bytes that each keeps for it."""
    longest = max(map(len, lists), default=0)
    room = 32 + longest + -(-sum(map(len, lists)) // records)
    room += room % 2
    notes, waiting = [], iter(lists)
    following = next(waiting, None)
    for _ in range(records):
        held = b""
        while following is not None and 32 + len(held) + len(following) <= room:
            held += following
            following = next(waiting, None)
        notes.append(_Note(held, room))
    return notes, room


@dataclass(frozen=True, slots=True)
class _Note:
    held: bytes
    room: int

    def __call__(self, onset: float) -> bytes:
        """The record's annotations, beginning with when it begins."""
        return (f"{_stamp(onset)}\x14\x14\0".encode() + self.held).ljust(self.room, b"\0")


def _stamp(onset: float) -> str:
    return f"{'-' if onset < 0 else '+'}{_seconds(abs(onset))}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _clean(text: str) -> str:
    return "".join(" " if unicodedata.category(each) in ("Cc", "Cs") else each for each in text)[:400]


# --- the header


def _header(
    given: Exported, columns: list[_Column], length: Fraction, records: int, room: int, started: datetime | None, *,
    gaps: bool,
) -> bytes:  # fmt: skip
    begin = started or datetime(1985, 1, 1)  # noqa: DTZ001 - what the standard says for a date that is not known
    day = "X" if started is None else f"{begin.day:02}-{_MONTHS[begin.month - 1]}-{begin.year}"
    sex = {"female": "F", "male": "M"}.get(given.sex or "", "X")
    device = plain(" ".join(dict.fromkeys(column.flow.device for column in columns))).replace(" ", "+") or "X"
    each = [(column, place) for column in columns for place in range(len(column.labels))]
    signals: list[tuple[str, ...]] = [
        (
            column.labels[place],
            plain(f"{column.flow.device}: {column.flow.signal} {column.flow.channels[place]}")[:80],
            _UNITS.get(column.flow.unit, column.flow.unit),
            column.scales[place].low_text,
            column.scales[place].high_text,
            str(LOST),
            str(HIGHEST),
            "",
            str(column.per_record),
            "",
        )
        for column, place in each
    ]
    signals.append(("EDF Annotations", "", "", "-1", "1", "-32768", "32767", "", str(room // 2), ""))
    fixed = (
        ("0", 8),
        (f"{_word(given.pseudonym)} {sex} X X", 80),
        (f"Startdate {day} {_word(given.session)} X {device}"[:80], 80),
        (begin.strftime("%d.%m.%y"), 8),
        (begin.strftime("%H.%M.%S"), 8),
        (str(256 * (len(signals) + 1)), 8),
        ("EDF+D" if gaps else "EDF+C", 44),
        (str(records), 8),
        (_seconds(float(length)), 8),
        (str(len(signals)), 4),
    )
    widths = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
    text = "".join(value.ljust(width) for value, width in fixed)
    text += "".join(signal[place].ljust(width)[:width] for place, width in enumerate(widths) for signal in signals)
    return text.encode("ascii")


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def plain(text: str) -> str:
    """Printable ASCII, which is all that a header may have."""
    return re.sub(r"[^ -~]", "?", unicodedata.normalize("NFKD", text).replace("\u00b5", "u").replace("\u03bc", "u"))


def _word(text: str | None) -> str:
    """A subfield: blanks would end it."""
    return plain(text or "").strip().replace(" ", "_")[:60] or "X"


def _label(signal: str, channel: str, taken: list[str]) -> str:
    """Sixteen characters, no two alike, that say what it is."""
    prefix = _PREFIX.get(signal, plain(signal)[:6])
    wanted = " ".join(plain(f"{prefix} {channel}").split())[:16]
    name, count = wanted, 1
    while name in taken or name == "EDF Annotations":
        count += 1
        name = f"{wanted[: 15 - len(str(count))]}-{count}"
    taken.append(name)
    return name

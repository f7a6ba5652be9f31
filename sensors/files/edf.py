"""EDF, EDF+ and BDF: strict reading, since a header that lies about its file must not become samples.

Kemp & Olivan 2003, doi:10.1016/S1388-2457(03)00123-8; BDF is the same with 24 bit samples (BioSemi).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from kiosk.recording import MOST_MARKS
from sensors.files.content import Annotation, Content, Start, Wave, steady_times
from sensors.files.source import bad, check_count, check_rate, check_span, size

_FIXED = 256
_MOST = 1e30
_WIDTHS = {"label": 16, "transducer": 80, "unit": 8, "low": 8, "high": 8, "digital_low": 8, "digital_high": 8,
           "filter": 80, "count": 8, "reserved": 32}  # fmt: skip
_MARKS = ("EDF Annotations", "BDF Annotations")
_NOT_WAVES = (*_MARKS, "Status")
_ONSET = re.compile(rb"[+-]\d{1,12}(?:\.\d{0,12})?")
_CLOCK = re.compile(_ONSET.pattern + rb"(?=\x14\x14)")
"""When a data record begins: a time-stamped list without a text."""
_MARK = re.compile(rb"(?<![^\0])(" + _ONSET.pattern + rb")(?:\x15([^\x14\0]{0,64}))?\x14+([^\x14\0][^\0]{0,65535})")
"""A time-stamped list that has a text: when, for how long, and its texts."""
_LENGTH = re.compile(rb"\d{1,12}(\.\d{0,12})?")


@dataclass(frozen=True, slots=True)
class _Signal:
    label: str
    unit: str
    low: float
    high: float
    digital_low: int
    digital_high: int
    count: int
    """Samples in a data record."""
    column: int
    """Samples of the signals before it in a data record."""


@dataclass(frozen=True, slots=True)
class _Header:
    signals: tuple[_Signal, ...]
    records: int
    duration: float
    """Seconds in a data record; 0 where a file has annotations only."""
    size: int
    width: int
    """Bytes in a sample."""
    gaps: bool
    start: Start | None

    @property
    def row(self) -> int:
        """Bytes in a data record."""
        return self.width * sum(signal.count for signal in self.signals)


def read(path: Path) -> Content:
    """All waves of a file, with the gaps that EDF+D has."""
    header = _header(path)
    waves = [signal for signal in header.signals if signal.label not in _NOT_WAVES]
    if not waves:
        raise bad(path, "holds annotations and no signals")
    if header.duration <= 0:
        raise bad(path, "the header says that a data record lasts no time")
    check_count(path, header.records * sum(signal.count for signal in waves))
    rows = _rows(path, header)
    onsets = _onsets(path, header, rows)
    check_span(path, float(onsets[-1] - onsets[0]) + header.duration)
    times: dict[int, NDArray[np.int64]] = {}
    found = []
    for signal in waves:
        rate = signal.count / header.duration
        check_rate(path, rate)
        if signal.count not in times:
            times[signal.count] = _times(path, onsets, header.duration, signal.count)
        found.append(Wave(signal.label, signal.unit, rate, times[signal.count], _values(header, rows, signal)))
    return Content(tuple(found), start=header.start, annotations=_annotations(header, rows))


def annotations(path: Path) -> tuple[Annotation, ...]:
    """The marks of an EDF+ or BDF+ file, one more at most than a recording keeps; none in plain EDF."""
    header = _header(path)
    return _annotations(header, _rows(path, header))


def _annotations(header: _Header, rows: NDArray[np.uint8]) -> tuple[Annotation, ...]:
    lists = [_raw(header, rows, signal) for signal in header.signals if signal.label in _MARKS]
    # where records follow each other, samples count from the first one: it may begin within a second
    began = _CLOCK.match(lists[0][0].tobytes()) if lists and not header.gaps else None
    late = float(began.group()) if began is not None else 0.0
    found = islice((mark for each in lists for mark in _marks(each, late)), MOST_MARKS + 1)
    return tuple(sorted(found, key=lambda mark: mark.onset))


def _header(path: Path) -> _Header:
    total = size(path)
    try:
        with path.open("rb") as file:
            fixed = file.read(_FIXED)
            if len(fixed) < _FIXED:
                raise bad(path, "truncated: shorter than an EDF header")
            if fixed[:8] == b"\xffBIOSEMI":
                width = 3
            elif fixed[:8] == b"0       ":
                width = 2
            else:
                raise bad(path, "this is not EDF or BDF: the header begins otherwise")
            channels = _whole(path, fixed[252:256], "number of signals", 1, 4096)
            rest = file.read(channels * _FIXED)
    except OSError as error:
        raise bad(path, f"cannot be read ({error.strerror})") from None
    if len(rest) < channels * _FIXED:
        raise bad(path, f"truncated: the header of {channels} signals is not complete")
    length = _whole(path, fixed[184:192], "size of the header", 0, 1 << 24)
    if length != _FIXED * (channels + 1):
        raise bad(path, f"the header says that it has {length} bytes; with {channels} signals it has not")
    header = _Header(
        signals=_signals(path, rest, channels, width),
        records=_whole(path, fixed[236:244], "number of data records", -1, 1 << 31),
        duration=_number(path, fixed[244:252], "length of a data record"),
        size=length,
        width=width,
        gaps=fixed[192:197] in (b"EDF+D", b"BDF+D"),
        start=_start(fixed[168:184]),
    )
    return _fitting(path, header, total)


def _fitting(path: Path, header: _Header, total: int) -> _Header:
    """The header with its number of records, if the file has just as many."""
    if header.row == 0:
        raise bad(path, "the header says that data records are empty")
    if not 0 <= header.duration <= 86_400:
        raise bad(path, f"a data record of {header.duration:g} s makes no sense")
    there, over = divmod(total - header.size, header.row)
    # -1: still being written when it was copied
    wanted = there if header.records == -1 else header.records
    if there < wanted:
        raise bad(path, f"truncated: the header says {wanted} data records, the file has {there}")
    if there > wanted or over:
        raise bad(path, f"the header says {wanted} data records, the file has {there} and {over} bytes")
    if wanted == 0:
        raise bad(path, "the file has a header and no data")
    return _Header(header.signals, wanted, header.duration, header.size, header.width, header.gaps, header.start)


def _signals(path: Path, text: bytes, channels: int, width: int) -> tuple[_Signal, ...]:
    fields: dict[str, list[bytes]] = {}
    at = 0
    for name, length in _WIDTHS.items():
        fields[name] = [text[at + i * length : at + (i + 1) * length] for i in range(channels)]
        at += channels * length
    bound = 1 << (8 * width - 1)
    signals: list[_Signal] = []
    column = 0
    for i in range(channels):
        label = _text(fields["label"][i])
        what = label or f"signal {i + 1}"
        signal = _Signal(
            label=label,
            unit=_text(fields["unit"][i]),
            low=_number(path, fields["low"][i], f"{what}: physical minimum"),
            high=_number(path, fields["high"][i], f"{what}: physical maximum"),
            digital_low=_whole(path, fields["digital_low"][i], f"{what}: digital minimum", -bound, bound - 1),
            digital_high=_whole(path, fields["digital_high"][i], f"{what}: digital maximum", -bound, bound - 1),
            count=_whole(path, fields["count"][i], f"{what}: samples in a data record", 0, 1 << 26),
            column=column,
        )
        if label not in _NOT_WAVES:
            if signal.count == 0:
                raise bad(path, f"{what} has no samples")
            if max(abs(signal.low), abs(signal.high)) > _MOST:
                raise bad(path, f"wrong header: {what} reaches from {signal.low:g} to {signal.high:g}")
            if signal.digital_low >= signal.digital_high or signal.low == signal.high:
                raise bad(path, f"{what}: minimum and maximum give no scale")
        signals.append(signal)
        column += signal.count
    return tuple(signals)


def _text(field: bytes) -> str:
    # ASCII by the standard; the micro sign in latin-1 is common all the same
    return "".join(c for c in field.decode("latin-1") if c.isprintable()).strip()


def _number(path: Path, field: bytes, what: str) -> float:
    # some writers use their country's decimal comma
    text = field.decode("latin-1").strip(" \0").replace(",", ".")
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", text, re.ASCII):
        raise bad(path, f"wrong header: {what} is {text!r}")
    return float(text)


def _whole(path: Path, field: bytes, what: str, low: int, high: int) -> int:
    number = _number(path, field, what)
    if number != int(number) or not low <= number <= high:
        raise bad(path, f"wrong header: {what} is {number:g}")
    return int(number)


def _start(field: bytes) -> Start | None:
    found = re.fullmatch(rb"(\d\d)\.(\d\d)\.(\d\d)(\d\d)\.(\d\d)\.(\d\d)", field)
    if found is None:
        return None
    day, month, year, hour, minute, second = (int(group) for group in found.groups())
    try:
        # years 85 to 99 are those of the last century, by the standard
        moment = datetime(year + (1900 if year >= 85 else 2000), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None  # 00.00.00 and the like: a date that was taken out
    return Start(int(moment.timestamp()) * SECOND, zoned=False)


def _rows(path: Path, header: _Header) -> NDArray[np.uint8]:
    """All data, a row per data record. Not mapped: a stick that is pulled out would kill the process."""
    wanted = header.records * header.row
    rows = np.fromfile(path, np.uint8, wanted, offset=header.size)
    if len(rows) < wanted:
        raise bad(path, "truncated while it was read")
    return rows.reshape(header.records, header.row)


def _raw(header: _Header, rows: NDArray[np.uint8], signal: _Signal) -> NDArray[np.uint8]:
    """A signal's bytes, a row per data record."""
    begin = signal.column * header.width
    return np.ascontiguousarray(rows[:, begin : begin + signal.count * header.width])


def _values(header: _Header, rows: NDArray[np.uint8], signal: _Signal) -> NDArray[np.float32]:
    raw = _raw(header, rows, signal)
    if header.width == 2:
        digital = raw.view("<i2").reshape(-1).astype(np.float64)
    else:
        parts = raw.reshape(-1, 3).astype(np.int32)
        digital = (parts[:, 0] | parts[:, 1] << 8 | (parts[:, 2] ^ 0x80) - 0x80 << 16).astype(np.float64)
    scale = (signal.high - signal.low) / (signal.digital_high - signal.digital_low)
    return ((digital - signal.digital_low) * scale + signal.low).astype(np.float32)


def _onsets(path: Path, header: _Header, rows: NDArray[np.uint8]) -> NDArray[np.float64]:
    """When each data record begins, in seconds; a grid unless the file says that it has gaps."""
    grid: NDArray[np.float64] = np.arange(header.records, dtype=np.float64) * header.duration
    if not header.gaps:
        return grid
    clock = next((signal for signal in header.signals if signal.label in _MARKS), None)
    if clock is None:
        raise bad(path, "an EDF+D file without annotations: nothing says when its records begin")
    onsets = np.empty(header.records)
    for i, record in enumerate(_raw(header, rows, clock)):
        found = _ONSET.match(record.tobytes())
        if found is None:
            raise bad(path, f"data record {i + 1} does not say when it begins")
        onsets[i] = float(found.group())
    if (np.diff(onsets) < header.duration * 0.999).any():
        raise bad(path, "data records overlap in time")
    return onsets


def _times(path: Path, onsets: NDArray[np.float64], duration: float, count: int) -> NDArray[np.int64]:
    """A sample's time: on one grid as long as records follow each other within half a sample."""
    rate = count / duration
    check_span(path, float(np.abs(onsets).max()))
    late = np.abs(np.diff(onsets) - duration) > 0.5 / rate
    begins = [0, *(np.flatnonzero(late) + 1).tolist(), len(onsets)]
    return np.concatenate(
        [
            steady_times((end - begin) * count, rate, round(float(onsets[begin]) * SECOND))
            for begin, end in pairwise(begins)
        ]
    )


def _marks(records: NDArray[np.uint8], late: float) -> Iterator[Annotation]:
    """The annotations in the time-stamped lists of data records; what is not one is skipped."""
    # a list ends with its record, even if its writer forgot to say so
    ended = np.pad(records, ((0, 0), (0, 1))).reshape(-1)
    for onset, duration, texts in (found.groups() for found in _MARK.finditer(ended.data)):
        length = float(duration) if duration and _LENGTH.fullmatch(duration) else None
        for text in texts.split(b"\x14"):
            if text:
                yield Annotation(float(onset) - late, length, text.decode("utf-8", "replace"))

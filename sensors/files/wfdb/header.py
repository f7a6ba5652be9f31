"""The header of a WFDB record, line by line, by a grammar that refuses what it does not know."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kiosk.messages import SECOND
from sensors.files.content import Start
from sensors.files.source import bad, check_rate, text

_FLOAT = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_WHOLE = r"[+-]?\d{1,18}"
# plain names only: a header must not lead out of its folder, or onto the network
_FILE = r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}"
_RECORD = re.compile(
    rf"(?P<name>{_FILE})(?:/(?P<segments>\d{{1,6}}))?\s+(?P<signals>\d{{1,4}})"
    rf"(?:\s+(?P<rate>{_FLOAT})(?:/{_FLOAT}(?:\({_FLOAT}\))?)?"
    r"(?:\s+(?P<frames>\d{1,15})(?:\s+(?P<time>[\d:.]{1,20})(?:\s+(?P<date>\d{1,2}/\d{1,2}/\d{4}))?)?)?)?",
    re.ASCII,
)
_SIGNAL = re.compile(
    rf"(?P<file>{_FILE}|~)\s+(?P<format>\d{{1,3}})(?:x(?P<per_frame>\d{{1,6}}))?(?::(?P<skew>\d{{1,9}}))?"
    rf"(?:\+(?P<offset>\d{{1,12}}))?"
    rf"(?:\s+(?P<gain>{_FLOAT})(?:\((?P<baseline>{_WHOLE})\))?(?:/(?P<unit>\S{{1,32}}))?"
    rf"(?:\s+(?P<bits>{_WHOLE})(?:\s+(?P<zero>{_WHOLE})(?:\s+(?P<first>{_WHOLE})(?:\s+(?P<checksum>{_WHOLE})"
    rf"(?:\s+(?P<block>{_WHOLE})(?:\s+(?P<name>.*))?)?)?)?)?)?)?",
    re.ASCII,
)
_SEGMENT = re.compile(rf"(?P<name>{_FILE}|~)\s+(?P<frames>\d{{1,15}})", re.ASCII)
FORMATS = (8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524)


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One channel: where its samples are and what they mean."""

    file: str
    """`~` in a layout segment, which has no samples."""
    format: int
    per_frame: int
    skew: int
    offset: int
    gain: float
    baseline: float
    unit: str
    uncalibrated: bool
    first: int
    checksum: int | None
    name: str


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """One stretch of a record in several files; `~` is a gap."""

    name: str
    frames: int


@dataclass(frozen=True, slots=True)
class Header:
    """A record: either signals or segments."""

    rate: float
    """Frames per second."""
    frames: int | None
    signals: tuple[SignalLine, ...]
    segments: tuple[SegmentLine, ...]
    start: Start | None
    assumed_rate: bool


def read_header(path: Path) -> Header:
    """The header in a file."""
    lines = [line.strip() for line in text(path).split("\n")]
    lines = [line for line in lines if line and not line.startswith("#")]
    found = _RECORD.fullmatch(lines[0]) if lines else None
    if found is None:
        raise bad(path, "this is not a WFDB header: its first line names no record")
    rate = float(found["rate"] or 250)  # 250 is what the standard says for a header that does not
    check_rate(path, rate)
    frames = int(found["frames"] or 0) or None
    start = _start(found["time"], found["date"])
    segments = int(found["segments"] or 0)
    count = segments or int(found["signals"])
    if len(lines) < count + 1:
        raise bad(path, f"truncated: {count} lines should follow the first, there are {len(lines) - 1}")
    if len(lines) > count + 1:
        raise bad(path, f"wrong header: {count} lines should follow the first, there are {len(lines) - 1}")
    if not count:
        raise bad(path, "the record has no signals")
    if segments:
        parts = tuple(_segment(path, line) for line in lines[1:])
        return Header(rate, frames, (), parts, start, found["rate"] is None)
    signals = tuple(_signal(path, line) for line in lines[1:])
    return Header(rate, frames, signals, (), start, found["rate"] is None)


def _segment(path: Path, line: str) -> SegmentLine:
    found = _SEGMENT.fullmatch(line)
    if found is None:
        raise bad(path, f"wrong header: not a segment: {line[:80]!r}")
    return SegmentLine(found["name"], int(found["frames"]))


def _signal(path: Path, line: str) -> SignalLine:
    found = _SIGNAL.fullmatch(line)
    if found is None:
        raise bad(path, f"wrong header: not a signal: {line[:80]!r}")
    form = int(found["format"])
    if form not in FORMATS and not (form == 0 and found["file"] == "~"):
        raise bad(path, f"signal format {form} is not read")
    gain = float(found["gain"] or 0)
    if abs(gain) > 1e12 or 0 < abs(gain) < 1e-12:
        raise bad(path, f"wrong header: a gain of {gain:g}")
    zero = int(found["zero"] or 0)
    return SignalLine(
        file=found["file"],
        format=form,
        per_frame=int(found["per_frame"] or 1) or 1,
        skew=int(found["skew"] or 0),
        offset=int(found["offset"] or 0),
        gain=gain or 200.0,  # the standard's value where a signal is not calibrated
        baseline=float(found["baseline"] or zero),
        unit=found["unit"] or "mV",
        uncalibrated=gain == 0,
        first=int(found["first"] or zero),
        checksum=int(found["checksum"]) if found["checksum"] else None,
        name=(found["name"] or "").strip(),
    )


def _start(time: str | None, date: str | None) -> Start | None:
    if time is None or date is None:
        return None
    day, month, year = (int(part) for part in date.split("/"))
    clock = re.fullmatch(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?\d*", time, re.ASCII)
    if clock is None:
        return None
    micros = int((clock[4] or "0").ljust(6, "0"))
    try:
        moment = datetime(year, month, day, int(clock[1]), int(clock[2]), int(clock[3]), tzinfo=UTC)
        return Start(int(moment.timestamp()) * SECOND + micros * 1000, zoned=False)
    except ValueError:
        return None  # dates are shifted or made up for privacy, sometimes into months that are not

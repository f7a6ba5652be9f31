"""What makers of recorders write around their columns: BioSPPy and OpenSignals comments, Empatica's first rows."""

import json
import re
from dataclasses import replace
from pathlib import Path

from kiosk.messages import SECOND
from sensors.files.content import Start
from sensors.files.layout import NUMBER
from sensors.files.source import check_rate
from sensors.files.table import Table

MOST = 20_000
"""Characters of comments that are looked at."""
_RATE = re.compile(
    r"\"?sampling[ _]?(?:rate|freq\w*)\"?\s*(?:\(?\[?hz\]?\)?)?\s*[:=]+\s*\"?([0-9.]{1,12})", re.IGNORECASE
)


def names_rate(comments: str) -> bool:
    """Whether the comments above the numbers name a sampling rate."""
    return _RATE.search(comments[:MOST]) is not None


def described(path: Path, comments: str, found: Table) -> Table:
    """The table with what comments above it say (BioSPPy, OpenSignals), or two rows of an Empatica file."""
    rate = _RATE.search(comments[:MOST])
    if rate:
        try:
            known = float(rate[1])
        except ValueError:
            return found
        check_rate(path, known)
        names = found.names if any(found.names) else _labels(comments, len(found.names))
        units = re.search(r"#\s*Units:=\s*(\S.*)", comments[:MOST])
        each = (units[1].strip(),) * len(names) if units else found.units
        return replace(found, rate=known, names=names, units=each, named=any(names))
    return _empatica(found)


def _labels(comments: str, width: int) -> tuple[str, ...]:
    labels = re.search(r"#\s*Labels:=[ \t]*(\S.*)", comments[:MOST])
    names = re.split(r"\t|,", labels[1]) if labels else _open_signals(comments)
    return tuple(name.strip() for name in names) if len(names) == width else ("",) * width


def _open_signals(comments: str) -> list[str]:
    """The columns of an OpenSignals file, its sensors under the names of what they measure."""
    opening = comments.find("{")
    if opening < 0:
        return []
    try:
        devices, _ = json.JSONDecoder().raw_decode(comments[opening:MOST])
        device = next(iter(devices.values()))
        columns, labels, sensors = device["column"], device["label"], device["sensor"]
        by_label = {str(label): str(sensor) for label, sensor in zip(labels, sensors, strict=True)}
        # a digital input is named apart, lest O1 be an electrode
        return [by_label.get(str(c), f"digital {c}" if str(c)[0] in "IO" else str(c)) for c in columns]
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, IndexError, RecursionError):
        return []


def _empatica(found: Table) -> Table:
    """Empatica E4: the first row is the time of the start, the second the rate, the same in every column."""
    columns = [column for column in found.columns if column is not None]
    if any(found.names) or len(columns) != len(found.columns) or len(columns[0]) < 4:
        return _empatica_ibi(found)
    starts, rates = {float(column[0]) for column in columns}, {float(column[1]) for column in columns}
    if len(starts) != 1 or len(rates) != 1:
        return found
    start, rate = starts.pop(), rates.pop()
    if not (1e9 < start < 4e9 and 0.1 <= rate <= 4096):
        return found
    rest = tuple(column[2:] for column in columns)
    return replace(found, columns=rest, rate=rate, start=Start(round(start * SECOND), zoned=True))


def _empatica_ibi(found: Table) -> Table:
    """Empatica's IBI.csv: the start stands where a name should, beside the word IBI."""
    if len(found.names) == 2 and found.names[1].strip() == "IBI" and NUMBER.fullmatch(found.names[0]):
        start = float(found.names[0])
        if 1e9 < start < 4e9:
            return replace(found, names=("time_s", "ibi_s"), start=Start(round(start * SECOND), zoned=True))
    return found

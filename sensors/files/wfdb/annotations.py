"""WFDB annotation files (MIT format): the beats that somebody marked."""

import re
from pathlib import Path

import numpy as np

from sensors.files.content import Content, Intervals
from sensors.files.source import bad, check_rate, check_span, load
from sensors.files.wfdb.header import read_header

SUFFIXES = (".atr", ".ecg", ".qrs", ".ann")
# https://wfdb.io/spec/annotations.html: the codes that are a heart beat
_BEATS = frozenset((*range(1, 14), 25, 30, 34, 35, 38, 41))
_NOTE, _SKIP, _NUM, _SUB, _CHN, _AUX = 22, 59, 60, 61, 62, 63


def beats(path: Path) -> Content:
    """The beats of an annotation file, in seconds by its own time resolution or by its record's rate."""
    content = load(path)
    if len(content) % 2:
        raise bad(path, "truncated: an annotation file has whole words")
    words = np.frombuffer(content, "<u2").tolist()
    times: list[int] = []
    time, at, resolution = 0, 0, None
    code = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == 0:
            break
        what, value = word >> 10, word & 0x3FF
        if what == _SKIP:
            if at + 2 > len(words):
                raise bad(path, "truncated within an annotation")
            jump = words[at] << 16 | words[at + 1]
            time += jump - (1 << 32) if jump >= 1 << 31 else jump
            at += 2
        elif what == _AUX:
            begin, at = 2 * at, at + (value + 1) // 2
            if at > len(words):
                raise bad(path, "truncated within an annotation")
            if code == _NOTE and time == 0:
                resolution = _resolution(content[begin : begin + value]) or resolution
        elif what in (_NUM, _SUB, _CHN):
            continue
        elif what <= 49:
            time, code = time + value, what
            if what in _BEATS:
                times.append(time)
        else:
            raise bad(path, f"this is no annotation file: code {what}")
    else:
        raise bad(path, "truncated: the annotations have no end")
    if len(times) < 2:
        raise bad(path, "has no annotated beats")
    marks = np.array(times, np.float64)
    if (np.diff(marks) <= 0).any():
        raise bad(path, "its beats are not in the order of time")
    header = path.with_suffix(".hea")
    if resolution is None and not header.is_file():
        raise bad(path, f"needs its header {header.name} beside it: nothing else says its rate")
    rate = resolution or read_header(header).rate
    check_rate(path, rate)
    seconds = marks / rate
    if seconds[0] < 0:
        raise bad(path, "its beats are not in the order of time")
    check_span(path, float(seconds[-1]))
    return Content(
        intervals=Intervals(seconds[1:], np.diff(seconds)), assumed=(("beats", f"as annotated in {path.name}"),)
    )


def _resolution(note: bytes) -> float | None:
    found = re.match(rb"## time resolution: (\d{1,6}(?:\.\d{1,9})?)", note)
    return float(found[1]) or None if found else None

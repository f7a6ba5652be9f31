"""WFDB samples: the bytes of a signal file -> waves in physical units."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import BadRecording
from kiosk.messages import SECOND
from sensors.files.content import Content, Wave, merged, steady_times
from sensors.files.source import bad, check_count, check_rate, check_span, size
from sensors.files.wfdb.header import Header, SignalLine, read_header

# bytes that so many samples take, and the value that stands for a lost one
_PACKING = {8: (1, 1), 80: (1, 1), 16: (2, 1), 61: (2, 1), 160: (2, 1), 24: (3, 1), 32: (4, 1), 212: (3, 2),
            310: (4, 3), 311: (4, 3)}  # fmt: skip
_LOST = {80: -(1 << 7), 508: -(1 << 7), 16: -(1 << 15), 61: -(1 << 15), 160: -(1 << 15), 516: -(1 << 15),
         24: -(1 << 23), 524: -(1 << 23), 32: -(1 << 31), 212: -(1 << 11), 310: -(1 << 9), 311: -(1 << 9)}  # fmt: skip
_FLAC_FROM = 500
_MOST_SEGMENTS = 10_000


def read(path: Path) -> Content:
    """The waves of the record whose header this is, its segments joined with their gaps."""
    header = read_header(path)
    assumed = [("rate", "250 Hz (the header says none)")] if header.assumed_rate else []
    if not header.segments:
        waves, more = _simple(path, header, 0)
        return Content(tuple(waves), merged([*assumed, *more]), header.start)
    if len(header.segments) > _MOST_SEGMENTS:
        raise bad(path, f"{len(header.segments)} segments, at most {_MOST_SEGMENTS} are read")
    parts: dict[str, list[Wave]] = {}
    frame, values = 0, 0
    for segment in header.segments:
        if segment.name != "~" and segment.frames:
            below = path.with_name(segment.name + ".hea")
            inner = read_header(below)
            if inner.segments or inner.rate != header.rate or inner.frames not in (None, segment.frames):
                raise bad(below, f"is not the segment that {path.name} says it is")
            found, more = _simple(below, inner, frame, segment.frames)
            assumed += more
            for i, wave in enumerate(found):
                values += len(wave.values)
                parts.setdefault(wave.name or f"{i + 1}", []).append(wave)
            check_count(path, values)
        frame += segment.frames
        check_span(path, frame / header.rate)
    if not parts:
        raise bad(path, "no segment has samples")
    return Content(tuple(_joined(path, waves) for waves in parts.values()), merged(assumed), header.start)


def _joined(path: Path, waves: list[Wave]) -> Wave:
    first = waves[0]
    if any((wave.rate, wave.unit) != (first.rate, first.unit) for wave in waves):
        raise bad(path, f"{first.name}: rate or unit change between segments")
    times = np.concatenate([wave.times for wave in waves])
    return Wave(first.name, first.unit, first.rate, times, np.concatenate([wave.values for wave in waves]))


def _simple(path: Path, header: Header, at: int, frames: int | None = None) -> tuple[list[Wave], list[tuple[str, str]]]:
    """The waves of a record in one piece that begins at a frame."""
    total = frames or header.frames
    waves: list[Wave] = []
    assumed: list[tuple[str, str]] = []
    times: dict[int, NDArray[np.int64]] = {}
    for (file, _), group in groupby(header.signals, key=lambda signal: (signal.file, signal.format)):
        lines = list(group)
        if file == "~":
            raise bad(path, "a layout header holds no samples")
        for line, digital in zip(lines, _digital(path, path.with_name(file), lines, total), strict=True):
            if line.uncalibrated:
                assumed.append(("unit", f"{line.name or file}: mV, 200 units each (the header says none)"))
            if frames is None and header.frames and _checksum_differs(line, digital):
                assumed.append(("checksum", f"{line.name or file}: not that of the header"))
            rate = header.rate * line.per_frame
            check_rate(path, rate)
            check_span(path, len(digital) / rate)
            start = round(at / header.rate * SECOND)
            if len(digital) not in times:
                times[len(digital)] = steady_times(len(digital), rate, start)
            waves.append(Wave(line.name, line.unit, rate, times[len(digital)], _physical(line, digital)))
    lengths = {len(wave.values) / (wave.rate or 1) for wave in waves}
    if max(lengths) - min(lengths) > 0.5 / header.rate:
        raise bad(path, "truncated: its signals have different lengths")
    return waves, assumed


def _physical(line: SignalLine, digital: NDArray[np.int64]) -> NDArray[np.float32]:
    values = ((digital - line.baseline) / line.gain).astype(np.float32)
    if line.format in _LOST:
        values[digital == _LOST[line.format]] = np.nan
    if line.skew:
        # this signal was sampled so much before the others of its frame
        shift = min(line.skew * line.per_frame, len(values))
        values = np.concatenate((values[shift:], np.full(shift, np.nan, np.float32)))
    return values


def _checksum_differs(line: SignalLine, digital: NDArray[np.int64]) -> bool:
    return line.checksum is not None and (int(digital.sum()) - line.checksum) & 0xFFFF != 0


def _digital(path: Path, file: Path, lines: list[SignalLine], frames: int | None) -> Iterator[NDArray[np.int64]]:
    """The counts of each signal in one signal file."""
    first = lines[0]
    if any(line.offset != first.offset for line in lines):
        raise bad(path, f"signals of {file.name} begin at different places")
    per_frame = sum(line.per_frame for line in lines)
    if first.format > _FLAC_FROM:
        flat = _flac(file, lines, frames)
    else:
        size_there = size(file) - first.offset
        unit, fitting = _PACKING[first.format]
        if frames is None:
            frames = max(size_there, 0) * fitting // unit // per_frame
        if frames == 0:
            raise bad(file, "has no samples")
        check_count(path, frames * per_frame)
        needed = -(-frames * per_frame * unit // fitting)
        if size_there < needed:
            raise bad(file, f"truncated: {needed} bytes of samples by its header, {max(size_there, 0)} are there")
        raw = np.fromfile(file, np.uint8, needed, offset=first.offset)
        if len(raw) < needed:
            raise bad(file, "truncated while it was read")
        flat = _unpacked(raw, first.format, frames * per_frame)
    rows = flat.reshape(-1, per_frame)
    column = 0
    for line in lines:
        counts = rows[:, column : column + line.per_frame].reshape(-1).astype(np.int64)
        yield np.cumsum(counts) + line.first if line.format == 8 else counts
        column += line.per_frame


def _unpacked(raw: NDArray[np.uint8], form: int, count: int) -> NDArray[np.integer]:
    """Samples in the order of the file."""
    if form == 8:
        return raw.view(np.int8)
    if form == 80:
        return raw.astype(np.int16) - 128
    if form in (16, 61):
        return raw.view("<i2" if form == 16 else ">i2")
    if form == 160:
        return raw.view("<u2").astype(np.int32) - (1 << 15)
    if form == 32:
        return raw.view("<i4")
    if form == 24:
        parts = raw.reshape(-1, 3).astype(np.int32)
        return parts[:, 0] | parts[:, 1] << 8 | (parts[:, 2] ^ 0x80) - 0x80 << 16
    size_of_group = _PACKING[form][0]
    # a last group that is not full lacks bytes
    padded = np.concatenate((raw, np.zeros(-len(raw) % size_of_group, np.uint8)))
    groups = padded.reshape(-1, size_of_group).astype(np.int32)
    if form == 212:
        bits = 12
        packed = [groups[:, 0] | (groups[:, 1] & 0x0F) << 8, groups[:, 2] | (groups[:, 1] & 0xF0) << 4]
    else:
        bits = 10
        low, high = groups[:, 0] | groups[:, 1] << 8, groups[:, 2] | groups[:, 3] << 8
        if form == 310:
            packed = [low >> 1 & 0x3FF, high >> 1 & 0x3FF, low >> 11 | (high >> 11) << 5]
        else:
            both = low | high << 16
            packed = [both & 0x3FF, both >> 10 & 0x3FF, both >> 20 & 0x3FF]
    sign = 1 << (bits - 1)
    return ((np.stack(packed, axis=1) ^ sign) - sign).reshape(-1)[:count]


def _flac(file: Path, lines: list[SignalLine], frames: int | None) -> NDArray[np.integer]:
    """A FLAC file's samples in the order that an unpacked file would have."""
    import soundfile

    each = lines[0].per_frame
    bits = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}
    size(file)
    try:
        with soundfile.SoundFile(file) as sound:
            width = bits.get(sound.subtype, 99)
            if sound.format != "FLAC" or width > lines[0].format - _FLAC_FROM or sound.channels != len(lines):
                raise bad(file, f"is not a FLAC file of {len(lines)} channels")
            if any(line.per_frame != each for line in lines):
                raise bad(file, "signals in one FLAC file must have one rate")
            wanted = frames * each if frames else sound.frames - lines[0].offset
            if wanted <= 0 or sound.frames < wanted + lines[0].offset:
                raise bad(file, f"truncated: {wanted} samples by its header, {sound.frames} are there")
            check_count(file, wanted * len(lines))
            sound.seek(lines[0].offset)
            # soundfile shifts narrow samples to the top of the next wider type
            blocks = [
                block >> (8 if width in (8, 24) else 0)
                for block in sound.blocks(
                    1 << 20, frames=wanted, dtype="int32" if width == 24 else "int16", always_2d=True
                )
            ]
    except BadRecording:
        raise
    except (RuntimeError, OSError, ValueError, TypeError) as error:
        raise bad(file, f"is no FLAC that can be read ({type(error).__name__})") from None
    counts = np.concatenate(blocks) if blocks else np.empty((0, len(lines)), np.int16)
    if len(counts) < wanted or wanted % each:
        raise bad(file, f"truncated: {wanted} samples by its header, {len(counts)} can be read")
    ordered: NDArray[np.integer] = counts.reshape(-1, each, len(lines)).transpose(0, 2, 1).reshape(-1)
    return ordered

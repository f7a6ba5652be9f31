"""A folder of pictures of one take, each with the time that its maker noted.

Times come from `times.csv` (columns `file` and `seconds`, `ms`, `us` or `ns`), from file names that end in a number, or
from EXIF. A number in a name is a time where its steps can be those of a camera in one unit alone; a count of pictures
needs the rate at which they were taken. Where none of these says when a picture was taken, the folder is
refused: a time that was made up would be a heart rate that was made up.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from statistics import median

from kiosk.errors import BadRecording
from sensors.face.seen import Frame
from sensors.frames.file import opened, still

TIMES = "times.csv"
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
MOST_PICTURES = 100_000
NANOSECONDS = {"seconds": 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
"""In one of each unit that `times.csv` may name."""
FASTEST, SLOWEST = Decimal("0.004"), Decimal(2)
"""Seconds between pictures that a camera can have: no step fits two of the units ns, us, ms."""
COUNTED = 16
"""Equal steps of fewer than so many milliseconds are taken for a count: every fifth picture, every tenth."""
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)$")
_EXIF, _TAKEN, _FRACTION = 0x8769, 0x9003, 0x9291
"""Tags: the EXIF block, DateTimeOriginal, SubSecTimeOriginal."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A picture's file, and when it was taken."""

    at: int
    path: Path


def folder(path: Path, *, rate: float | None = None) -> Iterator[Frame]:
    """Each picture of a folder in order of time, since the first one."""
    return (Frame(each.at, still(each.path).pixels) for each in timed(path, rate=rate))


def timed(path: Path, *, rate: float | None = None) -> list[Timed]:
    """The pictures of a folder with their times since the first one."""
    if not path.is_dir():
        raise BadRecording(f"{path.name}: there is no such folder")
    if rate is not None and not 0 < rate <= 1000:
        raise BadRecording(f"{path.name}: {rate:g} pictures a second are no rate")
    pictures = sorted(each for each in path.iterdir() if each.suffix.lower() in SUFFIXES and each.is_file())
    if not pictures:
        raise BadRecording(f"{path.name}: has no pictures ({', '.join(sorted(SUFFIXES))})")
    if len(pictures) > MOST_PICTURES:
        raise BadRecording(f"{path.name}: {len(pictures)} pictures, at most {MOST_PICTURES}")
    table = path / TIMES
    if table.is_file():
        return _in_order(path, _from_table(table, pictures), f"in {TIMES}")
    named = _numbers(pictures)
    if named is not None:
        unit = _unit(path, named, rate)
        return _in_order(path, [(round(number * unit), each) for number, each in named], "by their names")
    taken = [(_taken(each), each) for each in pictures]
    dated = [(at, each) for at, each in taken if at is not None]
    if len(dated) == len(taken):
        return _in_order(path, dated, "by their EXIF data")
    raise BadRecording(
        f"{path.name}: nothing says when its pictures were taken; name them by time (ns, us or ms), by count with a "
        f"rate, or add {TIMES} with the columns file,seconds"
    )


def _in_order(path: Path, taken: Sequence[tuple[int, Path]], how: str) -> list[Timed]:
    ordered = sorted(taken)
    for (earlier, one), (later, other) in pairwise(ordered):
        if earlier == later:
            raise BadRecording(f"{path.name}: {one.name} and {other.name} have the same time {how}")
    first = ordered[0][0]
    return [Timed(at - first, each) for at, each in ordered]


def _from_table(table: Path, pictures: Sequence[Path]) -> list[tuple[int, Path]]:
    here = {each.name: each for each in pictures}
    where = f"{table.parent.name}/{table.name}"
    found: dict[str, int] = {}
    try:
        with table.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.reader(text)
            columns = [each.strip().lower() for each in next(rows, [])]
            unit = next((each for each in columns if each in NANOSECONDS), None)
            if unit is None or "file" not in columns:
                raise BadRecording(f"{where}: needs the columns file and one of {', '.join(NANOSECONDS)}")
            name, time = columns.index("file"), columns.index(unit)
            for number, row in enumerate(rows, 2):
                if not row:
                    continue
                if len(row) != len(columns) or row[name] not in here or row[name] in found:
                    raise BadRecording(f"{where}: line {number} names no picture of this folder, or one again")
                seconds = _decimal(row[time])
                if seconds is None:
                    raise BadRecording(f"{where}: line {number} has no time")
                found[row[name]] = round(seconds * NANOSECONDS[unit])
    except (OSError, UnicodeDecodeError, csv.Error):
        raise BadRecording(f"{where}: cannot be read as a table") from None
    if missing := sorted(here.keys() - found.keys()):
        raise BadRecording(f"{where}: has no time for {missing[0]} and {len(missing) - 1} more")
    return [(at, here[name]) for name, at in found.items()]


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**20 else None


def _numbers(pictures: Sequence[Path]) -> list[tuple[Decimal, Path]] | None:
    """The number at each name's end, where all have one after the same beginning."""
    found = []
    beginnings = set()
    for each in pictures:
        number = _NUMBER.search(each.stem)
        if number is None or len(number[1]) > 30:
            return None
        beginnings.add(each.stem[: number.start()])
        found.append((Decimal(number[1]), each))
    return found if len(beginnings) == 1 else None


def _unit(path: Path, named: Sequence[tuple[Decimal, Path]], rate: float | None) -> Decimal:
    """Nanoseconds in one of what the names count."""
    if rate is not None:
        return Decimal(10**9) / Decimal(rate)
    numbers = sorted(number for number, _ in named)
    if len(numbers) < 2:
        return Decimal(1)
    steps = [after - before for before, after in pairwise(numbers)]
    step = median(steps)
    if any(number % 1 for number in numbers) and FASTEST <= step <= SLOWEST:
        return Decimal(10**9)
    if step >= FASTEST * 1000 and (min(steps) < max(steps) or step >= COUNTED):
        for unit in (10**6, 10**3, 1):
            if FASTEST <= step * unit / 10**9 <= SLOWEST:
                return Decimal(unit)
    raise BadRecording(
        f"{path.name}: the numbers in the names go up by {step:g}, which is no time between pictures in ms, us or ns; "
        "where they count pictures, say at which rate these were taken"
    )


def _taken(picture: Path) -> int | None:
    """When a picture was taken by its EXIF data, in nanoseconds by its camera's clock."""
    with opened(picture) as image:
        try:
            block = image.getexif().get_ifd(_EXIF)
        except Exception:
            # a damaged block says nothing; Pillow's parser lets out whatever it meets
            return None
    try:
        taken = datetime.strptime(str(block[_TAKEN]), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    except (KeyError, ValueError):
        return None
    fraction = str(block.get(_FRACTION, "")).strip()
    if not fraction.isascii() or not fraction.isdigit():
        fraction = "0"
    return int(taken.timestamp()) * 10**9 + round(Decimal(f"0.{fraction}") * 10**9)

"""How a text is divided into columns: its delimiter, its decimal sign, the lines above the numbers."""

import csv
import re
from dataclasses import dataclass, replace
from pathlib import Path

from sensors.files import timing
from sensors.files.source import bad

MOST_COLUMNS = 512
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_MISSING = frozenset(("", "nan", "na", "n/a", "null", "none", "-", "?"))
COMMENTS = ("#", "%", "//")
_LAYOUTS = (
    ("\t", "."), ("\t", ","), (";", "."), (";", ","), (",", "."), ("|", "."), ("|", ","), (" ", "."), (" ", ","),
    ("", "."), ("", ","),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    delimiter: str
    """Empty: one column. A blank: any white space."""
    decimal: str
    skip: int
    """Lines before the numbers."""
    heads: tuple[tuple[str, ...], ...]
    width: int
    closed: bool
    """Whether lines end with a delimiter."""
    plain: bool
    """Whether all cells looked at are numbers."""


def head(body: str) -> list[str]:
    """The first lines, whole."""
    lines = body[:100_000].split("\n")
    if len(body) > 100_000:
        lines.pop()
    return lines[:300]


def split(line: str, delimiter: str, *, closed: bool = False) -> list[str]:
    """A line's cells. `closed`: a delimiter at the end of the line begins no further one."""
    if delimiter == " ":
        return line.split()
    if not delimiter:
        return [line.strip()]
    line = line.rstrip(" ")
    if closed:
        line = line.removesuffix(delimiter)
    if '"' in line:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    return [cell.strip() for cell in line.split(delimiter)]


def _is_number(cell: str, decimal: str) -> bool:
    return NUMBER.fullmatch(cell.replace(",", ".") if decimal == "," and cell.count(",") <= 1 else cell) is not None


def is_filled(cell: str, decimal: str) -> bool:
    return _is_number(cell, decimal) or cell.lower() in _MISSING or cell.lower().lstrip("+-") in ("inf", "infinity")


def layout_of(path: Path, body: str) -> Layout | None:
    """How the lines are divided: the first way in which they are numbers throughout, else mostly."""
    lines = head(body)
    found = [layout for delimiter, decimal in _LAYOUTS if (layout := _try(lines, delimiter, decimal)) is not None]
    best = next((layout for layout in found if layout.plain), found[0] if found else None)
    if best is not None and best.delimiter == ",":
        best = _comma_is_decimal(path, lines, best)
    return best


def _try(lines: list[str], delimiter: str, decimal: str) -> Layout | None:
    ends = [line.rstrip(" ").endswith(delimiter) for line in lines[-20:] if line.strip()]
    closed = delimiter.strip(" ") != "" and all(ends)
    rows = [
        (number, split(line, delimiter, closed=closed))
        for number, line in enumerate(lines)
        if line.strip() and not line.lstrip().startswith(COMMENTS)
    ]
    if len(rows) > 2 and len(rows[-1][1]) != len(rows[-2][1]):
        rows.pop()  # a line that was cut off must not settle how many columns there are
    if not rows:
        return None
    width = len(rows[-1][1])
    if (width < 2 and delimiter) or width > MOST_COLUMNS:
        return None
    first = len(rows)
    numeric = [True] * width
    seen = [False] * width
    for i in range(len(rows) - 1, -1, -1):
        cells = rows[i][1]
        if len(cells) != width:
            break
        still = [n and is_filled(cell, decimal) for n, cell in zip(numeric, cells, strict=True)]
        if not any(n and (s or _is_number(c, decimal)) for n, s, c in zip(still, seen, cells, strict=True)):
            break
        if i < 3 and still != numeric and not any(timing.moment_of(c) or timing.is_clock(c) for c in cells):
            break  # a header above numbers, not text among them
        numeric, first = still, i
        seen = [s or _is_number(c, decimal) for s, c in zip(seen, cells, strict=True)]
    if first > 3 or first == len(rows) or not any(n and s for n, s in zip(numeric, seen, strict=True)):
        return None
    heads = tuple(tuple(cells) for _, cells in rows[:first])
    if any(all(_is_number(cell, decimal) or _is_undivided(cell) for cell in cells) for cells in heads):
        return None  # a line of numbers above a line of text is no header but damage
    if any(_is_undivided(cell) for _, cells in rows[first:] for cell, n in zip(cells, numeric, strict=True) if not n):
        return None
    plain = all(numeric[i] or is_time(rows[first][1][i]) for i in range(width))
    return Layout(delimiter, decimal, rows[first][0], heads, width, closed, plain)


def _is_undivided(cell: str) -> bool:
    """Whether a cell is several numbers: the line is divided in another way, and half of it must not be taken."""
    parts = re.split(r"[,;| \t]+", cell)
    return len(parts) > 1 and all(NUMBER.fullmatch(part) for part in parts) and not is_time(cell)


def is_time(cell: str) -> bool:
    return timing.moment_of(cell) is not None or timing.is_clock(cell)


def _comma_is_decimal(path: Path, lines: list[str], layout: Layout) -> Layout:
    """`0,05` in every line is one number if the header has one name, or by zeros: -0 before the comma, 05 behind it."""
    rows = [split(line, ",") for line in lines[layout.skip :] if line.strip()]
    rows = [cells for cells in rows if len(cells) == layout.width]
    if not all(re.fullmatch(r"[+-]?\d+", cell, re.ASCII) for cells in rows for cell in cells):
        return layout
    behind = [cells[1] for cells in rows]
    one_name = bool(layout.heads) and len(layout.heads[-1]) == 1
    zeros = any(len(cell) > 1 and cell.startswith("0") for cells in rows for cell in cells[1:])
    less = any(re.fullmatch(r"-0+", cells[0], re.ASCII) for cells in rows)  # no count is ever written so
    if layout.width == 2 and not any(cell[0] in "+-" for cell in behind) and (one_name or zeros or less):
        return replace(layout, delimiter="", decimal=",", width=1)
    if zeros:
        raise bad(path, "commas may be decimal or between columns: separate the columns by semicolons")
    return layout

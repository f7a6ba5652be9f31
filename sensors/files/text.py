"""CSV, TSV and their relatives: any common delimiter, with or without a header, decimal comma where it is plain."""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sensors.files import decimals, intervals, naming, table
from sensors.files.content import Content
from sensors.files.layout import COMMENTS, NUMBER, Layout, head, is_filled, is_time, layout_of, split
from sensors.files.source import bad, check_count, none, text
from sensors.files.table import Table
from sensors.files.vendors import described, names_rate

SUFFIXES = intervals.SUFFIXES
MOST_CELLS = 30_000_000
"""In files with text, quotes or empty cells, which are read cell by cell."""


def read(path: Path, *, kind: str, rate: float | None) -> Content:
    """A text file's waves or intervals."""
    content = text(path)
    called = "rr" in (kind, *([intervals_named(path)] if kind == "auto" else []))
    free = rate is None and naming.hint(path.name) in (None, "rr")
    if "[HRData]" in content[:10_000]:
        return intervals.read(path, content)
    comments, body = without_comments(content)
    layout = layout_of(path, body)
    if (
        kind in ("auto", "rr")
        and _is_list(layout, body, called=called)
        and (called or (free and not names_rate(comments) and intervals.looks_like(_numbers(body, layout))))
    ):
        found = intervals.read(path, _numbers(body, layout))
        return found if called else replace(found, assumed=(("kind", "rr, from the values"), *found.assumed))
    if layout is None:
        raise none(path, "is no table of numbers")
    made = described(path, comments, _table(path, body, layout))
    del content, body  # of a day's recording they are as large as its samples
    return table.read(path, made, kind=kind, rate=rate)


def intervals_named(path: Path) -> str:
    """`rr` where the file's name says that it holds intervals."""
    return "rr" if naming.hint(path.name) == "rr" or Path(path.name.lower()).suffix in intervals.SUFFIXES else ""


def without_comments(content: str) -> tuple[str, str]:
    """The comment lines before the numbers, and the rest."""
    at = 0
    while at < len(content):
        end = content.find("\n", at)
        end = len(content) if end < 0 else end
        line = content[at:end].strip()
        if line and not line.startswith(COMMENTS):
            break
        at = end + 1
    return content[:at], content[at:]


def _is_list(layout: Layout | None, body: str, *, called: bool) -> bool:
    """Whether a text can be one list of numbers: one column, one line, or lines that are no table."""
    if layout is None or layout.width == 1:
        return True
    lines = [line for line in head(_numbers(body, layout)) if line.strip()]
    if len(lines) == 1:
        return True
    if not layout.plain or any(len(cells) > 1 for cells in layout.heads):
        return False
    if not called:
        return len(lines) < 4
    if layout.width > 3:
        return True
    rows = [split(line, layout.delimiter, closed=layout.closed)[:2] for line in lines]
    try:
        numbers = np.array([[float(cell.replace(",", ".")) for cell in cells] for cells in rows])
    except ValueError:
        return True
    if not (np.abs(numbers) < table.MOST).all():
        return False
    # a first column that goes up by about what the second says is when the intervals ended
    steps = np.diff(numbers[:, 0])
    share = float(np.median(steps)) / (float(np.median(numbers[:, 1])) or 1.0)
    if len(rows) < 5:
        return not any(np.allclose(steps * factor, numbers[1:, 1], rtol=0.1) for factor in (1, 1e3, 1e-3))
    return not ((steps > 0).all() and any(0.5 < share * factor < 2 for factor in (1, 1e3, 1e-3)))


def is_list_of_numbers(body: str) -> bool:
    """Whether a text is numbers and nothing else, in lines of any length."""
    lines = head(body)
    cells = [cell for line in lines for cell in line.replace(";", " ").replace(",", " ").split()]
    return len(cells) > 1 and all(NUMBER.fullmatch(cell) for cell in cells)


def _numbers(body: str, layout: Layout | None) -> str:
    """A text without the lines above the numbers."""
    return body[_begin(body, layout) :]


def _begin(body: str, layout: Layout | None) -> int:
    at = 0
    for _ in range(layout.skip if layout else 0):
        at = body.index("\n", at) + 1
    return at


def _table(path: Path, body: str, layout: Layout) -> Table:
    columns: list[NDArray[np.float64] | None]
    texts: dict[int, list[str]] = {}
    quick = _quick(path, body, layout) if layout.plain else None
    if quick is not None:
        columns = [quick[:, i] for i in range(layout.width)]
    else:
        columns, texts = _cell_by_cell(path, _numbers(body, layout), layout)
    heads = [head for head in layout.heads if len(head) in (layout.width, 1)]
    names = heads[0] if heads and len(heads[0]) == layout.width else ("",) * layout.width
    units = heads[1] if len(heads) > 1 and len(heads[1]) == layout.width else ()
    return Table(names, tuple(columns), texts, units, named=bool(heads))


def _quick(path: Path, body: str, layout: Layout) -> NDArray[np.float64] | None:
    """All numbers at once; None where something is not a number, for the careful way to say what."""
    begin = _begin(body, layout)
    check_count(path, (body.count("\n", begin) + 1) * layout.width)
    if layout.decimal == "." and layout.delimiter != " " and not layout.closed:
        plain = decimals.columns(body, begin, layout.width, delimiter=layout.delimiter)
        if plain is not None and len(plain) > 1:
            return plain
    rest = body[begin:]
    if layout.decimal == ",":
        rest = rest.replace(",", ".")
    if layout.closed:
        rest = re.sub(re.escape(layout.delimiter) + r" *$", "", rest, flags=re.MULTILINE)
    try:
        values = np.loadtxt(
            io.StringIO(rest), np.float64, comments=None, delimiter=layout.delimiter.strip(" ") or None, ndmin=2
        )
    except (ValueError, OverflowError):
        return None
    return values if values.shape[1] == layout.width and len(values) > 1 else None


def _cell_by_cell(
    path: Path, rest: str, layout: Layout
) -> tuple[list[NDArray[np.float64] | None], dict[int, list[str]]]:
    lines = rest.split("\n")
    if len(lines) * layout.width > MOST_CELLS:
        raise bad(path, f"more than {MOST_CELLS} cells in a table that is not all numbers")
    rows: list[list[str]] = []
    try:
        for number, line in enumerate(lines):
            if not line.strip() or line.lstrip().startswith(COMMENTS):
                continue
            cells = split(line, layout.delimiter, closed=layout.closed)
            if len(cells) != layout.width:
                last = not any(later.strip() for later in lines[number + 1 :])
                cut = ": is the file cut off?" if last else ""
                raise bad(path, f"line {number + layout.skip + 1} has {len(cells)} of {layout.width} columns{cut}")
            rows.append(cells)
    except csv.Error as error:
        raise bad(path, f"is no table: {error}") from None
    if len(rows) < 2:
        raise none(path, "has fewer than two rows of numbers")
    columns: list[NDArray[np.float64] | None] = []
    texts: dict[int, list[str]] = {}
    for i in range(layout.width):
        cells = [row[i] for row in rows]
        wrong = [n for n, cell in enumerate(cells) if not is_filled(cell, layout.decimal)]
        if not wrong:
            columns.append(np.array([_value(cell, layout.decimal) for cell in cells]))
        elif len(wrong) < len(cells) / 2 and not is_time(cells[0]):
            # an odd word among numbers is damage, not a column of text
            raise bad(path, f"row {wrong[0] + 1}, column {i + 1} is no number: {cells[wrong[0]][:40]!r}")
        else:
            columns.append(None)
            texts[i] = cells
    return columns, texts


def _value(cell: str, decimal: str) -> float:
    if decimal == ",":
        cell = cell.replace(",", ".")
    return float(cell) if NUMBER.fullmatch(cell) else np.nan

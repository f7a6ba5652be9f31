"""The figure for a paper: 180 mm wide, PNG or SVG, by matplotlib without its global state."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

from kiosk.commands.figure.charts import batched
from kiosk.commands.figure.palette import INK
from kiosk.commands.figure.panels import Panels
from kiosk.commands.figure.paper.camera import evidence, face
from kiosk.commands.figure.paper.charts import chart
from kiosk.commands.figure.paper.heart import cloud, density, tachogram
from kiosk.commands.figure.paper.table import LINE, table
from kiosk.commands.figure.paper.waves import detail, overview
from sensors.files import MADE_BY

WIDTH = 7.09
"""Inches: two columns of a journal."""
DPI = 200
STYLE: dict[RcKeyType, float | str | bool] = {
    "font.size": 7.5,
    "text.parse_math": False,  # a file may be called anything
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "path.simplify": True,
    "svg.hashsalt": "kiosk",  # the same figure is the same file
}
_TITLE, _FOOT = 0.44, 0.16
"""Inches above and below the panels."""
_GAP = 0.52
_HEIGHTS = {"overview": 0.8, "detail": 1.3, "tachogram": 1.25, "bottom": 1.76, "camera": 1.9, "chart": 1.5}
Draw = Callable[[Axes], None]


def write(path: Path, shown: Panels) -> None:
    """Draw into a PNG or SVG file."""
    with mpl.rc_context(STYLE):
        figure = drawn(shown)
        vector = path.suffix.lower() == ".svg"
        figure.savefig(path, dpi=DPI, metadata={"Date": None} if vector else {"Software": MADE_BY})


def drawn(shown: Panels) -> Figure:
    """The figure, rows from above: face and course of its pulse; signal, ten seconds of it, tachogram; the rest."""
    rows = _rows(shown)
    notes = [line for note in shown.notes for line in _wrapped(note)]
    foot = _FOOT + 0.13 * len(notes)
    total = _TITLE + sum(height for height, _ in rows) + _GAP * len(rows) + foot
    figure = Figure(figsize=(WIDTH, total))
    FigureCanvasAgg(figure)
    figure.text(0.012, 1 - 0.2 / total, shown.title, fontsize=8.5, fontweight="bold", va="center")
    top = total - _TITLE - 0.1
    for height, draws in rows:
        _row(figure, total, top, height, draws)
        top -= height + _GAP
    for i, note in enumerate(reversed(notes)):
        figure.text(0.012, (0.12 + 0.13 * i) / total, note, fontsize=6.5, color=INK, va="center")
    return figure


def _rows(shown: Panels) -> list[tuple[float, tuple[Draw, ...]]]:
    """Heights and panels of the rows that the recording fills."""
    rows: list[tuple[float, tuple[Draw, ...]]] = []
    beside = shown.portrait is not None and shown.course is None and shown.wave is None and bool(shown.rows)
    camera: list[Draw] = []
    if shown.portrait is not None:
        camera.append(partial(face, portrait=shown.portrait))
    if shown.course is not None:
        camera.append(partial(evidence, course=shown.course, shown=shown))
    if beside:
        camera.append(partial(table, rows=shown.rows))
    if camera:
        rows.append((_HEIGHTS["camera"], tuple(camera)))
    if shown.wave is not None:
        more = len(shown.wave.traces) - 1
        rows.append((_HEIGHTS["overview"] + 0.07 * more, (partial(overview, wave=shown.wave, shown=shown),)))
        rows.append((_HEIGHTS["detail"] + 0.14 * more, (partial(detail, wave=shown.wave, shown=shown),)))
    rows += [
        (_HEIGHTS["chart"], tuple(partial(chart, content=each) for each in pair)) for pair in batched(shown.charts, 2)
    ]
    if shown.tachogram is not None:
        rows.append((_HEIGHTS["tachogram"], (partial(tachogram, content=shown.tachogram, shown=shown),)))
    bottom: list[Draw] = []
    if shown.spectrum is not None:
        bottom.append(partial(density, spectrum=shown.spectrum))
    if shown.poincare is not None:
        bottom.append(partial(cloud, poincare=shown.poincare))
    if shown.rows and not beside:
        bottom.append(partial(table, rows=shown.rows))
    if bottom:
        alone = len(bottom) == 1 and bool(shown.rows)
        rows.append((LINE * len(shown.rows) if alone else _HEIGHTS["bottom"], tuple(bottom)))
    return rows


def _row(figure: Figure, total: float, top: float, height: float, draws: tuple[Draw, ...]) -> None:
    left, right, between = 0.62, 0.12, 0.62
    # three fit side by side; what stands alone in its row takes all of it, but for the table
    width = (WIDTH - left - right - between * (len(draws) - 1)) / len(draws)
    for i, draw in enumerate(draws):
        box = ((left + i * (width + between)) / WIDTH, (top - height) / total, width / WIDTH, height / total)
        draw(figure.add_axes(box))


def _wrapped(note: str, width: int = 150) -> list[str]:
    words, lines = note.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines[:4]

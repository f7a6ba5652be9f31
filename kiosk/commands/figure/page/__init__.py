"""The figure to look around in: one HTML file that needs no network, by plotly."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from kiosk.commands.figure.page.camera import evidence, face
from kiosk.commands.figure.page.charts import chart
from kiosk.commands.figure.page.heart import cloud, density, tachogram
from kiosk.commands.figure.page.table import table
from kiosk.commands.figure.page.traces import Place, plain
from kiosk.commands.figure.page.waves import detail, overview
from kiosk.commands.figure.palette import INK
from kiosk.commands.figure.panels import Panels

_CONFIG = {"displaylogo": False, "responsive": True, "toImageButtonOptions": {"format": "svg"}}
_BETWEEN = 88
"""Pixels from row to row: the axis' label of one, the title of the next."""
_BOTTOM = 350.0
"""Pixels of the row in which panels stand side by side."""


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    height: float
    draw: Callable[[go.Figure, Place], None]
    kind: str = "xy"


def write(path: Path, shown: Panels) -> None:
    """Draw into an HTML file."""
    figure = drawn(shown)
    page = figure.to_html(include_plotlyjs=True, full_html=True, config=_CONFIG, div_id="figure")
    path.write_text(page.replace("<head>", f"<head><title>{plain(shown.title)}</title>", 1), "utf-8")


def drawn(shown: Panels) -> go.Figure:
    """The figure, rows from above: signal, ten seconds of it, tachogram; spectrum, Poincare plot and table."""
    wide, bottom = list(_wide(shown)), list(_bottom(shown))
    columns = max(1, len(bottom))
    specs: list[list[dict[str, int | str] | None]] = [[{"colspan": columns}, *[None] * (columns - 1)] for _ in wide]
    heights = [panel.height for panel in wide]
    if bottom:
        specs.append([{"type": panel.kind} for panel in bottom])
        heights.append(_BOTTOM)
    above, below = 90, 70 + 18 * len(shown.notes)
    total = sum(heights) + _BETWEEN * (len(heights) - 1) + above + below
    figure = make_subplots(
        rows=max(1, len(heights)), cols=columns, specs=specs or None, row_heights=heights or None,
        vertical_spacing=_BETWEEN / (total - above - below) if len(heights) > 1 else 0, horizontal_spacing=0.1,
    )  # fmt: skip
    places = [*((row, 1) for row in range(1, len(wide) + 1)), *((len(heights), i + 1) for i in range(len(bottom)))]
    for panel, place in zip([*wide, *bottom], places, strict=True):
        panel.draw(figure, place)
        if panel.title:
            _head(figure, panel.title, place)
    _dress(figure, shown, total, (above, below))
    return figure


def _wide(shown: Panels) -> Iterator[_Panel]:
    if shown.portrait is not None:
        yield _Panel("The face, and where its skin was read", 320.0, partial(face, portrait=shown.portrait))
    if shown.course is not None:
        draw = partial(evidence, course=shown.course, shown=shown)
        yield _Panel("Evidence of a pulse over time, and the rate read", 220.0, draw)
    if shown.wave is not None:
        start, end = shown.wave.window
        title = f"{plain(shown.wave.title)}, whole recording"
        yield _Panel(title, 150.0, partial(overview, wave=shown.wave, shown=shown))
        yield _Panel(f"Detail, {end - start:.0f} s", 240.0, partial(detail, wave=shown.wave, shown=shown))
    for each in shown.charts:
        yield _Panel(plain(each.title), 220.0, partial(chart, content=each))
    if shown.tachogram is not None:
        yield _Panel("Tachogram", 220.0, partial(tachogram, content=shown.tachogram, shown=shown))


def _bottom(shown: Panels) -> Iterator[_Panel]:
    if shown.spectrum is not None:
        draw = partial(density, spectrum=shown.spectrum)
        yield _Panel(f"Spectrum ({shown.spectrum.method})", _BOTTOM, draw)
    if shown.poincare is not None:
        some = f", one pair of {shown.poincare.shown}" if shown.poincare.shown > 1 else ""
        yield _Panel(f"Poincaré{some}", _BOTTOM, partial(cloud, poincare=shown.poincare))
    if shown.rows:
        yield _Panel("", _BOTTOM, partial(table, rows=shown.rows), "table")


def _head(figure: go.Figure, title: str, place: Place) -> None:
    """A panel's title, at its left edge."""
    panel = figure.get_subplot(*place)
    figure.add_annotation(
        text=title, x=panel.xaxis.domain[0], y=panel.yaxis.domain[1], xref="paper", yref="paper", xanchor="left",
        yanchor="bottom", yshift=4, showarrow=False, font={"size": 13, "color": INK},
    )  # fmt: skip


def _dress(figure: go.Figure, shown: Panels, total: float, margins: tuple[int, int]) -> None:
    figure.update_layout(
        template="plotly_white", height=total, margin={"l": 70, "r": 30, "t": margins[0], "b": margins[1]},
        font={"family": "system-ui, sans-serif", "size": 12, "color": INK}, showlegend=True,
        title={"text": f"<b>{plain(shown.title)}</b>", "x": 0.01, "xanchor": "left", "font": {"size": 16}},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom", "yref": "paper"},
        hovermode="closest",
    )  # fmt: skip
    axis = {"showgrid": False, "zeroline": False, "showline": True, "linecolor": INK, "ticks": "outside"}
    figure.update_xaxes(axis, title_standoff=6)
    figure.update_yaxes(axis, title_standoff=8, nticks=6)
    notes = "<br>".join(plain(note) for note in shown.notes)
    figure.add_annotation(
        text=notes, x=0, y=0, xref="paper", yref="paper", xanchor="left", yanchor="top", yshift=-58, align="left",
        showarrow=False, font={"size": 11, "color": INK},
    )  # fmt: skip

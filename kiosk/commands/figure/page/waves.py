"""Waves on the page: the whole recording, and ten seconds of it."""

import numpy as np
import plotly.graph_objects as go

from kiosk.commands.figure.axes import Clock, clock, moment
from kiosk.commands.figure.page.traces import Place, add, line, plain, quiet
from kiosk.commands.figure.palette import BLUE, COLOURS, GREY, INK, SYMBOLS
from kiosk.commands.figure.panels import Mark, Panels
from kiosk.commands.figure.waves import Floats, Wave, joined

UNITS = {"1": "a.u.", "uV": "µV", "uS": "µS", "Cel": "°C"}


def overview(figure: go.Figure, place: Place, wave: Wave, shown: Panels) -> None:
    span = clock(shown.duration)
    for trace in wave.traces:
        edges = line(
            np.repeat(trace.times / span.seconds, 2), joined((trace.low, trace.high)), GREY, 0.8, plain(trace.name)
        )
        add(figure, quiet(edges), place)
    figure.add_vrect(
        *(edge / span.seconds for edge in wave.window), fillcolor=BLUE, opacity=0.25, line_width=0, row=place[0], col=1
    )
    for points in shown.noted:
        at = np.full(len(points.x), wave.limits[1])
        marker = {"color": COLOURS[points.mark], "symbol": "line-ns-open", "size": 6}
        ticks = go.Scatter(x=points.x / span.seconds, y=at, mode="markers", marker=marker, name=points.mark.value)
        add(figure, quiet(ticks), place)
    frame(figure, wave, f"Time ({span.unit})", place)
    figure.update_yaxes(range=list(wave.limits), row=place[0], col=1)
    figure.update_xaxes(range=whole(wave, span), row=place[0], col=1)


def whole(wave: Wave, span: Clock) -> list[float]:
    times = wave.traces[0].times
    return [float(times[0]) / span.seconds, float(times[-1]) / span.seconds]


def detail(figure: go.Figure, place: Place, wave: Wave, shown: Panels) -> None:
    start = wave.window[0]
    for trace in wave.traces:
        add(figure, quiet(line(trace.detail_times - start, trace.detail, INK, 1, plain(trace.name))), place)
    for points in shown.beats:
        marks(figure, points.x - start, points.y, points.mark, place, legend=True)
    frame(figure, wave, f"Time from {moment(start)} on (s)", place)
    figure.update_xaxes(range=[0, wave.window[1] - start], row=place[0], col=1)


def marks(figure: go.Figure, x: Floats, y: Floats, mark: Mark, place: Place, *, legend: bool) -> None:
    symbol = SYMBOLS[mark] + ("-open" if mark is Mark.MEASURED else "")
    marker = {"color": COLOURS[mark], "symbol": symbol, "size": 8 if len(x) <= 60 else 5}
    outline = {"width": 1.5 if mark is Mark.MEASURED else 0}
    trace = go.Scatter(
        x=x, y=y, mode="markers", marker={**marker, "line": outline}, name=mark.value, legendgroup=mark.value
    )
    add(figure, trace.update(showlegend=legend), place)


def frame(figure: go.Figure, wave: Wave, label: str, place: Place) -> None:
    row, column = place
    figure.update_xaxes(title_text=label, row=row, col=column)
    unit = UNITS.get(wave.unit, wave.unit)
    if wave.spacing:
        figure.update_yaxes(
            title_text=f"{wave.spacing:.3g} {unit} apart", tickvals=[trace.offset for trace in wave.traces],
            ticktext=[plain(trace.name) for trace in wave.traces], row=row, col=column,
        )  # fmt: skip
    else:
        figure.update_yaxes(title_text=unit, row=row, col=column)

"""The figure to look around in: one HTML file that needs no network, by plotly."""

import base64
from pathlib import Path

import cv2
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from kiosk.commands.figure.axes import Clock, clock, moment
from kiosk.commands.figure.camera import Course
from kiosk.commands.figure.palette import BANDS, BLUE, COLOURS, GREY, INK, SKY, SYMBOLS, VERMILLION
from kiosk.commands.figure.panels import Mark, Panels, Poincare, Row, Tachogram
from kiosk.commands.figure.spectrum import BANDS as LIMITS
from kiosk.commands.figure.spectrum import Spectrum
from kiosk.commands.figure.waves import Floats, Wave, joined
from sensors.files.pictures import Portrait

_HEIGHTS = {"portrait": 320.0, "course": 220.0, "overview": 150.0, "detail": 240.0, "tachogram": 220.0, "bottom": 350.0}
_CONFIG = {"displaylogo": False, "responsive": True, "toImageButtonOptions": {"format": "svg"}}
_UNITS = {"1": "a.u.", "uV": "µV", "uS": "µS", "Cel": "°C"}
_BETWEEN = 88
"""Pixels from row to row: the axis' label of one, the title of the next."""
Place = tuple[int, int]


def write(path: Path, shown: Panels) -> None:
    """Draw into an HTML file."""
    figure = drawn(shown)
    page = figure.to_html(include_plotlyjs=True, full_html=True, config=_CONFIG, div_id="figure")
    path.write_text(page.replace("<head>", f"<head><title>{_plain(shown.title)}</title>", 1), "utf-8")


def drawn(shown: Panels) -> go.Figure:
    """The figure, rows from above: signal, ten seconds of it, tachogram; spectrum, Poincare plot and table."""
    camera = [name for name, there in (("portrait", shown.portrait), ("course", shown.course)) if there]
    wide = [*camera, *(["overview", "detail"] if shown.wave else []), *(["tachogram"] if shown.tachogram else [])]
    bottom = [
        name
        for name, there in (("spectrum", shown.spectrum), ("poincare", shown.poincare), ("table", shown.rows))
        if there
    ]
    columns = max(1, len(bottom))
    specs: list[list[dict[str, int | str] | None]] = [[{"colspan": columns}, *[None] * (columns - 1)] for _ in wide]
    heights = [_HEIGHTS[name] for name in wide]
    if bottom:
        specs.append([{"type": "table" if name == "table" else "xy"} for name in bottom])
        heights.append(_HEIGHTS["bottom"])
    above, below = 90, 70 + 18 * len(shown.notes)
    total = sum(heights) + _BETWEEN * (len(heights) - 1) + above + below
    figure = make_subplots(
        rows=max(1, len(heights)), cols=columns, specs=specs or None, row_heights=heights or None,
        vertical_spacing=_BETWEEN / (total - above - below) if len(heights) > 1 else 0, horizontal_spacing=0.1,
    )  # fmt: skip
    for row, name in enumerate(wide, 1):
        if name == "tachogram" and shown.tachogram is not None:
            _tachogram(figure, shown.tachogram, shown, (row, 1))
        elif name == "portrait" and shown.portrait is not None:
            _portrait(figure, shown.portrait, (row, 1))
        elif name == "course" and shown.course is not None:
            _course(figure, shown.course, shown, (row, 1))
        elif shown.wave is not None:
            (_overview if name == "overview" else _detail)(figure, shown.wave, shown, (row, 1))
    for column, name in enumerate(bottom, 1):
        place = (len(heights), column)
        if name == "spectrum" and shown.spectrum is not None:
            _spectrum(figure, shown.spectrum, place)
        elif name == "poincare" and shown.poincare is not None:
            _poincare(figure, shown.poincare, place)
        elif name == "table":
            _table(figure, shown.rows, place)
    places = [*((row, 1) for row in range(1, len(wide) + 1)), *((len(heights), i + 1) for i in range(len(bottom)))]
    for name, place in zip([*wide, *bottom], places, strict=True):
        if name != "table":
            _head(figure, _title(name, shown), place)
    _dress(figure, shown, total, (above, below))
    return figure


def _head(figure: go.Figure, title: str, place: Place) -> None:
    """A panel's title, at its left edge."""
    panel = figure.get_subplot(*place)
    figure.add_annotation(
        text=title, x=panel.xaxis.domain[0], y=panel.yaxis.domain[1], xref="paper", yref="paper", xanchor="left",
        yanchor="bottom", yshift=4, showarrow=False, font={"size": 13, "color": INK},
    )  # fmt: skip


def _title(name: str, shown: Panels) -> str:
    if name in ("overview", "detail"):
        assert shown.wave is not None
        start, end = shown.wave.window
        return f"{_plain(shown.wave.title)}, whole recording" if name == "overview" else f"Detail, {end - start:.0f} s"
    if name == "spectrum" and shown.spectrum is not None:
        return f"Spectrum ({shown.spectrum.method})"
    if name == "poincare" and shown.poincare is not None:
        return "Poincaré" + (f", one pair of {shown.poincare.shown}" if shown.poincare.shown > 1 else "")
    return {
        "tachogram": "Tachogram",
        "portrait": "The face, and where its skin was read",
        "course": "Evidence of a pulse over time, and the rate read",
    }.get(name, "")


def _dress(figure: go.Figure, shown: Panels, total: float, margins: tuple[int, int]) -> None:
    figure.update_layout(
        template="plotly_white", height=total, margin={"l": 70, "r": 30, "t": margins[0], "b": margins[1]},
        font={"family": "system-ui, sans-serif", "size": 12, "color": INK}, showlegend=True,
        title={"text": f"<b>{_plain(shown.title)}</b>", "x": 0.01, "xanchor": "left", "font": {"size": 16}},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom", "yref": "paper"},
        hovermode="closest",
    )  # fmt: skip
    axis = {"showgrid": False, "zeroline": False, "showline": True, "linecolor": INK, "ticks": "outside"}
    figure.update_xaxes(axis, title_standoff=6)
    figure.update_yaxes(axis, title_standoff=8, nticks=6)
    notes = "<br>".join(_plain(note) for note in shown.notes)
    figure.add_annotation(
        text=notes, x=0, y=0, xref="paper", yref="paper", xanchor="left", yanchor="top", yshift=-58, align="left",
        showarrow=False, font={"size": 11, "color": INK},
    )  # fmt: skip


def _line(x: Floats, y: Floats, colour: str, width: float, name: str) -> go.Scatter:
    return go.Scatter(x=_short(x), y=_short(y), mode="lines", line={"color": colour, "width": width}, name=name)


def _short(values: Floats) -> NDArray[np.float32]:
    """What a screen can show: seven digits, in half the space."""
    return values.astype(np.float32)


def _quiet(trace: go.Scatter) -> go.Scatter:
    return trace.update(showlegend=False)


def _portrait(figure: go.Figure, portrait: Portrait, place: Place) -> None:
    # as a picture in the page: a trace of pixels would be twenty times as long
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(portrait.pixels, cv2.COLOR_RGB2BGR))
    assert done
    source = "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode()
    height, width = portrait.pixels.shape[:2]
    row, column = place
    figure.add_layout_image(
        source=source, x=0, y=0, sizex=width, sizey=height, xref="x", yref="y", layer="below", row=row, col=column
    )  # fmt: skip
    for name, polygons in portrait.regions:
        x, y = np.vstack([np.vstack((polygon, polygon[:1], [[np.nan, np.nan]])) for polygon in polygons]).T
        _add(figure, _quiet(_line(x, y, VERMILLION, 1, name.replace("_", " "))), place)
    left = {"constrain": "domain", "constraintoward": "left"}
    figure.update_xaxes(range=[0, width], visible=False, **left, row=row, col=column)
    anchor = f"x{_axis(figure, place)}"
    figure.update_yaxes(
        range=[height, 0], visible=False, scaleanchor=anchor, constrain="domain", row=row, col=column
    )  # fmt: skip


def _course(figure: go.Figure, course: Course, shown: Panels, place: Place) -> None:
    span = clock(shown.duration)
    times = course.times / span.seconds
    evidence = go.Heatmap(
        x=_short(times), y=_short(course.rates), z=course.evidence.astype(np.float32).round(3), colorscale="Greys",
        reversescale=False, zmin=0, zmax=1, showscale=False, hoverinfo="skip",
    )  # fmt: skip
    _add(figure, evidence, place)
    told = _line(times, course.told, VERMILLION, 2, "rate read").update(mode="lines+markers", marker={"size": 4})
    _add(figure, _quiet(told), place)
    figure.update_xaxes(title_text=f"Time ({span.unit})", row=place[0], col=1)
    figure.update_yaxes(title_text="Rate (/min)", row=place[0], col=1)


def _overview(figure: go.Figure, wave: Wave, shown: Panels, place: Place) -> None:
    span = clock(shown.duration)
    for trace in wave.traces:
        line = _line(
            np.repeat(trace.times / span.seconds, 2), joined((trace.low, trace.high)), GREY, 0.8, _plain(trace.name)
        )
        _add(figure, _quiet(line), place)
    figure.add_vrect(
        *(edge / span.seconds for edge in wave.window), fillcolor=BLUE, opacity=0.25, line_width=0, row=place[0], col=1
    )
    for points in shown.noted:
        at = np.full(len(points.x), wave.limits[1])
        marker = {"color": COLOURS[points.mark], "symbol": "line-ns-open", "size": 6}
        ticks = go.Scatter(x=points.x / span.seconds, y=at, mode="markers", marker=marker, name=points.mark.value)
        _add(figure, _quiet(ticks), place)
    _frame(figure, wave, f"Time ({span.unit})", place)
    figure.update_yaxes(range=list(wave.limits), row=place[0], col=1)
    figure.update_xaxes(range=_whole(wave, span), row=place[0], col=1)


def _whole(wave: Wave, span: Clock) -> list[float]:
    times = wave.traces[0].times
    return [float(times[0]) / span.seconds, float(times[-1]) / span.seconds]


def _detail(figure: go.Figure, wave: Wave, shown: Panels, place: Place) -> None:
    start = wave.window[0]
    for trace in wave.traces:
        _add(figure, _quiet(_line(trace.detail_times - start, trace.detail, INK, 1, _plain(trace.name))), place)
    for points in shown.beats:
        _marks(figure, points.x - start, points.y, points.mark, place, legend=True)
    _frame(figure, wave, f"Time from {moment(start)} on (s)", place)
    figure.update_xaxes(range=[0, wave.window[1] - start], row=place[0], col=1)


def _marks(figure: go.Figure, x: Floats, y: Floats, mark: Mark, place: Place, *, legend: bool) -> None:
    symbol = SYMBOLS[mark] + ("-open" if mark is Mark.MEASURED else "")
    marker = {"color": COLOURS[mark], "symbol": symbol, "size": 8 if len(x) <= 60 else 5}
    outline = {"width": 1.5 if mark is Mark.MEASURED else 0}
    trace = go.Scatter(
        x=x, y=y, mode="markers", marker={**marker, "line": outline}, name=mark.value, legendgroup=mark.value
    )
    _add(figure, trace.update(showlegend=legend), place)


def _frame(figure: go.Figure, wave: Wave, label: str, place: Place) -> None:
    row, column = place
    figure.update_xaxes(title_text=label, row=row, col=column)
    unit = _UNITS.get(wave.unit, wave.unit)
    if wave.spacing:
        figure.update_yaxes(
            title_text=f"{wave.spacing:.3g} {unit} apart", tickvals=[trace.offset for trace in wave.traces],
            ticktext=[_plain(trace.name) for trace in wave.traces], row=row, col=column,
        )  # fmt: skip
    else:
        figure.update_yaxes(title_text=unit, row=row, col=column)


def _tachogram(figure: go.Figure, tachogram: Tachogram, shown: Panels, place: Place) -> None:
    span = clock(shown.duration)
    times = tachogram.times / span.seconds
    if tachogram.low is not None and tachogram.high is not None:
        band = _line(np.repeat(times, 2), joined((tachogram.low, tachogram.high)), SKY, 1, "range")
        _add(figure, _quiet(band), place)
    line = _line(times, tachogram.values, BLUE, 1, "interval").update(mode="lines+markers", marker={"size": 2.5})
    _add(figure, _quiet(line), place)
    there = {points.mark for points in shown.beats}
    for points in tachogram.points:
        _marks(figure, points.x / span.seconds, points.y, points.mark, place, legend=points.mark not in there)
    if len(tachogram.removed):
        foot = np.full(len(tachogram.removed), float(np.nanmin(tachogram.values)))
        legend = Mark.REMOVED not in there
        _marks(figure, tachogram.removed / span.seconds, foot, Mark.REMOVED, place, legend=legend)
    figure.update_xaxes(title_text=f"Time ({span.unit})", row=place[0], col=1)
    if shown.wave is not None:
        figure.update_xaxes(range=_whole(shown.wave, span), row=place[0], col=1)
    figure.update_yaxes(title_text="Interval (ms)", row=place[0], col=1)


def _spectrum(figure: go.Figure, spectrum: Spectrum, place: Place) -> None:
    x, y = spectrum.frequencies, spectrum.density / 1000
    for name, (low, high) in LIMITS:
        edge = np.concatenate(([low], x[(x > low) & (x < high)], [high]))
        area = _line(edge, np.interp(edge, x, y), BANDS[name], 0, name).update(fill="tozeroy")
        _add(figure, _quiet(area), place)
        figure.add_annotation(
            text=name, x=(low + high) / 2, y=1, yref=f"y{_axis(figure, place)} domain", yanchor="top", showarrow=False,
            font={"size": 11, "color": INK}, row=place[0], col=place[1],
        )  # fmt: skip
    _add(figure, _quiet(_line(x, y, INK, 1, "density")), place)
    figure.update_xaxes(title_text="Frequency (Hz)", range=[0, LIMITS[-1][1][1]], row=place[0], col=place[1])
    figure.update_yaxes(title_text="Density (10³ ms²/Hz)", rangemode="tozero", row=place[0], col=place[1])


def _poincare(figure: go.Figure, poincare: Poincare, place: Place) -> None:
    marker = {"color": BLUE, "size": 3, "opacity": 0.4}
    dots = go.Scatter(x=_short(poincare.x), y=_short(poincare.y), mode="markers", marker=marker, name="pair")
    _add(figure, _quiet(dots), place)
    edges = np.array([min(poincare.x.min(), poincare.y.min()), max(poincare.x.max(), poincare.y.max())])
    _add(figure, _quiet(_line(edges, edges, GREY, 0.7, "equal")), place)
    if poincare.sd1 is not None and poincare.sd2 is not None:
        turn = np.linspace(0, 2 * np.pi, 181)
        along, across = poincare.sd2 * np.cos(turn) / np.sqrt(2), poincare.sd1 * np.sin(turn) / np.sqrt(2)
        name = f"SD1 {poincare.sd1:.1f} ms, SD2 {poincare.sd2:.1f} ms"
        x, y = poincare.center + along - across, poincare.center + along + across
        _add(figure, _quiet(_line(x, y, VERMILLION, 2, name)), place)
    row, column = place
    figure.update_xaxes(title_text="Interval (ms)", row=row, col=column)
    figure.update_yaxes(title_text="Next interval (ms)", scaleanchor=f"x{_axis(figure, place)}", row=row, col=column)


def _axis(figure: go.Figure, place: Place) -> str:
    """The number of a panel's x axis."""
    return str(figure.get_subplot(*place).xaxis.plotly_name).removeprefix("xaxis")


def _table(figure: go.Figure, rows: tuple[Row, ...], place: Place) -> None:
    colours = [[GREY if row.absent else INK for row in rows]] * 3
    cells = [
        [row.title for row in rows],
        [f"{row.value} {row.unit}".strip() for row in rows],
        [row.quality for row in rows],
    ]
    table = go.Table(
        header={"values": ["", "value", "quality"], "fill_color": "white", "align": ["left", "right", "right"]},
        cells={
            "values": cells, "fill_color": "white", "font": {"color": colours}, "height": 22,
            "align": ["left", "right", "right"], "line": {"color": "white"},
        },
        columnwidth=[1.9, 1.3, 0.9],
    )  # fmt: skip
    _add(figure, table, place)


def _add(figure: go.Figure, trace: go.Scatter | go.Table | go.Heatmap, place: Place) -> None:
    figure.add_trace(trace, row=place[0], col=place[1])


def _plain(text: str) -> str:
    """Text as it is: a file's name must not become markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

"""Intervals on the page: tachogram, spectrum, Poincare plot."""

import numpy as np
import plotly.graph_objects as go

from kiosk.commands.figure.axes import clock
from kiosk.commands.figure.page.traces import Place, add, axis, line, quiet, short
from kiosk.commands.figure.page.waves import marks, whole
from kiosk.commands.figure.palette import BANDS, BLUE, GREY, INK, SKY, VERMILLION
from kiosk.commands.figure.panels import Mark, Panels, Poincare, Tachogram
from kiosk.commands.figure.spectrum import BANDS as LIMITS
from kiosk.commands.figure.spectrum import Spectrum
from kiosk.commands.figure.waves import joined


def tachogram(figure: go.Figure, place: Place, content: Tachogram, shown: Panels) -> None:
    span = clock(shown.duration)
    times = content.times / span.seconds
    if content.low is not None and content.high is not None:
        band = line(np.repeat(times, 2), joined((content.low, content.high)), SKY, 1, "range")
        add(figure, quiet(band), place)
    middle = line(times, content.values, BLUE, 1, "interval").update(mode="lines+markers", marker={"size": 2.5})
    add(figure, quiet(middle), place)
    there = {points.mark for points in shown.beats}
    for points in content.points:
        marks(figure, points.x / span.seconds, points.y, points.mark, place, legend=points.mark not in there)
    if len(content.removed):
        foot = np.full(len(content.removed), float(np.nanmin(content.values)))
        legend = Mark.REMOVED not in there
        marks(figure, content.removed / span.seconds, foot, Mark.REMOVED, place, legend=legend)
    figure.update_xaxes(title_text=f"Time ({span.unit})", row=place[0], col=1)
    if shown.wave is not None:
        figure.update_xaxes(range=whole(shown.wave, span), row=place[0], col=1)
    figure.update_yaxes(title_text="Interval (ms)", row=place[0], col=1)


def density(figure: go.Figure, place: Place, spectrum: Spectrum) -> None:
    x, y = spectrum.frequencies, spectrum.density / 1000
    for name, (low, high) in LIMITS:
        edge = np.concatenate(([low], x[(x > low) & (x < high)], [high]))
        area = line(edge, np.interp(edge, x, y), BANDS[name], 0, name).update(fill="tozeroy")
        add(figure, quiet(area), place)
        figure.add_annotation(
            text=name, x=(low + high) / 2, y=1, yref=f"y{axis(figure, place)} domain", yanchor="top", showarrow=False,
            font={"size": 11, "color": INK}, row=place[0], col=place[1],
        )  # fmt: skip
    add(figure, quiet(line(x, y, INK, 1, "density")), place)
    figure.update_xaxes(title_text="Frequency (Hz)", range=[0, LIMITS[-1][1][1]], row=place[0], col=place[1])
    figure.update_yaxes(title_text="Density (10³ ms²/Hz)", rangemode="tozero", row=place[0], col=place[1])


def cloud(figure: go.Figure, place: Place, poincare: Poincare) -> None:
    marker = {"color": BLUE, "size": 3, "opacity": 0.4}
    dots = go.Scatter(x=short(poincare.x), y=short(poincare.y), mode="markers", marker=marker, name="pair")
    add(figure, quiet(dots), place)
    edges = np.array([min(poincare.x.min(), poincare.y.min()), max(poincare.x.max(), poincare.y.max())])
    add(figure, quiet(line(edges, edges, GREY, 0.7, "equal")), place)
    if poincare.sd1 is not None and poincare.sd2 is not None:
        turn = np.linspace(0, 2 * np.pi, 181)
        along, across = poincare.sd2 * np.cos(turn) / np.sqrt(2), poincare.sd1 * np.sin(turn) / np.sqrt(2)
        name = f"SD1 {poincare.sd1:.1f} ms, SD2 {poincare.sd2:.1f} ms"
        x, y = poincare.center + along - across, poincare.center + along + across
        add(figure, quiet(line(x, y, VERMILLION, 2, name)), place)
    row, column = place
    figure.update_xaxes(title_text="Interval (ms)", row=row, col=column)
    figure.update_yaxes(title_text="Next interval (ms)", scaleanchor=f"x{axis(figure, place)}", row=row, col=column)

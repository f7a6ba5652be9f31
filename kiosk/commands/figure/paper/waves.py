"""Waves on paper: the whole recording, and ten seconds of it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from kiosk.commands.figure.axes import clock, moment
from kiosk.commands.figure.palette import BLUE, COLOURS, GREY, INK, SHAPES
from kiosk.commands.figure.panels import Mark, Panels, Points
from kiosk.commands.figure.waves import Wave

MANY = 2000
"""Points above which an SVG holds a picture of them."""


def overview(axes: Axes, wave: Wave, shown: Panels) -> None:
    span = clock(shown.duration)
    for trace in wave.traces:
        axes.fill_between(trace.times / span.seconds, trace.low, trace.high, color=GREY, linewidth=0.3)
    axes.axvspan(*(edge / span.seconds for edge in wave.window), facecolor=BLUE, alpha=0.25, edgecolor=BLUE)
    _noted(axes, shown, span.seconds)
    _frame(axes, wave, span.unit)
    axes.set_xlim(wave.traces[0].times[0] / span.seconds, wave.traces[0].times[-1] / span.seconds)
    axes.set_title(f"{wave.title}, whole recording", loc="left", pad=9 if shown.noted else 4)


def _noted(axes: Axes, shown: Panels, unit: float) -> None:
    """Ticks above the panel where beats are not as measured."""
    for points in shown.noted:
        axes.plot(
            points.x / unit, np.full(len(points.x), 1.03), "|", color=COLOURS[points.mark], markersize=4,
            markeredgewidth=0.7, transform=axes.get_xaxis_transform(), clip_on=False, rasterized=len(points.x) > MANY,
        )  # fmt: skip


def detail(axes: Axes, wave: Wave, shown: Panels) -> None:
    start = wave.window[0]
    for trace in wave.traces:
        axes.plot(trace.detail_times - start, trace.detail, color=INK, linewidth=0.6)
    for points in shown.beats:
        scatter(axes, Points(points.mark, points.x - start, points.y), 14)
    _frame(axes, wave, "s")
    if not wave.spacing:
        _fit(axes, wave)
    axes.set_xlim(0, wave.window[1] - start)
    axes.set_xlabel(f"Time from {moment(start)} on (s)")
    if shown.beats:
        axes.legend(
            loc="lower right", bbox_to_anchor=(1.0, 0.99), ncols=4, frameon=False, handletextpad=0.1, columnspacing=1,
            borderpad=0, borderaxespad=0,
        )  # fmt: skip
    axes.set_title(f"Detail, {wave.window[1] - start:.0f} s", loc="left", pad=4)


def _fit(axes: Axes, wave: Wave) -> None:
    values = wave.traces[0].detail
    good = values[np.isfinite(values)]
    if len(good) and np.ptp(good) > 0:
        margin = 0.1 * float(np.ptp(good))
        axes.set_ylim(float(good.min()) - margin, float(good.max()) + margin)


def _frame(axes: Axes, wave: Wave, unit: str) -> None:
    axes.set_ylim(*wave.limits)
    axes.set_xlabel(f"Time ({unit})")
    axes.yaxis.set_major_locator(MaxNLocator(4))
    if wave.spacing:
        axes.set_yticks([trace.offset for trace in wave.traces], [trace.name for trace in wave.traces])
        axes.set_ylabel(f"{wave.spacing:.3g} {_unit(wave.unit)} apart")
    else:
        axes.set_ylabel(_unit(wave.unit))


def _unit(ucum: str) -> str:
    return {"1": "a.u.", "uV": "µV", "uS": "µS", "Cel": "°C"}.get(ucum, ucum)


def scatter(axes: Axes, points: Points, size: float) -> None:
    hollow = points.mark is Mark.MEASURED
    colour = COLOURS[points.mark]
    axes.scatter(
        points.x, points.y, s=size, marker=SHAPES[points.mark], linewidths=0.8, zorder=3, label=points.mark.value,
        facecolors="none" if hollow else colour, edgecolors=None if points.mark is Mark.REMOVED else colour,
        rasterized=len(points.x) > MANY,
    )  # fmt: skip

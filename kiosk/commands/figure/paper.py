"""The figure for a paper: 180 mm wide, PNG or SVG, by matplotlib without its global state."""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from matplotlib.ticker import MaxNLocator
from matplotlib.typing import RcKeyType

from kiosk.commands.figure.axes import clock, moment
from kiosk.commands.figure.camera import Course
from kiosk.commands.figure.palette import BANDS, BLUE, COLOURS, GREY, INK, PALE, SHAPES, SKY, VERMILLION
from kiosk.commands.figure.panels import Mark, Panels, Poincare, Points, Row, Tachogram
from kiosk.commands.figure.spectrum import BANDS as LIMITS
from kiosk.commands.figure.spectrum import Spectrum
from kiosk.commands.figure.waves import Wave
from sensors.files import MADE_BY, Portrait

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
_MANY = 2000
"""Points above which an SVG holds a picture of them."""
_TITLE, _FOOT = 0.44, 0.16
"""Inches above and below the panels."""
_GAP = 0.52
_HEIGHTS = {"overview": 0.8, "detail": 1.3, "tachogram": 1.25, "bottom": 1.76, "camera": 1.9}
_LINE = 0.135
"""Inches of a line of the table."""
Draw = Callable[[Axes], None]


def write(path: Path, shown: Panels) -> None:
    """Draw into a PNG or SVG file."""
    with mpl.rc_context(STYLE):
        figure = drawn(shown)
        vector = path.suffix.lower() == ".svg"
        figure.savefig(path, dpi=DPI, metadata={"Date": None} if vector else {"Software": MADE_BY})


def drawn(shown: Panels) -> Figure:
    """The figure, rows from above: face and course of its pulse; signal, ten seconds of it, tachogram; the rest."""
    rows: list[tuple[float, tuple[Draw, ...]]] = []
    wave, tachogram = shown.wave, shown.tachogram
    course, portrait = shown.course, shown.portrait
    camera: list[Draw] = []
    if portrait is not None:
        camera.append(lambda axes: _portrait(axes, portrait))
    if course is not None:
        camera.append(lambda axes: _course(axes, course, shown))
    beside = bool(camera) and course is None and shown.wave is None
    if beside and shown.rows:
        camera.append(lambda axes: _table(axes, shown.rows))
    if camera:
        rows.append((_HEIGHTS["camera"], tuple(camera)))
    if wave is not None:
        rows.append(
            (_HEIGHTS["overview"] + 0.07 * (len(wave.traces) - 1), (lambda axes: _overview(axes, wave, shown),))
        )
        rows.append((_HEIGHTS["detail"] + 0.14 * (len(wave.traces) - 1), (lambda axes: _detail(axes, wave, shown),)))
    if tachogram is not None:
        rows.append((_HEIGHTS["tachogram"], (lambda axes: _tachogram(axes, tachogram, shown),)))
    bottom: list[Draw] = []
    spectrum, poincare = shown.spectrum, shown.poincare
    if spectrum is not None:
        bottom.append(lambda axes: _spectrum(axes, spectrum))
    if poincare is not None:
        bottom.append(lambda axes: _poincare(axes, poincare))
    if shown.rows and not beside:
        bottom.append(lambda axes: _table(axes, shown.rows))
    if bottom:
        alone = len(bottom) == 1 and bool(shown.rows)
        rows.append((_LINE * len(shown.rows) if alone else _HEIGHTS["bottom"], tuple(bottom)))
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


def _row(figure: Figure, total: float, top: float, height: float, draws: tuple[Draw, ...]) -> None:
    left, right, between = 0.62, 0.12, 0.62
    # three fit side by side; what stands alone in its row takes all of it, but for the table
    width = (WIDTH - left - right - between * (len(draws) - 1)) / len(draws)
    for i, draw in enumerate(draws):
        box = ((left + i * (width + between)) / WIDTH, (top - height) / total, width / WIDTH, height / total)
        draw(figure.add_axes(box))


def _portrait(axes: Axes, portrait: Portrait) -> None:
    axes.imshow(portrait.pixels, interpolation="antialiased")
    for _, polygons in portrait.regions:
        for polygon in polygons:
            axes.plot(*np.vstack((polygon, polygon[:1])).T, color=VERMILLION, linewidth=0.7)
    axes.set_axis_off()
    axes.set_anchor("W")
    axes.set_title("The face, and where its skin was read", loc="left", pad=4)


def _course(axes: Axes, course: Course, shown: Panels) -> None:
    span = clock(shown.duration)
    times = course.times / span.seconds
    axes.pcolormesh(
        times, course.rates, course.evidence, cmap="Greys", vmin=0, vmax=1, shading="nearest", rasterized=True
    )
    axes.plot(times, course.told, color=VERMILLION, linewidth=1.0, marker=".", markersize=2)
    axes.set_ylim(course.rates[0], course.rates[-1])
    axes.set_xlabel(f"Time ({span.unit})")
    axes.set_ylabel("Rate (/min)")
    axes.set_title("Evidence of a pulse over time, and the rate read", loc="left", pad=4)


def _overview(axes: Axes, wave: Wave, shown: Panels) -> None:
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
            markeredgewidth=0.7, transform=axes.get_xaxis_transform(), clip_on=False, rasterized=len(points.x) > _MANY,
        )  # fmt: skip


def _detail(axes: Axes, wave: Wave, shown: Panels) -> None:
    start = wave.window[0]
    for trace in wave.traces:
        axes.plot(trace.detail_times - start, trace.detail, color=INK, linewidth=0.6)
    for points in shown.beats:
        _scatter(axes, Points(points.mark, points.x - start, points.y), 14)
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


def _scatter(axes: Axes, points: Points, size: float) -> None:
    hollow = points.mark is Mark.MEASURED
    colour = COLOURS[points.mark]
    axes.scatter(
        points.x, points.y, s=size, marker=SHAPES[points.mark], linewidths=0.8, zorder=3, label=points.mark.value,
        facecolors="none" if hollow else colour, edgecolors=None if points.mark is Mark.REMOVED else colour,
        rasterized=len(points.x) > _MANY,
    )  # fmt: skip


def _tachogram(axes: Axes, tachogram: Tachogram, shown: Panels) -> None:
    span = clock(shown.duration)
    times = tachogram.times / span.seconds
    if tachogram.low is not None and tachogram.high is not None:
        axes.fill_between(times, tachogram.low, tachogram.high, color=SKY, alpha=0.45, linewidth=0, label="range")
        axes.plot(times, tachogram.values, color=BLUE, linewidth=0.7, label="median")
    else:
        width, dot = (0.7, 2.5) if len(times) <= 400 else (0.5, 0.6)
        axes.plot(times, tachogram.values, color=BLUE, linewidth=width, marker=".", markersize=dot)
    for points in tachogram.points:
        _scatter(axes, Points(points.mark, points.x / span.seconds, points.y), 9 if len(points.x) <= 60 else 3)
    if len(tachogram.removed):
        at = tachogram.removed / span.seconds
        axes.plot(
            at, np.full(len(at), 0.03), SHAPES[Mark.REMOVED], color=COLOURS[Mark.REMOVED], markersize=3.5,
            markeredgewidth=0.8, transform=axes.get_xaxis_transform(), label="removed",
        )  # fmt: skip
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="lower right", bbox_to_anchor=(1.0, 0.99), ncols=5, frameon=False, handletextpad=0.3, columnspacing=1,
            borderpad=0, borderaxespad=0,
        )  # fmt: skip
    if shown.wave is not None:
        edges = shown.wave.traces[0].times
        axes.set_xlim(edges[0] / span.seconds, edges[-1] / span.seconds)
    else:
        axes.margins(x=0.005)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel(f"Time ({span.unit})")
    axes.set_ylabel("Interval (ms)")
    axes.set_title("Tachogram", loc="left", pad=4)


def _spectrum(axes: Axes, spectrum: Spectrum) -> None:
    x, y = spectrum.frequencies, spectrum.density / 1000
    for name, (low, high) in LIMITS:
        # to the edges of the band, though the grid need not have a point there
        edge = np.concatenate(([low], x[(x > low) & (x < high)], [high]))
        axes.fill_between(edge, np.interp(edge, x, y), color=BANDS[name], alpha=0.45, linewidth=0)
        axes.text((low + high) / 2, 1.0, name, ha="center", va="top", transform=axes.get_xaxis_transform(), fontsize=6)
    for _, (_, high) in LIMITS[:-1]:
        axes.axvline(high, color=PALE, linewidth=0.6, zorder=0)
    axes.plot(x, y, color=INK, linewidth=0.7)
    axes.set_xlim(0, LIMITS[-1][1][1])
    axes.set_ylim(0, 1.15 * float(y.max()) or 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("Frequency (Hz)")
    axes.set_ylabel("Density (10³ ms²/Hz)")
    axes.text(
        0.99, 0.91, spectrum.method.replace(", ", "\n"), ha="right", va="top", fontsize=6.5, color=GREY,
        transform=axes.transAxes,
    )  # fmt: skip
    axes.set_title("Spectrum", loc="left", pad=4)


def _poincare(axes: Axes, poincare: Poincare) -> None:
    axes.scatter(poincare.x, poincare.y, s=3, color=BLUE, alpha=0.35, linewidths=0, rasterized=len(poincare.x) > _MANY)
    low, high = _range(poincare)
    axes.plot((low, high), (low, high), color=GREY, linewidth=0.5, linestyle=(0, (4, 3)), zorder=0)
    if poincare.sd1 is not None and poincare.sd2 is not None:
        center = (poincare.center, poincare.center)
        axes.add_patch(
            Ellipse(
                center, 2 * poincare.sd2, 2 * poincare.sd1, angle=45, fill=False, edgecolor=COLOURS[Mark.ECTOPIC],
                linewidth=1.0, zorder=4,
            )
        )  # fmt: skip
        axes.text(
            0.97, 0.03, f"SD1 {poincare.sd1:.1f} ms\nSD2 {poincare.sd2:.1f} ms", ha="right", va="bottom", fontsize=7,
            transform=axes.transAxes, bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1.5},
        )  # fmt: skip
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_box_aspect(1)
    axes.set_anchor("N")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.set_xlabel("Interval (ms)")
    axes.set_ylabel("Next interval (ms)")
    some = f", one pair of {poincare.shown}" if poincare.shown > 1 else ""
    axes.set_title(f"Poincaré{some}", loc="left", pad=4)


def _range(poincare: Poincare) -> tuple[float, float]:
    both = np.concatenate((poincare.x, poincare.y))
    margin = 0.06 * (float(np.ptp(both)) or 100.0)
    return float(both.min()) - margin, float(both.max()) + margin


def _table(axes: Axes, rows: tuple[Row, ...]) -> None:
    """Lines from above, in inches, so that few stand as close as many."""
    axes.set_axis_off()
    box = axes.get_position()
    figure = axes.figure
    assert isinstance(figure, Figure)
    height = box.height * figure.get_figheight()
    wide = box.width * figure.get_figwidth()
    right = min(wide, 1.75) / wide
    axes.text(right, 1.0, "quality", ha="right", va="bottom", fontsize=6.5, color=GREY)
    for i, row in enumerate(rows):
        y = 1 - (i + 0.6) * _LINE / height
        colour = GREY if row.absent else INK
        axes.text(-0.06 * right, y, row.title, va="center", fontsize=7, color=colour)
        if row.absent:
            axes.text(right, y, row.value, va="center", ha="right", fontsize=7, color=colour)
            continue
        axes.text(0.64 * right, y, row.value, va="center", ha="right", fontsize=7)
        axes.text(0.67 * right, y, row.unit, va="center", fontsize=7)
        axes.text(right, y, row.quality, va="center", ha="right", fontsize=7)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)


def _wrapped(note: str, width: int = 150) -> list[str]:
    words, lines = note.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines[:4]

"""Intervals on paper: tachogram, spectrum, Poincare plot."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from matplotlib.ticker import MaxNLocator

from kiosk.commands.figure.axes import clock
from kiosk.commands.figure.palette import BANDS, BLUE, COLOURS, GREY, INK, PALE, SHAPES, SKY
from kiosk.commands.figure.panels import Mark, Panels, Poincare, Points, Tachogram
from kiosk.commands.figure.paper.waves import MANY, scatter
from kiosk.commands.figure.spectrum import BANDS as LIMITS
from kiosk.commands.figure.spectrum import Spectrum


def tachogram(axes: Axes, content: Tachogram, shown: Panels) -> None:
    span = clock(shown.duration)
    times = content.times / span.seconds
    if content.low is not None and content.high is not None:
        axes.fill_between(times, content.low, content.high, color=SKY, alpha=0.45, linewidth=0, label="range")
        axes.plot(times, content.values, color=BLUE, linewidth=0.7, label="median")
    else:
        width, dot = (0.7, 2.5) if len(times) <= 400 else (0.5, 0.6)
        axes.plot(times, content.values, color=BLUE, linewidth=width, marker=".", markersize=dot)
    for points in content.points:
        scatter(axes, Points(points.mark, points.x / span.seconds, points.y), 9 if len(points.x) <= 60 else 3)
    if len(content.removed):
        at = content.removed / span.seconds
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


def density(axes: Axes, spectrum: Spectrum) -> None:
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


def cloud(axes: Axes, poincare: Poincare) -> None:
    axes.scatter(poincare.x, poincare.y, s=3, color=BLUE, alpha=0.35, linewidths=0, rasterized=len(poincare.x) > MANY)
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

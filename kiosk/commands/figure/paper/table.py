"""The readings on paper."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kiosk.commands.figure.palette import GREY, INK
from kiosk.commands.figure.panels import Row

LINE = 0.135
"""Inches of a line of the table."""


def table(axes: Axes, rows: tuple[Row, ...]) -> None:
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
        y = 1 - (i + 0.6) * LINE / height
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

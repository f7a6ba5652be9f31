"""A chart on paper: lines that share axes."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kiosk.commands.figure.charts import Chart
from kiosk.commands.figure.palette import GREY, LINES

LEGEND = 0.14
"""Inches of a line of the legend."""
COLUMNS = 5


def chart(axes: Axes, content: Chart) -> None:
    """Lines with their names, in the order of the legend."""
    figure, box = axes.figure, axes.get_position()
    assert isinstance(figure, Figure)
    # room for the legend, between the title and the lines
    lines = -(-len(content.lines) // COLUMNS) if len(content.lines) > 1 else 0
    axes.set_position((box.x0, box.y0, box.width, box.height - lines * LEGEND / figure.get_figheight()))
    for line, colour in zip(content.lines, LINES, strict=False):
        style = (0, (4, 2)) if line.dashed else "-"
        mark = "." if line.marked else None
        axes.plot(
            line.x, line.y, color=colour, linewidth=0.9, linestyle=style, marker=mark, markersize=2.5, label=line.name
        )
    for edge in content.edges:
        axes.axvline(edge, color=GREY, linewidth=0.4, zorder=0)
    if content.logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    if content.limits is not None:
        axes.set_ylim(*content.limits)
    axes.margins(x=0.01)
    axes.set_xlabel(content.x)
    axes.set_ylabel(content.y)
    axes.set_title(content.title, loc="left", pad=4 + 72 * lines * LEGEND)
    if len(content.lines) > 1:
        axes.legend(
            loc="lower left", bbox_to_anchor=(0.0, 0.98), ncols=COLUMNS, frameon=False, handlelength=1.2,
            handletextpad=0.3, columnspacing=0.8, borderpad=0, borderaxespad=0,
        )  # fmt: skip

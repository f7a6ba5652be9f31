"""A chart on the page: lines that share axes."""

import plotly.graph_objects as go

from kiosk.commands.figure.charts import Chart
from kiosk.commands.figure.page.traces import Place, add, line
from kiosk.commands.figure.palette import GREY, LINES


def chart(figure: go.Figure, place: Place, content: Chart) -> None:
    """Lines with their names; those of one chart are switched on and off together in the legend's group."""
    row, column = place
    for each, colour in zip(content.lines, LINES, strict=False):
        trace = line(each.x, each.y, colour, 1.5, each.name)
        trace.update(
            legendgroup=content.title, legendgrouptitle_text=content.title, showlegend=len(content.lines) > 1,
            line_dash="dash" if each.dashed else "solid", mode="lines+markers" if each.marked else "lines",
            marker={"size": 4},
        )  # fmt: skip
        add(figure, trace, place)
    for edge in content.edges:
        figure.add_vline(edge, line={"color": GREY, "width": 0.5}, row=row, col=column)
    figure.update_xaxes(title_text=content.x, row=row, col=column)
    figure.update_yaxes(title_text=content.y, row=row, col=column)
    if content.logarithmic:
        figure.update_yaxes(type="log", row=row, col=column)
    elif content.limits is not None:
        figure.update_yaxes(range=list(content.limits), row=row, col=column)

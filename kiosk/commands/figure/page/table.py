"""The readings on the page."""

import plotly.graph_objects as go

from kiosk.commands.figure.page.traces import Place, add
from kiosk.commands.figure.palette import GREY, INK
from kiosk.commands.figure.panels import Row


def table(figure: go.Figure, place: Place, rows: tuple[Row, ...]) -> None:
    colours = [[GREY if row.absent else INK for row in rows]] * 3
    cells = [
        [row.title for row in rows],
        [f"{row.value} {row.unit}".strip() for row in rows],
        [row.quality for row in rows],
    ]
    drawn = go.Table(
        header={"values": ["", "value", "quality"], "fill_color": "white", "align": ["left", "right", "right"]},
        cells={
            "values": cells, "fill_color": "white", "font": {"color": colours}, "height": 22,
            "align": ["left", "right", "right"], "line": {"color": "white"},
        },
        columnwidth=[1.9, 1.3, 0.9],
    )  # fmt: skip
    add(figure, drawn, place)

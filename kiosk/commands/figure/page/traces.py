"""What the page's panels are made of: traces, their places, their text."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from kiosk.commands.figure.waves import Floats

Place = tuple[int, int]


def line(x: Floats, y: Floats, colour: str, width: float, name: str) -> go.Scatter:
    return go.Scatter(x=short(x), y=short(y), mode="lines", line={"color": colour, "width": width}, name=name)


def short(values: Floats) -> NDArray[np.float32]:
    """What a screen can show: seven digits, in half the space."""
    return values.astype(np.float32)


def quiet(trace: go.Scatter) -> go.Scatter:
    return trace.update(showlegend=False)


def axis(figure: go.Figure, place: Place) -> str:
    """The number of a panel's x axis."""
    return str(figure.get_subplot(*place).xaxis.plotly_name).removeprefix("xaxis")


def add(figure: go.Figure, trace: go.Scatter | go.Table | go.Heatmap, place: Place) -> None:
    figure.add_trace(trace, row=place[0], col=place[1])


def plain(text: str) -> str:
    """Text as it is: a file's name must not become markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

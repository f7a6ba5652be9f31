"""A camera's findings on the page: the face with its regions, and the evidence of its pulse."""

import base64

import cv2
import numpy as np
import plotly.graph_objects as go

from kiosk.commands.figure.axes import clock
from kiosk.commands.figure.camera import Course
from kiosk.commands.figure.page.traces import Place, add, axis, line, quiet, short
from kiosk.commands.figure.palette import VERMILLION
from kiosk.commands.figure.panels import Panels
from sensors.files.pictures import Portrait


def face(figure: go.Figure, place: Place, portrait: Portrait) -> None:
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
        add(figure, quiet(line(x, y, VERMILLION, 1, name.replace("_", " "))), place)
    left = {"constrain": "domain", "constraintoward": "left"}
    figure.update_xaxes(range=[0, width], visible=False, **left, row=row, col=column)
    anchor = f"x{axis(figure, place)}"
    figure.update_yaxes(
        range=[height, 0], visible=False, scaleanchor=anchor, constrain="domain", row=row, col=column
    )  # fmt: skip


def evidence(figure: go.Figure, place: Place, course: Course, shown: Panels) -> None:
    span = clock(shown.duration)
    times = course.times / span.seconds
    shades = go.Heatmap(
        x=short(times), y=short(course.rates), z=course.evidence.astype(np.float32).round(3), colorscale="Greys",
        reversescale=False, zmin=0, zmax=1, showscale=False, hoverinfo="skip",
    )  # fmt: skip
    add(figure, shades, place)
    told = line(times, course.told, VERMILLION, 2, "rate read").update(mode="lines+markers", marker={"size": 4})
    add(figure, quiet(told), place)
    figure.update_xaxes(title_text=f"Time ({span.unit})", row=place[0], col=1)
    figure.update_yaxes(title_text="Rate (/min)", row=place[0], col=1)

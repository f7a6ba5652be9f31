"""A camera's findings on paper: the face with its regions, and the evidence of its pulse."""

import numpy as np
from matplotlib.axes import Axes

from kiosk.commands.figure.axes import clock
from kiosk.commands.figure.camera import Course
from kiosk.commands.figure.palette import VERMILLION
from kiosk.commands.figure.panels import Panels
from sensors.files import Portrait


def face(axes: Axes, portrait: Portrait) -> None:
    axes.imshow(portrait.pixels, interpolation="antialiased")
    for _, polygons in portrait.regions:
        for polygon in polygons:
            axes.plot(*np.vstack((polygon, polygon[:1])).T, color=VERMILLION, linewidth=0.7)
    axes.set_axis_off()
    axes.set_anchor("W")
    axes.set_title("The face, and where its skin was read", loc="left", pad=4)


def evidence(axes: Axes, course: Course, shown: Panels) -> None:
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

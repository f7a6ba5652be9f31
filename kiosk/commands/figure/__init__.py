"""A recording and what was found in it as one figure: for a paper (PNG, SVG) or to look around in (HTML)."""

from dataclasses import replace
from pathlib import Path

from analytics.session import Result
from kiosk.commands.figure.panels import panels
from kiosk.commands.printable import printable
from kiosk.errors import BadRecording
from kiosk.recording import Recording
from sensors.files.pictures import Portrait

__all__ = ["write"]


def write(path: Path, recording: Recording, result: Result, portrait: Portrait | None = None) -> None:
    """Draw into a file; its suffix says how. Of a video, the face is shown with the regions that were read."""
    shown = panels(_drawable(recording), result, portrait)
    try:
        if path.suffix.lower() == ".html":
            from kiosk.commands.figure import page

            page.write(path, shown)
        else:
            from kiosk.commands.figure import paper

            paper.write(path, shown)
    except OSError as error:
        raise BadRecording(f"{path}: the figure cannot be written ({error.strerror})") from None


def _drawable(recording: Recording) -> Recording:
    """The same with names that can be drawn."""
    tracks = tuple(replace(each, channels=tuple(map(printable, each.channels))) for each in recording.tracks)
    assumed = tuple((printable(what), printable(value)) for what, value in recording.assumed)
    return replace(recording, name=printable(recording.name), tracks=tracks, assumed=assumed)

"""A recording and what was found in it as one figure: for a paper (PNG, SVG) or to look around in (HTML)."""

from pathlib import Path

from analytics.session import Result
from kiosk.commands.figure.panels import panels
from kiosk.errors import BadRecording
from kiosk.recording import Recording

__all__ = ["write"]


def write(path: Path, recording: Recording, result: Result) -> None:
    """Draw into a file; its suffix says how."""
    shown = panels(recording, result)
    try:
        if path.suffix.lower() == ".html":
            from kiosk.commands.figure import page

            page.write(path, shown)
        else:
            from kiosk.commands.figure import paper

            paper.write(path, shown)
    except OSError as error:
        raise BadRecording(f"{path}: the figure cannot be written ({error.strerror})") from None

"""Where figures go: one file, a folder, or a pattern with the recording's name in it."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path

from kiosk.errors import BadRecording
from sensors.files.assemble import device_of

FORMATS = (".png", ".svg", ".html")
NAME = "{name}"


def places(plot: str | None, recordings: Sequence[Path]) -> list[Path | None]:
    """The figure of each recording."""
    if plot is None:
        return [None] * len(recordings)
    if NAME not in plot:
        target = Path(plot)
        if target.suffix.lower() in FORMATS and not target.is_dir():
            if len(recordings) > 1:
                raise BadRecording(
                    f"--plot {plot}: {len(recordings)} recordings do not go into one figure;"
                    f" name a folder, or figures/{NAME}{target.suffix}"
                )
            return [_writable(plot, target)]
        if target.suffix and not target.is_dir():
            raise BadRecording(f"--plot {plot}: a figure is {', '.join(FORMATS)}")
        plot = f"{plot}/{NAME}.png"
    elif Path(plot).suffix.lower() not in FORMATS:
        raise BadRecording(f"--plot {plot}: a figure is {', '.join(FORMATS)}")
    return [_writable(plot, Path(plot.replace(NAME, name))) for name in _distinct(recordings)]


def _writable(plot: str, figure: Path) -> Path:
    try:
        figure.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadRecording(f"--plot {plot}: {error.strerror}") from None
    return figure


def _distinct(recordings: Sequence[Path]) -> list[str]:
    """The recordings' names, with their folders' where several have the same, and with a number at the worst."""
    plain = [device_of(path) for path in recordings]
    shared = {name for name, times in Counter(plain).items() if times > 1}
    names: list[str] = []
    taken: set[str] = set()
    for path, own in zip(recordings, plain, strict=True):
        longer = f"{path.resolve().parent.name}-{own}" if own in shared else own
        name = next(n for n in chain([longer], (f"{longer}-{i}" for i in count(2))) if n not in taken)
        taken.add(name)
        names.append(name)
    return names

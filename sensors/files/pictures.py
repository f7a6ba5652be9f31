"""Videos and stills -> Recording, through the observer that stands behind the camera: a clip says what the camera says.

Pictures stay here. What the recording holds are the signals that may leave, as the driver would have sent them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kiosk.recording import Recording, Track
from kiosk.signals import MOTION_CHANNELS, RGB_CHANNELS, UNIT_CHANNELS
from sensors.face import Frame, Pixels, Sight
from sensors.face.seen import Numbers
from sensors.files.source import bad

if TYPE_CHECKING:
    from sensors.observer import Regions

VIDEOS = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")
STILLS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
MOST_BYTES = 16 * 1024**3
"""Of a video, which is read picture by picture."""
MADE_BY = "health-kiosk figure"
"""Written into the head of every figure that is a picture."""
DEVICE = "camera"
SETTLED = 1_000_000_000
"""Nanoseconds that a face is in view before it is drawn: the first picture of a camera is often dark."""
_MICROSECOND = 1000


@dataclass(frozen=True, slots=True)
class Portrait:
    """A face for a figure, with outlines of the regions whose colour is read: to be drawn, never sent or stored."""

    pixels: Pixels
    regions: "Regions"


def read_video(path: Path, *, models: Path | None = None) -> Recording:
    """What is seen in a video. `models` is the folder of installed networks, where those are to be asked."""
    from sensors.frames.file import video

    return _seen(path, video(path), models, is_still=False)


def read_still(path: Path, *, models: Path | None = None) -> Recording:
    """What is seen in one picture: a face's expression, and nothing that takes time."""
    from sensors.frames.file import still

    return _seen(path, (still(path),), models, is_still=True)


def portrait(path: Path, *, is_still: bool, models: Path | None = None) -> Portrait | None:
    """A face of a video or a still, a second after it came into view; None where there is none."""
    from sensors.frames.file import still, video
    from sensors.observer import Observer

    found, came = None, None
    with Observer(models=models, still=is_still) as observer:
        for frame in (still(path),) if is_still else video(path):
            if not np.isfinite(observer.see(frame).motion[MOTION_CHANNELS.index("size")]):
                continue
            came = frame.at if came is None else came
            found = _portrait(frame.pixels, observer.regions)
            if frame.at - came >= SETTLED:
                break
    return found


def is_figure(path: Path) -> bool:
    """Whether a picture is a figure that this program drew: it may show a face, and is nobody's recording."""
    try:
        with path.open("rb") as file:
            return MADE_BY.encode() in file.read(1024)
    except OSError:
        return False


def _portrait(pixels: Pixels, regions: "Regions") -> Portrait:
    """The face with a third of its height around it."""
    outline = regions[0][1][0]
    margin = np.ptp(outline[:, 1]) / 3
    corner = np.maximum(outline.min(axis=0) - margin, 0).astype(int)
    right, bottom = (outline.max(axis=0) + margin).astype(int).tolist()
    moved = tuple((name, tuple(polygon - corner for polygon in polygons)) for name, polygons in regions)
    return Portrait(pixels[corner[1] : bottom, corner[0] : right].copy(), moved)


def _seen(path: Path, frames: Iterable[Frame], models: Path | None, *, is_still: bool) -> Recording:
    from sensors.observer import Observer  # MediaPipe takes seconds to import

    with Observer(models=models, still=is_still) as observer:
        sights = [observer.see(frame) for frame in frames]
        names = observer.score_channels
    sights = _in_order(sights)
    if not sights:
        raise bad(path, "there is no picture in it")
    nothing = np.full(len(UNIT_CHANNELS), np.nan, np.float32)
    tracks = [
        # one picture has no colour that changes and no motion
        None if is_still else _track("rgb", RGB_CHANNELS, [(sight.at, sight.rgb) for sight in sights]),
        None if is_still else _track("face_motion", MOTION_CHANNELS, [(sight.at, sight.motion) for sight in sights]),
        _track(
            "face_units",
            UNIT_CHANNELS,
            [(sight.at, nothing if sight.units is None and is_still else sight.units) for sight in sights],
        ),
        _track("face_scores", names, [(sight.at, sight.scores) for sight in sights]) if names else None,
    ]
    return Recording(tuple(track for track in tracks if track is not None), str(path))


def _in_order(sights: list[Sight]) -> list[Sight]:
    """Those later than all before, to the microsecond that a chunk carries."""
    times = np.array([sight.at // _MICROSECOND for sight in sights], dtype=np.int64)
    if not len(times):
        return []
    later = np.diff(np.maximum.accumulate(times), prepend=times[0] - 1) > 0
    return [sight for sight, keep in zip(sights, later.tolist(), strict=True) if keep]


def _track(signal: str, channels: tuple[str, ...], rows: list[tuple[int, Numbers | None]]) -> Track | None:
    """Of the pictures that had it; None where none had."""
    there = [(at, row) for at, row in rows if row is not None]
    if not there:
        return None
    times = np.array([at // _MICROSECOND * _MICROSECOND for at, _ in there], dtype=np.int64)
    samples = np.vstack([row for _, row in there]).astype(np.float32)
    samples[np.isinf(samples)] = np.nan
    return Track(signal, DEVICE, channels, None, times, samples)

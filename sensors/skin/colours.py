"""Mean colours of the regions of one face, picture by picture.

Means of many pixels in floating point: the pulse moves a colour of 150 by about 0.1 to 0.5, less than one step of a
pixel. sRGB values stay as they are; the analysis divides by their own mean anyway.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.signals import REGIONS, RGB_CHANNELS
from sensors.face.seen import Numbers, Pixels, Points
from sensors.skin import regions
from sensors.skin.steady import SteadyFace
from sensors.skin.tone import SIDE, Tone

LEAST_PIXELS: Final = 24.0
"""Of a region; fewer have no mean worth the name."""
LARGE: Final = 360
"""Height of a face from which its pixels are first averaged in squares: the mean is the same, the work is not."""
LEARN_EVERY: Final = 0.2
"""Seconds between two looks at what is skin."""
FACE: Final = (0.08, 0.92)
"""Where in the map's coordinates the face lies: a margin for what it does between two looks."""

NOTHING: Final = np.array([np.nan, np.nan, np.nan, 0.0] * len(REGIONS), np.float32)
assert len(NOTHING) == len(RGB_CHANNELS)


class Skin:
    """One person's skin over time. `light` is the mean luminance of the whole face, skin or not."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """The visitor is somebody else."""
        self._steady, self._tone = SteadyFace(), Tone()
        self._learned: int | None = None
        self.look_away()

    def look_away(self) -> None:
        """There is no face in this picture; the person may come back."""
        self.light = float("nan")
        self._points: NDArray[np.float32] | None = None

    @property
    def polygons(self) -> tuple[tuple[NDArray[np.float64], ...], ...]:
        """Outline and holes of each region, in the last picture's pixels."""
        if self._points is None:
            return ()
        holes = tuple(hole.astype(np.float64) for hole in regions.holes(self._points))
        return tuple((outline.astype(np.float64), *holes) for outline in regions.outlines(self._points))

    def colours(self, pixels: Pixels, points: Points, at: int) -> Numbers:
        """Of `signals.RGB_CHANNELS`. A region that cannot be seen is NaN with 0 pixels."""
        steady = self._steady.points(points, at)
        self._points = steady
        low, high = np.floor(steady.min(axis=0)).astype(int) - 2, np.ceil(steady.max(axis=0)).astype(int) + 3
        left, top = max(0, int(low[0])), max(0, int(low[1]))
        right, bottom = min(pixels.shape[1], int(high[0])), min(pixels.shape[0], int(high[1]))
        self.light = float("nan")
        if right - left < 4 or bottom - top < 4:
            return NOTHING.copy()
        part = pixels[top:bottom, left:right]
        shrink = max(1, (bottom - top) // LARGE)
        if shrink > 1:
            rows, columns = part.shape[0] // shrink * shrink, part.shape[1] // shrink * shrink
            size = columns // shrink, rows // shrink
            part = np.asarray(cv2.resize(part[:rows, :columns], size, interpolation=cv2.INTER_AREA), np.uint8)
        inside = (steady - np.array([left, top], np.float32)) / np.float32(shrink)
        return self._means(np.ascontiguousarray(part), inside, at, float(shrink * shrink))

    def _means(self, part: Pixels, points: NDArray[np.float32], at: int, each: float) -> Numbers:
        """Of a picture cut down to the face; `each` is how many pixels one of its pixels stands for."""
        height, width = part.shape[:2]
        to_map = _to_map(points)
        if self._learned is None or self._tone.new or not 0 <= (at - self._learned) / 1e9 < LEARN_EVERY:
            self._learn(part, points, to_map, at)
        skin = cv2.warpAffine(
            self._tone.map,
            to_map,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        clear = regions.cleared((height, width), regions.holes(points))
        values = part.astype(np.float32)
        result = NOTHING.copy()
        for index, outline in enumerate(regions.outlines(points)):
            if not regions.facing(outline):
                continue
            low, high = np.floor(outline.min(axis=0)).astype(int) - 1, np.ceil(outline.max(axis=0)).astype(int) + 2
            rows, columns = slice(max(0, int(low[1])), int(high[1])), slice(max(0, int(low[0])), int(high[0]))
            if rows.start >= min(height, rows.stop) or columns.start >= min(width, columns.stop):
                continue
            open_part = clear[rows, columns]
            mask = np.minimum(regions.drawn(outline - (columns.start, rows.start), open_part.shape), open_part)
            flat = values[rows, columns].reshape(-1, 3)
            if index == 0:
                self.light = _luminance(mask, flat)
            weights = (mask * (skin[rows, columns] * np.float32(1 / 255))).ravel()
            count = float(weights.sum(dtype=np.float64))
            if count * each >= LEAST_PIXELS:
                result[4 * index : 4 * index + 4] = *((weights @ flat) / count), count * each
        return result

    def _learn(self, part: Pixels, points: NDArray[np.float32], to_map: NDArray[np.float64], at: int) -> None:
        face = cv2.warpAffine(part, to_map, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        drawn_in = (points @ to_map[:, :2].T + to_map[:, 2]).astype(np.float32)
        seed = np.zeros((SIDE, SIDE), np.uint8)
        for outline in regions.outlines(drawn_in)[1:]:
            if regions.facing(outline):
                seed |= regions.drawn(outline, (SIDE, SIDE))
        seed &= regions.cleared((SIDE, SIDE), regions.holes(drawn_in))
        elapsed = 0.0 if self._learned is None else (at - self._learned) / 1e9
        self._tone.learn(np.asarray(face, np.uint8), seed > 127, elapsed)
        self._learned = at


def _luminance(mask: NDArray[np.uint8], flat: NDArray[np.float32]) -> float:
    """Mean under a mask, skin or not, 0..1; NaN where it is empty."""
    weights = mask.astype(np.float32).ravel()
    total = float(weights.sum(dtype=np.float64))
    return float((weights @ flat) @ (0.2126, 0.7152, 0.0722) / total / 255) if total > 0 else float("nan")


_CORNERS: Final = (10, 152, 234, 454)
"""Top, bottom and sides of a face."""
_TARGETS: Final = SIDE * np.array([[0.5, FACE[0]], [0.5, FACE[1]], [FACE[0], 0.45], [FACE[1], 0.45]])


def _to_map(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """(2, 3), from the picture's pixels to those of the map, by the face's four ends."""
    known = np.column_stack((points[list(_CORNERS)].astype(np.float64), np.ones(len(_CORNERS))))
    return np.asarray(np.linalg.lstsq(known, _TARGETS, rcond=None)[0].T)

"""The real face clip with a known pulse multiplied into its skin, moved, lit, spoiled, encoded and decoded again.

All is done in one go on decoded frames in floating point and rounded once: an 8-bit picture shows a pulse of a tenth of
a percent only through its noise, so that every scene has at least the half level that a camera has anyway.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from sensors.face.seen import Frame, Pixels, Points
from sensors.frames.file import video
from tests.benchmarks._rppg_pulse import Known

Floats = NDArray[np.float64]

BLOOD = (0.6, 1.0, 0.35)
"""How much of the pulse red, green and blue have, in most scenes."""
OTHER_BLOOD = (0.35, 1.0, 0.85)
"""In one scene: neither this nor the published vector."""
LEAST_NOISE = 0.5
"""Levels: standard deviation of a pixel that no scene goes below."""
SHUTTER = 0.7
"""Share of the time between two pictures in which a rolling shutter reads the rows."""
_SOFT = 4.0
"""Pixels: how soft the edge of the skin is."""
_OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
         150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
_HOLES = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens beside the pulse."""

    name: str
    sway: float = 0.0
    """Pixels that the picture moves to and fro by, slowly; it turns and grows along."""
    quick: bool = False
    """Four times as fast: the head's own movements rather than the chair's."""
    drift: float = 0.0
    """Relative change of the light."""
    noise: float = LEAST_NOISE
    """Levels, standard deviation of a pixel."""
    lost: float = 0.0
    """Share of pictures that never come; the others come at times that jitter by a sixth of a picture."""
    flicker: float = 0.0
    """Relative depth of a lamp's 100 Hz before a rolling shutter, less in blue."""
    light: float = 1.0
    codec: str = ""
    """FourCC, with a quality after a space where the codec takes one."""
    upside: bool = False
    """The pulse brightens the skin instead."""
    blood: tuple[float, float, float] = BLOOD

    @property
    def own_points(self) -> bool:
        """Whether landmarks are found anew in it, for pictures look otherwise than the clip's."""
        return self != Scene(self.name, upside=self.upside, lost=self.lost, drift=self.drift, blood=self.blood)


SCENES = (
    Scene("clean"),
    Scene("slow motion, drift 2 %", sway=10.0, drift=0.02),
    Scene("noise, 6 levels a pixel", noise=6.0),
    Scene("5 % of pictures lost", lost=0.05),
    Scene("30 % of pictures lost", lost=0.3),
    Scene("flicker 2 %", flicker=0.02, noise=2.0),
    Scene("dim light, 15 %", light=0.15, noise=2.0),
    Scene("faster head", sway=12.0, quick=True, drift=0.02),
    Scene("brightening pulse", upside=True),
    Scene("blood of other colours", blood=OTHER_BLOOD),
    Scene("MJPG 60", noise=2.0, codec="MJPG 60"),
    Scene("mp4v", noise=2.0, codec="mp4v"),
    Scene("VP8", noise=2.0, codec="VP80"),
)
SLOW_CODEC = Scene("VP9", noise=2.0, codec="VP90")
"""Minutes to encode: only where asked for."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Where it lies, when its pictures were taken, and where the face is in them."""

    path: Path
    seconds: Floats
    points: tuple[Points, ...]
    times_over: int = 1
    """Played so often, forth and back: for what needs a minute and more."""

    @property
    def order(self) -> tuple[NDArray[np.intp], Floats]:
        """Which picture comes when."""
        count = len(self.seconds)
        steps = np.diff(self.seconds)
        turns = [np.arange(count) if turn % 2 == 0 else np.arange(count)[::-1] for turn in range(self.times_over)]
        gaps = np.concatenate([np.concatenate(([np.median(steps)], steps)) for _ in turns])
        return np.concatenate(turns), np.cumsum(gaps) - gaps[0]


@dataclass(frozen=True, slots=True)
class Played:
    """What a camera would have given: pictures, and what each shows of which picture of the clip."""

    pulse: Known
    amplitude: float
    """Relative, in green: the pulse swings by so much to either side, twice that from foot to top."""
    scene: Scene
    seed: int = 0

    def frames(self, clip: Clip, folder: Path) -> tuple[Iterator[Frame], float | None]:
        """Lost pictures left out; encoded and decoded where the scene has a codec, of which the kbit/s are told."""
        _, seconds = self.kept(clip)
        pictures, kilobits = self._shown(clip), None
        if self.scene.codec:
            path = written(pictures, self.scene.codec, folder)
            kilobits = path.stat().st_size * 0.008 / (seconds[-1] - seconds[0])
            pictures = (frame.pixels for frame in video(path))
        timed = zip(np.rint(seconds * SECOND).astype(np.int64).tolist(), pictures, strict=True)
        return (Frame(at, pixels) for at, pixels in timed), kilobits

    def kept(self, clip: Clip) -> tuple[NDArray[np.intp], Floats]:
        """Which pictures of the clip come, and when."""
        order, seconds = clip.order
        keep = np.arange(len(order))
        if self.scene.lost:
            rng = np.random.default_rng((self.seed, 7))
            seconds = np.maximum.accumulate(seconds + rng.uniform(-1, 1, len(seconds)) / 180.0 + 1 / 180.0)
            keep = np.flatnonzero(rng.random(len(order)) >= self.scene.lost)
        return order[keep], seconds[keep]

    def _shown(self, clip: Clip) -> Iterator[Pixels]:
        order, seconds = self.kept(clip)
        scene, rng = self.scene, np.random.default_rng((self.seed, 11))
        blood = -self.pulse.wave(seconds) if not scene.upside else self.pulse.wave(seconds)
        steady = _steadied(clip.points)
        grain: NDArray[np.float32] | None = None
        for index, (place, pixels) in enumerate(_in_order(clip.path, order)):
            at = float(seconds[index])
            picture = cast(NDArray[np.float32], pixels.astype(np.float32))
            if self.amplitude:
                top, left, mask = skin(steady[place], pixels.shape[:2])
                height, width = mask.shape
                part = picture[top : top + height, left : left + width]
                part *= 1.0 + mask[:, :, None] * np.array(
                    self.amplitude * blood[index] * np.array(scene.blood), dtype=np.float32
                )
            if scene.drift or scene.flicker or scene.light != 1.0:
                picture *= _light(scene, at, self.seed, pixels.shape[0])
            if scene.sway:
                path, size = _path(scene, at, self.seed), pixels.shape[1::-1]
                moved = cv2.warpAffine(picture, path, size, borderMode=cv2.BORDER_REPLICATE)
                picture = cast(NDArray[np.float32], moved)
            if grain is None:
                # a field twice as large, of which each picture gets another part: drawing it anew costs ten times more
                grain = rng.standard_normal((2 * pixels.shape[0], 2 * pixels.shape[1], 3), dtype=np.float32)
                grain *= scene.noise
            y, x = rng.integers(pixels.shape[0]), rng.integers(pixels.shape[1])
            part = grain[y : y + pixels.shape[0], x : x + pixels.shape[1]]
            # added, rounded and kept within 0..255 in one go
            yield cast(Pixels, cv2.addWeighted(picture, 1.0, part, 1.0, 0.0, dtype=cv2.CV_8U))


def skin(points: Points, shape: tuple[int, ...]) -> tuple[int, int, NDArray[np.float32]]:
    """Top, left and a soft mask of the face without eyes and mouth."""
    outline = points[list(_OVAL), :2]
    margin = 3 * _SOFT
    low = np.maximum(np.floor(outline.min(axis=0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(outline.max(axis=0) + margin), np.array(shape[::-1])).astype(int)
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), dtype=np.float32)
    cv2.fillPoly(mask, [np.rint(outline - low).astype(np.int32)], 1.0)
    for hole in _HOLES:
        cv2.fillPoly(mask, [np.rint(points[list(hole), :2] - low).astype(np.int32)], 0.0)
    return int(low[1]), int(low[0]), cast(NDArray[np.float32], cv2.GaussianBlur(mask, (0, 0), _SOFT))


def _in_order(path: Path, order: NDArray[np.intp]) -> Iterator[tuple[int, Pixels]]:
    """Pictures as `order` asks for them, decoded as they come while it goes forth."""
    if (np.diff(order) > 0).all():
        wanted = iter(order.tolist())
        place = next(wanted, None)
        for index, frame in enumerate(video(path)):
            if index == place:
                yield index, frame.pixels
                place = next(wanted, None)
        return
    kept = [frame.pixels for frame in video(path)]
    for place in order.tolist():
        yield place, kept[place]


def _steadied(points: tuple[Points, ...]) -> list[Points]:
    """Landmarks without their jitter: skin does not tremble with a network's doubt."""
    stack = np.array(points)
    padded = np.pad(stack, ((4, 4), (0, 0), (0, 0)), mode="edge")
    return list(np.mean([padded[k : k + len(stack)] for k in range(9)], axis=0, dtype=np.float32))


def _path(scene: Scene, at: float, seed: int) -> NDArray[np.float64]:
    """Where the picture is moved to: (2, 3)."""
    if not scene.sway:
        return np.eye(2, 3)
    rng = np.random.default_rng((seed, 13))
    turns = rng.uniform(0, 2 * np.pi, (4, 3))
    speeds = rng.uniform(0.05, 0.3, (4, 3)) * (4.0 if scene.quick else 1.0)
    x, y, turn, size = np.sin(2 * np.pi * speeds * at + turns).sum(axis=1) / 1.7
    matrix = cv2.getRotationMatrix2D((360.0, 230.0), 2.0 * turn, 1.0 + 0.03 * size)
    matrix[:, 2] += scene.sway * x, 0.6 * scene.sway * y
    return np.asarray(matrix, dtype=np.float64)


def _light(scene: Scene, at: float, seed: int, height: int) -> NDArray[np.float32]:
    """Of each row and colour, (height, 1, 3)."""
    rng = np.random.default_rng((seed, 17))
    hertz, lag = rng.uniform((0.03, 0.08, 0.15), (0.08, 0.15, 0.3)), rng.uniform(0, 2 * np.pi, 3)
    level = scene.light * (1.0 + scene.drift * float(np.sin(2 * np.pi * hertz * at + lag).mean() * 1.5))
    light = np.full((height, 1, 3), level, dtype=np.float32)
    if scene.flicker:
        moments = at + SHUTTER / 30.0 * np.linspace(0, 1, height)
        lamp = np.sin(2 * np.pi * 100.0 * moments)[:, None, None]
        light *= (1.0 + scene.flicker * lamp * np.array([1.0, 1.0, 0.7])).astype(np.float32)
    return light


def written(pictures: Iterator[Pixels], codec: str, folder: Path) -> Path:
    """The pictures as a file of a codec."""
    name, _, quality = codec.partition(" ")
    path = folder / f"clip.{ {'mp4v': 'mp4', 'MJPG': 'avi'}.get(name, 'webm') }"
    first = next(pictures)
    api = cv2.CAP_OPENCV_MJPEG if quality else cv2.CAP_FFMPEG
    writer = cv2.VideoWriter(str(path), api, cv2.VideoWriter.fourcc(*name), 30.0, first.shape[1::-1])
    if quality:
        writer.set(cv2.VIDEOWRITER_PROP_QUALITY, float(quality))
    for pixels in chain((first,), pictures):
        writer.write(np.ascontiguousarray(pixels[:, :, ::-1]))
    writer.release()
    return path

"""Detectors: where in a picture faces are, near and far. The mesh is measured only in the squares that they name.

Bazarevsky V et al. BlazeFace: sub-millisecond neural face detection on mobile GPUs. arXiv:1907.05047 (2019).
Wu W, Peng H, Yu S. YuNet: a tiny millisecond-level face detector. Machine Intelligence Research 20:656-665 (2023),
doi:10.1007/s11633-023-1423-y.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk import models
from sensors.face.crop import Square, between_eyes, overlap
from sensors.face.graph import Graph
from sensors.face.seen import Pixels

YUNET_SIDE = 320
"""The longer side of the picture that YuNet looks at: a face of 20 px in 640 is still 10 px there, its smallest."""
YUNET_SCORE = 0.7
STRIDES = (8, 16, 32)
BLAZE_SIDE = 384
"""Pictures longer than this are averaged down before BlazeFace, which would skip pixels on its way to 192."""
BLAZE_SCORE = 0.4
"""Lower than MediaPipe's own: what is no face has no landmarks either, and is dropped there."""
TILES = 3
"""Squares of a picture's shorter side, laid along its longer one."""
SAME = 0.4
"""Overlap from which two squares are of one face."""


class Detector(Protocol):
    """Finds faces anywhere in a picture."""

    @property
    def name(self) -> str:
        """For provenance."""
        ...

    def squares(self, pixels: Pixels) -> list[Square]:
        """One square for each face, in pixels of the picture."""
        ...

    def close(self) -> None:
        """Give its memory back."""
        ...


class BlazeFace:
    """MediaPipe's detectors, from its wheel: full range (to five metres), and short range for a face that fills it.

    Their networks see 192 and 128 pixels. Where the whole picture shows nobody, its squares are looked at too.
    """

    name = "blazeface"

    def __init__(self) -> None:
        self._far, self._near = (
            Graph(
                f'calculator: "FaceDetection{kind}RangeCpu" '
                'input_stream: "IMAGE:image" output_stream: "DETECTIONS:detections" '
                f"options {{ [mediapipe.FaceDetectionOptions.ext] {{ min_score_thresh: {BLAZE_SCORE} }} }}",
                "detections",
            )
            for kind in ("Full", "Short")
        )

    def squares(self, pixels: Pixels) -> list[Square]:
        """Faces far and near. One that fills the picture is none to the far network, which finds another: ask both."""
        near, far = self._squares(self._near, pixels), self._squares(self._far, pixels)
        found = near + [square for square in far if all(overlap(square, other) < SAME for other in near)]
        for left, top, part in [] if found else squared(pixels):
            within = self._squares(self._far, part)
            moved = [replace(square, x=square.x + left, y=square.y + top) for square in within]
            found += [square for square in moved if all(overlap(square, other) < SAME for other in found)]
        return found

    def close(self) -> None:
        """Give its memory back."""
        self._far.close()
        self._near.close()

    def _squares(self, graph: Graph, pixels: Pixels) -> list[Square]:
        size = np.array([pixels.shape[1], pixels.shape[0]], np.float64)
        found = []
        for message in graph.messages(reduced(pixels, BLAZE_SIDE)):
            place = message.location_data
            box = place.relative_bounding_box
            right, left = (np.array([eye.x, eye.y]) * size for eye in place.relative_keypoints[:2])
            corner = np.array([box.xmin, box.ymin]) * size
            extent = np.array([box.width, box.height]) * size
            found.append(between_eyes(corner, extent, right, left))
        return found


class YuNet:
    """YuNet, where its file is installed: cheaper than BlazeFace's full range, and as far."""

    name = "yunet"

    def __init__(self, folder: Path) -> None:
        self._network = models.open_network("yunet", folder)

    def squares(self, pixels: Pixels) -> list[Square]:
        """Faces far and near."""
        small = reduced(pixels, YUNET_SIDE)
        height, width = small.shape[:2]
        # the network takes whole strides; black beside the picture is nobody
        padded = np.zeros((-(-height // 32) * 32, -(-width // 32) * 32, 3), np.float32)
        padded[:height, :width] = small[:, :, ::-1]
        outputs = self._network.run(np.ascontiguousarray(padded.transpose(2, 0, 1)[None]))
        scale = pixels.shape[1] / width
        scored = []
        for index, stride in enumerate(STRIDES):
            score, objectness, box, points = (outputs[kind * len(STRIDES) + index][0] for kind in range(4))
            scored += _decoded(score[:, 0], objectness[:, 0], box, points, stride, padded.shape[1] // stride, scale)
        scored.sort(key=lambda each: -each[0])
        kept: list[Square] = []
        for _, square in scored:
            if all(overlap(square, other) < SAME for other in kept):
                kept.append(square)
        return kept

    def close(self) -> None:
        """Nothing to do: the network is memory alone."""


def _decoded(
    score: NDArray[np.float32],
    objectness: NDArray[np.float32],
    box: NDArray[np.float32],
    points: NDArray[np.float32],
    stride: int,
    columns: int,
    scale: float,
) -> list[tuple[float, Square]]:
    """What one stride of YuNet says: offsets from its cells in strides, sizes as logarithms of strides."""
    sure = np.sqrt(np.clip(score, 0, 1) * np.clip(objectness, 0, 1))
    found = []
    for cell in np.flatnonzero(sure > YUNET_SCORE):
        corner = np.array([cell % columns, cell // columns])
        middle = (corner + box[cell, :2]) * stride * scale
        extent = np.exp(box[cell, 2:]) * stride * scale
        right, left = ((corner + points[cell, at : at + 2]) * stride * scale for at in (0, 2))
        found.append((float(sure[cell]), between_eyes(middle - extent / 2, extent, right, left)))
    return found


def squared(pixels: Pixels) -> Iterator[tuple[int, int, Pixels]]:
    """Overlapping squares that cover a picture, with their left and upper edges."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    for step in range(TILES):
        left, top = (width - side) * step // (TILES - 1), (height - side) * step // (TILES - 1)
        yield left, top, pixels[top : top + side, left : left + side]


def reduced(pixels: Pixels, longest: int) -> Pixels:
    """The picture with its longer side brought down to this many pixels."""
    height, width = pixels.shape[:2]
    share = longest / max(height, width)
    if share >= 1:
        return pixels
    size = max(1, round(width * share)), max(1, round(height * share))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)

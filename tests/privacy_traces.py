"""Traces of a camera's pictures, landmarks and networks' numbers, and the search for them in all that was sent or kept.

A trace is a few dozen bytes that only what must not leave could have left: a run of a picture's row, a landmark, a
piece of a tensor. Each is looked for as it is, in hexadecimal and in base64 at each of its three alignments; rows also
as the numbers that a waveform carries and as decimals. What was squeezed or encrypted cannot be found like that: there
the budgets hold (`test_privacy`).
"""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.messages import Chunk
from sensors.face.engines import finder
from sensors.face.seen import Face, Frame, Pixels, Points, Sight
from sensors.face.units.shape import frontal
from sensors.observer import Observer

RUN = 16
"""Pixels of a row that make a trace."""
LEAST_VALUES = 6
"""Different bytes that it must have: plain wall is everywhere."""
ROWS = 6
"""Rows of a picture, from a face's top to its bottom."""
CORNERS = (4, 33, 61, 133, 152, 199, 263, 291, 362, 468)
"""Landmarks that are looked for: nose, corners of eyes and mouth, chin, an iris."""
PIECE = 4
"""Numbers of a tensor that make a trace: an expression network has seven outputs."""
MOST_TENSORS = 40
ANCHOR = 6
"""Bytes that every trace has at least: by those all are looked for at once."""
HEADERS = {
    "JPEG": (b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\xff\xd8\xff\xe1\x00\x18Exif", b"\xff\xd8\xff\xdb\x00\x43\x00"),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "WebP": (b"WEBPVP8 ", b"WEBPVP8L", b"WEBPVP8X"),
    "BMP": (b"\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00",),
    "Matroska": (b"\x1a\x45\xdf\xa3\x01\x00\x00\x00",),
    "MP4": (b"ftypisom", b"ftypmp42", b"ftypavc1"),
}
"""How files of pictures and films begin."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Bytes that must be nowhere, and what they would be the trace of."""

    what: str
    needle: bytes


@dataclass
class Shown:
    """What went through the sensor process and must stay there."""

    pictures: list[Pixels] = field(default_factory=list)
    points: list[Points] = field(default_factory=list)
    """Landmarks of each picture, of its largest face; of a picture without a face there are none."""
    times: list[int] = field(default_factory=list)
    """When each picture was taken, as its frame says."""
    tensors: list[NDArray[np.float32]] = field(default_factory=list)
    """What went into networks and came out of them."""


class Overseen:
    """An observer whose pictures and landmarks are noted on the way."""

    def __init__(self, shown: Shown, models: Path | None) -> None:
        self._shown, self._finder = shown, finder("auto", models)
        self._observer = Observer(models=models, look=self)
        self.name, self.score_channels = self._finder.name, self._observer.score_channels
        self._at = 0

    def see(self, frame: Frame) -> Sight:
        """As the observer does."""
        self._at = frame.at
        return self._observer.see(frame)

    def faces(self, pixels: Pixels) -> list[Face]:
        """As the observer's finder says."""
        found = self._finder.faces(pixels)
        if found:
            largest = max((face.points for face in found), key=lambda each: float(np.ptp(each[:, 1])))
            self._shown.pictures.append(pixels.copy())
            self._shown.points.append(largest.copy())
            self._shown.times.append(self._at)
        return found

    def close(self) -> None:
        """As the observer does."""
        self._finder.close()


def traces(shown: Shown) -> list[Trace]:
    """All that are looked for. Several pictures: a leak may be of the first alone, or of the last."""
    chosen = sorted({round(place) for place in np.linspace(0, len(shown.pictures) - 1, 5)})
    found = [trace for number in chosen for trace in _of_rows(shown.pictures[number], shown.points[number])]
    found += [trace for number in chosen for trace in _of_points(shown.pictures[number], shown.points[number])]
    found += [trace for tensor in shown.tensors[:MOST_TENSORS] for trace in _of_tensor(tensor)]
    found += [Trace(f"{kind} header", start) for kind, starts in HEADERS.items() for start in starts]
    return list({trace.needle: trace for trace in found}.values())


def found(looked_for: Iterable[Trace], places: Mapping[str, bytes]) -> set[tuple[str, str]]:
    """(what, where) of each trace that is somewhere."""
    by_anchor: dict[bytes, list[tuple[str, bytes, int]]] = {}
    for trace in looked_for:
        for form in _forms(trace.needle):
            # where it is least like anything else: zeros are everywhere
            begins = (0, (len(form) - ANCHOR) // 2, len(form) - ANCHOR)
            begin = max(begins, key=lambda each: len(set(form[each : each + ANCHOR])))
            by_anchor.setdefault(form[begin : begin + ANCHOR], []).append((trace.what, form, begin))
    known = np.zeros(1 << _BITS, np.bool_)
    known[_place(_numbers(np.frombuffer(b"".join(by_anchor), np.uint8))[::ANCHOR])] = True
    caught = set()
    for where, content in places.items():
        windows = _numbers(np.frombuffer(content, np.uint8))
        for at in np.flatnonzero(known[_place(windows)]).tolist():
            for what, form, begin in by_anchor.get(content[at : at + ANCHOR], ()):
                if at >= begin and content.startswith(form, at - begin):
                    caught.add((what, where))
    return caught


_BITS = 22


def _numbers(content: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Each run of `ANCHOR` bytes as a number."""
    total = np.zeros(max(0, len(content) - ANCHOR + 1), np.uint64)
    for place in range(ANCHOR):
        total = (total << np.uint64(8)) | content[place : place + len(total)]
    return total


def _place(numbers: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Of a number in a table: the upper digits of a product (Knuth's multiplicative hashing)."""
    return np.asarray((numbers * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - _BITS), np.intp)


def share_of_landmarks(chunks: Iterable[Chunk], at: Mapping[int, Points], size: tuple[int, int]) -> dict[str, float]:
    """For each channel, the share of its values that are a landmark's coordinate of the same picture.

    A single number tells no order of landmarks, so it escapes the search for traces: here each published value is held
    against all coordinates - in pixels, in shares of the picture, in millimetres of the mean head - of its picture,
    whose time (microseconds) `at` knows.
    """
    known = {time: _coordinates(points, size) for time, points in at.items()}
    hits: dict[str, list[bool]] = {}
    for chunk in chunks:
        for time, row in zip(chunk.times().tolist(), chunk.values(), strict=True):
            there = known.get(time // 1000)
            if there is None:
                continue
            for channel, value in zip(chunk.channels, row, strict=True):
                told = bool(np.isfinite(value)) and value != 0
                hits.setdefault(f"{chunk.name}.{channel}", []).append(told and bool(np.isin(value, there)))
    return {channel: float(np.mean(each)) for channel, each in hits.items()}


def _coordinates(points: Points, size: tuple[int, int]) -> NDArray[np.float32]:
    shape = frontal(points)
    assert shape is not None
    width, height = size
    return np.unique(
        np.concatenate(
            [points.ravel(), points[:, 0] / width, points[:, 1] / height, shape.astype(np.float32).ravel()]
        ).astype(np.float32)
    )


def _of_rows(picture: Pixels, points: Points) -> Iterator[Trace]:
    (left, top), (right, bottom) = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    column = int((left + right) / 2) - RUN // 2
    for row in np.linspace(top + 0.1 * (bottom - top), bottom - 0.1 * (bottom - top), ROWS).astype(int):
        run = picture[row, column : column + RUN]
        orders = {
            "row of pixels, red first": run,
            "row of pixels, blue first": run[:, ::-1],
            **{f"row of {name}": run[:, part] for part, name in enumerate(("red", "green", "blue"))},
            "row of greys": grey[row, column : column + RUN],
        }
        for what, values in orders.items():
            flat = np.ascontiguousarray(values).ravel()
            if len(np.unique(flat)) < LEAST_VALUES:
                continue
            yield Trace(what, flat.tobytes())
            for scale in (1.0, 1 / 255):
                for kind in ("<f4", "<f8"):
                    yield Trace(f"{what}, as numbers", (flat[:RUN] * scale).astype(kind).tobytes())
            for between in (",", ", ", " "):
                yield Trace(f"{what}, as decimals", between.join(map(str, flat[:RUN].tolist())).encode())


def _of_points(picture: Pixels, points: Points) -> Iterator[Trace]:
    size = np.array([picture.shape[1], picture.shape[0]], np.float32)
    shape = frontal(points)
    assert shape is not None
    for what, values in (
        ("landmark in pixels", points),
        ("landmark in shares of the picture", np.column_stack([points[:, :2] / size, points[:, 2] / size[0]])),
        ("landmark in millimetres", shape),
    ):
        for kind in ("<f4", "<f8"):
            exact = values.astype(kind)
            for corner in CORNERS:
                yield Trace(what, exact[corner, :2].tobytes())
            yield Trace(f"{what}, one axis", np.ascontiguousarray(exact[:4, 0]).tobytes())
    # what begins like that goes on in any precision
    for corner in CORNERS:
        for value in points[corner, :2].tolist():
            yield Trace("landmark as decimals", f"{value:.12f}"[:ANCHOR].encode())
        for value in (points[corner, :2] / size).tolist():
            yield Trace("landmark as decimals", f"{value:.12f}"[: ANCHOR + 1].encode())


def _of_tensor(tensor: NDArray[np.float32]) -> Iterator[Trace]:
    flat = np.ascontiguousarray(tensor, dtype=np.float32).ravel()
    middle = len(flat) // 2 // PIECE * PIECE
    for begin in sorted({0, middle, max(0, len(flat) - PIECE)}):
        piece = flat[begin : begin + PIECE]
        # zeros and ones are padding, or a wall
        if len(np.unique(piece)) == PIECE and np.isfinite(piece).all() and (np.abs(piece) > 1e-6).all():
            yield Trace("a network's numbers", piece.astype("<f4").tobytes())
            yield Trace("a network's numbers", piece.astype("<f8").tobytes())


def _forms(needle: bytes) -> Sequence[bytes]:
    """How bytes may be written."""
    return (needle, needle.hex().encode(), needle.hex().upper().encode(), *_in_base64(needle))


def _in_base64(needle: bytes) -> Iterator[bytes]:
    """The characters that stand for these bytes alone, wherever in a longer text they begin."""
    if len(needle) < 8:
        return
    for before in range(3):
        text = base64.b64encode(bytes(before) + needle)
        yield text[-(-before * 8 // 6) : (before + len(needle)) * 8 // 6]

"""Pictures and films for the camera's tests: a public-domain portrait, written by the tests themselves."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from matplotlib import get_data_path

from sensors.face.seen import Pixels
from sensors.frames.file import still

PORTRAIT = Path(get_data_path()) / "sample_data" / "grace_hopper.jpg"
MARK = 16
"""Side of the corner whose grey says which picture it is."""


def scene(width: int = 640, height: int = 480, *, nearness: float = 1.0) -> Pixels:
    """The portrait in a plain room; at 1 it is as high as the picture."""
    face = still(PORTRAIT).pixels
    scale = nearness * height / face.shape[0]
    face = np.asarray(cv2.resize(face, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    room = np.full((height, width, 3), (150, 140, 130), np.uint8)
    top, left = (height - face.shape[0]) // 2, (width - face.shape[1]) // 2
    shown = face[max(0, -top) :, max(0, -left) :][:height, :width]
    top, left = max(0, top), max(0, left)
    room[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    return room


def numbered(picture: Pixels, number: int) -> Pixels:
    """A copy with its number in the corner, 0..30."""
    copy = picture.copy()
    copy[:MARK, :MARK] = 8 * (number % 31)
    return copy


def number_of(picture: Pixels) -> int:
    """The number in the corner."""
    return round(float(picture[4 : MARK - 4, 4 : MARK - 4].mean()) / 8)


def film(path: Path, pictures: Iterable[Pixels], codec: str = "FFV1", rate: float = 30.0) -> Path:
    """A video with a constant rate."""
    made: cv2.VideoWriter | None = None
    for picture in pictures:
        if made is None:
            size = picture.shape[1], picture.shape[0]
            made = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), rate, size)
            assert made.isOpened()
        made.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert made is not None
    made.release()
    return path


def y4m(path: Path, pictures: Iterable[Pixels]) -> Path:
    """A film for a browser's fake camera, thirty pictures a second."""
    with path.open("wb") as file:
        for number, picture in enumerate(pictures):
            if not number:
                file.write(b"YUV4MPEG2 W%d H%d F30:1 Ip A1:1 C420jpeg\n" % (picture.shape[1], picture.shape[0]))
            file.write(b"FRAME\n" + np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420)).tobytes())
    return path


def retimed(path: Path, milliseconds: list[int]) -> Path:
    """A Matroska file of ours, its pictures at other times: each block has a 16-bit time within its cluster."""
    data = bytearray(path.read_bytes())
    places, clusters = _times(bytes(data))
    for start, end in clusters:
        data[start:end] = bytes(end - start)
    assert len(places) == len(milliseconds)
    for place, at in zip(places, milliseconds, strict=True):
        data[place : place + 2] = at.to_bytes(2, "big")
    path.write_bytes(data)
    return path


def turned(path: Path) -> Path:
    """An MP4 file of ours with a head that says: show it turned by a quarter."""
    data = bytearray(path.read_bytes())
    at = data.find(b"tkhd") + 4 + 4 + 4 * 5 + 8 + 2 * 4
    # a, b, u, c, d, v, x, y, w of the head's matrix
    numbers = (0, 0x10000, 0, -0x10000, 0, 0, 120 << 16, 0, 0x40000000)
    data[at : at + 36] = b"".join(each.to_bytes(4, "big", signed=True) for each in numbers)
    path.write_bytes(data)
    return path


def _times(data: bytes) -> tuple[list[int], list[tuple[int, int]]]:
    """Where the times of a Matroska file's blocks are, and those of its clusters."""
    found: list[int] = []
    clusters: list[tuple[int, int]] = []

    def number(at: int, *, marked: bool) -> tuple[int, int]:
        length = 9 - data[at].bit_length()
        value = int.from_bytes(data[at : at + length], "big")
        return (value if marked else value & ((1 << 7 * length) - 1)), at + length

    def walk(at: int, end: int) -> None:
        while at < end:
            name, at = number(at, marked=True)
            size, at = number(at, marked=False)
            if name in (0x18538067, 0x1F43B675, 0xA0):  # segment, cluster, block group
                walk(at, min(end, at + size))
            elif name == 0xE7:  # a cluster's time
                clusters.append((at, at + size))
            elif name in (0xA3, 0xA1):  # block: its track's number, then its time
                found.append(number(at, marked=False)[1])
            at += size

    walk(0, len(data))
    return found, clusters

"""Films of rendered pictures: really encoded, with the true time of every frame.

OpenCV writes constant rates only. Matroska and WebM carry a time per frame in milliseconds, though, and those are set
afterwards, in place; a table beside the film keeps them to the nanosecond.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from sensors.face.seen import Frame

CODECS = {"ffv1": ("FFV1", ".mkv"), "mjpg": ("MJPG", ".mkv"), "vp8": ("VP80", ".webm"), "vp9": ("VP90", ".webm"),
          "mpeg4": ("mp4v", ".mkv")}  # fmt: skip
"""ffv1 loses nothing; in the order of what they leave of a pulse, by falling quality: mjpg, vp8, vp9, mpeg4."""
_RATE = 30.0
_MILLI = 1_000_000

# Matroska's elements (RFC 9559) that are entered or read
_SEGMENT, _CLUSTER, _GROUP = 0x18538067, 0x1F43B675, 0xA0
_TIMESTAMP, _SIMPLE, _BLOCK = 0xE7, 0xA3, 0xA1
_UNKNOWN = 2**56 - 1


def write(path: Path, frames: Iterable[Frame], *, codec: str = "ffv1") -> Path:
    """Write a film and, beside it, the table of its times; the film's suffix must be the codec's."""
    if codec not in CODECS:
        raise ValueError(f"no codec {codec!r}; there are {', '.join(CODECS)}")
    name, suffix = CODECS[codec]
    if path.suffix != suffix:
        raise ValueError(f"a film in {codec} is called {path.stem}{suffix}")
    times: list[int] = []
    writer: cv2.VideoWriter | None = None
    try:
        for frame in frames:
            if writer is None:
                height, width = frame.pixels.shape[:2]
                writer = cv2.VideoWriter(
                    str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*name), _RATE, (width, height)
                )
                if not writer.isOpened():
                    raise OSError(f"{path.name}: this OpenCV cannot write {codec}")
            writer.write(frame.pixels[:, :, ::-1])
            times.append(frame.at)
    finally:
        if writer is not None:
            writer.release()
    if not times:
        raise ValueError("a film needs frames")
    _set_times(path, times)
    table = path.with_suffix(".times.csv")
    rows = "".join(f"{number},{at / 1e9:.9f}\n" for number, at in enumerate(times))
    table.write_text(f"frame,seconds\n{rows}", encoding="utf-8")
    return table


def jpeg(frames: Iterable[Frame], quality: int) -> Iterator[Frame]:
    """Each picture through JPEG of this quality (1..100) and back, as most webcams send it."""
    for frame in frames:
        _, data = cv2.imencode(".jpg", frame.pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert decoded is not None
        yield Frame(frame.at, np.ascontiguousarray(decoded[:, :, ::-1], dtype=np.uint8))


def _set_times(path: Path, times: list[int]) -> None:
    """Give the frames of a Matroska file these times, which count from the first one."""
    data = bytearray(path.read_bytes())
    wanted = [round((at - times[0]) / _MILLI) for at in times]
    clusters = [(begin, end) for kind, begin, end in _elements(data, *_inside(data, _SEGMENT)) if kind == _CLUSTER]
    done = 0
    for cluster in clusters:
        base = 0
        for kind, first, last in list(_elements(data, *cluster)):
            if kind == _TIMESTAMP:
                base = int.from_bytes(data[first:last])
                if done < len(wanted) and wanted[done] < 256 ** (last - first):
                    base = wanted[done]
                    data[first:last] = base.to_bytes(last - first)
                continue
            if kind not in (_SIMPLE, _GROUP):
                continue
            inner = _elements(data, first, last) if kind == _GROUP else iter([(_BLOCK, first, last)])
            block = next(begin for code, begin, _ in inner if code == _BLOCK)
            if done < len(wanted):
                _set_time(data, block, wanted[done] - base)
            done += 1
    if done != len(times):
        raise OSError(f"{path.name}: {done} frames in the film, {len(times)} were written")
    path.write_bytes(data)


def _set_time(data: bytearray, block: int, since: int) -> None:
    """A block begins with its track's number, then its time against the cluster's."""
    if not -(2**15) <= since < 2**15:
        raise OSError("frames are too far from where a constant rate would have them")
    _, place = _number(data, block, keep=False)
    data[place : place + 2] = since.to_bytes(2, signed=True)


def _inside(data: bytearray, wanted: int) -> tuple[int, int]:
    return next((begin, end) for kind, begin, end in _elements(data, 0, len(data)) if kind == wanted)


def _elements(data: bytearray, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(kind, begin, end) of each element's content."""
    while begin < end:
        kind, place = _number(data, begin, keep=True)
        size, place = _number(data, place, keep=False)
        until = end if size == _UNKNOWN else place + size
        yield kind, place, until
        begin = until


def _number(data: bytearray, place: int, *, keep: bool) -> tuple[int, int]:
    """EBML's number of variable length (RFC 8794), with or without the bit that tells it; and where it ends."""
    length = 9 - data[place].bit_length()
    value = int.from_bytes(data[place : place + length])
    return value if keep else value & ((1 << 7 * length) - 1), place + length

"""Pictures in a file: a video with the container's presentation times, or a still.

Times are what the container says of each picture, never a number divided by a rate, so that a phone's variable frame
rate and the frames that it left out keep their places. A file is opened only after its first bytes named a container,
and by what it is, not by its name: FFmpeg would also follow playlists, patterns and protocols, which lead to others.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import cv2
import numpy as np

from kiosk.errors import BadRecording
from sensors.face.seen import Frame, Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

MOST_PIXELS = 40_000_000
"""Of a picture: more than any camera that a face is measured with has, and 120 MB."""
LEAST_SIDE = 16
HEAD = 192
"""Bytes that name a container or a picture format."""
PACKET = 188
"""Bytes from one packet of a transport stream to the next (ISO/IEC 13818-1)."""
STILLS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")


def is_still(path: Path) -> bool:
    """Whether a file's first bytes are those of a picture that `still` opens."""
    head = _head(path)
    return (
        head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00*"))
        or (head[:2] == b"BM" and head[6:10] == bytes(4))
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
    )


def video(path: Path) -> Iterator[Frame]:
    """Each picture of a video, upright, at its presentation time since the first one."""
    with _open(path) as file:
        head = file.read(HEAD)
        if not head:
            raise BadRecording(f"{path.name}: is empty")
        if _container(head) is None:
            raise BadRecording(f"{path.name}: is no video (MP4, MOV, MKV, WebM, AVI, MPEG, WMV, FLV, OGV or Y4M)")
        # what was checked, whatever its name means to FFmpeg (concat:, %d) and whatever has that name meanwhile
        film = cv2.VideoCapture(f"/proc/self/fd/{file.fileno()}", cv2.CAP_FFMPEG)
    if not film.isOpened():
        film.release()
        raise BadRecording(f"{path.name}: has no pictures that can be read; it is damaged, cut off, or sound alone")
    width, height = int(film.get(cv2.CAP_PROP_FRAME_WIDTH)), int(film.get(cv2.CAP_PROP_FRAME_HEIGHT))
    try:
        _check_size(path, width, height)
    except BadRecording:
        film.release()
        raise
    return _pictures(path, film)


def still(path: Path) -> Frame:
    """A picture, turned upright as its camera noted it; its time is 0."""
    from PIL import ImageOps

    with opened(path) as picture:
        try:
            upright = ImageOps.exif_transpose(picture)
            if upright.mode.startswith("I;16") or upright.mode == "I":
                grey = np.asarray(upright, dtype=np.float32) / 257
                return Frame(0, np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2))
            return Frame(0, np.array(upright.convert("RGB"), dtype=np.uint8))
        except Exception:
            # Pillow's parsers let out whatever they meet, struct.error of a damaged EXIF block among it
            raise BadRecording(f"{path.name}: is a damaged or cut-off picture") from None


def opened(path: Path) -> "Image":
    """A picture whose head was read and found sane; its pixels are not decoded yet."""
    from PIL import Image

    if not is_still(path):
        raise BadRecording(f"{path.name}: is no picture ({', '.join(STILLS)})")
    try:
        # our own limit, which refuses instead of warning
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            picture = Image.open(path, formats=STILLS)
        finally:
            Image.MAX_IMAGE_PIXELS = before
    except Exception:
        raise BadRecording(f"{path.name}: is a damaged or cut-off picture") from None
    try:
        _check_size(path, *picture.size)
    except BadRecording:
        picture.close()
        raise
    return picture


def _head(path: Path) -> bytes:
    with _open(path) as file:
        return file.read(HEAD)


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    if not path.is_file():
        # never a device or a pipe: opening one can block for ever
        raise BadRecording(f"{path.name}: there is no such file")
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise BadRecording(f"{path.name}: {error.strerror}") from None


def _container(head: bytes) -> str | None:
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        return "mp4"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    starts = {
        b"\x1a\x45\xdf\xa3": "matroska",
        b"OggS": "ogg",
        b"FLV\x01": "flv",
        b"\x00\x00\x01\xba": "mpeg",
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf",
        b"YUV4MPEG2": "y4m",
    }
    for start, name in starts.items():
        if head.startswith(start):
            return name
    # each packet of a transport stream begins with this byte; so does a GIF
    return "mpegts" if head[:1] == b"\x47" == head[PACKET : PACKET + 1] and head[1] & 0x80 == 0 else None


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise BadRecording(f"{path.name}: {width} x {height} pixels, at most {MOST_PIXELS // 1_000_000} million")
    if min(width, height) < LEAST_SIDE:
        raise BadRecording(f"{path.name}: {width} x {height} pixels are too few for a face")


def _pictures(path: Path, film: cv2.VideoCapture) -> Iterator[Frame]:
    first: float | None = None
    last = -1
    untimed = 0
    try:
        expected = film.get(cv2.CAP_PROP_FRAME_COUNT)
        seen = 0
        while True:
            read, picture = _read(path, film)
            if not read or picture is None:
                break
            seen += 1
            _check_size(path, picture.shape[1], picture.shape[0])
            milliseconds = film.get(cv2.CAP_PROP_POS_MSEC)
            first = milliseconds if first is None else first
            at = round((milliseconds - first) * 1e6)
            if at <= last:
                # its place is unknown, and none is invented
                untimed += 1
                continue
            last = at
            yield Frame(at, _rgb(picture))
        if first is None:
            raise BadRecording(f"{path.name}: has no pictures that can be read; it is damaged, cut off, or sound alone")
        if untimed > seen // 2:
            raise BadRecording(f"{path.name}: has no times for its pictures")
        if untimed:
            log.warning("%d of %d pictures have no time of their own and were left out", untimed, seen)
        if expected > 0 and seen < 0.9 * expected:
            log.warning("the video ends after %d of %d pictures; the rest is damaged or missing", seen, int(expected))
    finally:
        film.release()


def _read(path: Path, film: cv2.VideoCapture) -> tuple[bool, Pixels | None]:
    try:
        read, picture = film.read()
    except (cv2.error, MemoryError):
        raise BadRecording(f"{path.name}: is damaged") from None
    if not read:
        return False, None
    return True, np.asarray(picture, dtype=np.uint8)


def _rgb(picture: Pixels) -> Pixels:
    if picture.ndim == 2 or picture.shape[2] == 1:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)

"""A picture as the page sends it: a head of 32 bytes, then what the camera delivered, unchanged.

The planes are the browser's own (I420 or NV12 where its VideoFrame hands them out, else RGBA). Nothing is compressed on
the way: between two processes of one machine that would cost time and, below JPEG's quality 90, some decibels of a
pulse of 0.1 %; and what is not compressed needs no decoder that a message could harm.
"""

import math
import struct
from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.errors import Refused
from sensors.face.seen import Pixels

HEAD = struct.Struct("<4sIddHHBBBB")
MAGIC = b"HKF1"
LEAST_SIDE, MOST_SIDE = 64, 1920
MOST_BYTES = HEAD.size + 1280 * 720 * 4
"""Of a message: HD as RGBA, Full HD as I420."""


class Layout(IntEnum):
    """How the pixels lie."""

    I420 = 1
    NV12 = 2
    RGBA = 3


class Matrix(IntEnum):
    """How luminance and chrominance were made of red, green and blue."""

    BT601 = 1
    BT709 = 2


class Timing(IntEnum):
    """What the browser knows of a picture's time."""

    CAPTURE = 1
    """When the camera took it."""
    SHOWN = 2
    """Only when the browser had it to show."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture from the page, not unpacked yet. Times are milliseconds of the page's clock."""

    number: int
    captured: float
    sent: float
    width: int
    height: int
    layout: Layout
    matrix: Matrix
    full_range: bool
    timing: Timing
    body: memoryview

    def pixels(self) -> Pixels:
        """The picture, red green blue."""
        data = np.frombuffer(self.body, dtype=np.uint8)
        width, height = self.width, self.height
        if self.layout is Layout.RGBA:
            return np.ascontiguousarray(data.reshape(height, width, 4)[..., :3])
        if self.matrix is Matrix.BT601 and not self.full_range:
            code = cv2.COLOR_YUV2RGB_I420 if self.layout is Layout.I420 else cv2.COLOR_YUV2RGB_NV12
            return np.asarray(cv2.cvtColor(data.reshape(height * 3 // 2, width), code), dtype=np.uint8)
        return self._converted(data)

    def _converted(self, data: Pixels) -> Pixels:
        """From the other matrices, by their definition."""
        width, height = self.width, self.height
        luma = data[: width * height].reshape(height, width)
        rest = data[width * height :]
        half = (height // 2, width // 2)
        if self.layout is Layout.I420:
            blue, red = rest.reshape(2, *half)
        else:
            pairs = rest.reshape(*half, 2)
            blue, red = pairs[..., 0], pairs[..., 1]
        planes = [luma, *(cv2.resize(np.ascontiguousarray(each), (width, height)) for each in (blue, red))]
        table = _to_rgb(self.matrix, self.full_range)
        return np.asarray(cv2.transform(np.dstack(planes), table), dtype=np.uint8)


def read(message: bytes) -> Sent:
    """A message of the page, or Refused."""
    if not HEAD.size < len(message) <= MOST_BYTES:
        raise Refused("wrong_length", f"{len(message)} bytes")
    magic, number, captured, sent, width, height, layout, matrix, full, timing = HEAD.unpack_from(message)
    if magic != MAGIC:
        raise Refused("no_picture", "not the head of a picture")
    if not (math.isfinite(captured) and math.isfinite(sent) and 0 <= captured <= sent <= 1e13):
        raise Refused("no_time", "times that cannot be")
    if not (LEAST_SIDE <= width <= MOST_SIDE and LEAST_SIDE <= height <= MOST_SIDE) or width % 2 or height % 2:
        raise Refused("wrong_size", f"{width} x {height}")
    try:
        found = Layout(layout), Matrix(matrix), Timing(timing)
    except ValueError:
        raise Refused("no_picture", "an unknown layout") from None
    body = memoryview(message)[HEAD.size :]
    if len(body) != (width * height * 4 if found[0] is Layout.RGBA else width * height * 3 // 2) or full > 1:
        raise Refused("wrong_length", f"{len(body)} bytes for {width} x {height}")
    return Sent(number, captured, sent, width, height, found[0], found[1], bool(full), found[2], body)


def _to_rgb(matrix: Matrix, full_range: bool) -> NDArray[np.float64]:
    """Rows for red, green, blue over Y, Cb, Cr and 1 (ITU-R BT.601-7, BT.709-6; full range: JFIF)."""
    red, blue = (0.299, 0.114) if matrix is Matrix.BT601 else (0.2126, 0.0722)
    green = 1 - red - blue
    luma, chroma, black = (1.0, 1.0, 0.0) if full_range else (255 / 219, 255 / 224, 16.0)
    rows = np.array(
        [
            [luma, 0, 2 * (1 - red) * chroma],
            [luma, -2 * (1 - blue) * blue / green * chroma, -2 * (1 - red) * red / green * chroma],
            [luma, 2 * (1 - blue) * chroma, 0],
        ]
    )
    return np.column_stack([rows, -rows @ (black, 128, 128)])

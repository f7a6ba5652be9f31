"""Pictures of the page: each layout and matrix gives back the colours that went in, and nonsense is refused."""

from typing import cast

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kiosk.errors import Refused
from sensors.face.seen import Pixels
from sensors.station.pictures import HEAD, MAGIC, MOST_BYTES, Layout, Matrix, Timing, read
from tests.sensors.station.portrait import scene

Numbers = NDArray[np.float64]


def planes(picture: Pixels, layout: Layout, matrix: Matrix, *, full: bool) -> bytes:
    """What a browser hands out of a picture, by the definitions of BT.601 and BT.709 and nothing of ours."""
    if layout is Layout.RGBA:
        return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]).tobytes()
    kr, kb = (0.299, 0.114) if matrix is Matrix.BT601 else (0.2126, 0.0722)
    red, green, blue = (cast(Numbers, each) for each in np.moveaxis(picture.astype(np.float64) / 255, 2, 0))
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))
    scale, chroma, black = (255, 255, 0) if full else (219, 224, 16)
    luma = np.rint(luma * scale + black)
    half = [
        np.rint(cv2.resize(each, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) * chroma + 128)
        for each in (cb, cr)
    ]
    ends = np.stack(half) if layout is Layout.I420 else np.stack(half, axis=2)
    return luma.clip(0, 255).astype(np.uint8).tobytes() + ends.clip(0, 255).astype(np.uint8).tobytes()


def message(
    body: bytes, width: int = 640, height: int = 480, *, magic: bytes = MAGIC, captured: float = 1000.0,
    sent: float = 1010.0, layout: int = 1, matrix: int = 1, full: int = 0, timing: int = 1,
) -> bytes:  # fmt: skip
    return HEAD.pack(magic, 7, captured, sent, width, height, layout, matrix, full, timing) + body


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("matrix", Matrix)
@pytest.mark.parametrize("full", [False, True])
def test_the_colours_come_out_that_went_in(layout: Layout, matrix: Matrix, full: bool) -> None:
    # smooth, so that halved chrominance loses nothing
    picture = np.asarray(cv2.GaussianBlur(scene(nearness=1.5), (0, 0), 6), dtype=np.uint8)
    body = planes(picture, layout, matrix, full=full)
    sent = read(message(body, layout=layout, matrix=matrix, full=int(full)))
    found = sent.pixels()
    assert (sent.number, sent.captured, sent.sent, sent.timing) == (7, 1000.0, 1010.0, Timing.CAPTURE)
    assert found.shape == picture.shape
    assert found.dtype == np.uint8
    apart = np.abs(found.astype(int) - picture)
    assert np.percentile(apart, 99) <= 3
    assert np.abs(found.reshape(-1, 3).mean(axis=0) - picture.reshape(-1, 3).mean(axis=0)).max() < 0.6


def test_red_green_blue_lose_nothing() -> None:
    picture = scene()
    assert np.array_equal(
        read(message(planes(picture, Layout.RGBA, Matrix.BT601, full=True), layout=3)).pixels(), picture
    )


@pytest.mark.parametrize(
    ("reason", "wrong"),
    [
        ("wrong_length", b""),
        ("wrong_length", b"HKF1"),
        ("wrong_length", bytes(MOST_BYTES + 1)),
        ("wrong_length", message(bytes(100))),
        ("wrong_length", message(bytes(640 * 480 * 3 // 2 - 1))),
        ("wrong_length", message(bytes(640 * 480 * 3 // 2), layout=3)),
        ("wrong_length", message(bytes(640 * 480 * 3 // 2), full=2)),
        ("no_picture", message(bytes(640 * 480 * 3 // 2), magic=b"JPEG")),
        ("no_picture", message(bytes(640 * 480 * 3 // 2), layout=0)),
        ("no_picture", message(bytes(640 * 480 * 3 // 2), matrix=9)),
        ("no_picture", message(bytes(640 * 480 * 3 // 2), timing=0)),
        ("no_time", message(bytes(640 * 480 * 3 // 2), captured=float("nan"))),
        ("no_time", message(bytes(640 * 480 * 3 // 2), captured=float("inf"), sent=float("inf"))),
        ("no_time", message(bytes(640 * 480 * 3 // 2), captured=-1.0)),
        ("no_time", message(bytes(640 * 480 * 3 // 2), captured=1011.0)),
        ("wrong_size", message(bytes(100), 2, 2)),
        ("wrong_size", message(bytes(641 * 480 * 3 // 2), 641)),
        ("wrong_size", message(bytes(100), 65534, 65534)),
    ],
)
def test_nonsense_is_refused(reason: str, wrong: bytes) -> None:
    with pytest.raises(Refused) as caught:
        read(wrong)
    assert caught.value.reason == reason


@given(st.binary(max_size=400))
def test_any_bytes_are_a_picture_or_refused(data: bytes) -> None:
    for each in (data, MAGIC + data, message(data, 64, 64)):
        try:
            read(each).pixels()
        except Refused:
            continue

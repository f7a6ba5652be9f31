"""The code that a visitor holds before the camera: read where it is a pseudonym, and nothing else is."""

import io
import threading
import time

import cv2
import numpy as np
import pytest
import segno

from sensors.face.seen import Frame, Pixels
from sensors.frames.latest import Latest
from sensors.station.codes import Codes, code_in
from sensors.station.showing import QUIET_ZONE, qr
from tests.sensors.station.portrait import scene

CODE = "K7QF-9M2X-TR4D"


def held(text: str, *, size: int = 160) -> Pixels:
    """A visitor who holds a code before the camera."""
    out = io.BytesIO()
    segno.make(text, micro=False).save(out, kind="png", scale=8, border=4)
    code = cv2.imdecode(np.frombuffer(out.getvalue(), np.uint8), cv2.IMREAD_COLOR)
    assert code is not None
    code = cv2.resize(code, (size, size), interpolation=cv2.INTER_AREA)
    picture = scene(nearness=0.6).copy()
    picture[300 : 300 + size, 30 : 30 + size] = code
    return np.asarray(cv2.GaussianBlur(picture, (3, 3), 0), dtype=np.uint8)


def test_a_code_before_the_camera_is_read() -> None:
    assert code_in(held(CODE)) == CODE
    assert code_in(held(CODE.lower())) == CODE


@pytest.mark.parametrize(
    "text",
    [
        "https://clinic.example/r/K7QF-9M2X-TR4D", "K7QF-9M2X", "WIFI:T:WPA;S:x;;", "KAQF-9M2X-TR4D",
        f"{CODE}\n{CODE}", "0" * 12,
    ],
    ids=["address", "short", "network", "vowel", "two", "digits"],
)  # fmt: skip
def test_another_code_is_none(text: str) -> None:
    assert code_in(held(text, size=170)) is None


def test_a_picture_without_a_code_has_none() -> None:
    assert code_in(scene()) is None
    assert code_in(np.zeros((480, 640, 3), np.uint8)) is None


def test_pictures_are_looked_at_in_a_thread_and_only_while_a_code_is_wanted() -> None:
    codes = Codes()
    seen: list[str] = []

    def unpack() -> Frame:
        seen.append(threading.current_thread().name)
        return Frame(0, held(CODE))

    pictures = Latest(also=codes.offer)
    pictures.put_packed(unpack)
    assert not seen
    codes.wanted = True
    for _ in range(10):
        pictures.put_packed(unpack)
    end = time.monotonic() + 10
    while codes.found is None and time.monotonic() < end:
        time.sleep(0.01)
    assert codes.found == CODE
    # not each of ten pictures at one time, and none by whoever takes them
    assert len(seen) == 1
    assert threading.current_thread().name not in seen
    codes.forget()
    assert not found(codes)
    codes.close()


def found(codes: Codes) -> str | None:
    return codes.found


def test_a_picture_that_cannot_be_opened_harms_nothing() -> None:
    codes = Codes()
    codes.wanted = True

    def broken() -> Frame:
        raise ValueError("no picture")

    codes.offer(broken)
    codes.close()
    assert codes.found is None


def test_the_path_of_a_link_is_a_code_that_can_be_read() -> None:
    link = "https://clinic.example/results/abcdefghijklmnop"
    path, size = qr(link)
    modules = np.full((size, size), 255, np.uint8)
    for part in path.split("z")[:-1]:
        place, width = part[1:].split("h")[:2]
        x, y = (int(each) for each in place.split())
        modules[y, x : x + int(width.split("v")[0])] = 0
    assert (modules[:QUIET_ZONE] == 255).all()
    picture = np.kron(modules, np.ones((8, 8), np.uint8))
    said, _, _ = cv2.QRCodeDetector().detectAndDecode(picture)
    assert said == link

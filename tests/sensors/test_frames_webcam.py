"""Webcams, by a camera of the tests' own: no hardware is here, so this is how failures are met, not how cameras are."""

import asyncio
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import cast

import cv2
import numpy as np
import pytest

from kiosk.errors import DriverFailed
from sensors.clock import SystemClock
from sensors.frames import webcam as module
from sensors.frames.latest import Latest
from sensors.frames.locks import AUTOMATIC_EXPOSURE, CHECKED, MANUAL_EXPOSURE, SETTLE, Locks
from sensors.frames.webcam import Capture, Webcam
from tests.sensors.station.portrait import number_of, numbered

PLAIN = np.full((48, 64, 3), 100, np.uint8)
CLOCK = SystemClock()


class Plugged:
    """What OpenCV makes of a webcam: 100 pictures a second, stamped 20 ms before they are handed out."""

    def __init__(self, *, pictures: int | None = None, age: float | None = 0.02, opens: bool = True) -> None:
        self.left, self.age, self.opens = pictures, age, opens
        self.properties: dict[int, float] = {
            cv2.CAP_PROP_AUTO_EXPOSURE: AUTOMATIC_EXPOSURE, cv2.CAP_PROP_EXPOSURE: 157.0,
            cv2.CAP_PROP_AUTO_WB: 1.0, cv2.CAP_PROP_WB_TEMPERATURE: 4600.0,
        }  # fmt: skip
        self.number = 0
        self.released = threading.Event()
        self.threads: set[int] = set()
        self.hangs = False

    def isOpened(self) -> bool:  # noqa: N802
        return self.opens

    def grab(self) -> bool:
        self.threads.add(threading.get_ident())
        time.sleep(3600 if self.hangs else 0.01)
        self.number += 1
        if self.age is not None:
            self.properties[cv2.CAP_PROP_POS_MSEC] = time.monotonic() * 1000 - self.age * 1000
        return self.left is None or self.number <= self.left

    def retrieve(self) -> tuple[bool, object]:
        if self.number == 3:
            return False, None  # a damaged one
        return True, numbered(PLAIN, self.number)

    def get(self, name: int) -> float:
        return self.properties.get(name, -1.0)

    def set(self, name: int, value: float) -> bool:
        self.properties[name] = value
        return True

    def release(self) -> None:
        self.released.set()


def finder(*cameras: Plugged) -> Capture:
    waiting = list(cameras)
    return cast(Capture, lambda where: waiting.pop(0))


async def until(condition: Callable[[], object], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def test_pictures_have_the_kernels_times_on_the_boot_clock() -> None:
    camera = Plugged()
    into = Latest(depth=1000)
    async with Webcam(0, CLOCK, capture=finder(camera)) as source:
        feeding = asyncio.create_task(source.feed(into))
        await until(lambda: into.taken >= 10)
        seen = CLOCK.now()
        feeding.cancel()
        assert "does not say when" not in source.trouble
    assert camera.released.is_set()
    into.end()
    frames = []
    while (frame := into.get()) is not None:
        frames.append(frame)
    assert all(one.at < other.at for one, other in pairwise(frames))
    ages = [(seen - frame.at) / 1e6 for frame in frames[:10]]
    # stamped 20 ms before they came, however long ago that is
    assert min(ages) >= 20
    steps = np.diff([frame.at for frame in frames]) / 1e6
    assert 9 < np.median(steps) < 20
    # a damaged picture is missing: nothing takes its place
    assert [number_of(frame.pixels) for frame in frames][:4] == [1, 2, 4, 5]
    assert len(camera.threads) == 1


@pytest.mark.parametrize("age", [None, 1e6, -5.0])
async def test_a_camera_without_times_is_stamped_on_arrival_and_says_so(age: float | None) -> None:
    into = Latest(depth=1000)
    before = CLOCK.now()
    async with Webcam(0, CLOCK, capture=finder(Plugged(age=age))) as source:
        feeding = asyncio.create_task(source.feed(into))
        await until(lambda: into.taken >= 5)
        after = CLOCK.now()
        feeding.cancel()
        assert "does not say when a picture was taken" in source.trouble
    first = into.get()
    assert first is not None
    assert before < first.at < after


async def test_an_unplugged_camera_fails_and_the_next_run_finds_it_again() -> None:
    gone, back = Plugged(pictures=5), Plugged()
    capture = finder(gone, back)
    source = Webcam(0, CLOCK, capture=capture)
    with pytest.raises(DriverFailed, match="camera 0 went away"):
        async with source:
            await source.feed(Latest())
    assert gone.released.is_set()
    async with Webcam(0, CLOCK, capture=capture) as again:
        into = Latest()
        feeding = asyncio.create_task(again.feed(into))
        await until(lambda: into.taken >= 2)
        feeding.cancel()
    assert back.released.is_set()


async def test_a_camera_that_is_not_there_fails_in_words() -> None:
    camera = Plugged(opens=False)
    with pytest.raises(DriverFailed, match="camera 0 is not there, is in use, or may not be opened"):
        async with Webcam(0, CLOCK, capture=finder(camera)):
            pass
    with pytest.raises(DriverFailed, match="camera /dev/video-none is not there"):
        async with Webcam("/dev/video-none", CLOCK):
            pass


async def test_this_machines_missing_camera_is_refused_by_opencv_itself() -> None:
    with pytest.raises(DriverFailed, match="camera 987 is not there"):
        async with Webcam(987, CLOCK):
            pass


async def test_a_camera_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENT", 0.2)
    monkeypatch.setattr(module, "STOP_WITHIN", 0.1)
    camera = Plugged()
    camera.hangs = True
    source = Webcam(0, CLOCK, capture=finder(camera))
    started = time.monotonic()
    with pytest.raises(DriverFailed, match=r"has sent no picture for 0\.2 s"):
        async with source:
            await source.feed(Latest())
    assert time.monotonic() - started < 2


async def test_leaving_before_feeding_closes_the_camera() -> None:
    camera = Plugged()
    async with Webcam(0, CLOCK, capture=finder(camera)):
        pass
    assert camera.released.is_set()


async def test_a_cancelled_opening_leaves_no_camera_open() -> None:
    camera = Plugged()

    def slow(where: int | str) -> Plugged:
        time.sleep(0.2)
        return camera

    source = Webcam(0, CLOCK, capture=cast(Capture, slow))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), source:
            pass
    await until(camera.released.is_set)


# --- exposure and the like


def locks(camera: Plugged) -> Locks:
    made = Locks(camera.get, camera.set)
    made.free()
    return made


def held(made: Locks) -> bool:
    return made.held


def pass_time(made: Locks, start: float, seconds: float, brightness: float) -> float:
    for step in range(round(seconds * 30)):
        made.step(round((start + step / 30) * 1e9), brightness)
    return start + seconds


def test_the_exposure_is_held_once_it_has_settled() -> None:
    camera = Plugged()
    made = locks(camera)
    now = pass_time(made, 100, SETTLE - 0.1, 120)
    assert not held(made)
    assert camera.get(cv2.CAP_PROP_AUTO_EXPOSURE) == AUTOMATIC_EXPOSURE
    pass_time(made, now, CHECKED + 1, 120)
    assert held(made)
    assert made.loose == ()
    assert camera.get(cv2.CAP_PROP_AUTO_EXPOSURE) == MANUAL_EXPOSURE
    assert camera.get(cv2.CAP_PROP_EXPOSURE) == 157
    assert camera.get(cv2.CAP_PROP_AUTO_WB) == 0
    assert camera.get(cv2.CAP_PROP_WB_TEMPERATURE) == 4600


def test_a_camera_that_cannot_be_held_is_named() -> None:
    camera = Plugged()
    camera.properties.clear()
    made = locks(camera)
    pass_time(made, 0, SETTLE + CHECKED + 1, 120)
    assert made.loose == ("exposure",)


@pytest.mark.parametrize("writable", [True, False])
def test_a_gain_is_held_by_writing_it_or_named(monkeypatch: pytest.MonkeyPatch, writable: bool) -> None:
    camera, written = Plugged(), list[float]()
    camera.properties[cv2.CAP_PROP_GAIN] = 37.0
    put = camera.set

    def noted(name: int, value: float) -> bool:
        if name == cv2.CAP_PROP_GAIN:
            written.append(value)
            return writable
        return put(name, value)

    monkeypatch.setattr(camera, "set", noted)
    made = locks(camera)
    pass_time(made, 0, SETTLE - 0.1, 120)
    assert written == []
    pass_time(made, SETTLE - 0.1, CHECKED + 1, 120)
    assert written == [37.0]
    assert made.loose == (() if writable else ("gain",))


def test_a_camera_that_forgets_its_exposure_when_held_is_let_go() -> None:
    camera = Plugged()
    made = locks(camera)
    now = pass_time(made, 0, SETTLE + 0.1, 120)
    pass_time(made, now, CHECKED + 5, 60)
    assert not held(made)
    assert made.loose == ("exposure",)
    assert camera.get(cv2.CAP_PROP_AUTO_EXPOSURE) == AUTOMATIC_EXPOSURE


def test_a_light_that_goes_out_lets_the_camera_settle_again() -> None:
    camera = Plugged()
    made = locks(camera)
    now = pass_time(made, 0, SETTLE + CHECKED + 1, 120)
    now = pass_time(made, now, 3, 30)  # somebody leans before it
    now = pass_time(made, now, 3, 115)
    assert held(made)
    now = pass_time(made, now, 5.5, 30)
    assert not held(made)
    pass_time(made, now, SETTLE + CHECKED + 1, 100)
    assert held(made)


async def test_a_run_leaves_the_camera_as_it_was() -> None:
    camera = Plugged()
    camera.properties[cv2.CAP_PROP_AUTO_EXPOSURE] = MANUAL_EXPOSURE
    async with Webcam(0, CLOCK, capture=finder(camera)):
        pass
    assert camera.get(cv2.CAP_PROP_AUTO_EXPOSURE) == AUTOMATIC_EXPOSURE
    untouched = Plugged()
    untouched.properties[cv2.CAP_PROP_AUTO_EXPOSURE] = MANUAL_EXPOSURE
    async with Webcam(0, CLOCK, lock=False, capture=finder(untouched)):
        pass
    assert untouched.get(cv2.CAP_PROP_AUTO_EXPOSURE) == MANUAL_EXPOSURE

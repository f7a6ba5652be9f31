"""A webcam by Video4Linux: each picture with the kernel's time of it.

The kernel stamps a picture when its first data arrive, on the monotonic clock, and OpenCV hands that on as
CAP_PROP_POS_MSEC. However late a thread gets to a picture, its time stays true. Where a camera's kernel driver has no
such times, a picture is stamped when `grab` returns, and the source says so.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from kiosk.errors import DriverFailed
from kiosk.messages import SECOND
from sensors.clock import Clock
from sensors.face.seen import Frame, Pixels, Sight
from sensors.frames.latest import Latest
from sensors.frames.locks import Locks

log = logging.getLogger(__name__)

BUFFERS = 4
"""Of the kernel: with a single one the camera has nowhere to put a picture while another is decoded."""
SILENT = 5.0
"""Seconds without a picture after which a camera counts as gone."""
OPEN_WITHIN, STOP_WITHIN = 10.0, 3.0
BEHIND = 2.0
"""Seconds that a picture may lie behind the clock for its time to be one of the monotonic clock."""
BRIGHTNESS_EVERY = 8
"""Pixels between those that a picture's brightness is taken from."""

Capture = Callable[[int | str], cv2.VideoCapture]


def v4l2(where: int | str) -> cv2.VideoCapture:
    """The camera with an index, or of a path, opened."""
    return cv2.VideoCapture(where, cv2.CAP_V4L2)


class Webcam:
    """A camera at this machine, by index or device path."""

    simulated = False

    def __init__(
        self,
        where: int | str,
        clock: Clock,
        *,
        size: tuple[int, int] = (640, 480),
        rate: float = 30.0,
        lock: bool = True,
        capture: Capture = v4l2,
    ) -> None:
        self._where, self._clock, self._size, self._rate = where, clock, size, rate
        self._lock, self._capture = lock, capture
        self._locks: Locks | None = None
        self._into: Latest | None = None
        self._opened, self._gone = asyncio.Event(), asyncio.Event()
        self._begin, self._stopped = threading.Event(), threading.Event()
        self._failure: BaseException | None = None
        # a plain thread, not one of the loop's pool: one that hangs in a kernel driver must not hold up the end
        self._thread = threading.Thread(target=self._live, name="webcam", daemon=True)
        self._kernel_times: bool | None = None
        self._last_at = 0
        self._heard = 0
        """When the last picture came, on the monotonic clock."""

    @property
    def trouble(self) -> str:
        """What an operator should know."""
        said = []
        if self._kernel_times is False:
            said.append("this camera does not say when a picture was taken; times are those of its arrival")
        if self._locks is not None and self._locks.loose:
            said.append(f"the camera goes on changing its {' and '.join(self._locks.loose)}")
        return "; ".join(said)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        try:
            await asyncio.wait_for(self._opened.wait(), OPEN_WITHIN)
        except BaseException as error:
            self._end()
            if isinstance(error, TimeoutError):
                raise DriverFailed(f"{self._named} does not open") from None
            raise
        if self._failure is not None:
            raise self._failure
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        until = time.monotonic() + STOP_WITHIN
        while self._thread.is_alive() and time.monotonic() < until:
            await asyncio.sleep(0.01)

    async def feed(self, into: Latest) -> None:
        """Put in pictures until the camera is gone."""
        self._into, self._heard = into, time.monotonic_ns()
        self._begin.set()
        while not self._gone.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), SILENT / 5)
            if not self._gone.is_set() and time.monotonic_ns() - self._heard > SILENT * SECOND:
                raise DriverFailed(f"{self._named} has sent no picture for {SILENT:g} s")
        if self._failure is not None:
            raise self._failure

    def saw(self, sight: Sight) -> None:
        """A webcam has no screen."""

    @property
    def _named(self) -> str:
        return f"camera {self._where}"

    def _end(self) -> None:
        self._stopped.set()
        self._begin.set()

    def _live(self) -> None:
        """The thread: it alone touches the camera, from opening it to closing it."""
        camera: cv2.VideoCapture | None = None
        try:
            camera = self._open()
            self._tell(self._opened)
            self._begin.wait()
            self._grab(camera)
        except BaseException as error:
            self._failure = error
        finally:
            if camera is not None:
                if self._locks is not None:
                    self._locks.free()
                camera.release()
            self._tell(self._opened)
            self._tell(self._gone)

    def _tell(self, event: asyncio.Event) -> None:
        # a loop that is closed waits for nothing
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(event.set)

    def _open(self) -> cv2.VideoCapture:
        if isinstance(self._where, str) and not Path(self._where).exists():
            raise DriverFailed(f"{self._named} is not there")
        camera = self._capture(self._where)
        if not camera.isOpened():
            camera.release()
            raise DriverFailed(f"{self._named} is not there, is in use, or may not be opened by this user")
        width, height = self._size
        # the compressed format first: uncompressed, most give thirty pictures a second at small sizes only
        for name, value in (
            (cv2.CAP_PROP_FOURCC, float(cv2.VideoWriter.fourcc(*"MJPG"))),
            (cv2.CAP_PROP_FRAME_WIDTH, float(width)),
            (cv2.CAP_PROP_FRAME_HEIGHT, float(height)),
            (cv2.CAP_PROP_FPS, float(self._rate)),
            (cv2.CAP_PROP_BUFFERSIZE, float(BUFFERS)),
        ):
            camera.set(name, value)
        got = int(camera.get(cv2.CAP_PROP_FRAME_WIDTH)), int(camera.get(cv2.CAP_PROP_FRAME_HEIGHT))
        log.info(
            "%s: %d x %d at %g pictures a second (asked for %d x %d at %g)",
            self._named, *got, camera.get(cv2.CAP_PROP_FPS), width, height, self._rate,
        )  # fmt: skip
        if self._lock:
            self._locks = Locks(camera.get, camera.set)
            self._locks.free()
        return camera

    def _grab(self, camera: cv2.VideoCapture) -> None:
        held = False
        while not self._stopped.is_set():
            if not camera.grab():
                raise DriverFailed(f"{self._named} went away")
            at = self._time_of(camera)
            read, picture = camera.retrieve()
            self._heard = time.monotonic_ns()
            if not read or picture.ndim != 3 or at is None:
                # a damaged picture, or one without a time of its own: nothing takes its place
                continue
            pixels = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)
            assert self._into is not None
            self._into.put(Frame(at, pixels))
            if self._locks is not None:
                self._locks.step(at, _brightness(pixels))
                if held != self._locks.held:
                    held = self._locks.held
                    log.info("%s: %s", self._named, "held" if held else "let go, to settle again")

    def _time_of(self, camera: cv2.VideoCapture) -> int | None:
        """When the picture that was grabbed just now was taken, on the boot clock."""
        boot, monotonic = self._clock.now(), time.monotonic_ns()
        age = monotonic - round(camera.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        believable = 0 <= age < BEHIND * SECOND
        if self._kernel_times is None:
            self._kernel_times = believable
        if self._kernel_times and not believable:
            return None
        at = boot - age if self._kernel_times else boot
        if at <= self._last_at:
            return None
        self._last_at = at
        return at


def _brightness(pixels: Pixels) -> float:
    return float(pixels[::BRIGHTNESS_EVERY, ::BRIGHTNESS_EVERY].mean())

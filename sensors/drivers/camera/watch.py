"""The thread that looks at pictures: the observer lives in it, and only what may leave comes out."""

import asyncio
import contextlib
import logging
import threading
import traceback
from collections.abc import Callable
from typing import Protocol

from kiosk.errors import DriverFailed, KioskError
from kiosk.messages import SECOND
from kiosk.signals import MOTION_CHANNELS, RGB_CHANNELS, SIGNALS, UNIT_CHANNELS
from sensors.drivers.camera.exposure import Exposure
from sensors.face.seen import Frame, Sight
from sensors.frames.latest import Latest

log = logging.getLogger(__name__)

MOST_WAITING = 1000
"""Sights that nobody fetches (half a minute of a full disk); pictures after them are passed over."""


class Looker(Protocol):
    """What looks at pictures: `sensors.observer.Observer`."""

    @property
    def score_channels(self) -> tuple[str, ...]:
        """What its networks say of a face, in order."""
        ...

    def see(self, frame: Frame) -> Sight:
        """What may leave of a picture."""
        ...

    def close(self) -> None:
        """Give its memory back."""
        ...


LookerFactory = Callable[[], Looker]


def most_rate(score_channels: tuple[str, ...]) -> float:
    """Pictures a second at which no signal of the camera exceeds its budget."""
    rows = {
        "rgb": len(RGB_CHANNELS),
        "face_motion": len(MOTION_CHANNELS),
        "face_units": len(UNIT_CHANNELS),
        "face_scores": len(score_channels),
    }
    # float32 samples and an int32 offset; one picture more than the rate says fits into a second
    return min(SIGNALS[name].budget / (4 * width + 4) for name, width in rows.items() if width) - 1


class Watch:
    """Looks at the pictures of one `Latest`. What it saw is fetched by the event loop that made it."""

    def __init__(self, pictures: Latest, make: LookerFactory, score_channels: tuple[str, ...]) -> None:
        self._pictures, self._make, self._channels = pictures, make, score_channels
        self._loop = asyncio.get_running_loop()
        self._seen: asyncio.Queue[tuple[Sight, float | None] | None] = asyncio.Queue()
        self._failure: BaseException | None = None
        self.ready = asyncio.Event()
        """Set when the observer is there, or will not be."""
        self._shortest = round(SECOND / most_rate(score_channels))
        self._thread = threading.Thread(target=self._live, name="camera-watch", daemon=True)
        self.skipped = 0
        """Pictures that came sooner after another than the wire has room for, or while nobody fetched."""

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still looks."""
        return self._thread.is_alive()

    async def get(self) -> tuple[Sight, float | None] | None:
        """The next sight with the jump of the exposure at it, None at the end."""
        return await self._seen.get()

    def check(self) -> None:
        """After the end: raise what went wrong, if anything did."""
        if self._failure is not None:
            raise self._failure

    def more(self) -> bool:
        """Whether `get` has something at once."""
        return not self._seen.empty()

    def _live(self) -> None:
        try:
            looker = self._make()
            try:
                self._look(looker)
            finally:
                looker.close()
        except KioskError as error:
            self._failure = error
        except Exception as error:
            # where it happened, and nothing of what it happened with: an error's text may quote a picture's numbers
            frames = traceback.extract_tb(error.__traceback__)
            place = " < ".join(f"{each.name}:{each.lineno}" for each in reversed(frames[-5:]))
            log.error("the observer failed with %s at %s", type(error).__name__, place)  # noqa: TRY400
            self._failure = DriverFailed(f"looking at a picture failed: {type(error).__name__}")
        finally:
            self._tell(self.ready.set)
            self._tell(lambda: self._seen.put_nowait(None))

    def _look(self, looker: Looker) -> None:
        if tuple(looker.score_channels) != self._channels:
            raise DriverFailed("the installed networks have changed since the visit began")
        self._tell(self.ready.set)
        exposure = Exposure()
        last: int | None = None
        while (frame := self._pictures.get()) is not None:
            if (last is not None and frame.at - last < self._shortest) or self._seen.qsize() >= MOST_WAITING:
                self.skipped += 1
                continue
            last = frame.at
            self._say(looker.see(frame), exposure.jump(frame))

    def _say(self, sight: Sight, jump: float | None) -> None:
        self._tell(lambda: self._seen.put_nowait((sight, jump)))

    def _tell(self, news: Callable[[], None]) -> None:
        # a loop that is closed waits for nothing
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(news)

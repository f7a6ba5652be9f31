"""The thread that listens: the listener lives in it, and only what may leave comes out."""

import asyncio
import contextlib
import logging
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import DriverFailed, KioskError
from kiosk.messages import SECOND
from sensors.drivers.microphone.waiting import Waiting

if TYPE_CHECKING:
    from sensors.listener import Heard

log = logging.getLogger(__name__)

MISSING = 0.05
"""Seconds between two pieces from which on sound is missing; the listener begins anew there."""
MOST_WAITING = 2_000
"""Rows that nobody fetches: half an hour of a full disk; sound after them is not listened to."""


class Hears(Protocol):
    """What listens: `sensors.listener.Listener`."""

    @property
    def score_channels(self) -> tuple[str, ...]:
        """What its voice network says, in order."""
        ...

    def feed(self, samples: NDArray[np.floating], start: int) -> "list[Heard]":
        """The rows that are complete with these samples."""
        ...

    def finish(self) -> "list[Heard]":
        """What is left at the end."""
        ...


ListenerFactory = Callable[[float], Hears]
"""Makes what listens to sound of a rate."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Sound that did not come, or found no room."""

    at: int
    seconds: float


class Hearing:
    """Listens to the sound of one `Waiting`. What it heard is fetched by the event loop that made it."""

    def __init__(self, waiting: Waiting, make: ListenerFactory, score_channels: tuple[str, ...]) -> None:
        self._waiting, self._make, self._channels = waiting, make, score_channels
        self._loop = asyncio.get_running_loop()
        self._heard: asyncio.Queue[Heard | Missing | None] = asyncio.Queue()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._live, name="microphone-hearing", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still listens."""
        return self._thread.is_alive()

    async def get(self) -> "Heard | Missing | None":
        """The next row, or that sound is missing; None at the end."""
        return await self._heard.get()

    def check(self) -> None:
        """After the end: raise what went wrong, if anything did."""
        if self._failure is not None:
            raise self._failure
        self._waiting.check()

    def _live(self) -> None:
        try:
            self._listen()
        except KioskError as error:
            self._failure = error
        except Exception as error:
            # where it happened, and nothing of what it happened with: an error's text may quote samples
            frames = traceback.extract_tb(error.__traceback__)
            place = " < ".join(f"{each.name}:{each.lineno}" for each in reversed(frames[-5:]))
            log.error("the listener failed with %s at %s", type(error).__name__, place)  # noqa: TRY400
            self._failure = DriverFailed(f"listening failed: {type(error).__name__}")
        finally:
            self._tell(None)

    def _listen(self) -> None:
        listener: Hears | None = None
        rate, end = 0.0, 0
        while (piece := self._waiting.get()) is not None:
            if self._heard.qsize() >= MOST_WAITING:
                continue
            if listener is not None and piece.rate != rate:
                self._tell_all(listener.finish())
                listener = None
            if listener is None:
                listener, rate = self._make(piece.rate), piece.rate
                if tuple(listener.score_channels) != self._channels:
                    raise DriverFailed("the installed networks have changed since the visit began")
            elif abs(piece.start - end) > MISSING * SECOND:
                self._tell(Missing(piece.start, (piece.start - end) / SECOND))
            self._tell_all(listener.feed(piece.samples, piece.start))
            end = piece.start + round(piece.seconds * SECOND)
        if listener is not None:
            self._tell_all(listener.finish())

    def _tell_all(self, rows: "list[Heard]") -> None:
        for row in rows:
            self._tell(row)

    def _tell(self, news: "Heard | Missing | None") -> None:
        # a loop that is closed waits for nothing
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._heard.put_nowait, news)

"""Between the thread that takes sound and the one that listens: bounded, and what finds no room is counted."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from sensors.clock import Clock
from sensors.feeding import Source

MOST_SECONDS = 5.0
"""Seconds of sound that wait at most: a stall of the machine, not more; at 192 kHz in two channels that is 8 MB."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive samples: mono, or a column for each channel; full scale is one."""

    samples: NDArray[np.float32]
    start: int
    """Boot-clock time of the first of them."""
    rate: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


class Waiting:
    """A queue from one thread to another that never makes its writer wait."""

    def __init__(self, most: float = MOST_SECONDS) -> None:
        self._pieces: deque[Piece] = deque()
        self._most, self._held = most, 0.0
        self._changed = threading.Condition()
        self._ended = False
        self._failure: BaseException | None = None
        self.taken = 0
        """Pieces that came."""
        self.lost = 0.0
        """Seconds of sound for which there was no room."""

    def put(self, piece: Piece) -> None:
        """A new piece. Where there is no room it is lost: its times tell the listener that sound is missing."""
        with self._changed:
            if self._ended:
                return
            self.taken += 1
            if self._held + piece.seconds > self._most:
                self.lost += piece.seconds
                return
            self._held += piece.seconds
            self._pieces.append(piece)
            self._changed.notify()

    def end(self, failure: BaseException | None = None) -> None:
        """There is nothing more to come; with a failure, that is why."""
        with self._changed:
            if not self._ended:
                self._ended, self._failure = True, failure
            self._changed.notify_all()

    def get(self) -> Piece | None:
        """The next piece, None at the end; then raises what the source failed of."""
        with self._changed:
            while not self._pieces and not self._ended:
                self._changed.wait()
            if not self._pieces:
                return None
            piece = self._pieces.popleft()
            self._held -= piece.seconds
        return piece

    def check(self) -> None:
        """After the end: raise what the source failed of."""
        if self._failure is not None:
            raise self._failure

    def clear(self) -> None:
        """Forget what waits: nobody will listen to it."""
        with self._changed:
            self._pieces.clear()
            self._held = 0.0


SourceFactory = Callable[[Clock], Source[Waiting]]
"""Makes the source of one run of the driver."""


class Timeline:
    """Steady times for pieces whose own times jitter: a stream goes on where it was, and follows slow drift alone."""

    JUMP = 0.2
    """Seconds beyond which a piece's own time is believed: sound is missing, or the machine slept."""
    FOLLOWS = 1 / 16
    """Share of a difference that is taken up at each piece: drift is parts per million, jitter milliseconds."""

    def __init__(self) -> None:
        self._end: int | None = None

    def place(self, start: int, seconds: float, *, broken: bool = False) -> int:
        """When a piece began that seems to have begun at `start`; `broken` where sound before it is known to miss."""
        if self._end is not None:
            late = start - self._end
            if abs(late) <= self.JUMP * SECOND and not (broken and late > 0):
                start = self._end + round(late * self.FOLLOWS)
        self._end = start + round(seconds * SECOND)
        return start

"""Sound files played as if somebody spoke into a microphone: in real time, once, one after the other."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import BadRecording, DriverFailed
from kiosk.messages import SECOND
from sensors.clock import Clock
from sensors.drivers.microphone.waiting import Piece, Waiting
from sensors.files.sound import SUFFIXES, Opened

PIECE = 0.1
"""Seconds that are handed over at once, as a sound card does."""
BETWEEN = 1.0
"""Seconds between two files: what one says does not go on in the next."""


class PlayedSound:
    """The sound of a file, or of all files in a folder by name, each piece when it is over."""

    simulated = True
    """Nobody speaks: what plays must never pass for a live measurement."""
    trouble = ""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._thread = ThreadPoolExecutor(1, "played-sound")
        self._paths: list[Path] = []
        self._sound: Opened | None = None
        """The one that plays: a folder may have more files than a process may open."""

    async def __aenter__(self) -> Self:
        try:
            self._paths = await asyncio.get_running_loop().run_in_executor(self._thread, self._all)
        except BadRecording as error:
            self._thread.shutdown(wait=False, cancel_futures=True)
            raise DriverFailed(str(error)) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    async def feed(self, into: Waiting) -> None:
        """Put in each piece when its last sample is due."""
        at = self._clock.now()
        for path in self._paths:
            sound, taken = await self._opened(path), 0
            pieces = sound.pieces(PIECE)
            while (piece := await self._next(pieces)) is not None:
                start = at + round(taken * SECOND / sound.rate)
                taken += len(piece)
                await self._clock.sleep_until(at + round(taken * SECOND / sound.rate))
                into.put(Piece(piece, start, float(sound.rate)))
            at += round((taken / sound.rate + BETWEEN) * SECOND)

    async def _opened(self, path: Path) -> Opened:
        def change() -> Opened:
            self._close()
            self._sound = Opened(path)
            return self._sound

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, change)
        except BadRecording as error:
            raise DriverFailed(str(error)) from None

    async def _next(self, pieces: Iterator[NDArray[np.float32]]) -> NDArray[np.float32] | None:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: next(pieces, None))
        except BadRecording as error:
            raise DriverFailed(str(error)) from None

    def _all(self) -> list[Path]:
        """Its files, each of which was looked into."""
        found = [self._path]
        if self._path.is_dir():
            found = sorted(each for each in self._path.iterdir() if each.suffix.lower() in SUFFIXES)
        if not found:
            raise BadRecording(f"{self._path}: there is no sound file in this folder")
        for each in found:
            Opened(each).close()
        return found

    def _close(self) -> None:
        if self._sound is not None:
            self._sound.close()

"""A video or a folder played as if it were a camera: in real time, once."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from kiosk.errors import BadRecording, DriverFailed
from sensors.clock import Clock
from sensors.face.seen import Frame, Sight
from sensors.frames.file import video
from sensors.frames.folder import folder
from sensors.frames.latest import Latest

T = TypeVar("T")


class Played:
    """The pictures of a file or a folder, each when it is due. The run begins when the first one is there."""

    simulated = True
    """Nobody sits there: what plays must never pass for a live measurement."""
    trouble = ""

    def __init__(self, path: Path, clock: Clock, *, rate: float | None = None) -> None:
        self._path, self._clock, self._rate = path, clock, rate
        self._frames: Iterator[Frame] = iter(())
        self._thread = ThreadPoolExecutor(1, "played")

    async def __aenter__(self) -> Self:
        try:
            self._frames = await self._do(self._open)
        except BaseException:
            self._thread.shutdown(wait=False, cancel_futures=True)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # at most one picture is being decoded; the file is closed with its iterator
        self._frames = iter(())
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def feed(self, into: Latest) -> None:
        """Put in each picture at its time."""
        start: int | None = None
        frames = self._frames
        while (frame := await self._do(lambda: next(frames, None))) is not None:
            start = self._clock.now() - frame.at if start is None else start
            await self._clock.sleep_until(start + frame.at)
            into.put(Frame(start + frame.at, frame.pixels))

    def saw(self, sight: Sight) -> None:
        """A file cannot be asked to come closer."""

    def _open(self) -> Iterator[Frame]:
        return folder(self._path, rate=self._rate) if self._path.is_dir() else video(self._path)

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except BadRecording as error:
            raise DriverFailed(str(error)) from None

"""The kiosk's page as a source: sound that a browser takes and hands over on this machine."""

import asyncio
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import DriverFailed
from sensors.clock import Clock
from sensors.drivers.microphone.waiting import Piece, Timeline, Waiting
from sensors.station.microphone import PageMicrophone

SILENT = 4.0
"""Seconds without sound after which a page that was there counts as closed."""


class PageSound:
    """The browser's microphone. It waits for a page; a page that goes away ends the run."""

    simulated = False

    def __init__(self, microphone: PageMicrophone, clock: Clock) -> None:
        self._microphone, self._clock = microphone, clock

    @property
    def trouble(self) -> str:
        """What an operator should know."""
        return self._microphone.trouble

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._microphone.detach(self)

    async def feed(self, into: Waiting) -> None:
        """Let the page's sound in until it goes away."""
        before = self._microphone.taken  # in earlier visits; a page that was not opened yet is waited for
        timeline = Timeline()

        def take(samples: NDArray[np.float32], start: int, rate: float, broken: bool) -> None:
            into.put(Piece(samples, timeline.place(start, len(samples) / rate, broken=broken), rate))

        self._microphone.attach(self, take)
        try:
            while True:
                heard = self._microphone.taken
                await asyncio.sleep(SILENT)
                if heard != before and self._microphone.taken == heard:
                    raise DriverFailed("the kiosk's page sends no sound: it was closed, or its microphone is gone")
        finally:
            self._microphone.detach(self)

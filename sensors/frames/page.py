"""The kiosk's page as a source: pictures that a browser takes and hands over on this machine."""

import asyncio
from types import TracebackType
from typing import Self

from kiosk.errors import DriverFailed
from sensors.clock import Clock
from sensors.face.seen import Sight
from sensors.frames.latest import Latest
from sensors.station.camera import PageCamera

SILENT = 4.0
"""Seconds without a picture after which a page that was there counts as closed."""


class Page:
    """The browser's camera. It waits for a page; a page that goes away ends the run."""

    simulated = False

    def __init__(self, camera: PageCamera, clock: Clock) -> None:
        self._camera, self._clock = camera, clock

    @property
    def trouble(self) -> str:
        """What an operator should know."""
        return self._camera.trouble

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._camera.detach(self)

    async def feed(self, into: Latest) -> None:
        """Let the page's pictures in until it goes away."""
        before = self._camera.taken  # in earlier visits; a page that was not opened yet is waited for
        self._camera.attach(self, into)
        try:
            while True:
                heard = self._camera.taken
                await asyncio.sleep(SILENT)
                if heard != before and self._camera.taken == heard:
                    raise DriverFailed("the kiosk's page sends no pictures: it was closed, or its camera is gone")
        finally:
            self._camera.detach(self)

    def saw(self, sight: Sight) -> None:
        """Tell the visitor how to sit."""
        self._camera.guide(sight)

"""A scripted station for tests of the page: it shows whatever view it is given, and keeps what the page says.

`python -m tests.sensors.station.showing FOLDER [SCREEN...]` makes pictures: every screen, language and size.
"""

import asyncio
import html
import json
import math
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, sync_playwright
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from kiosk.signals import MOTION_CHANNELS, RGB_CHANNELS
from kiosk.visitor import WORDS
from sensors.clock import SystemClock
from sensors.face.seen import Sight
from sensors.frames.latest import Latest
from sensors.station import server
from sensors.station.camera import PageCamera
from sensors.station.view import View, Wave
from tests.sensors.station.portrait import scene, y4m
from tests.sensors.station.shown_views import views

SIZES = {"portrait": (1080, 1920), "laptop": (1366, 768), "phone": (390, 844)}
EVERY = 0.1
"""Seconds of signal in one message."""
CLOCK = SystemClock()
Floats = NDArray[np.float64]


class Showing(server.Station):
    """The real page and its files, a real page camera, and a visit that does as it is told, in a thread of its own."""

    def __init__(self, *, camera: bool = False, heart: float = 1.1) -> None:
        super().__init__(PageCamera(CLOCK) if camera else None, 0)
        self.acts: list[dict[str, object]] = []
        self.view: View | None = None
        self.waves: tuple[tuple[str, str], ...] = ()
        """Signal and device of the signals that come."""
        self._heart, self._owner = heart, object()
        self._sockets: set[WebSocket] = set()
        self._loop = asyncio.new_event_loop()

    @contextmanager
    def served(self) -> Iterator["Showing"]:
        """Serve from a thread until it is left."""
        ready, leave = threading.Event(), asyncio.Event()

        async def serve() -> None:
            made = server.application

            def application(*devices: object, **named: object) -> object:
                app = made(self.camera)
                app.router.routes.insert(0, Route("/", self._page))
                app.router.routes.insert(0, WebSocketRoute("/visit", self._visit))
                return app

            server.application = application  # type: ignore[assignment]
            try:
                async with self.running():
                    server.application = made
                    waving = asyncio.create_task(self._wave())
                    ready.set()
                    await leave.wait()
                    waving.cancel()
                    for socket in list(self._sockets):
                        await socket.close()
            finally:
                server.application = made
                ready.set()

        thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),), daemon=True)
        thread.start()
        ready.wait(20)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(leave.set)
            thread.join(20)
            self._loop.close()

    async def _page(self, request: Request) -> Response:
        text = (server.STATIC / "page.html").read_text("utf-8")
        named = "|".join(f"{each} {words['language']}" for each, words in WORDS.items())
        token = self.camera.tokens.give() if self.camera else ""
        filled = {"token": token, "microphone": "", "visit": "shown", "languages": named, "speech": "1"}
        for place, put in filled.items():
            text = text.replace(f"{{{place}}}", html.escape(put))
        return HTMLResponse(text, headers=server.HEADERS)

    async def _visit(self, socket: WebSocket) -> None:
        await socket.accept()
        self._sockets.add(socket)
        try:
            while True:
                said = json.loads(await socket.receive_text())
                if said.get("kind") != "hello":
                    self.acts.append(said)
                elif self.view is not None:
                    await socket.send_text(msgspec.json.encode(self.view).decode())
        except WebSocketDisconnect:
            pass
        finally:
            self._sockets.discard(socket)

    async def _wave(self) -> None:
        begin, at = time.monotonic(), 0.0
        while True:
            at += EVERY
            await asyncio.sleep(max(0.0, begin + at - time.monotonic()))
            for signal, device in self.waves:
                times = at + np.arange(6) / 60
                values = tuple(round(float(each), 4) for each in _signal(signal, times, self._heart))
                await self._send(Wave(signal, device, 1000 * at, 1000 / 60, values))

    async def _send(self, word: View | Wave) -> None:
        for socket in list(self._sockets):
            await socket.send_text(msgspec.json.encode(word).decode())

    def show(self, view: View) -> None:
        """The page is to show this."""
        self.view = view
        asyncio.run_coroutine_threadsafe(self._send(view), self._loop).result(10)

    def close_sockets(self) -> None:
        """The station is gone for a moment."""

        async def close() -> None:
            for socket in list(self._sockets):
                await socket.close()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)

    def take_pictures(self, wanted: bool) -> None:
        """A run of the camera's driver begins or ends."""
        assert self.camera is not None
        self._loop.call_soon_threadsafe(self.camera.detach, self._owner)
        if wanted:
            self._loop.call_soon_threadsafe(self.camera.attach, self._owner, Latest())

    def sit(self, **motion: float) -> None:
        """The camera sees the visitor like this, for as long as the guide looks at together."""
        assert self.camera is not None
        values = {"x": 0.5, "y": 0.5, "size": 0.4, "light": 0.5, "faces": 1.0, **motion}
        row = np.array([values.get(each, 0.0) for each in MOTION_CHANNELS], np.float32)
        for _ in range(8):
            sight = Sight(CLOCK.now(), np.zeros(len(RGB_CHANNELS), np.float32), row)
            self._loop.call_soon_threadsafe(self.camera.guide, sight)
            time.sleep(0.13)

    def did(self, act: str, seconds: float = 5.0) -> dict[str, object]:
        """The newest act of a kind, waited for; it is taken away."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for each in reversed(self.acts):
                if each["act"] == act and each.get("what") != "here":
                    self.acts.clear()
                    return each
            time.sleep(0.01)
        raise AssertionError(f"the page did not say {act}: {self.acts}")


def _signal(signal: str, times: Floats, heart: float) -> Floats:
    beat: Floats = (times * heart) % 1
    made: Floats
    if signal == "ecg":
        made = np.exp(-(((beat - 0.3) / 0.012) ** 2)) - 0.16 * np.exp(-(((beat - 0.33) / 0.014) ** 2))
        made = made + 0.14 * np.exp(-(((beat - 0.16) / 0.03) ** 2)) + 0.24 * np.exp(-(((beat - 0.58) / 0.05) ** 2))
    elif signal == "ppg":
        made = np.exp(-(((beat - 0.25) / 0.1) ** 2)) + 0.42 * np.exp(-(((beat - 0.52) / 0.12) ** 2))
    elif signal == "respiration":
        made = np.sin(2 * math.pi * times * 0.23)
    else:
        slow = 0.3 * np.sin(2 * math.pi * 4.3 * times)
        made = np.sin(2 * math.pi * 10 * times) * (0.6 + 0.4 * np.sin(times)) + slow
    return made


def settle(page: Page, station: Showing, view: View, seconds: float = 0.4) -> None:
    """Show a view and wait until it is there."""
    station.show(view)
    page.wait_for_function("name => document.body.dataset.screen === name", arg=view.screen)
    page.wait_for_timeout(1000 * seconds)


def pictures(folder: Path, only: set[str]) -> None:
    """Every screen, language and size."""
    with Showing(camera=True).served() as station, sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-video-capture={y4m(folder / 'station.y4m', [scene(nearness=1.3)])}",
            ],
        )
        going = False
        for size, (width, height) in SIZES.items():
            for language in WORDS:
                page = browser.new_page(viewport={"width": width, "height": height})
                found = views(language)
                station.view = found["welcome"]
                page.goto(station.address)
                for name, view in found.items():
                    if only and name not in only:
                        continue
                    if (wanted := view.screen in ("position", "measure")) != going:
                        station.take_pictures(wanted)
                        going = wanted
                    waves = tuple((each.signal, each.device) for each in view.contacts if view.screen == "electrodes")
                    station.waves = waves or ((("ppg", "amplifier"),) if view.screen == "measure" else ())
                    settle(page, station, view, 6 if station.waves and size != "phone" else 0.4)
                    if view.screen == "position":
                        station.sit(size=0.2 if language == "en" else 0.45)
                        page.wait_for_timeout(700)
                    fits = page.evaluate("document.documentElement.scrollHeight <= innerHeight")
                    wide = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                    if not fits or not wide:
                        sys.stdout.write(
                            f"{size} {language} {name}: {'' if fits else 'scrolls'} {'' if wide else 'too wide'}\n"
                        )
                    page.screenshot(path=folder / f"station-{size}-{language}-{name}.png")
                page.close()
        browser.close()


if __name__ == "__main__":
    pictures(Path(sys.argv[1]), set(sys.argv[2:]))

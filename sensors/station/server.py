"""The server of the kiosk's page: on 127.0.0.1 alone, for the page that it served itself."""

import asyncio
import contextlib
import html
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from kiosk.errors import BadSettings
from sensors.station.camera import PageCamera
from sensors.station.pictures import MOST_BYTES

HOST = "127.0.0.1"
STATIC = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FILES = {each.name: each for each in sorted(STATIC.iterdir()) if each.suffix in TYPES}
"""What the page loads: these and no others, whatever a path says."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    # isolated, a page's clock has steps of 5 us instead of 100
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
STOP_WITHIN = 5.0


class Station:
    """The page and its camera. It outlives visits and runs of the driver."""

    def __init__(self, camera: PageCamera, port: int) -> None:
        self.camera, self._port = camera, port

    @property
    def address(self) -> str:
        """Where the kiosk's browser finds the page."""
        return f"http://{HOST}:{self._port}/"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Station"]:
        """Serve until it is left."""
        try:
            listening = socket.create_server((HOST, self._port))
        except OSError as error:
            raise BadSettings(f"KIOSK_STATION_PORT: {self._port} cannot be had: {error.strerror}") from None
        self._port = listening.getsockname()[1]
        server = _Quiet(
            uvicorn.Config(
                application(self.camera),
                ws="websockets-sansio",
                ws_max_size=MOST_BYTES,
                ws_per_message_deflate=False,
                ws_ping_interval=5,
                ws_ping_timeout=5,
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=2,
                lifespan="off",
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listening]), name="station")
        try:
            while not server.started and not serving.done():
                await asyncio.sleep(0.01)
            yield self
        finally:
            server.should_exit = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_WITHIN):
                    await asyncio.wait([serving])
            serving.cancel()
            await asyncio.wait([serving])
            listening.close()


class _Quiet(uvicorn.Server):
    """It leaves signals to the process that it is a part of."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def application(camera: PageCamera) -> Starlette:
    """The page, its files, and the socket of its camera."""
    page = (STATIC / "camera.html").read_text(encoding="utf-8")

    async def show(request: Request) -> Response:
        text = page.replace("{token}", html.escape(camera.tokens.give()))
        return HTMLResponse(text, headers=HEADERS)

    async def file(request: Request) -> Response:
        found = FILES.get(request.path_params["name"])
        if found is None:
            return PlainTextResponse("there is no such file", 404, headers=HEADERS)
        return FileResponse(found, media_type=TYPES[found.suffix], headers=HEADERS)

    async def pictures(socket: WebSocket) -> None:
        # without an Origin it is no browser, with another one it is somebody else's page
        if socket.headers.get("origin") != f"http://{socket.headers.get('host')}":
            await socket.close(1008)
            return
        await camera.serve(socket)

    return Starlette(
        routes=[
            Route("/", show),
            Route("/static/{name}", file),
            WebSocketRoute("/camera", pictures),
        ],
        # a name that somebody points at 127.0.0.1 is not ours
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
    )

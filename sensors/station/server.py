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
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from kiosk.errors import BadSettings
from kiosk.visitor import WORDS
from sensors.station.camera import PageCamera
from sensors.station.codes import Codes
from sensors.station.microphone import PageMicrophone
from sensors.station.pictures import MOST_BYTES
from sensors.station.reception import Reception
from sensors.station.socket import VisitSocket
from sensors.station.speech import Voice

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
    """The page, its camera, its microphone and its visits; any may not be wanted. It outlives runs of drivers."""

    def __init__(
        self,
        camera: PageCamera | None,
        port: int,
        *,
        microphone: PageMicrophone | None = None,
    ) -> None:
        self.camera, self.microphone, self._port = camera, microphone, port
        self.codes = Codes()
        """Looks for visitors' codes in what a camera sees."""

    @property
    def address(self) -> str:
        """Where the kiosk's browser finds the page."""
        return f"http://{HOST}:{self._port}/"

    @asynccontextmanager
    async def running(self, reception: Reception | None = None) -> AsyncIterator["Station"]:
        """Serve until it is left; without a reception the page has its devices alone."""
        try:
            listening = socket.create_server((HOST, self._port))
        except OSError as error:
            raise BadSettings(f"KIOSK_STATION_PORT: {self._port} cannot be had: {error.strerror}") from None
        self._port = listening.getsockname()[1]
        server = _Quiet(
            uvicorn.Config(
                application(self.camera, self.microphone, VisitSocket(reception) if reception is not None else None),
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


def application(
    camera: PageCamera | None,
    microphone: PageMicrophone | None = None,
    visits: VisitSocket | None = None,
) -> Starlette:
    """The page, its files, and the sockets of its camera, its microphone and its visits."""
    voice = Voice()
    page = (STATIC / "page.html").read_text(encoding="utf-8")
    named = "|".join(f"{language} {words['language']}" for language, words in WORDS.items())
    page = page.replace("{languages}", html.escape(named)).replace("{speech}", "1" if voice.is_there else "")
    headers = dict(HEADERS)
    if microphone is not None:
        headers["Permissions-Policy"] = HEADERS["Permissions-Policy"].replace("microphone=()", "microphone=(self)")

    async def show(request: Request) -> Response:
        # without a token the page leaves that device alone
        text = page
        for place, device in (("{token}", camera), ("{microphone}", microphone), ("{visit}", visits)):
            text = text.replace(place, html.escape(device.tokens.give()) if device is not None else "")
        return HTMLResponse(text, headers=headers)

    async def file(request: Request) -> Response:
        found = FILES.get(request.path_params["name"])
        if found is None:
            return PlainTextResponse("there is no such file", 404, headers=HEADERS)
        return FileResponse(found, media_type=TYPES[found.suffix], headers=HEADERS)

    async def words(request: Request) -> Response:
        found = WORDS.get(request.path_params["language"])
        if found is None:
            return PlainTextResponse("there is no such language", 404, headers=HEADERS)
        return JSONResponse(dict(found), headers=HEADERS)

    async def speech(request: Request) -> Response:
        sound = await voice.say(request.path_params["language"], request.path_params["key"])
        if sound is None:
            return PlainTextResponse("that is not spoken here", 404, headers=HEADERS)
        return Response(sound, media_type="audio/wav", headers=HEADERS)

    async def served(socket: WebSocket, device: PageCamera | PageMicrophone | VisitSocket | None) -> None:
        # without an Origin it is no browser, with another one it is somebody else's page
        if device is None or socket.headers.get("origin") != f"http://{socket.headers.get('host')}":
            await socket.close(1008)
            return
        await device.serve(socket)

    async def pictures(socket: WebSocket) -> None:
        await served(socket, camera)

    async def sound(socket: WebSocket) -> None:
        await served(socket, microphone)

    async def visit(socket: WebSocket) -> None:
        await served(socket, visits)

    return Starlette(
        routes=[
            Route("/", show),
            Route("/static/{name}", file),
            Route("/words/{language}.json", words),
            Route("/speech/{language}/{key}.wav", speech),
            WebSocketRoute("/camera", pictures),
            WebSocketRoute("/microphone", sound),
            WebSocketRoute("/visit", visit),
        ],
        # a name that somebody points at 127.0.0.1 is not ours
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
    )

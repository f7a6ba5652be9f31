"""What surrounds every request: safe headers, limits, counts, and the net that catches what nobody foresaw."""

import ipaddress
import time
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors
from api.idempotency import UPLOADS
from api.metrics import Metrics
from kiosk.settings import Settings

MOST_BODY = 64 * 1024
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # health data belongs into no cache, on no disk
    "Cache-Control": "no-store",
}


class Net:
    """Outermost: counts requests, adds the headers, and makes a problem of what nobody caught.

    The server behind us would log an uncaught error with its text, and a database's error text holds parameters.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 0

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            elif message["type"] == "websocket.accept":
                status = 101
            elif message["type"] == "websocket.close" and not status:
                # the router's way to say that nothing is there; the server would make plain text of it
                await errors.problem(errors.NOT_FOUND)(scope, receive, with_headers)
                return
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except Exception as error:
            response = errors.internal(error, f"{scope.get('method', 'WebSocket')} {route_of(scope)}")
            if not status:
                await response(scope, receive, with_headers)
            elif scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1011, "reason": errors.INTERNAL.title})
            else:
                raise  # half an answer is sent: breaking the connection is all that can still tell
        finally:
            if scope["type"] == "http":
                self._metrics.count_request(scope["method"], route_of(scope), status, time.perf_counter() - begun)


class Limits:
    """Refuses what no handler should see: bodies without end, and requests under a name that is not ours."""

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = None
        if not is_ours(headers.get("host", ""), self._names):
            refused = errors.ELSEWHERE
        elif scope["type"] == "websocket" and not same_origin(headers):
            refused = errors.FOREIGN
        elif int(headers.get("content-length", "0")[:12]) > most_body(scope):
            refused = errors.TOO_LARGE
        if refused is not None:
            await errors.problem(refused)(scope, receive, send)
            return
        taken, most = 0, most_body(scope)

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > most:
                    raise HTTPException(errors.TOO_LARGE.status)
            return message

        await self._app(scope, counted, send)


def most_body(scope: Scope) -> int:
    """How many bytes a request may have: an upload as many as are set, with something for what separates its parts."""
    if scope.get("method") == "POST" and scope["path"] == UPLOADS:
        settings: Settings = scope["app"].state.settings
        return settings.upload_bytes + MOST_BODY
    return MOST_BODY


def is_ours(host: str, names: Collection[str] = ()) -> bool:
    """Whether a Host header may be ours: an address, a name without a dot, or one of the names that were set.

    A page of another site can let its own name point to 127.0.0.1 and would then be of our origin. Such a name is
    registered, and so has a dot.
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() and not host.endswith("]") else host
    if "." not in name and ":" not in name:
        return bool(name)
    if name.lower() in names:
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def same_origin(headers: Headers) -> bool:
    """Whether a WebSocket was opened by a page of ours, or by a program: browsers let any site open one."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


def route_of(scope: Scope) -> str:
    """The template of the route, never the path: paths hold ids."""
    route = scope.get("route")
    return str(getattr(route, "path_format", None) or getattr(route, "path", None) or "other")

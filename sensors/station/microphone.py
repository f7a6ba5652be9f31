"""The microphone that the kiosk's page has: one browser hands over its sound. Nothing of it is kept or logged."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray
from starlette.websockets import WebSocket, WebSocketDisconnect

from kiosk.errors import DriverFailed, Refused
from kiosk.messages import SECOND
from sensors.clock import Clock
from sensors.station.camera import (
    BAD_MESSAGE,
    FLOOD,
    HELLO_WITHIN,
    MOST_REFUSED,
    MOST_TEXT,
    NO_TOKEN,
    TAKEN,
    Hello,
    Tokens,
    Visiting,
)  # fmt: skip
from sensors.station.clocks import Moment, PageClock
from sensors.station.sounds import Sent, read

log = logging.getLogger(__name__)

MOST_MESSAGES = 200
"""Of a page in a second; it sends 12 to 50."""
MOST_SECONDS = 2.0
"""Of sound within one second: what was held up may come at once, more is no microphone."""
HELD_UP, STOOD_STILL = 0.5, 2.0
"""Seconds that a piece may be late, and for which all may be: what was held up comes at once. After that it is the
browser's sound that stood still, and its count of samples with it: they were taken later than the count says."""

Sink = Callable[[NDArray[np.float32], int, float, bool], None]
"""Takes samples, the boot-clock time of the first, their rate, and whether sound before them is missing."""


class Listening(msgspec.Struct, frozen=True, tag="listening", tag_field="kind"):
    """The page is welcome; the token is for its next connection."""

    token: str


_HELLO = msgspec.json.Decoder(Hello)
_SAID = msgspec.json.Encoder()


class PageMicrophone:
    """The browser that is connected, and the run of the driver that wants its sound; either may be missing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.tokens = Tokens()
        self.taken = 0
        """Pieces that a run took, since this process began."""
        self.refused = 0
        """Messages that made no sense."""
        self._socket: WebSocket | None = None
        self._speaking: set[asyncio.Task[None]] = set()
        self._owner: object | None = None
        self._sink: Sink | None = None
        self._frame: float | None = None
        """The one that should come next."""

    @property
    def connected(self) -> bool:
        """Whether a page is there."""
        return self._socket is not None

    @property
    def trouble(self) -> str:
        """What an operator should know."""
        return "" if self._socket is not None else "no page with a microphone is open in the kiosk's browser"

    def attach(self, owner: object, sink: Sink) -> None:
        """A run wants the sound."""
        if self._owner is not None:
            raise DriverFailed("the page's microphone is in use by another driver")
        self._owner, self._sink, self._frame = owner, sink, None
        self._say(Visiting(True))

    def detach(self, owner: object) -> None:
        """A run has ended."""
        if self._owner is owner:
            self._owner = self._sink = None
            self._say(Visiting(False))

    def _say(self, word: Visiting | Listening) -> None:
        if self._socket is not None:
            task = asyncio.get_running_loop().create_task(_send(self._socket, word))
            self._speaking.add(task)
            task.add_done_callback(self._speaking.discard)

    async def serve(self, socket: WebSocket) -> None:
        """One connection, from its first word to its end. Its origin was checked."""
        await socket.accept()
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                text = await socket.receive_text()
            known = len(text) <= MOST_TEXT and self.tokens.take(_HELLO.decode(text).token)
        except (TimeoutError, msgspec.MsgspecError, KeyError):
            known = False
        except WebSocketDisconnect:
            return
        if not known or self._socket is not None:
            await socket.close(TAKEN if known else NO_TOKEN)
            return
        self._socket = socket
        log.info("the kiosk's page has a microphone")
        try:
            await _send(socket, Listening(self.tokens.give()))
            await _send(socket, Visiting(self._sink is not None))
            code = await self._listen(socket)
            if code:
                log.warning("the page's sound was closed: %s", "flood" if code == FLOOD else "messages without sense")
                with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                    await socket.close(code)
        finally:
            self._socket = None
            log.info("the microphone of the kiosk's page has gone")

    async def _listen(self, socket: WebSocket) -> int:
        """Take what comes, until the page goes (0) or must go (why)."""
        clock, rate = PageClock(), 0.0
        window, count, seconds, nonsense = 0, 0, 0.0, 0
        late: int | None = None
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return 0
            now = Moment.now(self._clock)
            if now.boot // SECOND != window:
                window, count, seconds = now.boot // SECOND, 0, 0.0
            count += 1
            try:
                sent = read(message.get("bytes") or b"")
                seconds += len(sent.samples) / sent.rate
                if sent.rate != rate:
                    clock, rate, self._frame = PageClock(), sent.rate, None
                # the sound card's clock is the page's clock here: the end of a piece is when it was sent, or earlier
                clock.hear(sent.end, now)
                if now.boot - clock.boot(sent.end) <= HELD_UP * SECOND:
                    late = None
                elif late is None:
                    late = now.boot
                elif now.boot - late > STOOD_STILL * SECOND:
                    clock, late = PageClock(), None
                    clock.hear(sent.end, now)
                self._take(sent, clock)
            except Refused:
                self.refused += 1
                nonsense += 1
                if nonsense >= MOST_REFUSED:
                    return BAD_MESSAGE
            else:
                nonsense = 0
            if count > MOST_MESSAGES or seconds > MOST_SECONDS:
                return FLOOD

    def _take(self, sent: Sent, clock: PageClock) -> None:
        if self._sink is None:
            # it was on its way when the visit ended
            self._frame = None
            return
        broken = self._frame is not None and sent.frame != self._frame
        if self._frame is not None and sent.frame < self._frame:
            raise Refused("no_time", "sound that goes back")
        self._frame = sent.frame + len(sent.samples)
        self.taken += 1
        start = clock.boot(sent.end) - round(len(sent.samples) * SECOND / sent.rate)
        self._sink(sent.samples, start, sent.rate, broken)


async def _send(socket: WebSocket, word: Visiting | Listening) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_text(_SAID.encode(word).decode())

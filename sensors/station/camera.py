"""The camera that the kiosk's page has: one browser hands over its pictures, and is told how the visitor sits.

A page may have two pictures under way; each is acknowledged when it has arrived, so that a page that is faster than the
way sends the latest and counts what it left out. Nothing of a picture is kept or logged.
"""

import asyncio
import contextlib
import logging
import secrets
from collections import deque

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from kiosk.errors import DriverFailed, Refused
from kiosk.messages import SECOND
from sensors.clock import Clock
from sensors.face.seen import Frame, Sight
from sensors.frames.latest import Latest
from sensors.station.clocks import Moment, PageClock
from sensors.station.guide import Guidance, Guide
from sensors.station.pictures import Sent, Timing, read

log = logging.getLogger(__name__)

MOST_TOKENS = 16
HELLO_WITHIN = 5.0
"""Seconds that a page has to show its token."""
MOST_MESSAGES = 150
"""Of a page in a second: pictures at sixty a second, and what else it says."""
MOST_REFUSED = 20
"""Messages in a row that make no sense; then the page is closed."""
MOST_TEXT = 256
LATE, EARLY = 5.0, 0.05
"""Seconds that a picture may have been on its way, and that it may lie ahead: the clocks' offset is that unsure."""
GUIDE_EVERY = 0.12
"""Seconds between two words on how to sit."""

BAD_MESSAGE, FLOOD, NO_TOKEN, TAKEN = 4400, 4429, 4401, 4409
"""Why a page is closed, as the page's script knows it."""


class Hello(msgspec.Struct, frozen=True, tag="hello", tag_field="kind", forbid_unknown_fields=True):
    """The first word of a page."""

    token: str


class Now(msgspec.Struct, frozen=True, tag="now", tag_field="kind", forbid_unknown_fields=True):
    """The page's clock, and how many pictures it left out so far."""

    at: float
    dropped: int = 0
    held: bool | None = None
    """Whether the browser could hold the camera's exposure; None until it has settled."""


class Welcome(msgspec.Struct, frozen=True, tag="welcome", tag_field="kind"):
    """What a page is asked for, and the token for its next connection."""

    token: str
    width: int
    height: int
    rate: float


class Visiting(msgspec.Struct, frozen=True, tag="visit", tag_field="kind"):
    """Whether pictures are wanted."""

    going: bool


class Arrived(msgspec.Struct, frozen=True, tag="arrived", tag_field="kind"):
    """A picture is here."""

    number: int


class Sit(msgspec.Struct, frozen=True, tag="guide", tag_field="kind"):
    """How the visitor sits."""

    advice: str
    near: float
    x: float | None
    y: float | None
    size: float | None


Word = Welcome | Visiting | Arrived | Sit
_HEARD = msgspec.json.Decoder(Hello | Now)
_SAID = msgspec.json.Encoder()


class Tokens:
    """Each opens one connection. A page is given one when it is loaded, and the next with each welcome."""

    def __init__(self) -> None:
        self._valid: deque[str] = deque(maxlen=MOST_TOKENS)

    def give(self) -> str:
        """A new one."""
        token = secrets.token_urlsafe(24)
        self._valid.append(token)
        return token

    def take(self, token: str) -> bool:
        """Whether it is valid; then it is no longer."""
        for each in self._valid:
            if secrets.compare_digest(each.encode(), token.encode()):
                self._valid.remove(each)
                return True
        return False


class PageCamera:
    """The browser that is connected, and the run of the driver that wants its pictures; either may be missing."""

    def __init__(self, clock: Clock, *, size: tuple[int, int] = (640, 480), rate: float = 30.0) -> None:
        self._clock, self._size, self._rate = clock, size, rate
        self.tokens = Tokens()
        self.taken = 0
        """Pictures that a run took, since this process began."""
        self.refused = 0
        """Messages that made no sense."""
        self.left_out = 0
        """Pictures that the connected page did not send, because earlier ones were still on their way."""
        self._client: _Client | None = None
        self._owner: object | None = None
        self._into: Latest | None = None
        self._guide = Guide()
        self._guided = 0
        self._last_at = 0
        self._timing: Timing | None = None
        self._held: bool | None = None

    @property
    def connected(self) -> bool:
        """Whether a page is there."""
        return self._client is not None

    @property
    def trouble(self) -> str:
        """What an operator should know."""
        if self._client is None:
            return "no page is open in the kiosk's browser"
        said = []
        if self._timing is Timing.SHOWN:
            said.append("this browser does not say when a picture was taken; times are those at which it had it")
        if self._held is False:
            said.append("the camera goes on changing its exposure")
        return "; ".join(said)

    def attach(self, owner: object, into: Latest) -> None:
        """A run wants the pictures."""
        if self._owner is not None:
            raise DriverFailed("the page's camera is in use by another driver")
        self._owner, self._into = owner, into
        self._guide, self._last_at = Guide(), 0
        self._say(Visiting(True))

    def detach(self, owner: object) -> None:
        """A run has ended."""
        if self._owner is owner:
            self._owner = self._into = None
            self._say(Visiting(False))

    def guide(self, sight: Sight) -> None:
        """Tell the page how the visitor sits."""
        guidance = self._guide.look(sight.at, sight.motion)
        if sight.at - self._guided >= GUIDE_EVERY * SECOND or sight.at < self._guided:
            self._guided = sight.at
            self._say(_sit(guidance))

    def _say(self, word: Word) -> None:
        if self._client is not None:
            self._client.say(word)

    async def serve(self, socket: WebSocket) -> None:
        """One connection, from its first word to its end. Its origin was checked."""
        await socket.accept()
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                hello = _HEARD.decode(_short(await socket.receive_text()))
        except (TimeoutError, msgspec.MsgspecError, Refused, KeyError):
            await socket.close(NO_TOKEN)
            return
        except WebSocketDisconnect:
            return
        if not isinstance(hello, Hello) or not self.tokens.take(hello.token):
            await socket.close(NO_TOKEN)
            return
        if self._client is not None:
            # its token is spent: whoever wants to take over asks for the page again
            await socket.close(TAKEN)
            return
        client = self._client = _Client()
        self._timing = self._held = None
        self.left_out = 0
        log.info("the kiosk's page is here")
        client.say(Welcome(self.tokens.give(), *self._size, self._rate))
        client.say(Visiting(self._into is not None))
        speaking = asyncio.create_task(client.speak(socket))
        try:
            code = await self._listen(socket, client)
            if code:
                log.warning("the kiosk's page was closed: %s", "flood" if code == FLOOD else "messages without sense")
                with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                    await socket.close(code)
        finally:
            self._client = None
            speaking.cancel()
            await asyncio.wait([speaking])
            log.info("the kiosk's page has gone")

    async def _listen(self, socket: WebSocket, client: "_Client") -> int:
        """Take what comes, until the page goes (0) or must go (why)."""
        clock = PageClock()
        window, count, nonsense = 0, 0, 0
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return 0
            now = Moment.now(self._clock)
            if now.boot // SECOND != window:
                window, count = now.boot // SECOND, 0
            count += 1
            if count > MOST_MESSAGES:
                return FLOOD
            try:
                data = message.get("bytes")
                if data is None:
                    self._hear(message.get("text") or "", clock, now)
                else:
                    sent = read(data)
                    clock.hear(sent.sent, now)
                    client.say(Arrived(sent.number))
                    self._take(sent, clock, now.boot)
            except (Refused, msgspec.MsgspecError):
                self.refused += 1
                nonsense += 1
                if nonsense >= MOST_REFUSED:
                    return BAD_MESSAGE
            else:
                nonsense = 0

    def _hear(self, text: str, clock: PageClock, now: Moment) -> None:
        heard = _HEARD.decode(_short(text))
        if not isinstance(heard, Now) or not 0 <= heard.at <= 1e13 or heard.dropped < 0:
            raise Refused("no_word", "not at this time")
        clock.hear(heard.at, now)
        self.left_out, self._held = heard.dropped, heard.held

    def _take(self, sent: Sent, clock: PageClock, now: int) -> None:
        if self._into is None:
            # it was on its way when the visit ended
            return
        at = clock.boot(sent.captured)
        if not -EARLY * SECOND <= now - at <= LATE * SECOND:
            raise Refused("no_time", "too long on its way")
        self._timing = sent.timing
        at = min(at, now)
        if at <= self._last_at:
            return
        self._last_at = at
        self.taken += 1
        # unpacked by who looks at it: some matrices take too long for the event loop
        self._into.put_packed(lambda: Frame(at, sent.pixels()))


class _Client:
    """What is to be said to a connected page. Of words on how to sit only the latest waits."""

    def __init__(self) -> None:
        self._waiting: deque[Word] = deque()
        self._there = asyncio.Event()

    def say(self, word: Word) -> None:
        """Say it when the socket takes it."""
        if isinstance(word, Sit):
            self._waiting = deque(each for each in self._waiting if not isinstance(each, Sit))
        self._waiting.append(word)
        self._there.set()

    async def speak(self, socket: WebSocket) -> None:
        """Say what there is, until the page has gone."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await self._there.wait()
                self._there.clear()
                while self._waiting:
                    await socket.send_text(_SAID.encode(self._waiting.popleft()).decode())


def _sit(guidance: Guidance) -> Sit:
    numbers = (None if each is None else round(each, 3) for each in (guidance.x, guidance.y, guidance.size))
    return Sit(guidance.advice, round(guidance.near, 3), *numbers)


def _short(text: str) -> str:
    if len(text) > MOST_TEXT:
        raise Refused("wrong_length", "too long a word")
    return text

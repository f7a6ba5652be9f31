"""The socket of the visit: one page at a time is told what is to be seen, and reports what the visitor does."""

import asyncio
import contextlib
import logging

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from kiosk.messages import SECOND
from sensors.station.camera import BAD_MESSAGE, FLOOD, HELLO_WITHIN, MOST_REFUSED, NO_TOKEN, TAKEN, Hello, Tokens
from sensors.station.reception import Reception
from sensors.station.showing import view_of
from sensors.station.view import Act, Ready, View, Wave

log = logging.getLogger(__name__)

MOST_ACTS = 30
"""Of a page in a second: no finger is faster."""
MOST_TEXT = 4000
"""Characters of a message: a line of talk of 500, each escaped, and some to spare."""
EVERY = 0.1
"""Seconds between two views, and between two waves."""
SEEN_EVERY = 0.5
"""Seconds after which a view is looked at anew though nothing is known to have changed: time passes."""
SILENT = 10.0
"""Seconds without a word after which a page gives way to another one, which whoever stands there has opened."""
DRAWN_AT = frozenset({"electrodes", "measure"})

_HELLO = msgspec.json.Decoder(Hello)
_ACT: msgspec.json.Decoder[Act] = msgspec.json.Decoder(Act)
_SAID = msgspec.json.Encoder()


class VisitSocket:
    """The page that is connected to the visits of a kiosk."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self.tokens = Tokens()
        self.refused = 0
        """Messages that made no sense."""
        self._socket: WebSocket | None = None
        self._heard = 0
        self._leave = asyncio.Event()

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
        now = self._reception.clock.now()
        if not known:
            await socket.close(NO_TOKEN)
            return
        if self._socket is not None and now - self._heard < SILENT * SECOND:
            await socket.close(TAKEN)
            return
        # whoever was there is put out
        self._leave.set()
        leave = self._leave = asyncio.Event()
        self._socket, self._heard = socket, now
        log.info("the visitor's page is here")
        tasks = [
            asyncio.create_task(self._tell(socket)),
            asyncio.create_task(self._listen(socket)),
            asyncio.create_task(leave.wait()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            code = TAKEN if leave.is_set() else tasks[1].result() if tasks[1] in done else 0
            if code:
                log.warning(
                    "the visitor's page was closed: %s", "taken over" if code == TAKEN else "messages without sense"
                )
                with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                    await socket.close(code)
        finally:
            # first of all: whoever is cancelled may not come to what is behind an await
            if self._socket is socket:
                self._socket = None
                self._reception.live.watched = False
            log.info("the visitor's page has gone")
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _listen(self, socket: WebSocket) -> int:
        """Take what comes, until the page goes (0) or must go (why)."""
        window, count, nonsense = 0, 0, 0
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return 0
            now = self._heard = self._reception.clock.now()
            if now // SECOND != window:
                window, count = now // SECOND, 0
            count += 1
            if count > MOST_ACTS:
                return FLOOD
            text = message.get("text") or ""
            try:
                if len(text) > MOST_TEXT:
                    raise msgspec.ValidationError("too long")
                act = _ACT.decode(text)
            except msgspec.MsgspecError:
                self.refused += 1
                nonsense += 1
                if nonsense >= MOST_REFUSED:
                    return BAD_MESSAGE
                continue
            nonsense = 0
            await self._reception.act(act)

    async def _tell(self, socket: WebSocket) -> None:
        """Say what is to be seen, whole, whenever it is something else; and the waves where they are drawn."""
        reception = self._reception
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await _send(socket, Ready(self.tokens.give()))
            last: View | None = None
            looked = -SEEN_EVERY
            loop = asyncio.get_running_loop()
            while True:
                # a view costs a fraction of a millisecond, but ten times a second all day
                if reception.changed.is_set() or loop.time() - looked >= SEEN_EVERY:
                    reception.changed.clear()
                    shown, looked = view_of(reception), loop.time()
                    if shown != last:
                        await _send(socket, shown)
                        last = shown
                    reception.live.watched = shown.screen in DRAWN_AT
                for wave in reception.live.waves():
                    await _send(socket, wave)
                await asyncio.sleep(EVERY)


async def _send(socket: WebSocket, word: View | Wave | Ready) -> None:
    await socket.send_text(_SAID.encode(word).decode())

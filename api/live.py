"""The live hub: what a kiosk says about a session, passed on to whoever watches it.

Payloads are checked once, by the same gate as everywhere (`kiosk.messages.decode`), and then passed on as the bytes
that came. A client that is too slow loses the oldest messages, and never slows another one down.
"""

import asyncio
import logging
import re
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from api.metrics import Metrics
from api.wall import Wall
from kiosk import topics
from kiosk.bus import Bus, Delivery
from kiosk.errors import Refused
from kiosk.messages import Chunk, Event, Reading, Session, Status, decode

log = logging.getLogger(__name__)

KINDS = ("chunk", "reading", "event", "status", "session")
MOST_WAITING = 1000
MOST_WAITING_SIZE = 4_000_000
MOST_DEVICES = 256
# whose message it is, before it is worth decoding; a sender that orders its fields otherwise is decoded as well
_SESSION = re.compile(rb'^\{"kind":"(?:chunk|reading|event|session)","stream":\{"session":"([A-Za-z0-9_.-]{1,64})"')


class Client:
    """What waits for one socket: bounded, and the oldest goes first."""

    def __init__(self, session: str, signals: Collection[str] | None, metrics: Metrics) -> None:
        self.session = session
        self.dropped = 0
        self._signals = None if signals is None else frozenset(signals)
        self._metrics = metrics
        self._waiting: deque[str] = deque()
        self._size = 0
        self._filled = asyncio.Event()
        self._closed = False

    def wants(self, signal: str) -> bool:
        """Whether it draws this waveform."""
        return self._signals is None or signal in self._signals

    def put(self, text: str) -> None:
        """Add a message; make room where there is none."""
        waiting = self._waiting
        waiting.append(text)
        self._size += len(text)
        while len(waiting) > MOST_WAITING or (self._size > MOST_WAITING_SIZE and len(waiting) > 1):
            self._size -= len(waiting.popleft())
            self.dropped += 1
            self._metrics.live_dropped.inc()
        self._filled.set()

    def close(self) -> None:
        """Nothing more will come."""
        self._closed = True
        self._filled.set()

    async def take(self) -> str | None:
        """The oldest message that waits; None when nothing more will come."""
        while not self._waiting:
            if self._closed:
                return None
            self._filled.clear()
            await self._filled.wait()
        text = self._waiting.popleft()
        self._size -= len(text)
        return text


class _Watch:
    """One kiosk that somebody watches, and who."""

    def __init__(self) -> None:
        self.clients: dict[str, set[Client]] = {}
        self.statuses: OrderedDict[str, tuple[Status, str]] = OrderedDict()
        """Each device's last word: only the first subscriber is handed what the broker retains."""
        self.ready = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def everybody(self) -> list[Client]:
        return [client for clients in self.clients.values() for client in clients]


class Hub:
    """Subscribes to a kiosk as long as anybody watches one of its sessions."""

    def __init__(self, bus: Bus, metrics: Metrics) -> None:
        self._bus = bus
        self._metrics = metrics
        self._watches: dict[str, _Watch] = {}
        self.wall = Wall(bus, metrics)
        """All kiosks at once."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for kiosk in list(self._watches):
            await self._forget(kiosk, self._watches[kiosk])
        await self.wall.close()

    @asynccontextmanager
    async def watch(self, kiosk: str, session: str, signals: Collection[str] | None = None) -> AsyncIterator[Client]:
        """A client of a session. The caller has made sure that the session is this kiosk's."""
        watch = self._watches.get(kiosk)
        if watch is None:
            watch = self._watches[kiosk] = _Watch()
            watch.task = asyncio.create_task(self._listen(kiosk, watch), name=f"live {kiosk}")
        client = Client(session, signals, self._metrics)
        for status, text in watch.statuses.values():
            if status.session in (None, session):
                client.put(text)
        watch.clients.setdefault(session, set()).add(client)
        self._metrics.live_clients.inc()
        try:
            await watch.ready.wait()
            yield client
        finally:
            self._metrics.live_clients.dec()
            watch.clients[session].discard(client)
            if not watch.clients[session]:
                del watch.clients[session]
            if not watch.clients:
                await self._forget(kiosk, watch)

    async def _forget(self, kiosk: str, watch: _Watch) -> None:
        if self._watches.get(kiosk) is watch:
            del self._watches[kiosk]
        if watch.task is not None:
            watch.task.cancel()
            await asyncio.gather(watch.task, return_exceptions=True)

    async def _listen(self, kiosk: str, watch: _Watch) -> None:
        try:
            async with self._bus.subscribe(*(topics.pattern(kind, kiosk=kiosk) for kind in KINDS)) as arriving:
                watch.ready.set()
                while batch := await arriving.batch():
                    for delivery in batch:
                        self._pass_on(watch, delivery)
        except Exception as error:
            log.error("listening to %s failed: %s", kiosk, type(error).__name__)  # noqa: TRY400
        finally:
            # whoever comes next starts anew; whoever is here is told
            if self._watches.get(kiosk) is watch:
                del self._watches[kiosk]
            watch.ready.set()
            for client in watch.everybody():
                client.close()

    def _pass_on(self, watch: _Watch, delivery: Delivery) -> None:
        begins = _SESSION.match(delivery.payload)
        if begins is not None and begins[1].decode() not in watch.clients:
            return
        try:
            _, message = decode(delivery.topic, delivery.payload)
            # a frame that is not UTF-8 would end the browser's connection
            text = delivery.payload.decode()
        except Refused as refusal:
            self._metrics.live_refused.labels(refusal.reason).inc()
            return
        except UnicodeDecodeError:
            self._metrics.live_refused.labels("malformed").inc()
            return
        if isinstance(message, Status):
            watch.statuses[message.device] = (message, text)
            watch.statuses.move_to_end(message.device)
            if len(watch.statuses) > MOST_DEVICES:
                watch.statuses.popitem(last=False)
            for client in watch.everybody():
                if message.session in (None, client.session):
                    client.put(text)
        elif isinstance(message, Chunk):
            for client in watch.clients.get(message.stream.session, ()):
                if client.wants(message.stream.signal):
                    client.put(text)
        elif isinstance(message, Reading | Event | Session):
            for client in watch.clients.get(message.stream.session, ()):
                client.put(text)

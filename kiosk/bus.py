"""The bus: publish to a topic, subscribe to filters. What it promises is what both implementations are tested for.

- Messages of one publisher on one topic arrive in order, at most once while the link holds (across a broken link a
  message may be lost, or with QoS 1 come twice: only receipts promise more).
- A retained kind is handed to every new subscription; an empty payload clears it and is not delivered.
- A slow subscriber loses the newest messages, never memory, and `dropped` counts them: so many, or so many bytes.
- `publish` says False when there is no connection, waits when the connection is slower than the caller.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple, Protocol

from kiosk import topics
from kiosk.errors import Refused
from kiosk.messages import KINDS, MAX_PAYLOAD, Message, Wire, address, encode

DEPTH = 20_000
MOST_WAITING = 64 * 1024 * 1024
"""Bytes that a subscription keeps, as the deployed broker's `max_queued_bytes`: twenty thousand of the largest messages
would be gigabytes. Ordinary ones, a kilobyte each, reach the depth first."""


class Delivery(NamedTuple):
    """What arrives: bytes on a topic, not yet trusted."""

    topic: str
    payload: bytes


class Subscription:
    """A bounded queue of deliveries. Iterate it, or take a batch at a time."""

    def __init__(self, patterns: tuple[str, ...], depth: int) -> None:
        self.patterns = patterns
        self.dropped = 0
        self._depth = depth
        self._queue: deque[Delivery] = deque()
        self._size = 0
        self._filled = asyncio.Event()
        self._closed = False

    def matches(self, topic: str) -> bool:
        """Whether any of the filters holds."""
        return any(topics.matches(pattern, topic) for pattern in self.patterns)

    def put(self, delivery: Delivery) -> None:
        """Called by the bus only."""
        if len(self._queue) >= self._depth or self._size + len(delivery.payload) > MOST_WAITING:
            self.dropped += 1
            return
        self._queue.append(delivery)
        self._size += len(delivery.payload)
        if len(self._queue) == 1:
            self._filled.set()

    def close(self) -> None:
        """Wake the reader for the last time."""
        self._closed = True
        self._filled.set()

    async def batch(self, most: int = 1000) -> list[Delivery]:
        """What has arrived, at least one; empty when the subscription is closed."""
        while not self._queue and not self._closed:
            self._filled.clear()
            await self._filled.wait()
        taken = [self._queue.popleft() for _ in range(min(most, len(self._queue)))]
        self._size -= sum(len(delivery.payload) for delivery in taken)
        # let the connection read on, even when there is always more to take
        await asyncio.sleep(0)
        return taken

    async def __aiter__(self) -> AsyncIterator[Delivery]:
        while batch := await self.batch():
            for delivery in batch:
                yield delivery


class Bus(Protocol):
    """A connection to the others. `async with` it; it reconnects by itself."""

    @property
    def connections(self) -> int:
        """How often a connection was made: a change means that messages may be missing in between."""
        ...

    async def wait_connected(self) -> None:
        """Return when there is a connection."""
        ...

    async def publish(self, topic: str, payload: bytes) -> bool:
        """Hand a message to the connection; False when there is none."""
        ...

    def subscribe(self, *patterns: str, depth: int = DEPTH) -> AbstractAsyncContextManager[Subscription]:
        """Deliveries of all topics under the filters, for as long as the context lasts."""
        ...


async def send(bus: Bus, kiosk: str, message: Message) -> bool:
    """Publish a message where its kind belongs."""
    return await bus.publish(address(kiosk, message), encode(message))


def wire_of(topic: str, payload: bytes) -> Wire:
    """How a message on this topic travels; refuses what no receiver would take."""
    if len(payload) > MAX_PAYLOAD:
        raise Refused("oversized", f"{len(payload)} bytes, at most {MAX_PAYLOAD}")
    try:
        return KINDS[topics.parse(topic).kind]
    except KeyError:
        raise Refused("unknown_kind", topic) from None


class MemoryBus:
    """The bus inside one process: tests, and files that are played as fast as possible."""

    def __init__(self) -> None:
        self.connections = 1
        self._subscriptions: list[Subscription] = []
        self._retained: dict[str, bytes] = {}

    async def wait_connected(self) -> None:
        """Always connected."""

    async def publish(self, topic: str, payload: bytes) -> bool:
        """Hand the message to every matching subscription."""
        if wire_of(topic, payload).retain:
            if payload:
                self._retained[topic] = payload
            else:
                self._retained.pop(topic, None)
        if not payload:
            return True
        for subscription in self._subscriptions:
            if subscription.matches(topic):
                subscription.put(Delivery(topic, payload))
        await asyncio.sleep(0)
        return True

    @asynccontextmanager
    async def subscribe(self, *patterns: str, depth: int = DEPTH) -> AsyncIterator[Subscription]:
        """Deliveries under the filters, the retained ones first."""
        subscription = Subscription(patterns, depth)
        for topic, payload in self._retained.items():
            if subscription.matches(topic):
                subscription.put(Delivery(topic, payload))
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)
            subscription.close()

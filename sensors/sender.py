"""Sends what the outbox holds, in order, until it is receipted; sends again what a broken link swallowed."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Iterable

from kiosk import topics
from kiosk.bus import Bus, Subscription
from kiosk.errors import Refused
from kiosk.messages import Receipt, decode
from sensors.outbox import Item, Outbox

log = logging.getLogger(__name__)

WINDOW = 4096
"""Messages under way at most: bounds what an absent recorder makes a broker and this process hold."""
BATCH = 256
FIRST_PATIENCE, LONGEST_PATIENCE = 2.0, 30.0
"""Seconds without a receipt after which a message is sent again; doubled while nothing comes at all."""
TICK = 0.25


class Sender:
    """One outbox on one bus. `wake` it when something was emitted."""

    def __init__(self, bus: Bus, outbox: Outbox, kiosk: str) -> None:
        self._bus, self._outbox, self._kiosk = bus, outbox, kiosk
        self._under_way: dict[int, float] = {}
        """Message id -> when it was sent, in the order of sending."""
        self._gone: set[int] = set()
        """Receipted since the messages that are being sent were read."""
        self._cursor = 0
        self._wake = asyncio.Event()
        self._patience = FIRST_PATIENCE
        self._answered = False
        """A receipt came during the present round of sending again."""
        self._connection = 0
        self.sent_again = 0

    def wake(self) -> None:
        """There is something new to send."""
        self._wake.set()

    async def run(self) -> None:
        """Send and take receipts, until cancelled."""
        receipts = topics.pattern("receipt", kiosk=self._kiosk)
        async with self._bus.subscribe(receipts) as arriving, asyncio.TaskGroup() as group:
            group.create_task(self._take_receipts(arriving))
            group.create_task(self._send())

    async def drained(self) -> None:
        """Return when everything emitted is receipted."""
        while self._outbox.waiting_count:
            await asyncio.sleep(0.01)

    async def _send(self) -> None:
        while True:
            await self._bus.wait_connected()
            try:
                if self._bus.connections != self._connection:
                    # what was under way on the old connection may be gone
                    self._connection = self._bus.connections
                    self._cursor = 0
                    self._under_way.clear()
                    await self._clear_recorded()
                    for topic, payload in await asyncio.to_thread(self._outbox.announcements):
                        await self._bus.publish(topic, payload)
                # before it is asked what there is: a wake that comes meanwhile must not be forgotten
                self._wake.clear()
                if await self._send_new():
                    continue
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TICK):
                        await self._wake.wait()
                await self._send_again()
            except sqlite3.Error as error:
                log.error("outbox: %s; trying again", error)  # noqa: TRY400 - the same trace each time helps nobody
                await asyncio.sleep(TICK)

    async def _send_new(self) -> bool:
        room = WINDOW - len(self._under_way)
        if room <= 0:
            return False
        self._gone.clear()
        items = await asyncio.to_thread(self._outbox.waiting, self._cursor, min(BATCH, room))
        if items and not await self._publish(items):
            await asyncio.sleep(TICK)
        return bool(items)

    async def _publish(self, items: Iterable[Item]) -> bool:
        """Send, in order; False when the connection does not take more."""
        now = asyncio.get_running_loop().time()
        for item in items:
            # a session that is receipted and cleared must not be retained anew
            if item.id not in self._gone:
                # before it goes out: its receipt may be here before `publish` returns
                before = self._under_way.pop(item.id, None)
                self._under_way[item.id] = now
                if not await self._accepted(item):
                    self._under_way.pop(item.id, None)
                    if before is not None:
                        self._under_way[item.id] = before
                    return False
            self._cursor = max(self._cursor, item.id)
        return True

    async def _accepted(self, item: Item) -> bool:
        try:
            return await self._bus.publish(item.topic, item.payload)
        except Refused:
            log.exception("the outbox holds a message that no bus takes")
            return True

    async def _send_again(self) -> None:
        """Send what has waited too long for its receipt."""
        now = asyncio.get_running_loop().time()
        overdue = [number for number, sent in self._under_way.items() if now - sent >= self._patience]
        again = 0
        self._answered = False
        for begin in range(0, len(overdue), BATCH):
            part = overdue[begin : begin + BATCH]
            self._gone.clear()
            items = await asyncio.to_thread(self._outbox.still, part)
            # given up by the outbox meanwhile
            for number in set(part) - {item.id for item in items}:
                self._under_way.pop(number, None)
            again += len(items)
            if not await self._publish(items):
                break
        self.sent_again += again
        if again and not self._answered:
            self._patience = min(2 * self._patience, LONGEST_PATIENCE)

    async def _take_receipts(self, arriving: Subscription) -> None:
        while batch := await arriving.batch():
            receipts = []
            for delivery in batch:
                with contextlib.suppress(Refused):
                    _, message = decode(delivery.topic, delivery.payload)
                    if isinstance(message, Receipt):
                        receipts.append(message)
            try:
                gone = await asyncio.to_thread(self._outbox.receipts, receipts)
                self._gone.update(gone)
                for number in gone:
                    self._under_way.pop(number, None)
                if gone:
                    self._patience = FIRST_PATIENCE
                    self._answered = True
                    self._wake.set()
                    await self._clear_recorded()
            except sqlite3.Error as error:
                # what stays is sent again, and so its receipt comes again
                log.error("outbox: %s; a receipt is left for later", error)  # noqa: TRY400

    async def _clear_recorded(self) -> None:
        """Retained for latecomers while it mattered; now the record has it."""
        for session in await asyncio.to_thread(self._outbox.recorded):
            if await self._bus.publish(str(topics.Topic(self._kiosk, "session", session)), b""):
                await asyncio.to_thread(self._outbox.forget_session, session)

"""From what the devices say to what is on the disk: gathered, committed together, kept while the disk is full."""

import asyncio
import logging
import sqlite3

from kiosk.errors import Refused
from kiosk.messages import Numbered
from sensors.outbox import Outbox
from sensors.sender import Sender

log = logging.getLogger(__name__)

DISK_PAUSE = 1.0
MOST_PENDING, MOST_AT_ONCE = 20_000, 2_000
"""Messages that wait for the disk, and in one commit; a driver that is faster than that is held."""


class Committer:
    """Gathers what the devices say and commits it together: one flush to disk for all devices at a time."""

    def __init__(self, outbox: Outbox, sender: Sender) -> None:
        self._outbox, self._sender = outbox, sender
        self._pending: list[Numbered] = []
        self._put = self._kept = 0
        """How many messages came, and how many of them are on the disk."""
        self._filled = asyncio.Event()
        self._moved = asyncio.Event()
        """Set, and replaced, when `_kept` has moved."""
        self._over = False
        self.trouble = ""

    async def put(self, message: Numbered) -> None:
        """Commit a message soon; Refused at once when it breaks the rules of the wire."""
        self._outbox.check(message)
        while len(self._pending) >= MOST_PENDING and not self._over:
            await self._moved.wait()
        self._pending.append(message)
        self._put += 1
        self._filled.set()

    async def flush(self) -> None:
        """Return when everything put so far is on the disk, or never will be."""
        wanted = self._put
        while self._kept < wanted and not self._over:
            await self._moved.wait()

    async def run(self) -> None:
        """Commit, until cancelled; a full disk is waited out with everything kept."""
        self._over = False
        try:
            while True:
                await self._filled.wait()
                batch, self._pending = self._pending[:MOST_AT_ONCE], self._pending[MOST_AT_ONCE:]
                if not self._pending:
                    self._filled.clear()
                while batch:
                    batch = await self._commit(batch)
                self._sender.wake()
        finally:
            # nobody may wait for what will not happen
            self._over = True
            self._moved.set()
            if self._kept < self._put:
                log.error("%d messages could not be emitted", self._put - self._kept)

    async def _commit(self, batch: list[Numbered]) -> list[Numbered]:
        """Emit, as one where it can be; answers with what is left."""
        try:
            await asyncio.to_thread(self._outbox.emit, batch)
        except sqlite3.Error as error:
            self.trouble = f"outbox: {error}"
            log.error("%s; trying again", self.trouble)  # noqa: TRY400 - the same trace each second helps nobody
            await asyncio.sleep(DISK_PAUSE)
            return batch
        except Refused as refusal:
            if len(batch) > 1:
                for index in range(len(batch)):
                    if await self._commit(batch[index : index + 1]):
                        return batch[index:]
                return []
            log.error("a message could not be emitted: %s", refusal)  # noqa: TRY400
        self.trouble = ""
        self._kept += len(batch)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        return []

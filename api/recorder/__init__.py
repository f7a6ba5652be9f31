"""The recorder: takes what sensors emitted, commits it, and only then receipts it.

It keeps nothing that a restart could not find again: how far each stream is committed stands in the database, in the
same transaction as the samples. When a commit fails everything of that batch is forgotten - nothing was receipted, so
the outboxes send it again.
"""

import asyncio
import logging
from collections.abc import Sequence

from api.recorder.batch import Batch, Counts
from api.recorder.intake import Intake
from api.recorder.memory import Memory, remember
from api.recorder.owed import Owed
from api.store import (
    Database,
    KeysUnusable,
    StoreError,
    Transaction,
    arrivals,
    chunks,
    entries,
    pyramids,
    sessions,
    streams,
    utc_now,
    visits,
)
from api.store.outage import is_outage
from api.visits import answering, settling
from kiosk import topics
from kiosk.bus import Bus, Delivery
from kiosk.errors import Refused
from kiosk.messages import SECOND

__all__ = ["Batch", "Counts", "Recorder"]

log = logging.getLogger(__name__)

VERSION = "recorder-1"
BATCH = 2000
GATHER = 0.05
"""Seconds between commits while there is little to do: a transaction costs as much as a hundred of its rows."""
TOUCH_EVERY = 5 * SECOND
KINDS = ("chunk", "reading", "event", "entry", "session", "end", "lost", "status")


class Recorder:
    """Bus -> database -> receipts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._memory = Memory()
        self._intake = Intake(self._memory)
        self._owed = Owed()
        self.counts = Counts()

    async def serve(self, bus: Bus) -> None:
        """Record, until cancelled. A database that is away is waited for."""
        patterns = [topics.pattern(kind) for kind in KINDS]
        async with bus.subscribe(*patterns) as arriving, asyncio.TaskGroup() as group:
            receipts = group.create_task(self._owed.send(bus))
            while batch := await arriving.batch(BATCH):
                self.counts.dropped = arriving.dropped
                try:
                    committed = await asyncio.to_thread(self._record, batch)
                except (StoreError, KeysUnusable) as error:
                    log.error("the database takes nothing, the outboxes will send again: %s", _cause(error))  # noqa: TRY400
                    await asyncio.sleep(0.5)
                    continue
                for done in committed:
                    self._owed.add(done)
                if len(batch) < BATCH:
                    await asyncio.sleep(GATHER)
            receipts.cancel()

    def commit(self, deliveries: Sequence[Delivery]) -> Batch:
        """Write what was delivered in one transaction."""
        return self._commit(deliveries)

    def _record(self, deliveries: Sequence[Delivery]) -> list[Batch]:
        """Commit; where one message breaks the transaction, the others without it."""
        try:
            return [self._commit(deliveries)]
        except Exception as error:
            # a text that PostgreSQL cannot hold, a number too big: no list of such things is ever complete
            self.counts.failures += 1
            if isinstance(error, KeysUnusable) or (isinstance(error, StoreError) and is_outage(error)):
                raise
            log.warning("commit of %d messages failed: %s", len(deliveries), _cause(error))
        if len(deliveries) == 1:
            return [self._commit(deliveries, storable=False)]
        half = len(deliveries) // 2
        return [*self._record(deliveries[:half]), *self._record(deliveries[half:])]

    def _commit(self, deliveries: Sequence[Delivery], *, storable: bool = True) -> Batch:
        now = utc_now()
        batch = Batch()
        try:
            with self._database.transaction() as db:
                for delivery in deliveries:
                    if storable:
                        self._intake.take(db, batch, delivery, now)
                    else:
                        self._intake.refuse(db, batch, delivery, Refused("unstorable", "it breaks the commit"), now)
                self._write(db, batch, now)
        except BaseException:
            self._memory.forget()
            raise
        batch.settle(self._memory.ledgers, self.counts)
        for digest, first_came in batch.suspects.items():
            remember(self._memory.suspects, digest, first_came)
        self._memory.tidy()
        return batch

    def _write(self, db: Transaction, batch: Batch, now: int) -> None:
        chunks.add(db, batch.chunks, batch.boxes)
        arrivals.add_readings(db, batch.readings, VERSION)
        arrivals.add_events(db, batch.events, batch.boxes)
        streams.lose(db, batch.losses)
        ledgers = [self._memory.ledgers[key] for key in batch.changed]
        streams.set_progress(db, [(ledger.id, ledger.upto, ledger.last) for ledger in ledgers])
        arrivals.see_devices(db, batch.statuses, now)
        arrivals.quarantine(db, batch.aside, now)
        came = {stream.session for _, stream in batch.changed}
        if came:
            sessions.mark_changed(db, came)
            # after the line before: it waits for a closer that is storing one just now
            pyramids.forget(db, {number for number, _ in batch.chunks})
        stale = [session for session in came if now - self._memory.touched.get(session, 0) > TOUCH_EVERY]
        if stale:
            sessions.touch(db, stale, now)
            for session in stale:
                remember(self._memory.touched, session, now)
        # last: it looks at the sessions as they are now
        self._settle(db, batch, now)

    def _settle(self, db: Transaction, batch: Batch, now: int) -> None:
        entries.add(db, batch.entries, now, batch.boxes)
        told = {entry.stream.session for _, entry in batch.entries}
        for session in sorted(told | visits.with_entries(db, batch.heard)):
            settling.settle(db, session, now)
        for number, entry, answered in batch.answers:
            answering.keep(db, number, entry, answered, now)


def _cause(error: Exception) -> str:
    """The database's own words, without the statement and its parameters: those are measurements.

    PostgreSQL quotes a value that it cannot read after a colon, and names others in the lines after the first.
    """
    said = (str(getattr(error, "orig", None) or "").splitlines() or [type(error).__name__])[0]
    return said.partition(': "')[0][:200]

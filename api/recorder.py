"""The recorder: takes what sensors emitted, commits it, and only then receipts it.

It keeps nothing that a restart could not find again: how far each stream is committed stands in the database, in the
same transaction as the samples. When a commit fails everything of that batch is forgotten - nothing was receipted, so
the outboxes send it again.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from api.ledger import Ledger
from api.store import Database, StoreError, Transaction, arrivals, chunks, sessions, streams, utc_now
from api.store.outage import is_outage
from kiosk import topics
from kiosk.bus import Bus, Delivery, send
from kiosk.errors import Refused
from kiosk.messages import (
    MAX_PAYLOAD,
    MAX_REFUSED,
    SECOND,
    Chunk,
    Command,
    End,
    Event,
    Lost,
    Numbered,
    Reading,
    Receipt,
    Refusal,
    Status,
    Stream,
    decode,
    header,
)

log = logging.getLogger(__name__)

VERSION = "recorder-1"
BATCH = 2000
GATHER = 0.05
"""Seconds between commits while there is little to do: a transaction costs as much as a hundred of its rows."""
RECEIPT_EVERY = 0.2
TOUCH_EVERY = 5 * SECOND
DEVICE_EVERY = 20 * SECOND
MOST_STREAMS = 50_000
MOST_SUSPECTS = 100_000
POISON_AFTER = 1.5 * SECOND
"""A payload that makes no sense is refused for good when it comes again after this: an outbox repeats itself after two
seconds, a broker that doubles a damaged message does so at once."""
KINDS = ("chunk", "reading", "event", "session", "end", "lost", "status")
Key = tuple[str, Stream]
"""A stream of a kiosk. The kiosk comes from the topic, which the broker's access list guards."""


@dataclass(slots=True)
class Counts:
    """What has happened since the start, for metrics."""

    committed: int = 0
    samples: int = 0
    duplicates: int = 0
    dropped: int = 0
    failures: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Batch:
    """What one transaction writes, and what is owed for it."""

    chunks: list[tuple[int, Chunk]] = field(default_factory=list)
    readings: list[tuple[int, Reading]] = field(default_factory=list)
    events: list[tuple[int, Event]] = field(default_factory=list)
    losses: list[tuple[int, Lost]] = field(default_factory=list)
    statuses: list[tuple[str, Status]] = field(default_factory=list)
    aside: list[tuple[str, str, bytes, str]] = field(default_factory=list)
    changed: set[Key] = field(default_factory=set)
    """Streams whose progress moved."""
    answered: dict[Key, list[Refusal]] = field(default_factory=dict)
    """Streams that are owed a receipt, with what it refuses."""
    suspects: dict[str, int] = field(default_factory=dict)
    """Digests that came for the first time, and when. They count when committed: a failed batch is tried in parts."""
    reasons: list[str] = field(default_factory=list)
    duplicates: int = 0
    receipts: dict[Key, Receipt] = field(default_factory=dict)
    """Once committed: what may be said now. A snapshot, because the next batch moves the ledgers before it commits."""


class Recorder:
    """Bus -> database -> receipts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ledgers: OrderedDict[Key, Ledger] = OrderedDict()
        self._kiosks: OrderedDict[str, str] = OrderedDict()
        """Session -> the kiosk it belongs to."""
        self._touched: OrderedDict[str, int] = OrderedDict()
        self._devices: OrderedDict[tuple[str, str], tuple[Status, int]] = OrderedDict()
        self._suspects: OrderedDict[str, int] = OrderedDict()
        """What was kept aside, by digest: when it came first."""
        self._owed: dict[Key, Receipt] = {}
        """Receipts to send, the newest per stream. Touched by the event loop only."""
        self.counts = Counts()

    async def serve(self, bus: Bus) -> None:
        """Record, until cancelled. A database that is away is waited for."""
        patterns = [topics.pattern(kind) for kind in KINDS]
        async with bus.subscribe(*patterns) as arriving, asyncio.TaskGroup() as group:
            receipts = group.create_task(self._send_receipts(bus))
            while batch := await arriving.batch(BATCH):
                self.counts.dropped = arriving.dropped
                try:
                    committed = await asyncio.to_thread(self._record, batch)
                except StoreError as error:
                    log.error("the database takes nothing, the outboxes will send again: %s", _cause(error))  # noqa: TRY400
                    await asyncio.sleep(0.5)
                    continue
                for done in committed:
                    for key, receipt in done.receipts.items():
                        self._owe(key, receipt)
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
            if isinstance(error, StoreError) and is_outage(error):
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
                        self._take(db, batch, delivery, now)
                    else:
                        self._refuse(db, batch, delivery, Refused("unstorable", "the database does not take it"), now)
                self._write(db, batch, now)
        except BaseException:
            # what memory says may be ahead of the database: read it anew
            self._ledgers.clear()
            self._kiosks.clear()
            self._touched.clear()
            self._devices.clear()
            raise
        for key, refused in batch.answered.items():
            ledger = self._ledgers.get(key)
            upto, ended = (ledger.upto, ledger.ended) if ledger else (-1, False)
            batch.receipts[key] = Receipt(key[1], upto, ended, tuple(refused))
        for digest, first_came in batch.suspects.items():
            _remember(self._suspects, digest, first_came)
        self._tidy()
        self.counts.committed += len(batch.chunks) + len(batch.readings) + len(batch.events)
        self.counts.samples += sum(chunk.count for _, chunk in batch.chunks)
        self.counts.duplicates += batch.duplicates
        self.counts.refused.update(batch.reasons)
        return batch

    def _tidy(self) -> None:
        """Forget what was not used for long. Between transactions only: one that is under way needs its ledgers."""
        for memory in (self._ledgers, self._kiosks, self._touched, self._devices):
            while len(memory) > MOST_STREAMS:
                memory.popitem(last=False)
        while len(self._suspects) > MOST_SUSPECTS:
            self._suspects.popitem(last=False)

    # --- one message

    def _take(self, db: Transaction, batch: Batch, delivery: Delivery, now: int) -> None:
        try:
            where, message = decode(delivery.topic, delivery.payload)
            if isinstance(message, Status):
                self._take_status(batch, where.kiosk, message, now)
            elif not isinstance(message, Receipt | Command):
                self._take_streamed(db, batch, (where.kiosk, message.stream), message, now)
        except Refused as refusal:
            self._refuse(db, batch, delivery, refusal, now)

    def _take_status(self, batch: Batch, kiosk: str, status: Status, now: int) -> None:
        """Devices repeat themselves as long as they live; that alone is not worth a row each time."""
        key = (kiosk, status.device)
        known = self._devices.get(key)
        if known is None or known[0] != status or now - known[1] > DEVICE_EVERY:
            _remember(self._devices, key, (status, now))
            batch.statuses.append((kiosk, status))

    def _take_streamed(self, db: Transaction, batch: Batch, key: Key, message: Numbered | End | Lost, now: int) -> None:
        if isinstance(message, Reading) and message.scope == "live":
            return  # for screens; the session's numbers are made at its close
        ledger = self._ledger(db, key, now)
        batch.answered.setdefault(key, [])
        if isinstance(message, End):
            if ledger.last is None:
                ledger.last = message.last
                batch.changed.add(key)
        elif isinstance(message, Lost):
            # what came after all is not lost
            self._lose(batch, key, ledger, message)
        elif ledger.has(message.seq):
            batch.duplicates += 1
        else:
            self._take_numbered(db, batch, key[0], ledger, message, now)
            ledger.note(message.seq, message.seq)
            batch.changed.add(key)

    def _lose(self, batch: Batch, key: Key, ledger: Ledger, lost: Lost) -> None:
        for first, last in ledger.note(lost.first, lost.last):
            batch.losses.append((ledger.id, Lost(lost.stream, first, last, lost.reason)))
            batch.changed.add(key)

    def _take_numbered(
        self, db: Transaction, batch: Batch, kiosk: str, ledger: Ledger, message: Numbered, now: int
    ) -> None:
        if isinstance(message, Chunk):
            if ledger.channels is None:
                streams.set_shape(db, ledger.id, message.rate, message.channels)
                ledger.rate, ledger.channels = message.rate, message.channels
            elif (message.rate, message.channels) != (ledger.rate, ledger.channels):
                raise Refused("changed_shape", "rate and channels are a stream's own, from its first chunk on")
            batch.chunks.append((ledger.id, message))
        elif isinstance(message, Reading):
            batch.readings.append((ledger.id, message))
        elif isinstance(message, Event):
            batch.events.append((ledger.id, message))
        else:
            sessions.hear(db, kiosk, message, now)
            for stream in message.streams:
                if stream.session == message.stream.session:
                    self._ledger(db, (kiosk, stream), now)

    def _ledger(self, db: Transaction, key: Key, now: int) -> Ledger:
        ledger = self._ledgers.get(key)
        if ledger is None:
            kiosk, stream = key
            owner = self._kiosks.get(stream.session)
            if owner is None:
                owner = sessions.kiosk_of(db, stream.session)
                if owner is None:
                    sessions.make_orphan(db, stream.session, kiosk, now)
                    owner = kiosk
            _remember(self._kiosks, stream.session, owner)
            if owner != kiosk:
                raise Refused("foreign_session", "the session belongs to another kiosk")
            found = streams.find_or_make(db, stream)
            ledger = Ledger(found.id, found.upto, found.last, found.rate, found.channels)
            # what came after a hole is sent again until it is receipted; what was refused never is
            for row, loss in streams.losses_of_session(db, stream.session):
                if row.id == found.id:
                    ledger.note(loss.first, loss.last)
        _remember(self._ledgers, key, ledger)
        return ledger

    def _refuse(self, db: Transaction, batch: Batch, delivery: Delivery, refusal: Refused, now: int) -> None:
        """Keep a payload aside. Only what is sent again, byte for byte the same, is refused for good: a copy that was
        damaged on its way must not make an outbox forget the good one that it holds."""
        batch.reasons.append(refusal.reason)
        digest = hashlib.sha256(delivery.topic.encode() + b"\0" + delivery.payload).hexdigest()
        batch.aside.append((digest, delivery.topic, delivery.payload[:MAX_PAYLOAD], refusal.reason))
        first_came = self._suspects.get(digest)
        if first_came is None:
            batch.suspects.setdefault(digest, now)
        read = header(delivery.payload)
        if first_came is None or now - first_came < POISON_AFTER or read is None:
            return
        with contextlib.suppress(Refused):
            where = topics.parse(delivery.topic)
            key = (where.kiosk, read.stream)
            word = Refusal(read.seq, refusal.reason)
            if refusal.reason == "foreign_session":
                batch.answered.setdefault(key, []).append(word)
                return
            ledger = self._ledger(db, key, now)
            # said again each time that it comes again: the receipt may have got lost
            if read.seq > ledger.upto:
                batch.answered.setdefault(key, []).append(word)
            else:
                batch.answered.setdefault(key, [])
            self._lose(batch, key, ledger, Lost(read.stream, read.seq, read.seq, refusal.reason))

    # --- one transaction

    def _write(self, db: Transaction, batch: Batch, now: int) -> None:
        chunks.add(db, batch.chunks)
        arrivals.add_readings(db, batch.readings, VERSION)
        arrivals.add_events(db, batch.events)
        streams.lose(db, batch.losses)
        ledgers = [self._ledgers[key] for key in batch.changed]
        streams.set_progress(db, [(ledger.id, ledger.upto, ledger.last) for ledger in ledgers])
        arrivals.see_devices(db, batch.statuses, now)
        arrivals.quarantine(db, batch.aside, now)
        came = {stream.session for _, stream in batch.changed}
        if came:
            sessions.mark_changed(db, came)
        stale = [session for session in came if now - self._touched.get(session, 0) > TOUCH_EVERY]
        if stale:
            sessions.touch(db, stale, now)
            for session in stale:
                _remember(self._touched, session, now)

    def _owe(self, key: Key, receipt: Receipt) -> None:
        earlier = self._owed.get(key)
        refused = earlier.refused + receipt.refused if earlier else receipt.refused
        self._owed[key] = Receipt(receipt.stream, receipt.upto, receipt.ended, refused)

    async def _send_receipts(self, bus: Bus) -> None:
        """Say how far each stream is committed, a few times a second and not for each chunk."""
        while True:
            await asyncio.sleep(RECEIPT_EVERY)
            owed, self._owed = self._owed, {}
            for (kiosk, stream), said in owed.items():
                for begin in range(0, max(len(said.refused), 1), MAX_REFUSED):
                    refused = said.refused[begin : begin + MAX_REFUSED]
                    # a stream whose name makes no topic cannot be answered
                    with contextlib.suppress(Refused):
                        await send(bus, kiosk, Receipt(stream, said.upto, said.ended, refused))


Kept = TypeVar("Kept")
Of = TypeVar("Of")


def _remember(memory: OrderedDict[Of, Kept], key: Of, value: Kept) -> None:
    """Keep as the most recent."""
    memory[key] = value
    memory.move_to_end(key)


def _cause(error: Exception) -> str:
    """The database's own words, without the statement and its parameters: those are measurements."""
    return (str(getattr(error, "orig", None) or "").splitlines() or [type(error).__name__])[0][:200]

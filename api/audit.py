"""Noting who did what to whose data, before anybody learns of it.

Requests are noted by themselves: a route's `Permission` says who and which action, `api.witness` what came of it. For
everything else there is

- `note(database, Entry(...))`: at once, in a transaction of its own. For commands (`actor=CLI`) and services
  (`actor=SYSTEM`): erasure, restore, retention. Not within another transaction of the same thread: SQLite's would wait
  for each other. There, `api.store.audit.append(db, [entry])` is the same as part of it.
- `auditor.note(Entry(...))` (async) and `auditor.note_now(Entry(...))` (from a thread) with `app.state.auditor`: in one
  commit with what other requests note in that moment. For failed logins:
  `await auditor.note(Entry(ANONYMOUS, NO_ROLE, LOGIN, "user", user_id or "?", "refused"))`.

Each raises AuditDown where it cannot be noted; then what was to be noted must not happen, or not be told.
"""

import asyncio
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field

from api.store import Database, StoreError, Transaction
from api.store import audit as store
from api.store.audit import Entry, Outcome
from api.store.outage import is_outage
from kiosk.errors import KioskError

log = logging.getLogger(__name__)

ANONYMOUS, SYSTEM, CLI = "anonymous", "system", "cli"
"""Actors that are no user. Their role is `-`."""
NO_ROLE = "-"
LOGIN = "login"
"""The action of trying to come in. It is counted as well."""
BATCH = 500
"""Rows of one commit at most: PostgreSQL takes 65,535 parameters in a statement, and a row has eleven."""
MOST_WAITING = 5_000
"""Entries that wait for a commit at most: more are refused at once, with the requests that they speak of."""
PATIENCE = 10.0
"""Seconds that a request waits for its row."""
HEAD_EVERY = 1.0
"""Seconds between two words to the key store about the chain's end: rows that were added since then can be cut off
unnoticed, and each word costs a commit there."""

__all__ = [
    "ANONYMOUS",
    "CLI",
    "LOGIN",
    "NO_ROLE",
    "SYSTEM",
    "AuditDown",
    "Auditor",
    "Entry",
    "Outcome",
    "note",
]


class AuditDown(KioskError):
    """An access cannot be noted, and so must not be."""


@dataclass(slots=True)
class Counts:
    """What has happened since the start, for metrics."""

    rows: int = 0
    commits: int = 0
    failures: int = 0
    logins: Counter[Outcome] = field(default_factory=Counter)
    broken: bool = False
    """The chain does not lead through the row that the key store knows: `kiosk audit verify` says more."""


def note(database: Database, *entries: Entry) -> None:
    """Note at once, and remember the chain's end."""
    try:
        with database.transaction() as db:
            store.append(db, entries)
        if not store.keep_head(database):
            log.error("the audit is not what it was: run kiosk audit verify")
    except (StoreError, KioskError) as error:
        raise AuditDown(f"the audit takes nothing: {type(error).__name__}") from error


class Auditor:
    """One process's writer: what is noted while a commit is under way goes into the next one, together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[tuple[Entry, Future[None]]] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._behind = False
        """The key store knows an older end."""
        self._kept = 0.0
        self.counts = Counts()

    @property
    def waiting(self) -> int:
        """Entries that are not committed yet."""
        return len(self._waiting)

    async def note(self, entry: Entry) -> None:
        """Note, and return when it is on the disk."""
        future = asyncio.wrap_future(self._put(entry))
        try:
            async with asyncio.timeout(PATIENCE):
                await future
        except TimeoutError:
            raise AuditDown("the audit does not answer") from None

    def note_now(self, entry: Entry) -> None:
        """The same, from a thread."""
        try:
            self._put(entry).result(PATIENCE)
        except TooLate:
            raise AuditDown("the audit does not answer") from None

    def note_within(self, db: Transaction, entry: Entry) -> None:
        """Note as part of a transaction: what it changes is noted, or not changed."""
        try:
            store.append(db, [entry])
        except (StoreError, KioskError) as error:
            self.counts.failures += 1
            raise AuditDown(f"the audit takes nothing: {type(error).__name__}") from error
        with self._changed:
            self._count([entry])
            self._behind = True
            self._wake()

    def close(self) -> None:
        """Commit what waits, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._stopping = False

    # --- the queue

    def _put(self, entry: Entry) -> Future[None]:
        future: Future[None] = Future()
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                raise AuditDown("too much waits to be noted")
            self._waiting.append((entry, future))
            self._wake()
        return future

    def _wake(self) -> None:
        # only with what there is to do: who never notes anything has no thread
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._waiting or self._stopping or self._is_due()):
                    self._changed.wait(HEAD_EVERY if self._behind else None)
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH))]
                ending = self._stopping and not batch
            if batch:
                self._commit(batch)
            if self._behind and (ending or self._is_due()):
                self._keep_head()
            if ending:
                return

    def _is_due(self) -> bool:
        return self._behind and time.monotonic() - self._kept >= HEAD_EVERY

    def _commit(self, batch: Sequence[tuple[Entry, Future[None]]]) -> None:
        try:
            with self._database.transaction() as db:
                store.append(db, [entry for entry, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not (isinstance(error, StoreError) and is_outage(error)):
                for each in batch:  # one that no database takes must not cost the others their answers
                    self._commit([each])
                return
            self.counts.failures += 1
            log.error("%d accesses cannot be noted, and fail: %s", len(batch), type(error).__name__)  # noqa: TRY400
            for _, future in batch:
                if future.set_running_or_notify_cancel():
                    future.set_exception(AuditDown("the audit takes nothing"))
            return
        self._behind = True
        self._count([entry for entry, _ in batch])
        self.counts.commits += 1
        for _, future in batch:
            if future.set_running_or_notify_cancel():
                future.set_result(None)

    def _count(self, entries: Sequence[Entry]) -> None:
        self.counts.rows += len(entries)
        self.counts.logins.update(entry.outcome for entry in entries if entry.action == LOGIN)

    def _keep_head(self) -> None:
        self._kept = time.monotonic()
        try:
            sound = store.keep_head(self._database)
        except Exception as error:
            # the rows are committed: the next word says it all
            log.warning("the key store does not take the audit's end: %s", type(error).__name__)
            return
        self._behind = False
        if not sound and not self.counts.broken:
            log.error("the audit is not what it was: run kiosk audit verify")
        self.counts.broken = not sound

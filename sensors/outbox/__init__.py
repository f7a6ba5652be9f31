"""What this kiosk has emitted and nobody has receipted yet: an SQLite file, every commit on the disk.

A message is *emitted* when `emit` has returned. Its seq is given in that same transaction, so a stream has no hole
that a crash made. Rows leave when the recorder's receipt says so, or, when the file is full, the oldest become Lost -
which is itself a message that stays until it is receipted.

What devices measured is encrypted under a key of its run before it is written (`sensors.outbox.keys`). The key is
destroyed when all of the run is receipted; nothing of it can be read after that in any block of the disk.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Self

import msgspec

from kiosk.errors import KioskError, Refused
from kiosk.messages import SECOND, SESSION, End, Numbered, Receipt, Session, Stream, address, decode, encode
from sensors.driver import Visit
from sensors.outbox import file
from sensors.outbox.beside import Beside, Kept
from sensors.outbox.keys import Run, RunKeys, run_of
from sensors.outbox.sessions import Sessions
from sensors.outbox.waiting import Item, Place, Waiting

__all__ = ["Item", "Kept", "Outbox", "OutboxUnusable"]

log = logging.getLogger(__name__)

_STREAMS_AT_ONCE = 500
"""In one of a session's last words: a device that failed all day made more than a payload holds."""
_LONGEST = 40 * 86_400 * SECOND
"""A time on the wire is no longer than that."""


class OutboxUnusable(KioskError):
    """The file cannot be opened: another process has it, or it is no outbox."""


class Outbox:
    """One kiosk's emitted, unreceipted messages. Safe to call from several threads."""

    def __init__(self, path: Path, kiosk: str, *, limit: int) -> None:
        self._kiosk = kiosk
        self._lock = RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = file.opened(path)
            try:
                self._keys = RunKeys(path.with_suffix(".keys"))
            except BaseException:
                self._db.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise OutboxUnusable(f"outbox {path}: {error} (is another process using it?)") from None
        self._ids = {
            Stream(*row[1:]): row[0] for row in self._db.execute("SELECT id, session, device, signal, run FROM streams")
        }
        self._over: set[Run] = set()
        """Runs whose keys are to be destroyed: all of them is receipted."""
        self._sessions, self._beside = Sessions(self._db), Beside(self._db, self._keys)
        self._keys.keep({run_of(stream) for stream in self._ids} | self._beside.runs())
        self._waiting = Waiting(self._db, self._keys, kiosk, limit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; nothing is pending."""
        with self._lock:
            self._db.close()
            self._keys.close()

    # --- what the sensors say

    def open_session(self, visit: Visit, run: str, *, said: Iterable[Numbered] = (), keep: Kept | None = None) -> None:
        """A visitor sits down; with what they said until then, and where their visit is."""
        with self._lock, self._transaction():
            self._sessions.add(visit)
            stream = Stream(visit.session, "kiosk", SESSION, run)
            self._emit(Session(stream, 0, "open", visit.origin, simulated=visit.simulated))
            self._say(said, keep)

    def check(self, message: Numbered) -> None:
        """Refuse what no recorder would take: once emitted it could only be thrown away."""
        decode(address(self._kiosk, message), encode(message))

    def open_run(self, streams: Iterable[Stream]) -> None:
        """A driver has started: from now on its streams exist, even if nothing ever comes."""
        with self._lock, self._transaction():
            for stream in streams:
                self._open(stream)

    def emit(self, messages: Sequence[Numbered]) -> None:
        """Commit messages, each with the next seq of its stream. They are emitted when this returns."""
        with self._lock, self._transaction():
            for message in messages:
                self._emit(message)
            self._waiting.make_room(self._ids)

    def say(self, messages: Iterable[Numbered], keep: Kept | None) -> None:
        """Emit what a visitor said and keep where the visit is: both, or neither."""
        with self._lock, self._transaction():
            self._say(messages, keep)

    def end_run(self, streams: Iterable[Stream]) -> None:
        """A driver has stopped. Ending twice does no harm."""
        with self._lock, self._transaction():
            for stream in streams:
                self._end(stream)

    def end_session(self, session: str, at: int) -> None:
        """The visit is over: all runs end, and the session's last word lists its streams."""
        with self._lock, self._transaction():
            self._end_session(session, at)

    def recover(self, boot_id: str, now: int, *, resume_within: int) -> Visit | None:
        """After a start: end the runs that a crash left open, and the visit too unless it can go on.

        It can when this is still the same boot, so that its time zero means something, and when it began
        less than `resume_within` nanoseconds ago.
        """
        with self._lock, self._transaction():
            for stream in [each for each in self._ids if each.signal != SESSION]:
                self._end(stream)
            going_on = None
            for visit in self.open_visits():
                age = now - visit.origin.boot
                same_boot = visit.origin.boot_id == boot_id
                if same_boot and 0 <= age <= resume_within and going_on is None:
                    going_on = visit
                else:
                    self._end_session(visit.session, age if same_boot and age >= 0 else 0)
            return going_on

    def open_visits(self) -> list[Visit]:
        """Sessions that have not ended, the newest first."""
        with self._lock:
            return self._sessions.open()

    # --- what the station keeps

    def kept_visit(self) -> Kept | None:
        """Where the visit was that a crash interrupted."""
        with self._lock:
            return self._beside.kept()

    def forget_visit(self) -> None:
        """Nothing of a visit is kept here any more but what it emitted."""
        with self._lock:
            runs = self._beside.runs()
            with self._transaction():
                self._beside.forget()
            self._over |= runs
            self._destroy_keys()

    def setup(self) -> bytes | None:
        """What the clinic told last about itself."""
        with self._lock:
            return self._beside.setup()

    def keep_setup(self, setup: bytes) -> None:
        """Keep what the clinic told about itself, for a start without a network."""
        with self._lock, self._transaction():
            self._beside.keep_setup(setup)

    # --- what the sender asks

    def waiting(self, after: int, most: int) -> list[Item]:
        """Unreceipted messages with an id above `after`, oldest first."""
        with self._lock:
            return self._readable(*self._waiting.after(after, most))

    def still(self, ids: Iterable[int]) -> list[Item]:
        """Those of the given messages that are still unreceipted."""
        with self._lock:
            return self._readable(*self._waiting.still(ids))

    def receipts(self, receipts: Iterable[Receipt]) -> list[int]:
        """Forget what is receipted: the ids that are gone."""
        gone: list[int] = []
        with self._lock:
            with self._transaction():
                for receipt in receipts:
                    gone += self._receipt(receipt)
            self._destroy_keys()
        return gone

    def _receipt(self, receipt: Receipt) -> list[int]:
        gone: list[int] = []
        number = self._ids.get(receipt.stream)
        if number is None:
            return gone
        # first what is refused: it may lie below `upto`, and is counted
        for refusal in receipt.refused:
            refused = self._waiting.take("stream = ? AND seq = ? AND kind = 'message'", (number, refusal.seq))
            self._waiting.tally("refused", len(refused))
            gone += refused
        gone += self._waiting.take("stream = ? AND seq <= ? AND kind IN ('message', 'lost')", (number, receipt.upto))
        if receipt.ended:
            gone += self._waiting.take("stream = ? AND kind = 'end'", (number,))
            self._forget_if_done(receipt.stream, number)
        return gone

    def _destroy_keys(self) -> None:
        """After the commit that forgot the last of their runs: before it, a crash would lose what is not receipted."""
        runs = self._over - {run_of(stream) for stream in self._ids} - self._beside.runs()
        if not runs:
            return
        # a full disk: what is left is destroyed with the next receipt, or at the next start
        with contextlib.suppress(sqlite3.Error):
            self._keys.destroy(runs)
            self._over.clear()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _readable(self, items: list[Item], unreadable: list[Place]) -> list[Item]:
        """Messages as they were emitted; what does not open is given up, in words."""
        if unreadable:
            log.error("%d messages cannot be read: their keys are gone or they were damaged", len(unreadable))
            with self._transaction():
                self._waiting.give_up(unreadable, "unreadable", self._ids)
        return items

    def announcements(self) -> list[tuple[str, bytes]]:
        """The opening words of visits in progress: a broker that was restarted retains them no more."""
        with self._lock:
            own = {stream.session: stream for stream in self._ids if stream.signal == SESSION}
            words = [
                Session(own[visit.session], 0, "open", visit.origin, simulated=visit.simulated)
                for visit in self.open_visits()
                if visit.session in own
            ]
        return [(address(self._kiosk, word), encode(word)) for word in words]

    def recorded(self) -> list[str]:
        """Sessions whose word the record has, and which the bus need not retain any longer."""
        with self._lock:
            return self._sessions.recorded()

    def forget_session(self, session: str) -> None:
        """The bus does not retain it any more."""
        with self._lock, self._transaction():
            self._sessions.forget(session)

    def count(self, name: str) -> int:
        """Messages given up (`lost`) or refused by the recorder (`refused`) since this file was made."""
        return self._waiting.state.totals[name]

    @property
    def waiting_count(self) -> int:
        """How many messages wait."""
        return self._waiting.state.waiting

    # --- within a transaction

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        before = self._ids.copy(), self._over.copy(), self._waiting.snapshot()
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._ids, self._over, self._waiting.state = before
            # a full disk fails the COMMIT itself; whether anything is still open depends on the error
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _open(self, stream: Stream) -> None:
        if stream in self._ids:
            return
        cursor = self._db.execute(
            "INSERT INTO streams (session, device, signal, run) VALUES (?, ?, ?, ?) RETURNING id",
            (stream.session, stream.device, stream.signal, stream.run),
        )
        self._ids[stream] = int(cursor.fetchone()[0])

    def _say(self, messages: Iterable[Numbered], keep: Kept | None) -> None:
        for message in messages:
            self._emit(message)
        if keep is not None:
            self._beside.keep(keep)

    def _emit(self, message: Numbered) -> None:
        self._open(message.stream)
        number = self._ids[message.stream]
        given = self._db.execute(
            "UPDATE streams SET next = next + 1 WHERE id = ? AND NOT ended RETURNING next - 1", (number,)
        ).fetchone()
        if given is None:
            raise Refused("ended", "its run has ended, and said so")
        self._waiting.store(number, "message", given[0], msgspec.structs.replace(message, seq=given[0]))

    def _end(self, stream: Stream) -> None:
        number = self._ids.get(stream)
        if number is None:
            return
        following, ended = self._db.execute("SELECT next, ended FROM streams WHERE id = ?", (number,)).fetchone()
        if not ended:
            self._db.execute("UPDATE streams SET ended = 1 WHERE id = ?", (number,))
            self._waiting.store(number, "end", following, End(stream, following - 1))

    def _end_session(self, session: str, at: int) -> None:
        visit = self._sessions.get(session)
        if visit is None:
            return
        mine = [stream for stream in self._ids if stream.session == session]
        own = next(stream for stream in mine if stream.signal == SESSION)
        others = tuple(stream for stream in mine if stream is not own)
        for stream in others:
            self._end(stream)
        at = min(max(at, 0), _LONGEST)
        # nobody takes a part for the whole: the session's own stream ends with the last part
        for begin in range(0, max(len(others), 1), _STREAMS_AT_ONCE):
            part = others[begin : begin + _STREAMS_AT_ONCE]
            self._emit(Session(own, 0, "ended", visit.origin, ended=at, streams=part, simulated=visit.simulated))
        self._end(own)
        self._sessions.end(session)

    def _forget_if_done(self, stream: Stream, number: int) -> None:
        if self._waiting.has(number):
            return
        if self._db.execute("DELETE FROM streams WHERE id = ? AND ended RETURNING id", (number,)).fetchall():
            del self._ids[stream]
            self._over.add(run_of(stream))
            if stream.signal == SESSION:
                self._sessions.record(stream.session)

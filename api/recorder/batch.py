"""One transaction of the recorder: what it writes, what is owed for it, and what it adds to the counts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from api.ledger import Ledger
from api.store import Transaction, vault_of
from api.store.arrivals import Aside
from api.store.keys import KeyDamaged
from api.store.sealing import Box
from kiosk.errors import Refused
from kiosk.messages import Answered, Chunk, End, Entry, Event, Lost, Numbered, Reading, Receipt, Refusal, Status, Stream

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
    entries: list[tuple[int, Entry]] = field(default_factory=list)
    answers: list[tuple[int, Entry, Answered]] = field(default_factory=list)
    """Entries that are answers to a questionnaire, which are checked."""
    heard: set[str] = field(default_factory=set)
    """Sessions of which the kiosk told something: their clock, perhaps."""
    losses: list[tuple[int, Lost]] = field(default_factory=list)
    statuses: list[tuple[str, Status]] = field(default_factory=list)
    aside: list[Aside] = field(default_factory=list)
    boxes: dict[str, Box] = field(default_factory=dict)
    """By session: what its samples are encrypted in."""
    changed: set[Key] = field(default_factory=set)
    """Streams whose progress moved."""
    answered: dict[Key, list[Refusal]] = field(default_factory=dict)
    """Streams that are owed a receipt, with what it refuses."""
    erased: dict[Key, Receipt] = field(default_factory=dict)
    """Streams of sessions that were erased: the kiosk may forget what it holds of them."""
    suspects: dict[str, int] = field(default_factory=dict)
    """Digests that came for the first time, and when. They count when committed: a failed batch is tried in parts."""
    reasons: list[str] = field(default_factory=list)
    duplicates: int = 0
    receipts: dict[Key, Receipt] = field(default_factory=dict)
    """Once committed: what may be said now. A snapshot, because the next batch moves the ledgers before it commits."""

    def open_box(self, db: Transaction, session: str) -> None:
        """Have the session's box at hand. Before anything of it is written: what was erased must not come back."""
        if session not in self.boxes:
            try:
                self.boxes[session] = vault_of(db).session(session)
            except KeyDamaged:
                raise Refused("key_damaged", "its session's key does not open") from None

    def let_go(self, key: Key, message: Numbered | End | Lost) -> None:
        """Answer for an erased session so that the outbox forgets it; keep nothing, not even aside."""
        self.reasons.append("erased")
        said = self.erased.get(key) or Receipt(key[1], -1)
        if isinstance(message, End):
            said = Receipt(key[1], max(said.upto, message.last), True, said.refused)
        elif isinstance(message, Lost):
            said = Receipt(key[1], max(said.upto, message.last), said.ended, said.refused)
        else:
            said = Receipt(key[1], said.upto, said.ended, (*said.refused, Refusal(message.seq, "erased")))
        self.erased[key] = said

    def lose(self, key: Key, ledger: Ledger, lost: Lost) -> None:
        """Account for a range that will not come; what came after all is not lost."""
        if not ledger.takes(lost.first):
            self.reasons.append("too_many_holes")
            return
        for first, last in ledger.note(lost.first, lost.last):
            self.losses.append((ledger.id, Lost(lost.stream, first, last, lost.reason)))
            self.changed.add(key)

    def settle(self, ledgers: Mapping[Key, Ledger], counts: Counts) -> None:
        """It is committed: what may be said now, and what is counted."""
        self.receipts.update(self.erased)
        for key, refused in self.answered.items():
            ledger = ledgers.get(key)
            upto, ended = (ledger.upto, ledger.ended) if ledger else (-1, False)
            self.receipts[key] = Receipt(key[1], upto, ended, tuple(refused))
        counts.committed += len(self.chunks) + len(self.readings) + len(self.events)
        counts.committed += len(self.entries) + len(self.answers)
        counts.samples += sum(chunk.count for _, chunk in self.chunks)
        counts.duplicates += self.duplicates
        counts.refused.update(self.reasons)

"""What becomes of one message: it goes into the transaction under way, or aside with a reason."""

import contextlib
import hashlib

from api import allowance
from api.ledger import Ledger
from api.recorder.batch import Batch, Key
from api.recorder.memory import Memory, remember
from api.store import Destroyed, Transaction, arrivals, sessions, streams, vault_of
from api.store.arrivals import Aside, Kiosk
from api.visits import settling
from kiosk import questionnaires, topics
from kiosk.bus import Delivery
from kiosk.errors import Refused
from kiosk.messages import (
    MAX_PAYLOAD,
    SECOND,
    Agreed,
    Answered,
    Ask,
    Chunk,
    Command,
    End,
    Entry,
    Event,
    Lost,
    Numbered,
    Reading,
    Receipt,
    Refusal,
    Results,
    Session,
    Setup,
    Status,
    decode,
    header,
)
from kiosk.questionnaires import BadAnswers

DEVICE_EVERY = 20 * SECOND
KIOSK_EVERY = 5 * SECOND
"""For so long a kiosk that was revoked may still be heard."""
POISON_AFTER = 1.5 * SECOND
"""A payload that makes no sense is refused for good when it comes again after this: an outbox repeats itself after two
seconds, a broker that doubles a damaged message does so at once."""


class Intake:
    """Sorts messages by what is remembered, and asks the database for the rest."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._allowance = allowance.Allowance()

    def take(self, db: Transaction, batch: Batch, delivery: Delivery, now: int) -> None:
        """Into the batch, or aside."""
        try:
            where, message = decode(delivery.topic, delivery.payload)
            if isinstance(message, Receipt | Command | Ask | Results | Setup):
                return
            if self._kiosk(db, where.kiosk, now).revoked:
                raise Refused("revoked_kiosk", "it may not speak any more")
            if isinstance(message, Status):
                self._take_status(batch, where.kiosk, message, now)
            else:
                self._take_streamed(db, batch, (where.kiosk, message.stream), message, now)
        except Refused as refusal:
            self.refuse(db, batch, delivery, refusal, now)

    def _kiosk(self, db: Transaction, kiosk: str, now: int) -> Kiosk:
        known = self._memory.kiosks.get(kiosk)
        if known is None or now - known[1] > KIOSK_EVERY:
            known = arrivals.hear_kiosk(db, kiosk, now), now
            remember(self._memory.kiosks, kiosk, known)
        return known[0]

    def _take_status(self, batch: Batch, kiosk: str, status: Status, now: int) -> None:
        """Devices repeat themselves as long as they live; that alone is not worth a row each time."""
        key = (kiosk, status.device)
        known = self._memory.devices.get(key)
        if known is None or known[0] != status or now - known[1] > DEVICE_EVERY:
            remember(self._memory.devices, key, (status, now))
            batch.statuses.append((kiosk, status))

    def _take_streamed(self, db: Transaction, batch: Batch, key: Key, message: Numbered | End | Lost, now: int) -> None:
        if isinstance(message, Reading) and message.scope == "live":
            return  # for screens; the session's numbers are made at its close
        if self._must_wait(db, key, message, now):
            batch.reasons.append("too_much_new")  # taken when it comes again, a minute later
            return
        try:
            batch.open_box(db, key[1].session)
        except Destroyed:
            batch.let_go(key, message)
            return
        ledger = self._ledger(db, key, now)
        batch.answered.setdefault(key, [])
        if isinstance(message, End):
            if ledger.last is None:
                ledger.last = message.last
                batch.changed.add(key)
        elif isinstance(message, Lost):
            batch.lose(key, ledger, message)
        elif ledger.has(message.seq):
            batch.duplicates += 1
        elif not ledger.takes(message.seq):
            batch.reasons.append("too_many_holes")  # taken when it comes again, the holes filled
        else:
            self._take_numbered(db, batch, key[0], ledger, message, now)
            ledger.note(message.seq, message.seq)
            batch.changed.add(key)

    def _must_wait(self, db: Transaction, key: Key, message: Numbered | End | Lost, now: int) -> bool:
        """Whether the kiosk has begun so much that it may begin no more for a while. What it has begun goes on."""
        if not self._allowance.is_spent(key[0], now):
            return False
        if isinstance(message, Session) and message.streams:
            return True
        return key not in self._memory.ledgers and not streams.exists(db, key[1])

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
        elif isinstance(message, Entry):
            self._take_entry(db, batch, ledger, message)
        else:
            sessions.hear(db, kiosk, message, now, clinic=self._kiosk(db, kiosk, now).clinic)
            for stream in message.streams:
                if stream.session == message.stream.session:
                    self._ledger(db, (kiosk, stream), now)
            batch.heard.add(message.stream.session)

    def _take_entry(self, db: Transaction, batch: Batch, ledger: Ledger, entry: Entry) -> None:
        """What can be wrong with an entry is told now, by its reason alone: the rest is never seen again in plain."""
        told = entry.content
        if isinstance(told, Answered):
            asked = questionnaires.listed().get(told.questionnaire)
            if asked is None:
                raise Refused("unknown_questionnaire", "there is none of this name")
            if told.version != asked.version:
                raise Refused("other_version", "the questionnaire has another version here")
            try:
                asked.check(told.answers)
            except BadAnswers:
                raise Refused("bad_answers", "the questionnaire does not offer them") from None
            batch.answers.append((ledger.id, entry, told))
            return
        if isinstance(told, Agreed):
            if not settling.knows_text(db, told):
                raise Refused("unknown_text", "nobody can say what they agreed to")
            batch.reasons.extend("unknown_purpose" for _ in settling.unknown_purposes(told))
        batch.entries.append((ledger.id, entry))

    def _ledger(self, db: Transaction, key: Key, now: int) -> Ledger:
        ledger = self._memory.ledgers.get(key)
        if ledger is None:
            kiosk, stream = key
            owner = self._memory.owners.get(stream.session)
            if owner is None:
                owner = sessions.kiosk_of(db, stream.session)
                if owner is None:
                    sessions.make_orphan(db, stream.session, kiosk, now, clinic=self._kiosk(db, kiosk, now).clinic)
                    owner = kiosk
                    self._allowance.spend(kiosk, allowance.SESSION, now)
            remember(self._memory.owners, stream.session, owner)
            if owner != kiosk:
                raise Refused("foreign_session", "the session belongs to another kiosk")
            found = streams.find_or_make(db, stream)
            if found.upto < 0:
                self._allowance.spend(kiosk, allowance.STREAM, now)
            ledger = Ledger(found.id, found.upto, found.last, found.rate, found.channels)
            # what came after a hole is sent again until it is receipted; what was refused never is
            for loss in streams.losses(db, found.id):
                ledger.note(loss.first, loss.last)
        remember(self._memory.ledgers, key, ledger)
        return ledger

    def refuse(self, db: Transaction, batch: Batch, delivery: Delivery, refusal: Refused, now: int) -> None:
        """Keep a payload aside. Only what is sent again, byte for byte the same, is refused for good: a copy that was
        damaged on its way must not make an outbox forget the good one that it holds."""
        batch.reasons.append(refusal.reason)
        # keyed: what is guessed right must not be told by the hash that stands beside it
        said = hashlib.sha256(delivery.payload).hexdigest()
        digest = vault_of(db).purpose("aside").digest(delivery.topic, said)
        batch.aside.append(Aside(digest, delivery.topic, delivery.payload[:MAX_PAYLOAD], refusal.reason))
        if refusal.reason == "revoked_kiosk":
            return  # not answered: its outbox keeps it, should the kiosk be added again
        first_came = self._memory.suspects.get(digest)
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
            if self._allowance.is_spent(key[0], now) and key not in self._memory.ledgers:
                return
            try:
                if refusal.reason != "key_damaged":
                    batch.open_box(db, read.stream.session)
            except Destroyed:
                batch.erased.setdefault(key, Receipt(read.stream, -1, refused=(Refusal(read.seq, "erased"),)))
                return
            ledger = self._ledger(db, key, now)
            # said again each time that it comes again: the receipt may have got lost
            if read.seq > ledger.upto:
                batch.answered.setdefault(key, []).append(word)
            else:
                batch.answered.setdefault(key, [])
            batch.lose(key, ledger, Lost(read.stream, read.seq, read.seq, refusal.reason))

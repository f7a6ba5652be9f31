"""What a visit says into the record, and where it is kept meanwhile: each change is on the disk before it is seen."""

import asyncio
import logging
import secrets
from collections.abc import Sequence

import msgspec

from kiosk.messages import ENTRIES, EVENTS, READINGS, Entry, Event, Numbered, Reading, Stream
from sensors.clock import Clock
from sensors.driver import Visit
from sensors.outbox import Kept, Outbox
from sensors.service import Sensors
from sensors.station import visit
from sensors.station.effects import End, Forget, Note, Tell, Told
from sensors.station.progress import Progress, kept

log = logging.getLogger(__name__)

DEVICE = "station"
TOLD = "told-by-visitor"
"""The method of a number that nobody measured."""
END_WITHIN = 2.0
"""Seconds that a session which is ending may take more when the process ends; else the next start ends it."""

Words = Sequence[Tell | Note | Told]
_DECODER = msgspec.json.Decoder(Progress)


class Record:
    """One visit's session: its words in one run of the device `station`, and its state in the outbox's file."""

    def __init__(self, sensors: Sensors, outbox: Outbox, clock: Clock) -> None:
        self._sensors, self._outbox, self._clock = sensors, outbox, clock
        self.session = ""
        """Empty while no visit has one."""
        self.kept_at = 0
        self._run = ""
        self._origin = 0
        self._closing: asyncio.Task[None] | None = None

    @property
    def is_going(self) -> bool:
        """Whether the visit's session has not ended."""
        going = self._sensors.visit
        return bool(self.session) and going is not None and going.session == self.session

    @property
    def is_closing(self) -> bool:
        """Whether devices of a session that was ended are still being closed."""
        return self._closing is not None and not self._closing.done()

    async def start(self, progress: Progress, said: Words) -> None:
        """A session begins with these words: all of it, or nothing."""
        if self._closing is not None:
            await asyncio.wait([self._closing])
        run = secrets.token_hex(6)

        def words(begun: Visit) -> tuple[Sequence[Numbered], Kept]:
            self._run, self._origin = run, begun.origin.boot
            return self._messages(begun.session, said), self._state(begun.session, progress)

        self.session = await self._sensors.start_visit(words)

    async def say(self, progress: Progress, said: Words) -> None:
        """Say something, and keep where the visit is then."""
        if self.is_going:
            messages = self._messages(self.session, said)
            await self._sensors.say(self.session, messages, self._state(self.session, progress))
        else:
            await asyncio.to_thread(self._outbox.say, (), self._state(self.session, progress))

    def close(self, *, ends: bool, forgets: bool) -> None:
        """End the session, then forget: a crash in between finds the visit, and ends it. Devices may take seconds."""
        earlier, session = self._closing, self.session
        if forgets:
            self.session = ""

        async def closed() -> None:
            if earlier is not None:
                await asyncio.wait([earlier])
            going = self._sensors.visit
            if ends and going is not None and going.session == session:
                await self._sensors.end_visit()
            if forgets:
                await asyncio.to_thread(self._outbox.forget_visit)

        self._closing = asyncio.create_task(closed(), name="closing")

    async def stop(self) -> None:
        """The process ends."""
        if self._closing is not None:
            await asyncio.wait([self._closing], timeout=END_WITHIN)

    async def resume(self) -> visit.Change | None:
        """What a crash interrupted, and what it has become; None where there was nothing."""
        stored = await asyncio.to_thread(self._outbox.kept_visit)
        if stored is None:
            # what cannot be read is not kept either
            await asyncio.to_thread(self._outbox.forget_visit)
            return None
        going = self._sensors.visit
        self.session, self._run = stored.session, secrets.token_hex(6)
        self._origin = going.origin.boot if going is not None else 0
        try:
            change = visit.resumed(_DECODER.decode(stored.state), self._clock.now(), going=self.is_going)
        except (msgspec.MsgspecError, IndexError, KeyError):
            # of another version of this program
            change = visit.Change(Progress("en"), (End(), Forget()))
        log.info("a visit was interrupted; it %s", "goes on" if change.progress.screen == "visit" else "is over")
        return change

    def _messages(self, session: str, said: Words) -> list[Numbered]:
        now = self._clock.now() - self._origin
        entries, events, readings = (Stream(session, DEVICE, each, self._run) for each in (ENTRIES, EVENTS, READINGS))
        made: list[Numbered] = []
        for each in said:
            if isinstance(each, Tell):
                made.append(Entry(entries, 0, now, each.content))
            elif isinstance(each, Note):
                made.append(Event(events, 0, each.event, each.at - self._origin, each.detail))
            else:
                made.append(Reading(readings, 0, each.measure, each.value, DEVICE, "spot", TOLD, now, now))
        return made

    def _state(self, session: str, progress: Progress) -> Kept:
        self.kept_at = self._clock.now()
        return Kept(session, msgspec.json.encode(kept(progress, self.kept_at)))


def is_worth_keeping(before: Progress, after: Progress) -> bool:
    """A touch alone is not, nor are pieces of a line that is being spoken."""
    plain = {"touched": 0, "talk": (), "results": None, "late": False}
    same = msgspec.structs.replace(before, **plain) == msgspec.structs.replace(after, **plain)
    return not same or (before.talk != after.talk and not after.thinking)

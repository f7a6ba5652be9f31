"""Runs the visits of one kiosk: joins the state machine with sensors, outbox, bus, assistant and page."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from kiosk.assistant import Assistant, Facts, Spoken
from kiosk.bus import Bus, send
from kiosk.errors import KioskError
from kiosk.messages import SECOND, Ask, Results
from kiosk.wording import SOURCE
from sensors.clock import Clock
from sensors.outbox import Outbox
from sensors.service import Sensors
from sensors.station import visit
from sensors.station.clinic import Clinic
from sensors.station.codes import Codes
from sensors.station.effects import Effect, End, Forget, Note, Reply, Start, Tell, Told
from sensors.station.live import Live
from sensors.station.progress import Kit, Progress, is_waiting, step_of
from sensors.station.record import Record, is_worth_keeping
from sensors.station.view import Act, Begin

log = logging.getLogger(__name__)

TICK = 0.1
KEEP_EVERY = 2.0
"""Seconds of measuring that a crash may make a visitor sit longer."""
ASK_EVERY = 2.0
QUIET = 30.0
"""Seconds without a touch after which nobody is at the first screen."""
REPLY_WITHIN = 30.0
"""Seconds that an assistant may take; it holds up nothing but its own line."""
ONLINE_EVERY = 1.0


class Reception:
    """The visits of a kiosk, one after another. `async with` its `running`, then hand it what the page reports."""

    def __init__(
        self,
        *,
        sensors: Sensors,
        outbox: Outbox,
        bus: Bus,
        kiosk: str,
        clock: Clock,
        assistant: Assistant | None = None,
        codes: Codes | None = None,
        language: str = SOURCE,
        simulated: bool = False,
        emergency: str = "112",
    ) -> None:
        self.sensors, self._bus, self._kiosk, self.clock = sensors, bus, kiosk, clock
        self._assistant, self.simulated, self.emergency = assistant, simulated, emergency
        # from the first device on
        self.live = sensors.witness = Live(clock.now)
        self.clinic = Clinic(bus, outbox, kiosk, clock.now)
        self.codes = codes or Codes()
        self.progress = Progress(language)
        self.record = Record(sensors, outbox, clock)
        self.online = False
        self.unattended = False
        """Whether the session that goes on is nobody's at the screen: a demonstration's."""
        self.changed = asyncio.Event()
        """Set when there is something else to be seen."""
        self._kit = Kit()
        self._turn = asyncio.Lock()
        self._replying: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Reception"]:
        """Go on with the visit that a crash interrupted, and then hold those that come."""
        interrupted = await self.record.resume()
        if interrupted is not None:
            await self._take(interrupted)
        async with asyncio.TaskGroup() as group:
            work = (self._pass_time(), self._ask(), self._look_around(), self.clinic.listen(self._results))
            tasks = [group.create_task(each) for each in work]
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()
                if self._replying is not None:
                    self._replying.cancel()
                await self.record.stop()
                self.codes.close()

    @property
    def kit(self) -> Kit:
        """What the kiosk can measure, as far as its devices have said."""
        now = self.live.kit
        if now.signals or now.measures:
            self._kit = now
        return self._kit

    async def act(self, act: Act) -> None:
        """The visitor did something."""
        async with self._turn:
            if self.unattended and isinstance(act, Begin):
                # somebody is there: whom nobody asked is not measured
                await self.sensors.end_visit()
                self.unattended = False
            offered = self.clinic.offered(self.progress.language, self.progress.protocol)
            await self._take(visit.acted(self.progress, act, self.clock.now(), self.kit, offered))

    async def demonstrate(self, seconds: float, pause: float) -> None:
        """Sessions of so many seconds follow each other while nobody uses the screen; who touches it takes over."""
        while True:
            await asyncio.sleep(TICK)
            if self.is_used:
                continue
            async with self._turn:
                # what a crash left open goes on
                if self.sensors.visit is None:
                    await self.sensors.start_visit()
                self.unattended = True
            until = self.clock.now() + round(seconds * SECOND)
            while self.unattended and self.sensors.visit is not None and self.clock.now() < until:
                await asyncio.sleep(TICK)
            async with self._turn:
                if self.unattended:
                    await self.sensors.end_visit()
                    self.unattended = False
            await asyncio.sleep(pause)

    @property
    def is_used(self) -> bool:
        """Whether somebody is at the screen, or was just now."""
        quiet = self.clock.now() - self.progress.touched >= QUIET * SECOND or not self.progress.touched
        return self.progress.screen != "welcome" or not quiet

    @property
    def is_commanded(self) -> bool:
        """Whether a session goes on that was started from the clinic."""
        ours = self.record.session or self.record.is_closing or self.unattended
        return self.sensors.visit is not None and not ours

    # --- what a change asks for

    async def _take(self, change: visit.Change) -> None:
        """Do what a change asks for, then show it: what is seen is on the disk."""
        before, after = self.progress, change.progress
        try:
            await self._do(change.effects, before, after)
        except (KioskError, sqlite3.Error) as error:
            log.error("the visit cannot go on: %s", error)  # noqa: TRY400 - words, not data
            if not self.record.session:
                after = Progress(after.language)
        self.progress = after
        if after.screen == "welcome" or before.screen != after.screen:
            self.codes.forget()
        self.codes.wanted = _is_at(after, "check_in")
        self.changed.set()

    async def _do(self, effects: Sequence[Effect], before: Progress, after: Progress) -> None:
        said = [each for each in effects if isinstance(each, Tell | Note | Told)]
        if any(isinstance(each, Start) for each in effects):
            await self.record.start(after, said)
        elif self.record.session and (said or is_worth_keeping(before, after)):
            await self.record.say(after, said)
        ends, forgets = (any(isinstance(each, kind) for each in effects) for kind in (End, Forget))
        replies = any(isinstance(each, Reply) for each in effects)
        if self._replying is not None and (forgets or replies):
            self._replying.cancel()
        if replies:
            self._replying = asyncio.create_task(self._reply(), name="assistant")
        if ends or forgets:
            self.record.close(ends=ends, forgets=forgets)

    # --- what happens by itself

    async def _pass_time(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            async with self._turn:
                now = self.clock.now()
                self.clinic.begin(self.sensors.visit.session if self.sensors.visit is not None else None)
                while self.live.stopped:
                    if self.live.stopped.popleft() == self.record.session and self.record.session:
                        await self._take(visit.stopped(self.progress, now))
                while self.live.spots:
                    told = self.live.spots.popleft()
                    change = visit.spot(self.progress, told.measure, told.value, now, self.kit)
                    if change.progress is not self.progress:
                        await self._take(change)
                change = visit.passed(self.progress, now, self.kit)
                if change.progress is not self.progress or change.effects:
                    await self._take(change)
                elif _is_at(self.progress, "measure") and now - self.record.kept_at >= KEEP_EVERY * SECOND:
                    with contextlib.suppress(sqlite3.Error):
                        await self.record.say(self.progress, ())

    async def _ask(self) -> None:
        while True:
            if is_waiting(self.progress) and self.record.session:
                await send(self._bus, self._kiosk, Ask(self.record.session))
            await asyncio.sleep(ASK_EVERY)

    def _results(self, told: Results) -> None:
        if told.session == self.record.session:
            change = visit.results(self.progress, told, self.clock.now())
            self.progress = change.progress
            self.changed.set()

    async def _look_around(self) -> None:
        while True:
            try:
                async with asyncio.timeout(0.05):
                    await self._bus.wait_connected()
                online = True
            except TimeoutError:
                online = False
            if online != self.online:
                self.online = online
                self.changed.set()
            await asyncio.sleep(ONLINE_EVERY)

    async def _reply(self) -> None:
        session = self.record.session
        try:
            if self._assistant is not None:
                async with asyncio.timeout(REPLY_WITHIN):
                    async for piece in self._assistant.reply(self._talk(), self._facts(), self.progress.language):
                        await self._hear(session, piece, done=False)
        except TimeoutError:
            log.warning("the assistant took too long")
        except Exception as error:
            log.warning("the assistant failed: %s", type(error).__name__)
        await self._hear(session, "", done=True)

    async def _hear(self, session: str, piece: str, *, done: bool) -> None:
        async with self._turn:
            if session == self.record.session:
                await self._take(visit.spoken(self.progress, piece, done=done))

    def _talk(self) -> list[Spoken]:
        return [Spoken(line.who, line.text) for line in self.progress.talk]

    def _facts(self) -> Facts:
        told, at = self.progress, self.progress.results
        visiting = self.sensors.visit
        year = 1970 + self.clock.utc() // (365.2425 * 86_400 * SECOND)
        return Facts(
            values=at.values if at is not None else (),
            age=float(year - told.birth_year) if told.birth_year else None,
            sex=told.sex,
            simulated=visiting.simulated if visiting is not None else self.simulated,
            stage="results" if told.ended else "talk",
        )


def _is_at(progress: Progress, kind: str) -> bool:
    step = step_of(progress)
    return step is not None and step.kind == kind

"""The sensors' process: runs the devices of a visit, restarts what fails, commits what they say, and sends it.

A device's failure is its own: it is retried with a growing pause, its Status says why, and the visit goes on.
"""

import asyncio
import contextlib
import logging
import random
import secrets
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager

import msgspec

from kiosk import topics
from kiosk.bus import Bus, send
from kiosk.errors import DriverFailed, KioskError, Refused
from kiosk.messages import (
    EVENTS,
    READINGS,
    SECOND,
    Command,
    Event,
    Numbered,
    Origin,
    Reading,
    Status,
    Stream,
    Time,
    decode,
)
from sensors.clock import Clock
from sensors.committer import Committer
from sensors.driver import Block, Driver, DriverFactory, Item, Spot, Stamper, Visit
from sensors.outbox import Outbox
from sensors.sender import Sender

log = logging.getLogger(__name__)

SERVICE = "sensors"
"""The device name under which the process itself speaks."""
HEARTBEAT = 5.0
FIRST_PAUSE, LONGEST_PAUSE, STEADY_AFTER = 0.5, 30.0, 60.0
RESUME_WITHIN = 30 * 60 * SECOND
STOP_WITHIN = 5.0
"""Seconds that a device has to close; and, at the end of the service, that a full disk is waited for."""
MOST_COMMANDS = 100
"""Remembered, so that one that is repeated is obeyed once."""


class Sensors:
    """The devices of one kiosk. `async with` it, then start and end visits."""

    def __init__(
        self,
        *,
        kiosk: str,
        bus: Bus,
        outbox: Outbox,
        clock: Clock,
        visitor: Callable[[], Sequence[DriverFactory]],
        simulated: bool = False,
    ) -> None:
        self._kiosk, self._bus, self._outbox, self._clock = kiosk, bus, outbox, clock
        self._visitor, self._simulated = visitor, simulated
        self.sender = Sender(bus, outbox, kiosk)
        self._committer = Committer(outbox, self.sender)
        self.visit: Visit | None = None
        self._devices: list[asyncio.Task[None]] = []
        self._statuses: dict[str, Status] = {}
        self._commands: deque[str] = deque(maxlen=MOST_COMMANDS)
        """Ids of those obeyed, the newest last."""
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Sensors"]:
        """The service, taking up a visit that a crash interrupted."""
        going_on = await asyncio.to_thread(
            self._outbox.recover, self._clock.boot_id, self._clock.now(), resume_within=RESUME_WITHIN
        )
        # it outlives everything else: what the others still have to say while they stop is kept too
        committing = asyncio.create_task(self._committer.run(), name="committer")
        try:
            async with asyncio.TaskGroup() as group:
                work = (self.sender.run(), self._heartbeat(), self._obey(), _outlived_by(committing))
                tasks = [group.create_task(each) for each in work]
                try:
                    if going_on is not None:
                        log.info("going on with session %s", going_on.session)
                        self._start_devices(going_on)
                    await self._say(SERVICE, "running")
                    yield self
                finally:
                    # the visit itself stays open: a restart within its time goes on with it
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(2 * STOP_WITHIN + 1):
                            await self._stop_devices()
                            await self._committer.flush()
                    await self._say(SERVICE, "stopped")
                    for task in tasks:
                        task.cancel()
        finally:
            committing.cancel()
            await asyncio.wait([committing, *self._devices], timeout=STOP_WITHIN)

    async def start_visit(self) -> str:
        """A visitor sits down: a new session, and every device starts."""
        async with self._turn:
            if self.visit is not None:
                await self._end_visit()
            now = self._clock.now()
            origin = Origin(self._clock.utc(), now, self._clock.boot_id)
            visit = Visit(secrets.token_hex(16), origin, self._simulated)
            await asyncio.to_thread(self._outbox.open_session, visit, _run_id())
            self.sender.wake()
            self._start_devices(visit)
            await self._say(SERVICE, "running")
            return visit.session

    async def end_visit(self) -> None:
        """The visitor leaves: every run ends, and so does the session."""
        async with self._turn:
            await self._end_visit()

    async def devices_finished(self) -> None:
        """Return when no device has anything more to say, as at the end of a recording that is played."""
        if self._devices:
            await asyncio.wait(self._devices)

    async def _end_visit(self) -> None:
        if self.visit is None:
            return
        visit = self.visit
        await self._stop_devices()
        await self._committer.flush()
        at = self._clock.now() - visit.origin.boot
        await asyncio.to_thread(self._outbox.end_session, visit.session, at)
        self.visit = None
        self.sender.wake()
        await self._say(SERVICE, "running")

    def _start_devices(self, visit: Visit) -> None:
        self.visit = visit
        # beside those of an earlier visit that do not stop
        self._devices += [
            asyncio.create_task(self._supervise(visit, factory, f"device-{number}"))
            for number, factory in enumerate(self._visitor())
        ]

    async def _stop_devices(self) -> None:
        # a device that hangs while it closes is interrupted once more, then left alone
        for _ in range(2):
            for task in self._devices:
                task.cancel()
            if self._devices:
                _, hanging = await asyncio.wait(self._devices, timeout=STOP_WITHIN)
                self._devices = list(hanging)
        if self._devices:
            log.error("%d devices do not stop", len(self._devices))

    async def _supervise(self, visit: Visit, factory: DriverFactory, name: str) -> None:
        """Run a device again and again, until the visit ends or the device has nothing more to say."""
        pause = FIRST_PAUSE
        while True:
            started = self._clock.now()
            try:
                driver = factory(visit, self._clock)
                if not topics.NAME.fullmatch(driver.name):
                    raise DriverFailed(f"{driver.name!r} is no name for a device")
                name = driver.name
                await self._say(name, "starting", simulated=driver.simulated)
                await self._run(visit, driver)
                await self._say(name, "stopped", "finished", simulated=driver.simulated)
                return
            except asyncio.CancelledError:
                await self._say(name, "stopped")
                raise
            except KioskError as error:
                log.warning("%s: %s", name, error)
                await self._say(name, "failed", str(error)[:200])
            except Exception as error:
                # a driver's bug must not take the visit down; the trace has no samples in it
                log.exception("%s failed", name)
                await self._say(name, "failed", type(error).__name__)
            if self._clock.now() - started > STEADY_AFTER * SECOND:
                pause = FIRST_PAUSE
            await self._clock.sleep_until(self._clock.now() + round(random.uniform(0.5, 1) * pause * SECOND))
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _run(self, visit: Visit, driver: Driver) -> None:
        """One run: from opening the device to its end, whatever ends it."""
        run = _run_id()
        streams = {port.signal: Stream(visit.session, driver.name, port.signal, run) for port in driver.ports}
        said = {name: Stream(visit.session, driver.name, name, run) for name in (READINGS, EVENTS)}
        stampers = {port.signal: Stamper(streams[port.signal], port, visit.origin) for port in driver.ports}
        unsaid: deque[Numbered] = deque()
        opened = False
        try:
            # a spot device has no waveform: its readings are what it is there for
            await asyncio.to_thread(self._outbox.open_run, streams.values() or (said[READINGS],))
            async with driver:
                opened = not driver.ports
                if opened:
                    # it waits to be used: that is all that it can do until then
                    await self._say(driver.name, "running", simulated=driver.simulated)
                async for item in driver.items():
                    if not opened:
                        opened = True
                        await self._say(driver.name, "running", simulated=driver.simulated)
                    unsaid.extend(_messages(item, visit.origin, stampers, said))
                    self._note_trouble(driver)
                    while unsaid:
                        await self._committer.put(unsaid[0])
                        unsaid.popleft()
                    drift = next((s.drift_ppm for s in stampers.values() if s.drift_ppm is not None), None)
                    if drift is not None:
                        self._note_drift(driver.name, drift)
        finally:
            for stamper in stampers.values():
                unsaid.extend(stamper.flush())
            await _to_its_end(self._end_run(unsaid, [*streams.values(), *said.values()]))

    async def _end_run(self, unsaid: Iterable[Numbered], streams: list[Stream]) -> None:
        for message in unsaid:
            try:
                await self._committer.put(message)
            except Refused as refusal:
                log.warning("a message could not be emitted: %s", refusal)
        await self._committer.flush()
        try:
            await asyncio.to_thread(self._outbox.end_run, streams)
        except sqlite3.Error as error:
            # the end of the visit ends it, or the next start
            log.error("outbox: %s; a run stays open", error)  # noqa: TRY400
        self.sender.wake()

    def _note_trouble(self, driver: Driver) -> None:
        """What a driver that goes on has to say of itself; the next heartbeat carries it."""
        status = self._statuses.get(driver.name)
        if status is not None and status.state == "running" and status.detail != driver.trouble[:200]:
            self._statuses[driver.name] = _with(status, detail=driver.trouble[:200])

    def _note_drift(self, device: str, drift: float) -> None:
        status = self._statuses.get(device)
        if status is not None:
            self._statuses[device] = _with(status, drift_ppm=round(drift, 1))

    async def _say(self, device: str, state: str, detail: str = "", *, simulated: bool | None = None) -> None:
        known = self._statuses.get(device)
        marked = simulated if simulated is not None else known.simulated if known else self._simulated
        status = Status(device, state, simulated=marked, detail=detail)  # type: ignore[arg-type]
        self._statuses[device] = status
        await send(self._bus, self._kiosk, self._complete(status))

    def _complete(self, status: Status) -> Status:
        """The status with what only the moment of saying knows."""
        session = self.visit.session if self.visit else None
        if status.device != SERVICE:
            return _with(status, session=session)
        return _with(
            status,
            session=session,
            detail=self._committer.trouble,
            lost=self._outbox.count("lost"),
            waiting=self._outbox.waiting_count,
            command=self._commands[-1] if self._commands else None,
        )

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            for device in list(self._statuses):
                # as it is now: what was true when the round began may have been replaced, and said, meanwhile
                await send(self._bus, self._kiosk, self._complete(self._statuses[device]))

    async def _obey(self) -> None:
        async with self._bus.subscribe(topics.pattern("command", kiosk=self._kiosk)) as arriving:
            async for delivery in arriving:
                try:
                    _, command = decode(delivery.topic, delivery.payload)
                except Refused as refusal:
                    log.warning("command refused: %s", refusal.reason)
                    continue
                if not isinstance(command, Command) or command.device != SERVICE:
                    continue
                if command.id not in self._commands:
                    try:
                        await self._do(command)
                    except Exception:
                        # not named in the Status, so it is repeated
                        log.exception("command %s failed", command.action)
                        continue
                    self._commands.append(command.id)
                await self._say(SERVICE, "running")

    async def _do(self, command: Command) -> None:
        if command.action == "start":
            await self.start_visit()
        elif command.action in ("stop", "cancel"):
            await self.end_visit()


def _messages(item: Item, origin: Origin, stampers: dict[str, Stamper], said: dict[str, Stream]) -> Sequence[Numbered]:
    """What an item of a driver is on the wire. Seqs are given by the outbox."""
    if isinstance(item, Block):
        stamper = stampers.get(item.signal)
        if stamper is None:
            raise DriverFailed(f"a block of {item.signal}, which is not among the driver's ports")
        return stamper.stamp(item)
    at: Time = item.read_at - origin.boot
    if isinstance(item, Spot):
        return [
            Reading(
                said[READINGS], 0, item.measure, item.value, said[READINGS].device, "spot", item.method, at, at,
                quality=item.quality, absent=item.absent,
            )
        ]  # fmt: skip
    return [Event(said[EVENTS], 0, item.event, at, item.detail)]


async def _to_its_end(work: Coroutine[object, object, None]) -> None:
    """Wait for it even when cancelled, as often as that may be; then be cancelled."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled


async def _outlived_by(task: asyncio.Task[None]) -> None:
    """Fail where the task does."""
    await asyncio.shield(task)


def _with(status: Status, **changes: object) -> Status:
    return msgspec.structs.replace(status, **changes)


def _run_id() -> str:
    return secrets.token_hex(6)

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
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Protocol

import msgspec

from kiosk import topics
from kiosk.bus import Bus, send
from kiosk.errors import DriverFailed, KioskError, Refused
from kiosk.messages import SECOND, Command, Numbered, Origin, Status, decode
from sensors import devicerun
from sensors.clock import Clock
from sensors.committer import DISK_PAUSE, Committer
from sensors.driver import Driver, DriverFactory, Item, Visit
from sensors.outbox import Kept, Outbox
from sensors.sender import Sender

log = logging.getLogger(__name__)

SERVICE = "sensors"
"""The device name under which the process itself speaks."""
HEARTBEAT = 5.0
VERSION = version("health-kiosk").replace("+", "-")[:40]
FIRST_PAUSE, LONGEST_PAUSE, STEADY_AFTER = 0.5, 30.0, 60.0
RESUME_WITHIN = 30 * 60 * SECOND
STOP_WITHIN = 5.0
"""Seconds that a device has to close; and, at the end of the service, that a full disk is waited for."""
MOST_COMMANDS = 100
"""Remembered, so that one that is repeated is obeyed once."""


class Witness(Protocol):
    """Somebody in this process who sees what goes on: the visitor's screen. It may not wait, nor fail a visit."""

    def began(self, visit: Visit) -> None:
        """A visit goes on, or goes on again."""
        ...

    def made(self, driver: Driver) -> None:
        """A device is about to run."""
        ...

    def heard(self, device: str, item: Item) -> None:
        """It said something."""
        ...

    def closed(self, device: str) -> None:
        """Its run has ended."""
        ...

    def ended(self, session: str) -> None:
        """The visit has ended."""
        ...


Words = Callable[[Visit], tuple[Sequence[Numbered], Kept]]
"""What is said with a session's beginning, and where the visit is then."""


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
        self.witness: Witness | None = None
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

    async def start_visit(self, words: Words | None = None) -> str:
        """A visitor sits down: a new session, with what they said until then, and every device starts."""
        async with self._turn:
            if self.visit is not None:
                await self._end_visit()
            now = self._clock.now()
            origin = Origin(self._clock.utc(), now, self._clock.boot_id)
            visit = Visit(secrets.token_hex(16), origin, self._simulated)
            said, keep = words(visit) if words is not None else ((), None)
            await asyncio.to_thread(self._outbox.open_session, visit, _run_id(), said=said, keep=keep)
            self.sender.wake()
            self._start_devices(visit)
            await self._say(SERVICE, "running")
            return visit.session

    async def end_visit(self) -> None:
        """The visitor leaves: every run ends, and so does the session."""
        async with self._turn:
            await self._end_visit()

    async def say(self, session: str, messages: Sequence[Numbered], keep: Kept | None) -> bool:
        """Emit what the visitor of a session said, and keep where the visit is; False when the session is over."""
        for message in messages:
            self._outbox.check(message)
        async with self._turn:
            while self.visit is not None and self.visit.session == session:
                try:
                    await asyncio.to_thread(self._outbox.say, messages, keep)
                except sqlite3.Error as error:
                    log.error("outbox: %s; trying again", error)  # noqa: TRY400 - the same trace each second
                    await asyncio.sleep(DISK_PAUSE)
                    continue
                self.sender.wake()
                return True
            return False

    @property
    def has_devices(self) -> bool:
        """Whether there is anything to measure with."""
        return self.visit is not None or bool(self._visitor())

    @property
    def is_stuck(self) -> bool:
        """Whether nothing can be kept: the disk is full."""
        return bool(self._committer.trouble)

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
        self._tell(lambda witness: witness.ended(visit.session))
        self.sender.wake()
        await self._say(SERVICE, "running")

    def _start_devices(self, visit: Visit) -> None:
        self.visit = visit
        self._tell(lambda witness: witness.began(visit))
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
                made = driver
                self._tell(lambda witness, made=made: witness.made(made))  # type: ignore[misc]
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
        try:
            await devicerun.run(visit, driver, _run_id(), outbox=self._outbox, committer=self._committer, watch=self)
        finally:
            self._tell(lambda witness: witness.closed(driver.name))
            self.sender.wake()

    # --- what a run tells of its device

    async def is_running(self, driver: Driver) -> None:
        """A device is open, and said its first word where it has waveforms."""
        await self._say(driver.name, "running", simulated=driver.simulated)

    def heard(self, driver: Driver, item: Item) -> None:
        """A device said something; what troubles it the next heartbeat carries."""
        self._tell(lambda witness: witness.heard(driver.name, item))
        status = self._statuses.get(driver.name)
        if status is not None and status.state == "running" and status.detail != driver.trouble[:200]:
            self._statuses[driver.name] = _with(status, detail=driver.trouble[:200])

    def drifts(self, driver: Driver, ppm: float) -> None:
        """A device's clock runs so much faster than ours."""
        status = self._statuses.get(driver.name)
        if status is not None:
            self._statuses[driver.name] = _with(status, drift_ppm=round(ppm, 1))

    def _tell(self, word: Callable[["Witness"], None]) -> None:
        """What is to be seen on a screen must not take a measurement down."""
        if self.witness is not None:
            try:
                word(self.witness)
            except Exception:
                log.exception("the screen's witness failed")

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
            version=VERSION,
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


async def _outlived_by(task: asyncio.Task[None]) -> None:
    """Fail where the task does."""
    await asyncio.shield(task)


def _with(status: Status, **changes: object) -> Status:
    return msgspec.structs.replace(status, **changes)


def _run_id() -> str:
    return secrets.token_hex(6)

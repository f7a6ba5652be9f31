"""Commands to kiosks: said again until a Status of the kiosk names them, or for ten seconds."""

import asyncio
import contextlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from api.store import utc_now
from kiosk import topics
from kiosk.bus import Bus, Subscription, send
from kiosk.errors import BusDown, Refused
from kiosk.messages import Command, Status, decode

Verb = Literal["start", "stop", "cancel"]
EVERY = 1.0
PATIENCE = 10.0
REMEMBERED = 1000


@dataclass(slots=True)
class Given:
    """A command, and what became of it."""

    id: str
    kiosk: str
    action: Verb
    given_ns: int
    state: Literal["pending", "obeyed", "unanswered"] = "pending"


class Commands:
    """What was commanded lately. It lives in this process: a command is over before a restart could matter."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._given: OrderedDict[str, Given] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def get(self, kiosk: str, command: str) -> Given | None:
        """One of the last commands."""
        given = self._given.get(command)
        return given if given is not None and given.kiosk == kiosk else None

    async def give(self, kiosk: str, action: Verb) -> Given:
        """Say a command for the first time; the rest happens beside. BusDown where nobody could hear it."""
        given = Given(f"c-{secrets.token_hex(8)}", kiosk, action, utc_now())
        said: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._insist(given, said), name=f"command {given.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: _settle(said))
        if not await said:
            raise BusDown("no connection to the broker")
        self._given[given.id] = given
        while len(self._given) > REMEMBERED:
            self._given.popitem(last=False)
        return given

    async def _insist(self, given: Given, said: asyncio.Future[bool]) -> None:
        command = Command(given.id, given.action)
        async with self._bus.subscribe(topics.pattern("status", kiosk=given.kiosk)) as arriving:
            heard = asyncio.create_task(_named(arriving, given.id))
            try:
                deadline = asyncio.get_running_loop().time() + PATIENCE
                while asyncio.get_running_loop().time() < deadline:
                    sent = await send(self._bus, given.kiosk, command)
                    if not said.done():
                        said.set_result(sent)
                        if not sent:
                            return
                    await asyncio.wait({heard}, timeout=EVERY)
                    if heard.done():
                        given.state = "obeyed"
                        return
                given.state = "unanswered"
            finally:
                heard.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await heard


async def _named(arriving: Subscription, command: str) -> None:
    """Return when a Status names the command."""
    async for delivery in arriving:
        with contextlib.suppress(Refused):
            _, message = decode(delivery.topic, delivery.payload)
            if isinstance(message, Status) and message.command == command:
                return
    await asyncio.Event().wait()  # the bus is closed: nobody will name it


def _settle(said: asyncio.Future[bool]) -> None:
    """Let nobody wait for what a task did not get to say."""
    if not said.done():
        said.set_result(False)

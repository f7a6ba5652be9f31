"""One run of a device: from opening it to its end, whatever ends it. What it said is committed, and its streams end."""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Coroutine, Iterable, Sequence
from typing import Protocol

from kiosk.errors import DriverFailed, Refused
from kiosk.messages import EVENTS, READINGS, Event, Numbered, Origin, Reading, Stream, Time
from sensors.committer import Committer
from sensors.driver import Block, Driver, Item, Spot, Stamper, Visit
from sensors.outbox import Outbox

log = logging.getLogger(__name__)


class Watch(Protocol):
    """Who is told how a run goes."""

    async def is_running(self, driver: Driver) -> None:
        """It is open, and said its first word where it has waveforms."""
        ...

    def heard(self, driver: Driver, item: Item) -> None:
        """It said something."""
        ...

    def drifts(self, driver: Driver, ppm: float) -> None:
        """Its clock runs so much faster than ours."""
        ...


async def run(visit: Visit, driver: Driver, name: str, *, outbox: Outbox, committer: Committer, watch: Watch) -> None:
    """Open a device, commit what it says as the run of this name, close it."""
    streams = {port.signal: Stream(visit.session, driver.name, port.signal, name) for port in driver.ports}
    said = {each: Stream(visit.session, driver.name, each, name) for each in (READINGS, EVENTS)}
    stampers = {port.signal: Stamper(streams[port.signal], port, visit.origin) for port in driver.ports}
    unsaid: deque[Numbered] = deque()
    opened = False
    try:
        # a spot device has no waveform: its readings are what it is there for
        await asyncio.to_thread(outbox.open_run, streams.values() or (said[READINGS],))
        async with driver:
            opened = not driver.ports
            if opened:
                # it waits to be used: that is all that it can do until then
                await watch.is_running(driver)
            async for item in driver.items():
                if not opened:
                    opened = True
                    await watch.is_running(driver)
                unsaid.extend(_messages(item, visit.origin, stampers, said))
                watch.heard(driver, item)
                while unsaid:
                    await committer.put(unsaid[0])
                    unsaid.popleft()
                drift = next((s.drift_ppm for s in stampers.values() if s.drift_ppm is not None), None)
                if drift is not None:
                    watch.drifts(driver, drift)
    finally:
        for stamper in stampers.values():
            unsaid.extend(stamper.flush())
        await _to_its_end(_end(unsaid, [*streams.values(), *said.values()], outbox, committer))


async def _end(unsaid: Iterable[Numbered], streams: list[Stream], outbox: Outbox, committer: Committer) -> None:
    for message in unsaid:
        try:
            await committer.put(message)
        except Refused as refusal:
            log.warning("a message could not be emitted: %s", refusal)
    await committer.flush()
    try:
        await asyncio.to_thread(outbox.end_run, streams)
    except sqlite3.Error as error:
        # the end of the visit ends it, or the next start
        log.error("outbox: %s; a run stays open", error)  # noqa: TRY400


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

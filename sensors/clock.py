"""The clocks that sensors go by: the machine's, and one that a test moves by hand."""

import asyncio
import heapq
import time
from pathlib import Path
from typing import Protocol

from kiosk.messages import SECOND


class Clock(Protocol):
    """The boot clock (never set, runs during suspend), the wall clock, and sleep on the boot clock."""

    @property
    def boot_id(self) -> str:
        """Which boot the boot clock counts from."""
        ...

    def now(self) -> int:
        """Nanoseconds since boot."""
        ...

    def utc(self) -> int:
        """Nanoseconds since 1970 by the wall clock, right or wrong."""
        ...

    async def sleep_until(self, when: int) -> None:
        """Return when `now()` is at least `when`."""
        ...


class SystemClock:
    """The machine's clocks."""

    def __init__(self) -> None:
        self.boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()

    def now(self) -> int:
        """Nanoseconds since boot."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def utc(self) -> int:
        """Nanoseconds since 1970."""
        return time.time_ns()

    async def sleep_until(self, when: int) -> None:
        """Sleep on the boot clock."""
        while (left := when - self.now()) > 0:
            await asyncio.sleep(left / SECOND)


class ManualClock:
    """A clock that a test moves by hand: no test sleeps, and each run of it is the same."""

    def __init__(
        self, *, now: int = 1_000 * SECOND, utc: int = 1_700_000_000 * SECOND, boot_id: str = "boot-1"
    ) -> None:
        self.boot_id = boot_id
        self._now = now
        self._utc_offset = utc - now
        self._sleepers: list[tuple[int, int, asyncio.Event]] = []
        self._count = 0

    def now(self) -> int:
        """Nanoseconds since boot."""
        return self._now

    def utc(self) -> int:
        """Nanoseconds since 1970."""
        return self._now + self._utc_offset

    def set_utc_by(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self._utc_offset += round(seconds * SECOND)

    async def sleep_until(self, when: int) -> None:
        """Sleep until `advance` has come past."""
        if when <= self._now:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        self._count += 1
        sleeper = (when, self._count, woken)
        heapq.heappush(self._sleepers, sleeper)
        try:
            await woken.wait()
        finally:
            # whoever was cancelled does not sleep any more
            if not woken.is_set():
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)

    async def advance(self, seconds: float, *, turns: int = 20) -> None:
        """Move on, waking each sleeper at its own time; `turns` lets whoever was woken do its work."""
        end = self._now + round(seconds * SECOND)
        for _ in range(turns):
            await asyncio.sleep(0)
        while self._sleepers and self._sleepers[0][0] <= end:
            when, _, woken = heapq.heappop(self._sleepers)
            self._now = max(self._now, when)
            woken.set()
            for _ in range(turns):
                await asyncio.sleep(0)
        self._now = end

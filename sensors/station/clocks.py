"""The page's clock and the boot clock, told apart by messages.

Each message says when the page sent it. It arrives later than that, never earlier, so the smallest difference of the
last moments is the offset, up to the shortest time that a message takes (a fraction of a millisecond on one machine).
A page's clock is the monotonic one, which stands still while the machine sleeps; the boot clock does not.
"""

import time
from collections import deque
from dataclasses import dataclass
from typing import Self

from kiosk.messages import SECOND
from sensors.clock import Clock

REMEMBERED = 120
"""Seconds, one smallest difference of each. Both clocks of one machine go by one oscillator: they hardly drift."""
SLEPT = 0.002
"""Seconds by which the boot clock must gain on the monotonic one for the machine to have slept; else they go as one."""
TOGETHER = 0.0005
"""Seconds within which both clocks are to be read, and how often that is tried: a busy machine comes in between."""
TRIES = 5


@dataclass(frozen=True, slots=True)
class Moment:
    """The boot clock and, at the same moment, the monotonic clock."""

    boot: int
    awake: int

    @classmethod
    def now(cls, clock: Clock) -> Self:
        """Both read as closely together as this machine does."""
        best: tuple[int, int, int] | None = None
        for _ in range(TRIES):
            before, boot, after = time.monotonic_ns(), clock.now(), time.monotonic_ns()
            if best is None or after - before < best[0]:
                best = after - before, boot, (before + after) // 2
            if best[0] < TOGETHER * SECOND:
                break
        assert best is not None
        return cls(best[1], best[2])


class PageClock:
    """Milliseconds of one page's clock as nanoseconds of the boot clock."""

    def __init__(self) -> None:
        self._least: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)
        """The smallest difference of each second, with the second."""
        self._asleep: int | None = None
        """How long the machine has slept since it was started."""

    def hear(self, sent: float, arrived: Moment) -> None:
        """A message that the page sent at `sent` arrived."""
        asleep = arrived.boot - arrived.awake
        if self._asleep is None or abs(asleep - self._asleep) > SLEPT * SECOND:
            self._asleep = asleep
            self._least.clear()
        second, offset = arrived.boot // SECOND, arrived.boot - round(sent * 1e6)
        if self._least and self._least[-1][0] == second:
            self._least[-1] = second, min(offset, self._least[-1][1])
            return
        self._least.append((second, offset))

    def boot(self, milliseconds: float) -> int:
        """A time of the page on the boot clock."""
        return round(milliseconds * 1e6) + min(offset for _, offset in self._least)

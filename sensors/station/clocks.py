"""The page's clock and the boot clock, told apart by messages.

Each message says when the page sent it. It arrives later than that, never earlier, so the smallest difference of the
last moments is the offset, up to the shortest time that a message takes (a fraction of a millisecond on one machine).
"""

from collections import deque

from kiosk.messages import SECOND

REMEMBERED = 120
"""Seconds, one smallest difference of each. Both clocks of one machine go by one oscillator: they hardly drift."""
PAUSE = 0.5
"""Seconds by which a second's smallest difference may exceed the others before a machine that slept is supposed."""


class PageClock:
    """Milliseconds of one page's clock as nanoseconds of the boot clock."""

    def __init__(self) -> None:
        self._least: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)
        """The smallest difference of each second, with the second."""

    @property
    def known(self) -> bool:
        """Whether anything was heard."""
        return bool(self._least)

    def hear(self, sent: float, arrived: int) -> None:
        """A message that the page sent at `sent` arrived."""
        second, offset = arrived // SECOND, arrived - round(sent * 1e6)
        if self._least and self._least[-1][0] == second:
            self._least[-1] = second, min(offset, self._least[-1][1])
            return
        if len(self._least) > 1 and self._least[-1][1] - min(each for _, each in self._least) > PAUSE * SECOND:
            # a page's clock stands still while the machine sleeps, the boot clock does not
            last = self._least[-1]
            self._least.clear()
            self._least.append(last)
        self._least.append((second, offset))

    def boot(self, milliseconds: float) -> int:
        """A time of the page on the boot clock."""
        return round(milliseconds * 1e6) + min(offset for _, offset in self._least)

"""How many samples a device can have taken in the time that went by: whether a claim of lost ones can be true."""

from kiosk.messages import SECOND

SLACK = 0.9
"""Seconds of samples that may come early or late against the clock (a radio link's bursts). Below the 1.02 s after
which the commonest counter (one byte, 250 samples a second) has gone round, so that one damaged number is not believed.
"""
FASTER = 1.01
"""Of the nominal rate: no converter's clock is off by more than a percent."""


class Allowance:
    """A bucket that time fills at the nominal rate, and samples, those that came and those that were lost, empty."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._left = self._most = SLACK * rate
        self._last: int | None = None

    def arrived(self, count: int, now: int) -> None:
        """So many samples came at this time (nanoseconds). To be told only when some did."""
        last, self._last = self._last, now
        # since when the first ones were taken, nobody knows
        if last is not None:
            passed = (now - last) / SECOND
            self._left = max(min(self._left, self._most) + passed * self._rate * FASTER - count, 0.0)

    def grants(self, lost: int) -> bool:
        """Whether so many can have been lost beside those that came; if so, they are taken off."""
        if lost > self._left:
            return False
        self._left -= lost
        return True

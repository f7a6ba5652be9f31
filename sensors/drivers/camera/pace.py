"""How steadily pictures come: what an operator is told when a visit's pulse would suffer from it."""

from collections import deque

from kiosk.messages import SECOND

OVER = 5.0
"""Seconds that the rate and the share are taken over."""
LEAST_RATE = 15.0
"""Pictures a second: twice the fourth harmonic of a pulse of 110/min."""
MOST_DROPPED = 0.1
"""Share of the pictures."""


class Pace:
    """Looks at the times of the pictures that were looked at, and at the counts of those that were not."""

    def __init__(self) -> None:
        self._times: deque[int] = deque()
        self._counts: deque[tuple[int, int, int]] = deque()
        self._began: int | None = None

    def note(self, at: int, taken: int, dropped: int) -> None:
        """A picture of this time was looked at, when so many had come and so many of them had been passed over."""
        self._began = at if self._began is None else self._began
        self._times.append(at)
        self._counts.append((at, taken, dropped))
        while self._times[0] < at - OVER * SECOND:
            self._times.popleft()
            self._counts.popleft()

    def trouble(self) -> str:
        """What is wrong, in words; empty where nothing is, or not enough was seen."""
        if self._began is None or self._times[-1] - self._began < OVER * SECOND:
            return ""
        rate = (len(self._times) - 1) / max((self._times[-1] - self._times[0]) / SECOND, 1e-9)
        (_, taken_before, dropped_before), (_, taken, dropped) = self._counts[0], self._counts[-1]
        share = (dropped - dropped_before) / max(1, taken - taken_before)
        said = []
        if rate < LEAST_RATE:
            said.append(f"{rate:.0f} pictures a second, at least {LEAST_RATE:.0f} are needed")
        if share > MOST_DROPPED:
            said.append(f"{share:.0%} of the pictures are passed over: this machine is too slow for them")
        return "; ".join(said)

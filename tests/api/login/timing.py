"""A clock that a test turns."""

import time

from kiosk.messages import SECOND


class Clock:
    """The time of day, and seconds that pass with it."""

    def __init__(self) -> None:
        # other fixtures go by the true time
        self.now = time.time_ns()

    def utc(self) -> int:
        """As `api.store.clock.utc_now`."""
        return self.now

    def seconds(self) -> float:
        """As `time.monotonic`."""
        return self.now / SECOND

    def pass_(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Let time pass."""
        self.now += round((seconds + 60 * (minutes + 60 * (hours + 24 * days))) * SECOND)

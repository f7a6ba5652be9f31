"""How much new a kiosk may begin: a session or a stream costs rows, a key and milliseconds of everybody's time."""

from collections import OrderedDict

from kiosk.messages import SECOND

EVERY = 60 * SECOND
STREAM, SESSION = 1, 10
"""What each costs; measured, a session of which nothing is known takes about eight times as long as a stream."""
MOST = 1000
"""In a minute. A visit begins some dozen streams; after an outage of days a hundred sessions a minute catch up."""
MOST_KIOSKS = 10_000


class Allowance:
    """Of each kiosk for itself: whoever makes up sessions waits alone. Outboxes send again what was too early."""

    def __init__(self) -> None:
        self._spent: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def spend(self, kiosk: str, cost: int, now: int) -> None:
        """Something was begun."""
        since, spent = self._current(kiosk, now)
        self._spent[kiosk] = (since, spent + cost)
        self._spent.move_to_end(kiosk)
        while len(self._spent) > MOST_KIOSKS:
            self._spent.popitem(last=False)

    def is_spent(self, kiosk: str, now: int) -> bool:
        """Whether it must wait."""
        return self._current(kiosk, now)[1] >= MOST

    def _current(self, kiosk: str, now: int) -> tuple[int, int]:
        since, spent = self._spent.get(kiosk, (now, 0))
        return (since, spent) if 0 <= now - since < EVERY else (now, 0)

"""How far a stream is committed, hole by hole."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

Range = tuple[int, int]
"""First and last seq."""
MOST_RANGES = 4096
"""Beyond holes, of one stream. An outbox sends no more messages ahead of its receipts, so it never has as many."""


@dataclass(slots=True)
class Ledger:
    """How far one stream is committed, as this process knows it."""

    id: int
    upto: int
    last: int | None
    rate: float | None
    channels: tuple[str, ...] | None
    beyond: list[Range] = field(default_factory=list)
    """What is accounted for after a hole, waiting for the hole to be filled: ranges in order, never touching."""

    def has(self, seq: int) -> bool:
        """Whether a seq is accounted for."""
        if seq <= self.upto:
            return True
        place = bisect_right(self.beyond, seq, key=lambda known: known[0])
        return place > 0 and seq <= self.beyond[place - 1][1]

    def note(self, first: int, last: int) -> list[Range]:
        """Account for a range, as long as it may be; answers with what of it is new.

        It costs what the range touches, however many others there are: whoever leaves holes slows nobody down.
        """
        beyond, first = self.beyond, max(first, self.upto + 1)
        if first > last:
            return []
        low = bisect_left(beyond, first - 1, key=lambda known: known[1])
        high = bisect_right(beyond, last + 1, key=lambda known: known[0])
        new, at, touched = list[Range](), first, beyond[low:high]
        for begin, end in touched:
            if at < begin:
                new.append((at, min(begin - 1, last)))
            at = max(at, end + 1)
        if at <= last:
            new.append((at, last))
        if touched:
            first, last = min(first, touched[0][0]), max(last, touched[-1][1])
        if first <= self.upto + 1:
            self.upto = last
            del beyond[:high]
        else:
            beyond[low:high] = [(first, last)]
        return new

    def takes(self, seq: int) -> bool:
        """Whether it can be accounted for. Not where it would be one hole more than anybody honest leaves."""
        return seq == self.upto + 1 or len(self.beyond) < MOST_RANGES

    @property
    def ended(self) -> bool:
        """Everything of the run is here."""
        return self.last is not None and self.upto >= self.last

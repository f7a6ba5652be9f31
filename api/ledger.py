"""How far a stream is committed, hole by hole."""

from bisect import bisect_right
from dataclasses import dataclass, field

Range = tuple[int, int]
"""First and last seq."""


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
        """Account for a range, as long as it may be; answers with what of it is new."""
        new, at = [], max(first, self.upto + 1)
        for begin, end in self.beyond:
            if begin > last:
                break
            if at < begin:
                new.append((at, begin - 1))
            at = max(at, end + 1)
        if at <= last:
            new.append((at, last))
        if new == [(self.upto + 1, last)] and not self.beyond:
            self.upto = last
        elif new:
            self._join(new)
        return new

    def _join(self, new: list[Range]) -> None:
        upto, joined = self.upto, list[Range]()
        for begin, end in sorted([*self.beyond, *new]):
            if begin <= upto + 1:
                upto = max(upto, end)
            elif joined and begin <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((begin, end))
        self.upto, self.beyond = upto, joined

    @property
    def ended(self) -> bool:
        """Everything of the run is here."""
        return self.last is not None and self.upto >= self.last

"""The stamps of a stream's samples: which are missing, which came before, which cannot be."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from sensors.allowance import Allowance

Times = NDArray[np.int64]

MISSING = 1.5
"""Periods between two stamps from which one may be missing between them."""
STEADY = 0.3
"""Periods that stamps may stray from the grid, and still tell one missing sample from a late one."""
MEMORY, SETTLED = 2.0, 1.0
"""Seconds of stamps that are looked at for that, and that there must be."""
PACED, PACE = 15.0, 0.01
"""Seconds after which a stream's true rate is known, and the share it may be off: quartz is a hundred times better.
"""
PAUSED = 1.0
"""Seconds between two stamps in which a sender stood still."""
SAME = 1_000_000
"""Nanoseconds that a clock's fit may move stamps back; what lies further back was there before."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples start..stop of what came together, and how many are missing just before them."""

    start: int
    stop: int
    lost: int


class Grid:
    """Regular samples: where the sender's own stamps are precise, a hole in them is a loss.

    Where they jitter - most senders stamp what arrives - nothing is claimed: `ClockFit` sees pauses above a quarter of
    a second, and shorter ones cannot be told from jitter.
    """

    def __init__(self, rate: float) -> None:
        self.lost = 0
        self._period = SECOND / rate
        self._keep = max(round(MEMORY * rate), 10)
        self._enough = max(round(SETTLED * rate), 5)
        self._allowance = Allowance(rate)
        self._last: int | None = None
        self._begun: int | None = None
        self._total = 0
        """Samples since then, lost ones included."""
        self._count = 0
        """Samples since the stamps were last looked at from the start, lost ones included."""
        self._first = 0
        self._strays: list[float] = []
        """Of the last samples, in periods from the grid."""

    def pieces(self, times: Times, now: int) -> list[Piece]:
        """What came together, cut where something is missing. Times are the sender's: a fit of its clock moves.

        `now` is ours: what the sender's clock claims is not believed where ours has no room for it.
        """
        self._allowance.arrived(len(times), now)
        cuts = [(0, 0)]
        begin = 0
        before = np.concatenate(([self._last if self._last is not None else times[0]], times[:-1]))
        for place in np.flatnonzero(times - before > MISSING * self._period).tolist():
            self._remember(times[begin:place])
            begin = place
            missing = round(float(times[place] - before[place]) / self._period) - 1
            if self._is_steady() and self._allowance.grants(missing):
                self._count += missing
                self.lost += missing
                if cuts[-1][0] == place:
                    cuts.pop()
                cuts.append((place, missing))
            else:
                self._strays.clear()
        self._remember(times[begin:])
        self._last = int(times[-1])
        if self._begun is None or (np.diff(times, prepend=before[:1]) > PAUSED * SECOND).any():
            self._begun, self._total = self._last, 0
        else:
            self._total += len(times) + sum(lost for _, lost in cuts)
        ends = [*(start for start, _ in cuts[1:]), len(times)]
        return [Piece(start, end, lost) for (start, lost), end in zip(cuts, ends, strict=True)]

    def restart(self) -> None:
        """What comes next has stamps of another clock."""
        self._last = self._begun = None
        self._strays.clear()

    @property
    def wrong_pace(self) -> float | None:
        """How many samples a second there truly are, where that is known and not what the stream says."""
        if self._begun is None or self._last is None or self._last - self._begun < PACED * SECOND:
            return None
        share = self._total * self._period / (self._last - self._begun)
        return None if abs(share - 1) <= PACE else share * SECOND / self._period

    def _remember(self, times: Times) -> None:
        if not len(times):
            return
        if not self._strays:
            self._first, self._count = int(times[0]), 0
        places = self._count + np.arange(len(times))
        self._strays += ((times - self._first) / self._period - places).tolist()
        self._count += len(times)
        del self._strays[: -self._keep]

    def _is_steady(self) -> bool:
        strays = self._strays
        return len(strays) >= self._enough and max(strays) - min(strays) <= STEADY


class Order:
    """Irregular samples: each later than the one before, by a microsecond at least, which is what a chunk can say."""

    def __init__(self) -> None:
        self.dropped = 0
        self._last: int | None = None

    def ordered(self, times: Times) -> tuple[Times, NDArray[np.bool_]]:
        """The times that are kept, and which those are."""
        kept = np.zeros(len(times), bool)
        found: list[int] = []
        for i, whole in enumerate((times // 1000 * 1000).tolist()):
            if self._last is not None and self._last - whole > SAME:
                self.dropped += 1
                continue
            self._last = whole if self._last is None else max(whole, self._last + 1000)
            kept[i] = True
            found.append(self._last)
        return np.array(found, dtype=np.int64), kept

"""A stream of the lab streaming layer as a device: its samples with its own stamps, on our clock."""

from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import DriverFailed
from kiosk.messages import SECOND
from sensors.clock import Clock
from sensors.driver import Block, Item, Mark
from sensors.drivers.lsl.library import Inlet
from sensors.drivers.lsl.offset import Offset
from sensors.drivers.lsl.stamps import Grid, Order, Piece
from sensors.drivers.lsl.stream import Reading
from sensors.reader import Reader

POLL = 0.04
"""Seconds between reads."""
ASK_EVERY = 1.0
"""Seconds between questions for the clock's offset; the library measures it anew every five."""
SILENT = 2.0
"""Seconds without a sample that are marked."""
GONE = 20.0
"""Seconds without a sample after which the stream is given up, and looked for anew. The library notices a sender that
died after 15 s and goes on with it when it is back."""
AHEAD, BEHIND = 0.25, 30.0
"""Seconds that a stamp may lie before or behind its arrival; beyond them the sender's clock is not believed."""
TRIES, TOGETHER = 5, 2e-4
"""Looks at both clocks, and the seconds within which they are one moment: a thread may be put aside between them."""
MOST_STAMP = 1e10
"""Seconds: three hundred years since 1970, which some senders count from."""
RESET_WITHIN = 5.0
"""Seconds that the library has to measure the clock of a stream that was found again."""
LONGEST_MARK = 200
"""Characters of a marker's text."""
MOST_MARKS = 20
"""Markers a second, over ten seconds."""


class Lsl:
    """A run of a stream."""

    simulated = False

    def __init__(
        self,
        name: str,
        what: Reading,
        connect: Callable[[], Inlet],
        clock: Clock,
        *,
        rate: float | None,
        taking: Callable[[bool], None] = lambda _: None,
        gone: float = GONE,
    ) -> None:
        self.name, self.ports = name, what.ports
        self._what, self._connect, self._clock, self._taking, self._gone = what, connect, clock, taking, gone
        self._reader = Reader(name, self._live, clock)
        self._offset, self._order = Offset(), Order()
        self._grid = Grid(rate) if rate else None
        self._period = round(SECOND / rate) if rate else 0
        self._last: int | None = None
        """Time of the last sample that was handed on."""
        self._heard: int | None = None
        """When something came last."""
        self._broken = self._is_silent = False
        self._reset: int | None = None
        """Since when the sender's clock may be another one."""
        self._again = self._unbelieved = self._unmarked = 0
        self._room = float(10 * MOST_MARKS)
        self._asked = 0

    @property
    def trouble(self) -> str:
        """What an operator should know of the stream."""
        said = []
        if self._is_silent:
            said.append("the stream is silent")
        if self._grid is not None and self._grid.lost:
            said.append(f"{self._grid.lost} samples missing by its stamps")
        if self._grid is not None and (pace := self._grid.wrong_pace) is not None:
            said.append(f"it sends {pace:.1f} samples a second, not the {SECOND / self._period:g} that it says")
        if self._unbelieved:
            said.append("its stamps are not of its clock: samples are timed by their arrival")
        if self._again or self._order.dropped:
            said.append(f"{self._again + self._order.dropped} samples left out that came before")
        if self._unmarked:
            said.append(f"{self._unmarked} marks left out, more than {MOST_MARKS} a second")
        return "; ".join(said)

    async def __aenter__(self) -> Self:
        self._taking(True)
        try:
            await self._reader.open()
        except BaseException:
            self._taking(False)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._reader.close()
        finally:
            self._taking(False)

    async def items(self) -> AsyncIterator[Item]:
        """Samples and marks, until the stream is gone."""
        said = False
        async for item in self._reader.items():
            if not said:
                # not before something comes: a device that has said nothing is not running
                said = True
                yield Mark("lsl_stream", item.read_at, self._what.words)
            yield item

    def _live(self) -> None:
        inlet = self._connect()
        try:
            inlet.open()
            self._observe(inlet)
            self._reader.ready()
            self._heard = self._clock.now()
            while not self._reader.stopping(POLL):
                if self._reader.is_full:
                    # a full disk is no silence
                    self._heard = self._clock.now()
                    continue
                items = self._observe(inlet)
                # samples wait in the library until it knows whose clock their stamps are of
                if self._reset is None:
                    items += self._pulled(inlet)
                self._reader.put([*items, *self._silence()])
        finally:
            inlet.close()

    def _observe(self, inlet: Inlet) -> list[Item]:
        """Ask for the clock's offset, now and then; a mark where it jumped."""
        now = self._clock.now()
        if inlet.was_reset():
            self._reset, self._broken = now, True
            if self._grid is not None:
                self._grid.restart()
        if self._reset is None and now - self._asked < ASK_EVERY * SECOND and self._offset.known:
            return []
        self._asked = now
        offset = inlet.correction()
        if offset is None:
            if self._reset is not None and now - self._reset > RESET_WITHIN * SECOND:
                self._reset = None
            return []
        jump = self._offset.observe(now / SECOND, offset, reset=self._reset is not None)
        self._reset = None
        return [] if jump is None else [Mark("lsl_clock_jump", now, f"{jump:+.3f} s")]

    def _pulled(self, inlet: Inlet) -> list[Item]:
        samples, stamps = inlet.pull()
        now, theirs = self._both_clocks(inlet)
        if not len(stamps):
            return []
        if not (np.abs(stamps) < MOST_STAMP).all():
            raise DriverFailed(f"{self.name}: its stamps are no numbers")
        items: list[Item] = []
        if self._is_silent and self._heard is not None:
            items.append(Mark("lsl_back", now, f"after {(now - self._heard) / SECOND:.1f} s"))
        self._heard, self._is_silent = now, False
        unbelieved = self._unbelieved
        times = self._times(stamps, now, theirs)
        if self._broken and self._last is not None and unbelieved == self._unbelieved:
            # what was handed on before a break does not come twice
            new = times > self._last + self._period // 2
            self._again += int(np.count_nonzero(~new))
            samples, stamps, times = samples[new], stamps[new], times[new]
        if not len(times):
            return items
        self._broken, self._last = False, int(times[-1])
        if not self._what.feeds:
            return items + self._marks(samples, times)
        if not np.issubdtype(samples.dtype, np.number):
            raise DriverFailed(f"{self.name}: it sends texts")
        if self._grid is None:
            return items + self._irregular(samples, times, now)
        pieces = self._grid.pieces(np.rint(stamps * SECOND).astype(np.int64), now)
        return items + self._regular(samples, times, pieces)

    def _both_clocks(self, inlet: Inlet) -> tuple[int, float]:
        """Our clock and the library's at one moment: between two looks at it that nothing came between."""
        before, now, after = inlet.now(), self._clock.now(), inlet.now()
        for _ in range(TRIES):
            if after - before < TOGETHER:
                break
            before, now, after = inlet.now(), self._clock.now(), inlet.now()
        return now, (before + after) / 2

    def _times(self, stamps: NDArray[np.float64], now: int, theirs: float) -> NDArray[np.int64]:
        """Stamps on our boot clock. The library's own clock stands still while the machine sleeps; ours does not."""
        away = stamps + self._offset.at(now / SECOND) - theirs
        if not -BEHIND <= away[-1] <= AHEAD:
            self._unbelieved += 1
            # the last one's period is over; as far as they go they are still a grid
            away = np.minimum(away - away[-1], 0.0).clip(-BEHIND, None) - self._period / SECOND
        times: NDArray[np.int64] = now + np.rint(away * SECOND).astype(np.int64)
        return times

    def _regular(self, samples: NDArray[np.generic], times: NDArray[np.int64], pieces: Sequence[Piece]) -> list[Item]:
        return [
            Block(
                feed.port.signal,
                samples[piece.start : piece.stop, list(feed.columns)].astype(np.float64) * feed.factors,
                # a sample has arrived when its period is over
                int(times[piece.stop - 1]) + self._period,
                lost=piece.lost,
            )
            for piece in pieces
            for feed in self._what.feeds
        ]

    def _irregular(self, samples: NDArray[np.generic], times: NDArray[np.int64], now: int) -> list[Item]:
        times, kept = self._order.ordered(times)
        if not len(times):
            return []
        return [
            Block(
                feed.port.signal,
                samples[kept][:, list(feed.columns)].astype(np.float64) * feed.factors,
                max(now, int(times[-1])),
                times,
            )
            for feed in self._what.feeds
        ]

    def _marks(self, samples: NDArray[np.generic], times: NDArray[np.int64]) -> list[Item]:
        marks: list[Item] = []
        for row, time in zip(samples, times.tolist(), strict=True):
            if self._room < 1:
                self._unmarked += 1
                continue
            self._room -= 1
            marks.append(Mark("lsl_mark", time, _text(row)))
        return marks

    def _silence(self) -> list[Item]:
        """What has to be said of a stream from which nothing comes."""
        now = self._clock.now()
        self._room = min(self._room + POLL * MOST_MARKS, 10.0 * MOST_MARKS)
        if not self._what.feeds or self._heard is None:
            return []
        silent = (now - self._heard) / SECOND
        if silent > self._gone:
            raise DriverFailed(f"{self.name}: no samples for {silent:.0f} s")
        if silent <= min(SILENT, self._gone) or self._is_silent:
            return []
        self._is_silent = self._broken = True
        return [Mark("lsl_silent", now, f"no samples for {silent:.1f} s")]


def _text(row: NDArray[np.generic]) -> str:
    """A marker's values as one short line."""
    texts = (
        each[: 4 * LONGEST_MARK].decode("utf-8", "replace") if isinstance(each, bytes) else str(each)
        for each in row[:16].tolist()
    )
    line = "|".join(texts)[: 4 * LONGEST_MARK]
    return "".join(c if c.isprintable() else " " for c in line).strip()[:LONGEST_MARK]

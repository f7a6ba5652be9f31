"""A BrainFlow board as a device. One thread owns it - connects, polls, disconnects - and the event loop never waits."""

import contextlib
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

import numpy as np

from kiosk.errors import DriverFailed
from kiosk.messages import SECOND
from sensors.clock import Clock
from sensors.driver import Block, DriverFactory, Item, Mark, Visit
from sensors.drivers.brainflow.boards import Plan, Preset, plan, wanted
from sensors.drivers.brainflow.counter import PackageCounter
from sensors.drivers.brainflow.library import Board, failure, library
from sensors.reader import Reader

POLL = 0.02
"""Seconds between reads: well within a chunk of a tenth of a second."""
SILENT = 5.0
"""Seconds without a sample after which a board is dead."""
FINISHED = 1.0
"""Seconds without a sample after which a file has been played."""
RING = 60.0
"""Seconds that the library keeps while nobody reads, as while a disk is full."""
MUCH_LOST = 0.01
"""Share of lost samples that an operator should know of: the link is bad."""
_WORDS = {
    1: "its port is open already",
    2: "its port cannot be opened: is it the right one, and free?",
    7: "it does not answer: is it switched on, in reach, and named right?",
    13: "a parameter is missing or wrong",
    14: "it is not supported on this machine",
    16: "it is in use by this process already",
    18: "it did not answer in time",
}
"""What the library's commonest exit codes mean."""


def brainflow(board: str = "synthetic", params: str = "", *, name: str = "brainflow") -> list[DriverFactory]:
    """The board of this name or number. What is wrong with its name or parameters is said at once."""
    known = library()
    found = plan(known, wanted(known, board, params))

    def connect() -> Board:
        return known.board(found.wanted.number, dict(found.wanted.params))

    return [Boards(found, connect, name=name)]


def is_simulated(board: str, params: str = "") -> bool:
    """Whether there is no body behind a board: the generator, or a file."""
    return wanted(library(), board, params).simulated


class Boards:
    """Makes a run of a board, the same for every visit."""

    def __init__(self, found: Plan, connect: Callable[[], Board], *, name: str) -> None:
        self._plan, self._connect, self._name = found, connect, name

    def __call__(self, visit: Visit, clock: Clock) -> "BrainFlow":
        return BrainFlow(self._plan, self._connect, clock, name=self._name)


class BrainFlow:
    """A run of a board."""

    def __init__(
        self,
        found: Plan,
        connect: Callable[[], Board],
        clock: Clock,
        *,
        name: str = "brainflow",
        silent: float = SILENT,
    ) -> None:
        self.name, self.ports, self.simulated = name, found.ports, found.wanted.simulated
        self._plan, self._connect, self._clock = found, connect, clock
        self._silent = silent
        self._reader = Reader(name, self._live, clock)
        self._counters = {preset.number: PackageCounter(preset.rate) for preset in found.presets}
        self._taken = dict.fromkeys(self._counters, 0)
        self._last: dict[int, int] = {}
        self._begun: int | None = None

    @property
    def trouble(self) -> str:
        """Lost samples, a preset that is silent, a counter that makes no sense."""
        said: list[str] = []
        now = self._clock.now()
        for preset in self._plan.presets:
            counter, taken = self._counters[preset.number], self._taken[preset.number]
            if counter.lost > MUCH_LOST * (taken + counter.lost):
                said.append(f"{counter.lost} samples lost ({counter.lost / (taken + counter.lost):.1%})")
            if counter.doubtful:
                said.append(f"its counter jumped {counter.doubtful} times for no reason")
            since = self._last.get(preset.number, self._begun)
            if since is not None and now - since > self._silent * SECOND:
                said.append(f"nothing from its {preset.name} preset")
        return "; ".join(said)

    async def __aenter__(self) -> Self:
        await self._reader.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._reader.close()

    async def items(self) -> AsyncIterator[Item]:
        """What the board sampled, until a file ends or the board dies."""
        said = False
        async for item in self._reader.items():
            if not said:
                # not before something comes: a device that has said nothing is not running
                said = True
                yield Mark("brainflow_board", item.read_at, self._plan.words)
            yield item

    def _live(self) -> None:
        try:
            board = self._connect()
        except failure() as error:
            raise DriverFailed(f"{self._plan.wanted.name}: {_words(error)}") from None
        try:
            board.prepare_session()
            board.start_stream(max(1000, round(RING * max(preset.rate for preset in self._plan.presets))))
            self._reader.ready()
            self._poll(board)
        except failure() as error:
            raise DriverFailed(f"{self._plan.wanted.name}: {_words(error)}") from None
        finally:
            for leave in (board.stop_stream, board.release_session):
                # one that never came as far as streaming cannot stop, and says so
                with contextlib.suppress(failure()):
                    leave()

    def _poll(self, board: Board) -> None:
        begun = self._begun = self._clock.now()
        while not self._reader.stopping(POLL):
            if self._reader.is_full:
                # a full disk is no silence
                begun = self._clock.now()
                continue
            items: list[Item] = []
            for preset in self._plan.presets:
                items += self._blocks(board, preset)
            self._reader.put(items)
            silence = (self._clock.now() - max([begun, *self._last.values()])) / SECOND
            if self._plan.wanted.played and self._last and silence > FINISHED:
                return
            if silence > self._silent:
                raise DriverFailed(f"{self._plan.wanted.name}: no samples for {silence:.0f} s")

    def _blocks(self, board: Board, preset: Preset) -> list[Item]:
        rows = np.asarray(board.get_board_data(preset=preset.number))
        now = self._clock.now()
        count = rows.shape[1] if rows.ndim == 2 else 0
        if not count:
            return []
        self._last[preset.number] = now
        self._taken[preset.number] += count
        # a board without a counter has one that never changes, and so loses nothing that can be known
        numbers = rows[preset.counter] if preset.counter is not None else np.zeros(count)
        return [
            Block(
                feed.port.signal,
                rows[list(feed.rows), piece.start : piece.stop].T * feed.factor,
                now,
                lost=piece.lost,
            )
            for piece in self._counters[preset.number].pieces(numbers, now)
            for feed in preset.feeds
        ]


def _words(error: Exception) -> str:
    code = getattr(error, "exit_code", None)
    return _WORDS.get(code, str(error).splitlines()[0][:120]) if isinstance(code, int) else type(error).__name__

"""The microphone as a device: a source's sound through the listener, and what may leave of it onto the wire."""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from kiosk.errors import BadSettings
from kiosk.messages import SECOND
from kiosk.signals import SIGNALS, VOICE_CHANNELS
from sensors.clock import Clock
from sensors.driver import Block, Item, Mark, Port, Visit
from sensors.drivers.microphone.hearing import Hearing, ListenerFactory, Missing
from sensors.drivers.microphone.waiting import SourceFactory, Waiting
from sensors.feeding import Feeding, gone
from sensors.sound.checks import Checks

if TYPE_CHECKING:
    from sensors.listener import Heard

STOP_WITHIN = 3.0
TROUBLE_EVERY = 10.0
"""Seconds between two marks of trouble, at least."""
FUNCTIONALS, SCORES = "voice_functionals", "voice_scores"
DEVICE = "microphone"


class Microphone:
    """A run of the microphone. Whatever the listener takes, the event loop goes on; times are those of the sound."""

    def __init__(
        self,
        clock: Clock,
        source: SourceFactory,
        listener: ListenerFactory,
        *,
        score_channels: tuple[str, ...] = (),
        name: str = DEVICE,
    ) -> None:
        self.name = name
        self.ports = _ports(score_channels)
        self._clock, self._listener, self._channels = clock, listener, score_channels
        self._source = source(clock)
        self.simulated = self._source.simulated
        self._waiting = Waiting()
        self._hearing: Hearing | None = None
        self._feeding = Feeding(self._source, self._waiting, name=self.name)
        self._checks, self._wrong = Checks(), ""
        self._told: tuple[str, int] | None = None
        self._last: dict[str, int] = {}

    @property
    def trouble(self) -> str:
        """What an operator should know: no sound, too quiet, clipped, noisy; a source's own complaints."""
        return "; ".join(each for each in (self._wrong, self._source.trouble) if each)

    @property
    def lost(self) -> float:
        """Seconds of sound that came and were not listened to."""
        return self._waiting.lost

    async def __aenter__(self) -> Self:
        await self._source.__aenter__()
        self._hearing = Hearing(self._waiting, self._listener, self._channels)
        self._hearing.start()
        self._feeding.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._feeding.stop(kind, error, trace)
        hearing = self._hearing
        if hearing is not None:
            await gone(lambda: hearing.alive, self._clock, round(STOP_WITHIN * SECOND))

    async def items(self) -> AsyncIterator[Item]:
        """Blocks of one row each, with the time at which what it tells of ended, and marks of what happened."""
        hearing = self._hearing
        assert hearing is not None
        while (news := await hearing.get()) is not None:
            if isinstance(news, Missing):
                yield Mark("sound_lost", news.at, f"{abs(news.seconds):.2f} s")
                continue
            for item in self._items(news):
                yield item
        hearing.check()

    def _items(self, row: "Heard") -> list[Item]:
        # whole microseconds, because that is what a chunk carries; where a clock stumbled, time does not go back
        at = row.time // 1000 * 1000
        if at <= self._last.get(row.signal, -1):
            return []
        self._last[row.signal] = at
        now = max(self._clock.now(), at)
        items: list[Item] = [Block(row.signal, row.values[None], now, times=np.array([at], np.int64))]
        if row.signal == FUNCTIONALS:
            self._wrong = self._checks.hear(row.values)
            trouble = self.trouble
            before, when = self._told or ("", at - round(TROUBLE_EVERY * SECOND))
            if trouble != before and at - when >= TROUBLE_EVERY * SECOND:
                self._told = trouble, at
                items.append(Mark("microphone_trouble" if trouble else "microphone_well", at, trouble[:500]))
        return items


def _ports(score_channels: tuple[str, ...]) -> tuple[Port, ...]:
    ports = [Port(FUNCTIONALS, VOICE_CHANNELS, None)]
    if score_channels:
        if not SIGNALS[SCORES].accepts_channels(score_channels):
            most = SIGNALS[SCORES].most_channels
            raise BadSettings(f"the installed voice networks have {len(score_channels)} outputs, at most {most}")
        ports.append(Port(SCORES, score_channels, None))
    return tuple(ports)


class Microphones:
    """Makes the drivers of one microphone, run after run, and remembers which networks there are."""

    def __init__(
        self, source: SourceFactory, listener: ListenerFactory, *, score_channels: tuple[str, ...], name: str = DEVICE
    ) -> None:
        self._source, self._listener, self._name = source, listener, name
        self._channels = score_channels
        _ports(score_channels)

    def __call__(self, visit: Visit, clock: Clock) -> Microphone:
        """The driver of a run."""
        return Microphone(clock, self._source, self._listener, score_channels=self._channels, name=self._name)

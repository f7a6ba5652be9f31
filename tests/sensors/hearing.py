"""A scripted source of sound, a listener without networks, and what a microphone emitted, for its tests."""

import asyncio
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import DriverFailed
from kiosk.messages import SECOND
from sensors.clock import SystemClock
from sensors.driver import Block, Item, Mark
from sensors.drivers.microphone.driver import Microphone
from sensors.drivers.microphone.waiting import Piece, Waiting
from sensors.drivers.simulated.voice import speech
from sensors.listener import FUNCTIONALS, Listener

Sound = NDArray[np.float32]
CLOCK = SystemClock()
SPOKEN = speech(4.2, pause=0.3, phrase=1.7, seed=2).samples
RATE = 16_000


class Quiet:
    """A voice network that is not there."""

    channels: tuple[str, ...] = ()

    def scores(self, samples: Sound) -> Sound:
        return np.empty(0, np.float32)


def listener(rate: float) -> Listener:
    return Listener(None, rate, network=Quiet())


class Script:
    """A source that puts in pieces with times of their own, and may fail after them."""

    simulated = True
    trouble = ""

    def __init__(self, pieces: list[tuple[Sound, float, float]], failure: str = "", pause: float = 0.001) -> None:
        self.pieces, self.failure, self.pause = pieces, failure, pause
        self.entered = self.left = 0

    async def __aenter__(self) -> Self:
        self.entered += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.left += 1

    async def feed(self, into: Waiting) -> None:
        for samples, at, rate in self.pieces:
            into.put(Piece(samples, 1000 * SECOND + round(at * SECOND), rate))
            await asyncio.sleep(self.pause)
        if self.failure:
            raise DriverFailed(self.failure)


def cut(sound: Sound, every: float = 0.1, rate: float = RATE, begin: float = 0.0) -> list[tuple[Sound, float, float]]:
    size = round(every * rate)
    return [(sound[at : at + size], begin + at / rate, rate) for at in range(0, len(sound), size)]


async def items_of(driver: Microphone) -> list[Item]:
    async with driver:
        return [item async for item in driver.items()]


def rows(items: list[Item], signal: str = FUNCTIONALS) -> list[tuple[int, Sound]]:
    blocks = [item for item in items if isinstance(item, Block) and item.signal == signal]
    assert all(block.times is not None and len(block.times) == len(block.samples) == 1 for block in blocks)
    return [(int(block.times[0]), block.samples[0]) for block in blocks if block.times is not None]


def marks(items: list[Item]) -> list[Mark]:
    return [item for item in items if isinstance(item, Mark)]

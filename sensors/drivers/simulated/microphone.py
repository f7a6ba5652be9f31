"""The simulated microphone: what the real listener made of a simulated talk, played by the clock."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import numpy as np

from kiosk.messages import SECOND
from kiosk.signals import VOICE_CHANNELS
from sensors.clock import Clock
from sensors.driver import AlwaysOpen, Block, Item, Port, Visit
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.talk import SPAN, TALKS, Row, score_channels

DEVICE = "simulated-microphone"
FUNCTIONALS, SCORES = "voice_functionals", "voice_scores"


class SimulatedMicrophone(AlwaysOpen):
    """Statistics of a voice each second and a network's scores while it speaks; the talk begins with the session."""

    simulated = True
    name = DEVICE

    def __init__(self, person: Person, visit: Visit, clock: Clock) -> None:
        self._person, self._visit, self._clock = person, visit, clock
        channels = score_channels()
        scores = (Port(SCORES, channels, None),) if channels else ()
        self.ports = (Port(FUNCTIONALS, VOICE_CHANNELS, None), *scores)

    async def items(self) -> AsyncIterator[Item]:
        """Rows, as they fall due; while a new voice is being listened to they wait, and are then told at once."""
        begin = self._clock.now() - self._visit.origin.boot
        talk = TALKS.known(self._person)
        if talk is None:
            talk = await asyncio.to_thread(TALKS.of, self._person)
        known = {port.signal for port in self.ports}
        for at, row in _played(talk, begin):
            if row.signal not in known:
                continue
            when = self._visit.origin.boot + at
            await self._clock.sleep_until(when)
            yield Block(row.signal, row.values[None], self._clock.now(), times=np.array([when], np.int64))


def _played(talk: tuple[Row, ...], begin: int) -> Iterator[tuple[int, Row]]:
    """Rows with their times since the session's origin, for ever: of whole seconds after a run's begin."""
    turn = max(0, begin // (SPAN * SECOND))
    while True:
        for row in talk:
            at = turn * SPAN * SECOND + row.time
            if at >= begin + SECOND:
                yield at, row
        turn += 1

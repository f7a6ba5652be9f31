"""The simulated visitor as devices: the same body at every electrode, so all of them see one heart."""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import lru_cache
from math import ceil, floor
from types import MappingProxyType

import numpy as np

from kiosk.messages import SECOND
from kiosk.signals import SIGNALS
from sensors.clock import Clock
from sensors.driver import AlwaysOpen, Block, DriverFactory, Item, Port, Spot, Visit
from sensors.drivers.simulated.body import Body
from sensors.drivers.simulated.person import Person

RATES: Mapping[str, float] = MappingProxyType(
    {
        "ecg": 250.0,
        "ppg": 100.0,
        "respiration": 25.0,
        "eeg": 250.0,
        "rgb": 30.0,
        "eda": 4.0,
        "skin_temperature": 4.0,
        "acceleration": 50.0,
    }
)
READ_EVERY = {True: 0.1, False: 1.0}
"""Seconds between reads, for signals that are drawn live and for the others."""
METHOD = "simulated"


def person_of(session: str) -> Person:
    """A plausible person, another one in each session, the same after a restart."""
    return Person.random(int.from_bytes(hashlib.sha256(session.encode()).digest()[:6]))


@lru_cache(maxsize=128)
def body_of(session: str, person: Person) -> Body:
    """One body per session, shared by its devices."""
    return Body(person)


class SimulatedSignal(AlwaysOpen):
    """An endless device with one signal. Its sample i is taken i/rate after the session's origin."""

    simulated = True

    def __init__(self, body: Body, signal: str, visit: Visit, clock: Clock, rate: float | None = None) -> None:
        self.name = f"simulated-{signal.replace('_', '-')}"
        self._body, self._signal, self._visit, self._clock = body, signal, visit, clock
        self._rate = rate or RATES[signal]
        self.ports = (Port(signal, body.channels(signal), self._rate),)

    async def items(self) -> AsyncIterator[Item]:
        """Samples, as they fall due."""
        origin, rate = self._visit.origin.boot, self._rate
        every = round(READ_EVERY[SIGNALS[self._signal].drawn_live] * SECOND)
        done = max(0, ceil((self._clock.now() - origin) * rate / SECOND))
        turn = (self._clock.now() - origin) // every
        while True:
            turn += 1
            await self._clock.sleep_until(origin + turn * every)
            # those whose sampling period is over, as a converter would hand them out
            due = floor((self._clock.now() - origin) * rate / SECOND + 1e-6)
            if due > done:
                samples = self._body.stretch(self._signal, rate, done, due - done)
                done = due
                yield Block(self._signal, samples, self._clock.now())


class SimulatedCamera(SimulatedSignal):
    """Skin colour with the frame times of a webcam: about 30 a second, jittering, some missing."""

    def __init__(self, body: Body, signal: str, visit: Visit, clock: Clock, rate: float | None = None) -> None:
        super().__init__(body, signal, visit, clock, rate)
        self.ports = (Port(signal, body.channels(signal), None),)

    async def items(self) -> AsyncIterator[Item]:
        """Frames of the past second, each with its time."""
        origin = self._visit.origin.boot
        second = (self._clock.now() - origin) // SECOND
        while True:
            second += 1
            await self._clock.sleep_until(origin + second * SECOND)
            chance = np.random.default_rng((self._body.person.seed, second))
            frames = np.arange(round(self._rate)) / self._rate + chance.uniform(0, 0.3 / self._rate, round(self._rate))
            seconds = (second - 1 + frames[chance.random(len(frames)) > 0.01]).round(6)
            samples = self._body.sample(self._signal, seconds)
            times = origin + np.rint(seconds * 1e6).astype(np.int64) * 1000
            yield Block(self._signal, samples, self._clock.now(), times=times)


class SimulatedSpot(AlwaysOpen):
    """A device that says a few numbers now and then."""

    simulated = True
    ports: tuple[Port, ...] = ()

    def __init__(
        self,
        name: str,
        visit: Visit,
        clock: Clock,
        measure: Callable[[float], Sequence[tuple[str, float]]],
        *,
        first: float,
        every: float,
    ) -> None:
        self.name = f"simulated-{name}"
        self._visit, self._clock, self._measure = visit, clock, measure
        self._first, self._every = first, every

    async def items(self) -> AsyncIterator[Item]:
        """Measurements at their times."""
        origin = self._visit.origin.boot
        at = self._first
        while True:
            if origin + round(at * SECOND) >= self._clock.now():
                await self._clock.sleep_until(origin + round(at * SECOND))
                now = self._clock.now()
                for measure, value in self._measure((now - origin) / SECOND):
                    yield Spot(measure, round(value, 1), now, METHOD)
            at += self._every


def signal_factory(signal: str, *, person: Person | None = None, rate: float | None = None) -> DriverFactory:
    """Makes the simulated device of one signal; without a person, of somebody plausible."""
    made = SimulatedCamera if signal == "rgb" else SimulatedSignal

    def make(visit: Visit, clock: Clock) -> SimulatedSignal:
        body = body_of(visit.session, person or person_of(visit.session))
        return made(body, signal, visit, clock, rate)

    return make


def spot_factory(name: str, *, person: Person | None = None) -> DriverFactory:
    """Makes a simulated spot device: cuff, oximeter, thermometer or scale."""

    def make(visit: Visit, clock: Clock) -> SimulatedSpot:
        body = body_of(visit.session, person or person_of(visit.session))

        def cuff(seconds: float) -> Sequence[tuple[str, float]]:
            pressure = body.blood_pressure(seconds)
            return ("systolic", round(pressure.systolic)), ("diastolic", round(pressure.diastolic))

        def oximeter(seconds: float) -> Sequence[tuple[str, float]]:
            return (("spo2", round(body.spo2(seconds))),)

        def thermometer(seconds: float) -> Sequence[tuple[str, float]]:
            return (("temperature", body.temperature(seconds)),)

        def scale(seconds: float) -> Sequence[tuple[str, float]]:
            return ("weight", body.weight()), ("height", body.height())

        devices = {
            "cuff": (cuff, 25.0, 60.0),
            "oximeter": (oximeter, 5.0, 10.0),
            "thermometer": (thermometer, 12.0, 600.0),
            "scale": (scale, 3.0, 600.0),
        }
        measure, first, every = devices[name]
        return SimulatedSpot(name, visit, clock, measure, first=first, every=every)

    return make


SPOTS = ("cuff", "oximeter", "thermometer", "scale")


def visitor(person: Person | None = None) -> list[DriverFactory]:
    """All simulated devices of a kiosk."""
    signals = [signal_factory(signal, person=person) for signal in RATES]
    return signals + [spot_factory(name, person=person) for name in SPOTS]

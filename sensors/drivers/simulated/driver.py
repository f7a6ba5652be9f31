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
from sensors.drivers.simulated.camera import DEVICE, Camera
from sensors.drivers.simulated.camera import SIGNALS as SEEN
from sensors.drivers.simulated.microphone import SimulatedMicrophone
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.scene import Scene

RATES: Mapping[str, float] = MappingProxyType(
    {
        "ecg": 250.0,
        "ppg": 100.0,
        "respiration": 25.0,
        "eeg": 250.0,
        "eda": 4.0,
        "skin_temperature": 4.0,
        "acceleration": 50.0,
    }
)
READ_EVERY = {True: 0.1, False: 1.0}
"""Seconds between reads, for signals that are drawn live and for the others."""
METHOD = "simulated"
WEBCAM = Scene.webcam()
"""What a simulated visitor sits before."""


def person_of(session: str) -> Person:
    """A plausible person, another one in each session, the same after a restart."""
    return Person.random(int.from_bytes(hashlib.sha256(session.encode()).digest()[:6]))


@lru_cache(maxsize=128)
def body_of(session: str, person: Person, scene: Scene = WEBCAM) -> Body:
    """One body per session, shared by its devices."""
    return Body(person, scene)


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


class SimulatedCamera(AlwaysOpen):
    """A webcam: skin colour, pose and expression of each frame, with the frames' own times."""

    simulated = True
    name = DEVICE

    def __init__(self, body: Body, visit: Visit, clock: Clock) -> None:
        self._visit, self._clock, self._camera = visit, clock, Camera(body)
        self.ports = tuple(Port(signal, body.channels(signal), None) for signal in SEEN)

    async def items(self) -> AsyncIterator[Item]:
        """Frames of the past second."""
        origin = self._visit.origin.boot
        second = max(0, ceil((self._clock.now() - origin) / SECOND))
        while True:
            await self._clock.sleep_until(origin + (second + 1) * SECOND)
            look = self._camera.second(second)
            second += 1
            times = origin + look.shots.nanoseconds
            now = self._clock.now()
            yield Block("rgb", look.rgb, now, times=times)
            yield Block("face_motion", look.motion, now, times=times)
            # without a face there are no units, as from a real camera
            seen = ~np.isnan(look.units).any(axis=1)
            yield Block("face_units", look.units[seen], now, times=times[seen])


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
        measures: tuple[str, ...] = (),
        first: float,
        every: float,
    ) -> None:
        self.name = f"simulated-{name}"
        self.measures = measures
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

    def make(visit: Visit, clock: Clock) -> SimulatedSignal:
        body = body_of(visit.session, person or person_of(visit.session))
        return SimulatedSignal(body, signal, visit, clock, rate)

    return make


def camera_factory(*, person: Person | None = None, scene: Scene = WEBCAM) -> DriverFactory:
    """Makes the simulated camera: one device with several signals, as a real one."""

    def make(visit: Visit, clock: Clock) -> SimulatedCamera:
        return SimulatedCamera(body_of(visit.session, person or person_of(visit.session), scene), visit, clock)

    return make


def microphone_factory(*, person: Person | None = None) -> DriverFactory:
    """Makes the simulated microphone."""

    def make(visit: Visit, clock: Clock) -> SimulatedMicrophone:
        return SimulatedMicrophone(person or person_of(visit.session), visit, clock)

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
            "cuff": (cuff, ("systolic", "diastolic"), 25.0, 60.0),
            "oximeter": (oximeter, ("spo2",), 5.0, 10.0),
            "thermometer": (thermometer, ("temperature",), 12.0, 600.0),
            "scale": (scale, ("weight", "height"), 3.0, 600.0),
        }
        measure, measures, first, every = devices[name]
        return SimulatedSpot(name, visit, clock, measure, measures=measures, first=first, every=every)

    return make


SPOTS = ("cuff", "oximeter", "thermometer", "scale")


def visitor(person: Person | None = None) -> list[DriverFactory]:
    """All simulated devices of a kiosk."""
    signals = [signal_factory(signal, person=person) for signal in RATES]
    spots = [spot_factory(name, person=person) for name in SPOTS]
    return [*signals, camera_factory(person=person), microphone_factory(person=person), *spots]

"""A recording as devices: each device of it plays its tracks again, in real time, faster, or as fast as possible.

A sample that the recording has at t is taken t after the session's origin, so that its times are those of the file
whatever the speed. Faster than real time they therefore lie ahead of the clock.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from kiosk.errors import BadRecording
from kiosk.messages import SECOND
from kiosk.recording import Mark, Recording, Track
from kiosk.signals import SIGNALS
from sensors import driver
from sensors.clock import Clock
from sensors.driver import LIVE_CHUNK, AlwaysOpen, Block, DriverFactory, Item, Port, Visit
from sensors.files.played import blocks

BLOCK = LIVE_CHUNK
"""Seconds in a block: what a screen that sweeps the signal wants."""
ANNOTATION, MARKS = "annotation", "marks"
"""The event that a recording's mark becomes, with the mark as its detail; and the device that says it."""
SLOW_START = 5.0
"""Seconds after a visit's start within which a recording is played from its beginning, however late it is."""


def replay(recording: Recording, *, speed: float | None = 1.0, name: str | None = None) -> list[DriverFactory]:
    """The devices of a recording. Speed 1 is real time, None as fast as what listens can take it."""
    if speed is not None and not 0.01 <= speed <= 1000:
        raise BadRecording(f"{recording.name}: cannot be played {speed:g} times as fast, only 0.01 to 1000 times")
    devices: dict[str, list[Track]] = {}
    for track in recording.tracks:
        _check(recording, track)
        devices.setdefault(track.device, []).append(track)
    if not devices:
        raise BadRecording(f"{recording.name}: has no signal to play")
    if name is not None and len(devices) > 1:
        raise BadRecording(f"{recording.name}: has {len(devices)} devices, which cannot share the name {name}")
    played: list[DriverFactory] = [_factory(name or device, tuple(tracks), speed) for device, tracks in devices.items()]
    if recording.marks:
        marks = recording.marks
        played.append(lambda visit, clock: ReplayedMarks(marks, visit, clock, speed=speed))
    return played


def _check(recording: Recording, track: Track) -> None:
    """Refuse before the visit what the wire would refuse during it."""
    signal = SIGNALS.get(track.signal)
    if signal is None or not signal.leaves:
        raise BadRecording(f"{recording.name}: {track.signal} is not played")
    if not signal.accepts_rate(track.rate):
        rate = f"at {track.rate:g} Hz" if track.rate else "at irregular times"
        raise BadRecording(f"{recording.name}: {track.signal} {rate} is not played")
    if not signal.accepts_channels(track.channels):
        raise BadRecording(f"{recording.name}: {track.signal} with these {len(track.channels)} channels is not played")


def _factory(device: str, tracks: tuple[Track, ...], speed: float | None) -> Callable[[Visit, Clock], "Replay"]:
    return lambda visit, clock: Replay(device, tracks, visit, clock, speed=speed)


class Replay(AlwaysOpen):
    """One device of a recording. It ends with the recording."""

    simulated = True
    """Nobody sits there: what plays must never pass for a live measurement."""

    def __init__(
        self, name: str, tracks: tuple[Track, ...], visit: Visit, clock: Clock, *, speed: float | None = 1.0
    ) -> None:
        self.name = name
        self.ports = tuple(Port(track.signal, track.channels, track.rate) for track in tracks)
        self._tracks, self._visit, self._clock, self._speed = tracks, visit, clock, speed

    async def items(self) -> AsyncIterator[Item]:
        """Blocks as they fall due. A restart goes on where the recording is by now, as a device would."""
        origin = self._visit.origin.boot
        late = self._clock.now() - origin
        passed = 0
        if self._speed is not None and late > SLOW_START * SECOND:
            passed = round(late * self._speed)
        for block in blocks(self._tracks, BLOCK, start=passed):
            if self._speed is None:
                await asyncio.sleep(0)
            else:
                await self._clock.sleep_until(origin + round(block.due / self._speed))
            yield Block(
                block.track.signal,
                block.samples,
                origin + block.complete,
                None if block.track.rate else origin + block.times,
                block.lost,
            )


class ReplayedMarks(AlwaysOpen):
    """A recording's marks. An event has no duration, so that a mark which has one is followed by a mark of its end."""

    simulated = True
    name = MARKS
    ports: tuple[Port, ...] = ()

    def __init__(self, marks: tuple[Mark, ...], visit: Visit, clock: Clock, *, speed: float | None = 1.0) -> None:
        self._visit, self._clock, self._speed = visit, clock, speed
        self._marks = sorted([*marks, *_ends(marks)], key=lambda mark: mark.time)

    async def items(self) -> AsyncIterator[Item]:
        """The marks as they fall due; after a restart those that are still to come."""
        origin = self._visit.origin.boot
        late = self._clock.now() - origin
        passed = 0.0
        if self._speed is not None and late > SLOW_START * SECOND:
            passed = late * self._speed
        for mark in self._marks:
            if self._speed is not None:
                if mark.time < passed:
                    continue
                await self._clock.sleep_until(origin + round(mark.time / self._speed))
            yield driver.Mark(ANNOTATION, origin + mark.time, mark.text)


def _ends(marks: tuple[Mark, ...]) -> list[Mark]:
    """The ends of marks that last. What follows at once on the same subject ends it by itself; on another one it does
    not, and at one time the two would contradict each other."""
    begins: dict[int, set[str]] = {}
    for mark in marks:
        begins.setdefault(mark.time, set()).update(mark.text.lower().split())
    ends = []
    for mark in marks:
        end = mark.time + round(mark.duration * SECOND)
        following = begins.get(end, set())
        if mark.duration > 0 and not following.intersection(mark.text.lower().split()):
            ends.append(Mark(end - 1 if following else end, f"end of {mark.text}"))
    return ends

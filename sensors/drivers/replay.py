"""A recording as devices: each device of it plays its tracks again, in real time, faster, or as fast as possible.

A sample that the recording has at t is taken t after the session's origin, so that its times are those of the file
whatever the speed. Faster than real time they therefore lie ahead of the clock.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from kiosk.errors import BadRecording
from kiosk.messages import SECOND
from kiosk.recording import Recording, Track
from kiosk.signals import SIGNALS
from sensors.clock import Clock
from sensors.driver import LIVE_CHUNK, AlwaysOpen, Block, DriverFactory, Item, Port, Visit
from sensors.files.played import blocks

BLOCK = LIVE_CHUNK
"""Seconds in a block: what a screen that sweeps the signal wants."""
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
    return [_factory(name or device, tuple(tracks), speed) for device, tracks in devices.items()]


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

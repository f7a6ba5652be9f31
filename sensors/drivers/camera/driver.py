"""The camera as a device: a source's pictures through the observer, and what may leave of them onto the wire."""

from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Self

import numpy as np

from kiosk.errors import BadSettings
from kiosk.messages import SECOND
from kiosk.signals import MOTION_CHANNELS, RGB_CHANNELS, SIGNALS, UNIT_CHANNELS
from sensors.clock import Clock
from sensors.driver import Block, Item, Mark, Port, Visit
from sensors.drivers.camera.pace import Pace
from sensors.drivers.camera.watch import Looker, LookerFactory, Watch
from sensors.face.seen import Numbers, Sight
from sensors.feeding import Feeding, gone
from sensors.frames.latest import Also, Latest
from sensors.frames.source import SourceFactory

STOP_WITHIN = 3.0
TOGETHER = 0.2
"""Seconds of sights that go out together: a fifth of a chunk."""
TROUBLE_EVERY = 10.0
"""Seconds between two marks of trouble, at least."""


class Camera:
    """A run of the camera. Whatever the observer takes, the event loop goes on, and times are those of the pictures."""

    def __init__(
        self,
        clock: Clock,
        source: SourceFactory,
        looker: LookerFactory,
        *,
        score_channels: tuple[str, ...] = (),
        name: str = "camera",
        also: Also | None = None,
    ) -> None:
        self.name = name
        self.ports = _ports(score_channels)
        self._clock, self._looker, self._channels = clock, looker, score_channels
        self._source = source(clock)
        self.simulated = self._source.simulated
        self._pictures = Latest(also=also)
        self._watch: Watch | None = None
        self._feeding = Feeding(self._source, self._pictures, name=self.name)
        self._pace = Pace()
        self._told: tuple[str, int] | None = None

    @property
    def trouble(self) -> str:
        """What an operator should know: pictures too slow or passed over, a camera that cannot be held."""
        return "; ".join(each for each in (self._pace.trouble(), self._source.trouble) if each)

    @property
    def dropped(self) -> int:
        """Pictures that came and were not looked at."""
        return self._pictures.dropped + (self._watch.skipped if self._watch else 0)

    async def __aenter__(self) -> Self:
        await self._source.__aenter__()
        self._watch = Watch(self._pictures, self._looker, self._channels)
        self._watch.start()
        # a film's first second must not go by while networks are opened
        self._feeding.begin(self._watch.ready.wait)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._feeding.stop(kind, error, trace)
        watch = self._watch
        if watch is not None:
            # the last picture is looked at to its end, then the networks are given back
            await gone(lambda: watch.alive, self._clock, round(STOP_WITHIN * SECOND))

    async def items(self) -> AsyncIterator[Item]:
        """Blocks of what was seen, with the pictures' times, and marks of what happened."""
        watch = self._watch
        assert watch is not None
        while (first := await watch.get()) is not None:
            together = [first]
            ended = False
            while watch.more() and together[-1][0].at - first[0].at < TOGETHER * SECOND:
                following = await watch.get()
                if following is None:
                    ended = True
                    break
                together.append(following)
            now = max(self._clock.now(), together[-1][0].at)
            for item in _blocks([sight for sight, _ in together], now):
                yield item
            for sight, jump in together:
                for mark in self._marks(sight, jump):
                    yield mark
            if ended:
                break
        watch.check()

    def _marks(self, sight: Sight, jump: float | None) -> list[Item]:
        """What happened at a picture, and what its source may show of it."""
        self._source.saw(sight)
        self._pace.note(sight.at, self._pictures.taken, self.dropped)
        marks: list[Item] = [Mark(event, sight.at, detail) for event, detail in sight.marks]
        if jump is not None:
            marks.append(Mark("exposure_changed", sight.at, f"{jump - 1:+.0%}"))
        trouble = self.trouble
        before, when = self._told or ("", sight.at - round(TROUBLE_EVERY * SECOND))
        if trouble != before and sight.at - when >= TROUBLE_EVERY * SECOND:
            self._told = trouble, sight.at
            marks.append(Mark("camera_trouble" if trouble else "camera_well", sight.at, trouble[:500]))
        return marks


def _ports(score_channels: tuple[str, ...]) -> tuple[Port, ...]:
    ports = [
        Port("rgb", RGB_CHANNELS, None),
        Port("face_motion", MOTION_CHANNELS, None),
        Port("face_units", UNIT_CHANNELS, None),
    ]
    if score_channels:
        if not SIGNALS["face_scores"].accepts_channels(score_channels):
            most = SIGNALS["face_scores"].most_channels
            raise BadSettings(f"the installed expression networks have {len(score_channels)} outputs, at most {most}")
        ports.append(Port("face_scores", score_channels, None))
    return tuple(ports)


def _blocks(sights: Sequence[Sight], now: int) -> list[Item]:
    blocks: list[Item] = []
    parts: list[tuple[str, list[tuple[int, Numbers | None]]]] = [
        ("rgb", [(sight.at, sight.rgb) for sight in sights]),
        ("face_motion", [(sight.at, sight.motion) for sight in sights]),
        ("face_units", [(sight.at, sight.units) for sight in sights]),
        ("face_scores", [(sight.at, sight.scores) for sight in sights]),
    ]
    for signal, rows in parts:
        there = [(at, row) for at, row in rows if row is not None]
        if there:
            times = np.array([at for at, _ in there], dtype=np.int64)
            blocks.append(Block(signal, np.stack([row for _, row in there]), now, times=times))
    return blocks


class Cameras:
    """Makes the drivers of one camera, run after run, and remembers which networks there are."""

    def __init__(
        self,
        source: SourceFactory,
        looker: LookerFactory,
        *,
        score_channels: tuple[str, ...],
        name: str = "camera",
        also: Also | None = None,
    ) -> None:
        self._source, self._looker, self._name, self._also = source, looker, name, also
        self._channels = score_channels
        _ports(score_channels)

    def __call__(self, visit: Visit, clock: Clock) -> Camera:
        """The driver of a run."""
        return Camera(clock, self._source, self._make, score_channels=self._channels, name=self._name, also=self._also)

    def _make(self) -> Looker:
        looker = self._looker()
        # where a network was added or removed meanwhile this run fails, and the next has the right ports
        self._channels = tuple(looker.score_channels)
        return looker

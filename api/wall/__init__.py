"""The live wall: all kiosks of a clinic at once, a few words a second of each, for as long as anybody looks.

Nothing is queued: a viewer is told what is so now, and which part of a trace it has not had. One that is too slow
misses the oldest points, and slows nobody down.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from api.metrics import Metrics
from api.store import utc_now
from api.store.roster import Seat
from api.wall.known import MEASURES, Known, card_of
from api.wall.thinning import KEEP, SIGNALS
from kiosk import topics
from kiosk.bus import Bus, Delivery
from kiosk.errors import Refused
from kiosk.messages import Chunk, Event, Reading, Session, Status, decode

log = logging.getLogger(__name__)

EVERY = 0.25
"""Seconds between two words to a viewer."""
AGE_EVERY = 4
"""So many of them between two looks at who has fallen silent."""
LOOK_EVERY = 5.0
"""Seconds between two looks into the record: a new kiosk, a name, an alert."""
LOOK_AT_ONCE = 0.5
"""The same, where the bus spoke of what the record did not know yet."""
MOST_KIOSKS = 1000
"""Whose words are kept. Who may write to a broker without passwords could make up more."""
PATTERNS = (
    topics.pattern("status"),
    topics.pattern("session"),
    topics.pattern("event"),
    *(topics.pattern("chunk", name=signal) for signal in SIGNALS),
    *(topics.pattern("reading", name=measure) for measure in MEASURES),
)
Look = Callable[[str | None], dict[str, Seat]]
"""Reads a clinic's seats from the record; called in a thread."""
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class _Room:
    """What the viewers of one clinic see."""

    clinic: str | None
    seats: dict[str, Seat] = field(default_factory=dict)
    version: int = 0
    """Of the list of kiosks."""
    cards: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Each with the turn in which it last changed."""
    viewers: set["Viewer"] = field(default_factory=set)
    dirty: set[str] = field(default_factory=set)
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Viewer:
    """One page that looks at the wall."""

    def __init__(self, wall: "Wall", room: _Room) -> None:
        self._wall, self._room = wall, room
        self._list = -1
        self._turn = -1
        self._view: frozenset[str] = frozenset()
        self._had: dict[str, tuple[int, int]] = {}
        self.dropped = 0

    def look_at(self, kiosks: Collection[str]) -> None:
        """Which cards are on the screen: of these the traces come."""
        self._view = frozenset(kiosks)
        self._had = {kiosk: had for kiosk, had in self._had.items() if kiosk in self._view}

    @property
    def view(self) -> frozenset[str]:
        """What is on its screen, of what its clinic has."""
        return self._view & self._room.seats.keys()

    async def words(self) -> AsyncIterator[bytes]:
        """What to send, as it becomes known, until the wall stops."""
        while await self._wall.turn(self._turn):
            if self._list != self._room.version:
                self._list, self._turn = self._room.version, -1
                yield self._roster()
            yield self._now()

    def _roster(self) -> bytes:
        listed = [{"kiosk": seat.kiosk, "place": seat.place} for seat in self._room.seats.values()]
        return _encode({"kind": "roster", "kiosks": listed})

    def _now(self) -> bytes:
        turn, self._turn = self._turn, self._wall.turns
        cards = {kiosk: msgspec.Raw(text) for kiosk, (at, text) in self._room.cards.items() if at > turn}
        traces = {kiosk: piece for kiosk in self.view if (piece := self._piece(kiosk)) is not None}
        said: dict[str, object] = {"kind": "now", "now": utc_now() // 1_000_000, "cards": cards, "traces": traces}
        if self.dropped:
            said["dropped"] = self.dropped
        return _encode(said)

    def _piece(self, kiosk: str) -> dict[str, object] | None:
        known = self._wall.known.get(kiosk)
        # samples of a visit that the record does not give to this clinic are nobody's here
        if known is None or known.session not in self._room.seats[kiosk].sittings:
            return None
        trace = known.trace
        epoch, had = self._had.get(kiosk, (trace.epoch, -1 << 62))
        if epoch != trace.epoch:
            had = -1 << 62
        new = trace.after(had)
        if not new:
            return None
        self._had[kiosk] = (trace.epoch, new[-1].number)
        first = new[0].number
        if had > -1 << 62 and len(new) == KEEP and first > had + 1:
            self.dropped += first - had - 1
            self._wall.metrics.live_dropped.inc(first - had - 1)
        # points by number from the first; where nothing came, null
        first = max(first, new[-1].number - KEEP)
        points: list[float | None] = [None] * (2 * (new[-1].number - first + 1))
        for bucket in new:
            if bucket.number < first:
                continue
            points[2 * (bucket.number - first)] = _short(bucket.first)
            points[2 * (bucket.number - first) + 1] = _short(bucket.second)
        return {"signal": trace.signal, "epoch": trace.epoch, "at": first, "points": points}


class Wall:
    """Listens to every kiosk as long as anybody looks at any."""

    def __init__(self, bus: Bus, metrics: Metrics) -> None:
        self._bus = bus
        self.metrics = metrics
        self.known: OrderedDict[str, Known] = OrderedDict()
        self.turns = 0
        self._rooms: dict[str | None, _Room] = {}
        self._began = 0
        self._turned = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self._open = False

    @asynccontextmanager
    async def watch(self, clinic: str | None, look: Look) -> AsyncIterator[Viewer]:
        """A viewer of a clinic's kiosks; None: of all."""
        room = self._rooms.get(clinic)
        if room is None:
            room = self._rooms[clinic] = _Room(clinic)
            room.task = asyncio.create_task(self._look(room, look), name="wall's record")
        viewer = Viewer(self, room)
        room.viewers.add(viewer)
        self.metrics.live_clients.inc()
        if not self._tasks:
            self._begin()
        try:
            yield viewer
        finally:
            self.metrics.live_clients.dec()
            room.viewers.discard(viewer)
            if not room.viewers:
                self._rooms.pop(clinic, None)
                await _cancelled([room.task] if room.task else [])
            if not self._rooms:
                await self.close()

    async def turn(self, had: int) -> bool:
        """Wait until there may be news; False once the wall stops."""
        async with self._turned:
            await self._turned.wait_for(lambda: self.turns > max(0, had) or not self._open)
        return self._open

    async def close(self) -> None:
        """Forget all that was heard, and tell whoever still looks."""
        self._open = False
        tasks, self._tasks = self._tasks, []
        self.known.clear()
        await _cancelled(tasks)
        async with self._turned:
            self._turned.notify_all()

    def _begin(self) -> None:
        self._open, self._began = True, utc_now()
        self._tasks = [
            asyncio.create_task(self._listen(), name="wall"),
            asyncio.create_task(self._tick(), name="wall's turns"),
        ]

    async def _listen(self) -> None:
        try:
            async with self._bus.subscribe(*PATTERNS) as arriving:
                while batch := await arriving.batch():
                    for delivery in batch:
                        self._hear(delivery)
        except Exception as error:
            log.error("listening for the wall failed: %s", type(error).__name__)  # noqa: TRY400
        # whoever looks is told, and comes again
        self._open = False
        async with self._turned:
            self._turned.notify_all()

    def _hear(self, delivery: Delivery) -> None:
        now = utc_now()
        try:
            where = topics.parse(delivery.topic)
            known = self._known(where.kiosk)
            if where.kind == "chunk" and not (self._viewed(where.kiosk) and known.trace.wants(where.name, now)):
                known.heard = known.sampled = now
                return
            _, message = decode(delivery.topic, delivery.payload)
        except Refused as refusal:
            self.metrics.live_refused.labels(refusal.reason).inc()
            return
        if isinstance(message, Status):
            known.status(message, now)
        elif isinstance(message, Session):
            known.word(message, now)
        elif isinstance(message, Reading):
            known.reading(message, now)
        elif isinstance(message, Event):
            known.event(message, now)
        elif isinstance(message, Chunk):
            known.samples(message.stream.session, now)
            if message.stream.session == known.session:
                known.trace.add(message, now)
            return
        for room in self._rooms.values():
            if where.kiosk not in room.seats or (
                known.session is not None and known.session not in room.seats[where.kiosk].sittings
            ):
                room.wanted.set()
            room.dirty.add(where.kiosk)

    def _known(self, kiosk: str) -> Known:
        known = self.known.get(kiosk)
        if known is None:
            known = self.known[kiosk] = Known()
            while len(self.known) > MOST_KIOSKS:
                self.known.popitem(last=False)
        return known

    def _viewed(self, kiosk: str) -> bool:
        return any(kiosk in viewer.view for room in self._rooms.values() for viewer in room.viewers)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self.turns += 1
            for room in self._rooms.values():
                if room.looked.is_set():
                    self._draw(room, everybody=self.turns % AGE_EVERY == 0)
            async with self._turned:
                self._turned.notify_all()

    def _draw(self, room: _Room, *, everybody: bool) -> None:
        now = utc_now()
        due = room.seats.keys() if everybody else room.dirty & room.seats.keys()
        for kiosk in due:
            known = self.known.get(kiosk) or Known()
            if kiosk not in self.known:
                known.noted(room.seats[kiosk])
            text = _encode(card_of(known, room.seats[kiosk], self._began, now))
            if room.cards.get(kiosk, (0, b""))[1] != text:
                room.cards[kiosk] = (self.turns, text)
        room.dirty.clear()

    async def _look(self, room: _Room, look: Look) -> None:
        while True:
            try:
                seats = await asyncio.to_thread(look, room.clinic)
            except Exception as error:
                # what is shown stays, and ages; the next look may do better
                log.warning("the wall cannot read the record: %s", type(error).__name__)
            else:
                self._seat(room, seats)
            room.wanted.clear()
            await asyncio.sleep(LOOK_AT_ONCE)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(room.wanted.wait(), LOOK_EVERY - LOOK_AT_ONCE)

    def _seat(self, room: _Room, seats: dict[str, Seat]) -> None:
        listed = [(seat.kiosk, seat.place) for seat in seats.values()]
        if listed != [(seat.kiosk, seat.place) for seat in room.seats.values()] or not room.looked.is_set():
            room.version += 1
        room.seats = seats
        room.cards = {kiosk: card for kiosk, card in room.cards.items() if kiosk in seats}
        for kiosk, seat in seats.items():
            if kiosk in self.known:
                self.known[kiosk].noted(seat)
        room.dirty |= seats.keys()
        room.looked.set()


def _short(value: float) -> float:
    """Four digits: a trace is forty pixels high."""
    return float(f"{value:.4g}")


async def _cancelled(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

"""What is heard of one kiosk, and how that looks on a card."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from api.store.roster import Seat, Sitting
from api.wall.thinning import Trace
from kiosk.messages import SECOND, Event, Reading, Session, Status

SERVICE = "sensors"
"""The device that speaks for the kiosk itself."""
AWAY = 30 * SECOND
"""A kiosk says what it does every five seconds: so long without a word is no word lost, it is away."""
NO_SIGNAL = 5 * SECOND
"""A signal comes ten times a second. The live page calls it lost after as long."""
OLD = 6 * SECOND
"""A number of which no newer came: live ones come every second."""
MOST_WAITING = 200
"""Messages in an outbox: some are always on their way; so many and the way here is blocked."""
MOST_DEVICES = 256
MOST_TROUBLES = 4
SOURCES = ("ecg", "ppg", "rgb", "camera", "respiration")
"""Of several that give a number, whose is shown."""
MEASURES = ("heart_rate", "respiration_rate")
GRAVE = frozenset({"failed", "no_signal", "waiting"})
"""What somebody should see to now. What was lost once stays lost, and a device's remark is one."""
State = Literal["measuring", "free", "trouble", "offline", "revoked"]


class Number(Struct, frozen=True, omit_defaults=True):
    """A live number, or why there is none."""

    value: float | None = None
    quality: float | None = None
    source: str = ""
    absent: str | None = None
    old: bool = False


class Trouble(Struct, frozen=True):
    """What is wrong, in a word, and the kiosk's own words for it."""

    what: Literal["failed", "lost", "waiting", "no_signal", "no_signal_yet", "words", "revoked", "away"]
    device: str = ""
    detail: str = ""
    count: int = 0


class Badge(Struct, frozen=True):
    """Alerts that nobody has seen to."""

    count: int
    severity: str
    session: str


class Card(Struct, frozen=True):
    """One kiosk as the wall shows it."""

    state: State
    heard: int | None
    """UTC in milliseconds; null where nothing was ever heard."""
    session: str | None = None
    since: int | None = None
    """UTC in milliseconds."""
    simulated: bool = False
    person: str | None = None
    heart: Number | None = None
    breath: Number | None = None
    troubles: tuple[Trouble, ...] = ()
    alert: Badge | None = None


@dataclass(slots=True)
class Told:
    """A device's last word, and when it came; where it may be an old one that the broker kept, nobody knows when."""

    status: Status
    at: int | None
    came: int


@dataclass(slots=True)
class Known:
    """What was heard of a kiosk since somebody looks."""

    told: OrderedDict[str, Told] = field(default_factory=OrderedDict)
    session: str | None = None
    origin: int | None = None
    heard: int | None = None
    sampled: int = 0
    """When the last samples came."""
    sat: int = 0
    """When the visit was first heard of."""
    trace: Trace = field(default_factory=Trace)
    numbers: dict[str, dict[str, tuple[Reading, int]]] = field(default_factory=dict)

    def status(self, status: Status, now: int) -> None:
        """A device says what it does."""
        first = status.device not in self.told
        self.told[status.device] = Told(status, None if first else now, now)
        self.told.move_to_end(status.device)
        while len(self.told) > MOST_DEVICES:
            self.told.popitem(last=False)
        if not first:
            self.heard = now
        if status.device == SERVICE:
            self.sit(status.session if status.state == "running" else None, now)

    def sit(self, session: str | None, now: int, origin: int | None = None) -> None:
        """A visit is in progress, or none."""
        if session != self.session:
            self.session, self.origin, self.sampled, self.sat = session, None, 0, now
            self.numbers.clear()
            self.trace.clear()
        self.origin = origin if origin is not None else self.origin

    def word(self, word: Session, now: int) -> None:
        """The kiosk speaks of a visit. An old one may be kept by the broker: it is no sign of life."""
        if word.state == "open":
            service = self.told.get(SERVICE)
            if service is None or service.status.session in (None, word.stream.session):
                self.sit(word.stream.session, now, word.origin.utc)
        elif word.stream.session == self.session:
            self.sit(None, now)

    def reading(self, reading: Reading, now: int) -> None:
        """A live number."""
        if reading.stream.session == self.session:
            self.numbers.setdefault(reading.measure, {})[reading.source] = (reading, now)

    def samples(self, session: str, now: int) -> None:
        """Samples came, drawn or not."""
        self.heard = self.sampled = now
        if self.session is None and SERVICE not in self.told:
            self.sit(session, now)

    def event(self, event: Event, now: int) -> None:
        """A mark: a sign of life."""
        self.heard = now

    def noted(self, seat: Seat) -> None:
        """What the recorder noted says when a word came that may have been an old one."""
        for device, told in self.told.items():
            if told.at is None:
                told.at = min(seat.seen.get(device, told.came), told.came)
        known = [told.at for told in self.told.values() if told.at is not None]
        latest = max([*known, *seat.seen.values()], default=None)
        if latest is not None:
            self.heard = max(latest, self.heard or 0)


def card_of(known: Known, seat: Seat, began: int, now: int) -> Card:
    """How a kiosk looks now; `began`: since when somebody listens."""
    heard = known.heard
    alert = None if seat.raised is None else Badge(seat.raised.count, seat.raised.severity, seat.raised.session)
    last = None if heard is None else heard // 1_000_000
    if seat.revoked:
        return Card("revoked", last, alert=alert, troubles=(Trouble("revoked"),))
    service = known.told.get(SERVICE)
    gone = service is not None and service.status.state in ("gone", "stopped")
    if heard is None or now - heard > AWAY or gone:
        return Card("offline", last, alert=alert, troubles=(Trouble("away"),))
    # whose session it is, only the record knows: until it does, nothing of it is shown
    sitting = None if known.session is None else seat.sittings.get(known.session)
    troubles = tuple(_troubles(known, sitting, began, now))[:MOST_TROUBLES]
    grave = any(each.what in GRAVE for each in troubles)
    state: State = "trouble" if grave else "measuring" if sitting is not None else "free"
    if sitting is None:
        return Card(state, _tens(last), troubles=troubles, alert=alert)
    origin = known.origin or sitting.origin_ns
    return Card(
        state,
        _tens(last),
        session=sitting.id,
        since=None if origin is None else origin // 1_000_000,
        simulated=sitting.simulated,
        person=sitting.pseudonym,
        heart=_number(known, "heart_rate", now),
        breath=_number(known, "respiration_rate", now),
        troubles=troubles,
        alert=alert,
    )


def _tens(last: int | None) -> int | None:
    """To ten seconds: what is alive need not be told again for each word."""
    return None if last is None else last // 10_000 * 10_000


def _number(known: Known, measure: str, now: int) -> Number | None:
    heard = known.numbers.get(measure)
    if not heard:
        return None

    def rank(source: str) -> tuple[bool, bool, int, str]:
        reading, at = heard[source]
        place = SOURCES.index(source) if source in SOURCES else len(SOURCES)
        return (now - at > OLD, reading.value is None, place, source)

    source = min(heard, key=rank)
    reading, at = heard[source]
    value = None if reading.value is None else round(reading.value, 1)
    quality = None if reading.quality is None else round(reading.quality, 2)
    return Number(value, quality, source, reading.absent, now - at > OLD)


def _troubles(known: Known, sitting: Sitting | None, began: int, now: int) -> list[Trouble]:
    found = []
    if sitting is not None and now - max(known.sampled, began, known.sat) > NO_SIGNAL:
        # only what came and comes no more is amiss: a visit has steps without any signal at its beginning
        found.append(Trouble("no_signal" if known.sampled else "no_signal_yet"))
    lost = waiting = 0
    for name, told in known.told.items():
        status, at = told.status, told.at or told.came
        if now - at > AWAY:
            continue  # a device that was taken away is not heard of any more
        lost, waiting = max(lost, status.lost), max(waiting, status.waiting)
        if status.state == "failed":
            found.append(Trouble("failed", name, status.detail[:200]))
        elif status.detail and status.state == "running":
            found.append(Trouble("words", "" if name == SERVICE else name, status.detail[:200]))
    if lost:
        found.append(Trouble("lost", count=lost))
    if waiting > MOST_WAITING:
        found.append(Trouble("waiting", count=waiting))
    return found

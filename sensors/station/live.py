"""What the devices of this process are saying: the last seconds of each signal, for the visitor's screen alone."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from kiosk.signals import RGB_CHANNELS
from sensors.driver import Block, Driver, Item, Spot, SpotDevice, Visit
from sensors.station.contact import LIMITS, WINDOW, State, contact
from sensors.station.guide import Guidance, Guide
from sensors.station.progress import Kit
from sensors.station.view import Contact, Wave

SILENT = 3.0
"""Seconds without a sample after which a sensor is told to be silent: what comes each second may be one late."""
DRAWN = ("ppg", "ecg", "eeg", "respiration", "eda", "rgb")
"""Signals whose waves are drawn."""
DRAWN_RATE = 60.0
"""Samples a second that a screen shows of them: it has no more pictures."""
MOST_HELD = 600
"""Samples of a wave that wait for the page: what an absent page does not fetch is not kept for it."""
WATCHED = (*LIMITS, "rgb")
"""Signals that are missed while they are silent."""
GREEN = RGB_CHANNELS.index("whole_g")
"""The channel in which a pulse is seen best (Verkruysse 2008, doi:10.1364/OE.16.021434)."""


@dataclass(slots=True)
class _Feed:
    """One signal of one device."""

    rate: float | None
    heard: int
    """When a sample came last."""
    rows: deque[NDArray[np.float64]] = field(default_factory=deque)
    held: int = 0
    taken: int = 0
    """Samples that came while somebody watched."""
    wave: list[float | None] = field(default_factory=list)
    wave_at: float = 0.0
    """Milliseconds of the first of the wave, since the visit began."""
    wave_step: float = 0.0


class Live:
    """A witness of the sensors: it keeps a few seconds, and tells whoever asks."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._feeds: dict[tuple[str, str], _Feed] = {}
        self._guide = Guide()
        self._visit: Visit | None = None
        self._measures: set[str] = set()
        self._offered: dict[str, tuple[str, ...]] = {}
        self.guidance: Guidance | None = None
        self.spots: deque[Spot] = deque(maxlen=100)
        """Those that nobody has taken yet."""
        self.watched = False
        """Whether a page is there to draw waves."""
        self.stopped: deque[str] = deque(maxlen=10)
        """Sessions that ended, and nobody has taken note of."""

    # --- what the sensors tell

    def began(self, visit: Visit) -> None:
        """A visit goes on."""
        self._visit = visit
        self._feeds.clear()
        self._offered.clear()
        self._measures.clear()
        self.spots.clear()
        self._guide, self.guidance = Guide(), None

    def made(self, driver: Driver) -> None:
        """A device is about to run: its signals are what the kiosk can measure."""
        self._offered[driver.name] = tuple(port.signal for port in driver.ports)
        if isinstance(driver, SpotDevice):
            self._measures.update(driver.measures)
        for port in driver.ports:
            self._feeds[port.signal, driver.name] = _Feed(port.rate, self._now())

    def heard(self, device: str, item: Item) -> None:
        """A device said something."""
        if isinstance(item, Spot):
            self._measures.add(item.measure)
            self.spots.append(item)
        elif isinstance(item, Block):
            feed = self._feeds.get((item.signal, device))
            if feed is None or not len(item.samples):
                return
            feed.heard = self._now()
            if item.signal in LIMITS:
                _keep(feed, item)
            if item.signal in DRAWN and self.watched and self._visit is not None:
                _draw(feed, item, self._visit.origin.boot)
            if item.signal == "face_motion" and item.times is not None:
                for at, row in zip(item.times, item.samples, strict=True):
                    self.guidance = self._guide.look(int(at), np.asarray(row, dtype=np.float32))

    def closed(self, device: str) -> None:
        """A device's run has ended. What it offers it may offer again: it is tried again."""
        for (_, name), feed in self._feeds.items():
            if name == device:
                feed.rows.clear()
                feed.held = 0

    def ended(self, session: str) -> None:
        """The visit has ended."""
        self._visit = None
        self._feeds.clear()
        self.spots.clear()
        self.guidance = None
        self.stopped.append(session)

    # --- what the screen asks

    @property
    def kit(self) -> Kit:
        """What this kiosk's devices offer in this visit."""
        signals = {signal for offered in self._offered.values() for signal in offered}
        return Kit(frozenset(signals), frozenset(self._measures))

    def contacts(self, signals: tuple[str, ...]) -> tuple[Contact, ...]:
        """How the sensors of these signals sit."""
        found = []
        for (signal, device), feed in sorted(self._feeds.items()):
            if signal in signals and signal in LIMITS:
                found.append(Contact(signal, device, self._state(signal, feed)))
        return tuple(found)

    def troubles(self) -> tuple[Contact, ...]:
        """Sensors on the body that do not sit well, and any that are silent."""
        found = []
        for (signal, device), feed in sorted(self._feeds.items()):
            if signal in WATCHED:
                state = self._state(signal, feed)
                if state != "good":
                    found.append(Contact(signal, device, state))
        return tuple(found)

    def waves(self) -> list[Wave]:
        """Samples that nobody has drawn yet."""
        found = []
        for (signal, device), feed in self._feeds.items():
            if feed.wave:
                found.append(Wave(signal, device, round(feed.wave_at, 1), round(feed.wave_step, 3), tuple(feed.wave)))
                feed.wave_at += feed.wave_step * len(feed.wave)
                feed.wave = []
        return found

    def _state(self, signal: str, feed: _Feed) -> State:
        if self._now() - feed.heard > SILENT * SECOND:
            return "silent"
        rate = feed.rate
        # without a rate nothing but silence is told
        if signal not in LIMITS or rate is None or feed.held < WINDOW * rate:
            return "good"
        return contact(signal, np.concatenate(feed.rows)[-round(WINDOW * rate) :], rate)


def _keep(feed: _Feed, block: Block) -> None:
    """The last two seconds, and not much more."""
    if feed.rate is None:
        return
    feed.rows.append(np.asarray(block.samples, dtype=np.float64))
    feed.held += len(block.samples)
    while feed.held - len(feed.rows[0]) >= WINDOW * feed.rate:
        feed.held -= len(feed.rows.popleft())


def _draw(feed: _Feed, block: Block, origin: int) -> None:
    """Put samples into the wave, thinned out; a gap begins it anew."""
    column = GREEN if block.signal == "rgb" else 0
    values = np.asarray(block.samples[:, column], dtype=np.float64)
    last = (block.read_at if block.times is None else int(block.times[-1])) - origin
    if feed.rate is None:
        assert block.times is not None
        step = float(np.median(np.diff(block.times)) / 1e6) if len(values) > 1 else feed.wave_step or 33.3
        every = 1
    else:
        every = max(1, int(feed.rate / DRAWN_RATE))
        step = 1000 / feed.rate
    # every so many of the stream's samples, wherever its blocks begin
    first = -feed.taken % every
    feed.taken += len(values)
    shown = values[first::every]
    if not len(shown):
        return
    at = last / 1e6 - step * (len(values) - 1 - first)
    expected = feed.wave_at + feed.wave_step * len(feed.wave)
    feed.wave_step = step * every
    # a screen sweeps steadily: what came a little early or late stays in its place, what is missing does not
    if (not feed.wave and abs(at - expected) > 100 + feed.wave_step) or block.lost:
        feed.wave, feed.wave_at = [], at
    feed.wave += [round(float(value), 4) if np.isfinite(value) else None for value in shown]
    if len(feed.wave) > MOST_HELD:
        gone = len(feed.wave) - MOST_HELD
        feed.wave, feed.wave_at = feed.wave[gone:], feed.wave_at + gone * feed.wave_step

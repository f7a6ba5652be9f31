"""What the clinic says to its kiosk over the bus: who it is, what visitors are asked to agree to, live readings."""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from kiosk import consent, protocols, topics
from kiosk.bus import Bus
from kiosk.errors import Refused
from kiosk.messages import SECOND, ConsentText, Reading, Results, Setup, decode
from kiosk.wording import SOURCE
from sensors.outbox import Outbox
from sensors.station.progress import Offered

log = logging.getLogger(__name__)

RATES = ("heart_rate", "respiration_rate")
"""Live readings that a visitor sees."""
STALE = 5.0
"""Seconds after which a live reading is old: they come each second."""
PURPOSES = ("measure", "store", "share", "research")
TALK = "talk"
"""Asked where a visit has a talk: whether it is kept. The words are the page's."""
FIRST = tuple(ConsentText(str(each["version"]), str(each["language"]), str(each["text"])) for each in consent.FIRST)
"""Where no clinic has said anything."""


@dataclass(frozen=True, slots=True)
class _Rate:
    value: float
    quality: float
    heard: int


class Clinic:
    """The clinic's latest words. They are kept in the outbox's file, for a start without a network."""

    def __init__(self, bus: Bus, outbox: Outbox, kiosk: str, now: Callable[[], int]) -> None:
        self._bus, self._outbox, self._kiosk, self._now = bus, outbox, kiosk, now
        self._rates: dict[tuple[str, str], _Rate] = {}
        self.session: str | None = None
        """Whose readings are wanted."""
        self.setup = _kept(outbox)

    async def listen(self, results: Callable[[Results], None]) -> None:
        """Take what comes, until cancelled."""
        wanted = [topics.pattern(kind, kiosk=self._kiosk) for kind in ("setup", "results")]
        wanted += [topics.pattern("reading", kiosk=self._kiosk, name=name) for name in RATES]
        async with self._bus.subscribe(*wanted) as arriving:
            async for delivery in arriving:
                try:
                    _, message = decode(delivery.topic, delivery.payload)
                except Refused as refusal:
                    log.warning("a word of the clinic is refused: %s", refusal.reason)
                    continue
                if isinstance(message, Reading):
                    self._read(message)
                elif isinstance(message, Results):
                    results(message)
                elif isinstance(message, Setup) and message != self.setup:
                    self.setup = message
                    await asyncio.to_thread(self._outbox.keep_setup, msgspec.json.encode(message))

    def rates(self) -> dict[str, float]:
        """Live readings that are fresh; of several sources the best."""
        found: dict[str, _Rate] = {}
        for (measure, _), rate in self._rates.items():
            fresh = self._now() - rate.heard <= STALE * SECOND
            if fresh and (measure not in found or rate.quality > found[measure].quality):
                found[measure] = rate
        return {measure: found[measure].value for measure in RATES if measure in found}

    def begin(self, session: str | None) -> None:
        """Readings of another session are none of this one."""
        if session != self.session:
            self.session = session
            self._rates.clear()

    def text(self, language: str) -> ConsentText:
        """What is to be agreed to: the clinic's, in the visitor's language where there is one, else ours."""
        for texts in (self.setup.consents, FIRST):
            for wanted in (language, SOURCE):
                for each in texts:
                    if each.language == wanted:
                        return each
        return FIRST[0]

    def protocols(self) -> tuple[str, ...]:
        """Visits that are offered, in order; those that this version knows."""
        known = protocols.listed()
        return tuple(each for each in self.setup.protocols if each in known) or tuple(known)

    def offered(self, language: str, protocol: str) -> Offered:
        """What a visitor may choose and agree to."""
        text = self.text(language)
        return Offered(self.protocols(), text.version, text.language, purposes(text.text, protocol))

    def _read(self, reading: Reading) -> None:
        if reading.scope != "live" or reading.stream.session != self.session:
            return
        # who says each second that there is no number has none
        if reading.value is None:
            self._rates.pop((reading.measure, reading.source), None)
        else:
            rate = _Rate(reading.value, reading.quality or 0.0, self._now())
            self._rates[reading.measure, reading.source] = rate


def purposes(text: str, protocol: str) -> tuple[str, ...]:
    """What a text asks for, by the names in its brackets; all of them where it names none."""
    named = [each for each in PURPOSES if re.search(rf"\({each}\)", text)]
    visit = protocols.listed().get(protocol)
    talks = visit is not None and any(step.kind == "conversation" for step in visit.steps)
    return (*(named or PURPOSES), *((TALK,) if talks else ()))


def _kept(outbox: Outbox) -> Setup:
    kept = outbox.setup()
    if kept is not None:
        try:
            return msgspec.json.decode(kept, type=Setup)
        except msgspec.MsgspecError:
            log.warning("what the clinic said before cannot be read any more")
    return Setup(clinic="")

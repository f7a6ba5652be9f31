"""The clinic's reception: answers kiosks that ask for the results of their visits, and tells kiosks what they offer."""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from api.retention import SHOWN
from api.store import (
    Database,
    Destroyed,
    KeysUnusable,
    StoreError,
    Transaction,
    consents,
    kiosks,
    links,
    sessions,
    utc_now,
)
from api.visits import results
from api.visits.results import TOLD_FOR, Told
from kiosk import topics
from kiosk.bus import Bus, Delivery, send
from kiosk.errors import Refused
from kiosk.messages import SECOND, Ask, ConsentText, Results, Setup, decode, encode
from kiosk.settings import Settings

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
"""Seconds between two looks at what kiosks are to be told: a new kiosk, another clinic, a new consent text."""
MOST_LINKS = 10_000
MINUTE = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Link:
    """An address that was given out, to be said again while the kiosk asks again. Only here it is known in plain."""

    address: str
    until_ns: int


class Reception:
    """Runs beside the API, on its bus. Of several, each answers: the last word counts, and all say the same numbers."""

    def __init__(self, bus: Bus, database: Database, settings: Settings, now: Callable[[], int] = utc_now) -> None:
        self._bus, self._database, self._settings, self._now = bus, database, settings, now
        self._links: OrderedDict[str, Link] = OrderedDict()
        self._said: dict[str, Setup] = {}
        self._connection = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        listening = asyncio.Event()
        self._tasks = [
            asyncio.create_task(self._answer(listening), name="visits: asks"),
            asyncio.create_task(self._tell(), name="visits: setups"),
        ]
        await listening.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- results

    async def _answer(self, listening: asyncio.Event) -> None:
        async with self._bus.subscribe(topics.pattern("ask")) as arriving:
            listening.set()
            while batch := await arriving.batch():
                for kiosk, session in dict.fromkeys(filter(None, map(_asked, batch))):
                    await self._answer_one(kiosk, session)

    async def _answer_one(self, kiosk: str, session: str) -> None:
        """Nothing that one ask meets ends the answering of the others."""
        try:
            said = await asyncio.to_thread(self.results_for, kiosk, session)
            if said is not None:
                await send(self._bus, kiosk, said)
        except Exception as error:
            # it will ask again; an error's text may hold what it was about
            log.error("a kiosk's ask is not answered: %s", type(error).__name__)  # noqa: TRY400

    def results_for(self, kiosk: str, session: str) -> Results | None:
        """The answer to a kiosk that asks; None for one that may not speak."""
        now = self._now()
        with self._database.reading() as db:
            known = kiosks.get(db, kiosk)
            if known is not None and known.revoked_ns is not None:
                return None
            row = sessions.get(db, session)
            if row is None:
                return Results(session, "refused" if results.is_over(db, session) else "waiting")
            if row.kiosk != kiosk:
                return Results(session, "refused")
            if row.revision == 0:
                return Results(session, "waiting")
            try:
                found = results.told(db, session)
            except Destroyed:
                return Results(session, "refused")
        if found is None or now > found.first_closed_ns + TOLD_FOR:
            return Results(session, "refused")
        link = self._link(found, now)
        return Results(
            session,
            "ready",
            code=found.code,
            link=link.address if link is not None else None,
            link_until=link.until_ns if link is not None else None,
            values=found.values,
        )

    def _link(self, found: Told, now: int) -> Link | None:
        """The same as long as it opens anything: a kiosk asks several times."""
        address, session = self._settings.visitors_address, found.session.id
        if address is None:
            return None
        known = self._links.get(session)
        if known is not None and known.until_ns > now:
            return known
        until = now + round(self._settings.results_link_minutes * MINUTE)
        if found.session.fleeting:
            until = min(until, found.first_closed_ns + SHOWN)
        with self._database.transaction() as db:
            made = Link(f"{address}/r/{links.make(db, session, now, until)}", until)
        self._links[session] = made
        while len(self._links) > MOST_LINKS:
            self._links.popitem(last=False)
        return made

    # --- setups

    async def _tell(self) -> None:
        while True:
            try:
                await self.tell()
            except (StoreError, KeysUnusable) as error:
                log.warning("kiosks are told later what they offer: %s", type(error).__name__)
            await asyncio.sleep(LOOK_EVERY)

    async def tell(self) -> None:
        """Tell each kiosk what has changed since it was told last; all of them, once a connection was made anew."""
        if self._connection != self._bus.connections:
            self._connection = self._bus.connections
            self._said.clear()
        wanted, revoked = await asyncio.to_thread(self.setups)
        for kiosk, setup in wanted.items():
            if self._said.get(kiosk) == setup:
                continue
            with contextlib.suppress(Refused):
                if not await send(self._bus, kiosk, setup):
                    return  # no connection: the next look tries again
            self._said[kiosk] = setup
        for kiosk in revoked & self._said.keys():
            # nothing retained for one that may not speak
            await self._bus.publish(str(topics.Topic(kiosk, "setup", self._said.pop(kiosk).name)), b"")

    def setups(self) -> tuple[Mapping[str, Setup], set[str]]:
        """What each kiosk is to know; and the kiosks that are to know nothing."""
        with self._database.reading() as db:
            texts, named, every = newest_texts(db), kiosks.clinic_names(db), kiosks.every(db)
        offered = {clinic: fitting(Setup(name, texts)) for clinic, name in named.items()}
        return (
            {row.name: offered[row.clinic_id] for row in every if row.revoked_ns is None and row.clinic_id in offered},
            {row.name for row in every if row.revoked_ns is not None},
        )


def _asked(delivery: Delivery) -> tuple[str, str] | None:
    """Who asks for which session; None where it is no ask."""
    try:
        where, message = decode(*delivery)
    except Refused:
        return None
    return (where.kiosk, message.session) if isinstance(message, Ask) else None


def newest_texts(db: Transaction) -> tuple[ConsentText, ...]:
    """The newest consent text of each language."""
    found: dict[str, ConsentText] = {}
    for row in consents.texts(db):
        with contextlib.suppress(Refused):
            found.setdefault(row.language, ConsentText(row.version, row.language, row.text))
    return tuple(found[language] for language in sorted(found))


def fitting(setup: Setup) -> Setup:
    """Without the last languages where all of them together are more than a message holds."""
    texts = list(setup.consents)
    while texts:
        with contextlib.suppress(Refused):
            made = Setup(setup.clinic, tuple(texts), setup.protocols)
            decode(str(topics.Topic("kiosk", "setup", setup.name)), encode(made))
            return made
        texts.pop()
    return Setup(setup.clinic, (), setup.protocols)

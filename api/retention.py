"""How long things are kept, and the sweep that lets them go. What no rule names is kept for ever."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from api import erasure
from api.audit import NO_ROLE, SYSTEM, AuditDown, Entry, note
from api.store import Database, KeysUnusable, StoreError, consents, dialogues, idempotency, links, utc_now
from api.store import erasure as store
from kiosk.messages import SECOND
from kiosk.settings import Settings

log = logging.getLogger(__name__)

DAY = 24 * 3600 * SECOND
EVERY = 3600.0
"""Seconds between two sweeps."""
FLEETING_EVERY = 60.0
"""Seconds between two looks at sessions that are not to be stored."""
SHOWN = 30 * 60 * SECOND
"""After its close a session that is not to be stored is erased: its results are told for twenty minutes."""
AT_ONCE = 100
"""Sessions of one transaction: others write in between."""
Names = Sequence[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """Days that things are kept; None is for ever."""

    waveforms: float | None = None
    sessions: float | None = None
    unassigned: float | None = None
    quarantine: float | None = 30.0

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """As they are set."""
        return cls(
            settings.keep_waveforms_days,
            settings.keep_sessions_days,
            settings.keep_unassigned_days,
            settings.keep_quarantine_days,
        )


@dataclass(frozen=True, slots=True)
class Due:
    """What the rules let go now, by id."""

    fleeting: Names = field(default_factory=tuple)
    """Sessions of visitors who agreed to measuring and not to storing, and were shown their results."""
    talks: Names = field(default_factory=tuple)
    """Sessions that lose what was said to the assistant, because that was not agreed to any more."""
    withdrawn: Names = field(default_factory=tuple)
    """Sessions of patients who took back that theirs are stored."""
    sessions: Names = field(default_factory=tuple)
    unassigned: Names = field(default_factory=tuple)
    waveforms: Names = field(default_factory=tuple)
    """Sessions that lose their samples and keep their readings."""
    quarantine: Names = field(default_factory=tuple)


def due(database: Database, rules: Rules, now: int) -> Due:
    """What would go."""
    with database.reading() as db:
        taken_back = consents.withdrawn(db, "store")
        withdrawn = store.still_there(db, [], store.sessions_of(db, sorted(taken_back)))[1] if taken_back else []
        old = [] if rules.sessions is None else store.sessions_before(db, _before(now, rules.sessions))
        nobodys = (
            []
            if rules.unassigned is None
            else store.sessions_before(db, _before(now, rules.unassigned), unassigned=True)
        )
        samples = [] if rules.waveforms is None else store.waveforms_before(db, _before(now, rules.waveforms))
        silenced = consents.withdrawn(db, "talk")
        talks = dialogues.of_patients(db, sorted(silenced)) if silenced else []
        passing = store.fleeting_before(db, now - SHOWN, now - DAY)
        aside = [] if rules.quarantine is None else store.quarantined_before(db, _before(now, rules.quarantine))
    gone = {*passing}
    withdrawn = [each for each in withdrawn if each not in gone]
    gone.update(withdrawn)
    first = [each for each in old if each not in gone]
    gone.update(first)
    second = [each for each in nobodys if each not in gone]
    gone.update(second)
    return Due(
        passing,
        [each for each in talks if each not in gone],
        withdrawn,
        first,
        second,
        [each for each in samples if each not in gone],
        aside,
    )


def forget_fleeting(database: Database, data: Path, now: int, *, by: str = SYSTEM) -> Names:
    """Erase the sessions that were not to be stored, once their results were shown; which."""
    with database.reading() as db:
        passing = store.fleeting_before(db, now - SHOWN, now - DAY)
    if passing:
        erasure.erase_sessions(database, data, passing, by=by)
        erasure.compact(database)
    return passing


def sweep(database: Database, data: Path, rules: Rules, now: int, *, by: str = SYSTEM) -> Due:
    """Let go what is due, finish erasures that broke off, and have the database let go of the bytes; what went."""
    erasure.resume(database, data)
    found = due(database, rules, now)
    gone = [*found.fleeting, *found.withdrawn, *found.sessions, *found.unassigned]
    for first in range(0, len(gone), AT_ONCE):
        erasure.erase_sessions(database, data, gone[first : first + AT_ONCE], by=by)
    with database.transaction() as db:
        links.forget_old(db, now)
        if found.talks:
            dialogues.forget(db, found.talks)
    if rules.waveforms is not None and found.waveforms:
        detail = {"sessions": len(found.waveforms)}
        note(database, Entry(by, NO_ROLE, "waveforms.forget", "session", detail=detail))
        while store.forget_waveforms(database, _before(now, rules.waveforms), now):
            pass
    if rules.quarantine is not None and found.quarantine:
        store.forget_quarantine(database, _before(now, rules.quarantine))
    idempotency.destroy(database.vault, now, old=True)
    # in any case: an erasure by a request may have met a reader
    erasure.compact(database)
    return found


async def serve(database: Database, settings: Settings) -> None:
    """Finish what broke off, then sweep once an hour, until cancelled."""
    rules = Rules.of(settings)
    while True:
        try:
            went = await asyncio.to_thread(sweep, database, settings.data, rules, utc_now())
        except (StoreError, KeysUnusable, AuditDown) as error:
            log.error("retention waits for the next hour: %s", type(error).__name__)  # noqa: TRY400 - no parameters
        else:
            erased = len(went.fleeting) + len(went.withdrawn) + len(went.sessions) + len(went.unassigned)
            if erased or went.waveforms or went.quarantine:
                log.info(
                    "retention: %d sessions erased, samples of %d, %d payloads put aside",
                    erased, len(went.waveforms), len(went.quarantine),
                )  # fmt: skip
        until = asyncio.get_running_loop().time() + EVERY
        while (left := until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(left, FLEETING_EVERY))
            try:
                await asyncio.to_thread(forget_fleeting, database, settings.data, utc_now())
            except (StoreError, KeysUnusable, AuditDown) as error:
                log.error("erasing what is not to be stored waits: %s", type(error).__name__)  # noqa: TRY400


def _before(now: int, days: float) -> int:
    return now - round(days * DAY)

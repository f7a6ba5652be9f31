"""What researchers see: no person, no pseudonym, no device, no date; people of small groups not at all.

Generalisation and suppression after Sweeney 2002, doi:10.1142/S0218488502001648 (k-anonymity over age band and sex);
ids are keyed hashes, so that nobody without the key store's key can make or invert one. docs/export.md says what risk
remains.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, get_args

from api.store import Transaction, research, vault_of
from api.store.research import Visit
from api.store.sealing import Box
from api.tables import ReadingRow
from kiosk.measures import MEASURES, Reason
from kiosk.messages import SECOND
from kiosk.signals import SIGNALS

OLDEST: Final = 90
"""Years from which everybody is of one band, as 45 CFR 164.514(b)(2)(i)(C) has it."""
BAND: Final = 5
"""Years in a band."""
MOST_WEEKS: Final = 104
"""Whole weeks that a person's dates are moved at most, back or forth: weekdays stay, seasons and years do not."""
STUDY_WAVES: Final = ("ecg", "ppg", "eeg", "respiration", "eda", "skin_temperature", "acceleration", "rr")
"""Waveforms that may be asked for; what a camera or a microphone made is not among them."""
_REASONS = frozenset(get_args(Reason))
_SCOPES = frozenset({"recording", "spot"})
_SOURCES = frozenset({*SIGNALS, "fusion"})
_EPOCH = date(1970, 1, 1)
_PURPOSE = "research"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as a researcher knows them."""

    study: str
    """A keyed hash: the same in every export of this clinic's keys."""
    age: str
    """A band of five years, at the first session; `90+`, or `unknown`."""
    sex: str
    weeks: int
    """By how many all dates are moved. Never told."""


@dataclass(frozen=True, slots=True)
class StudyVisit:
    """A session, as a researcher knows it."""

    visit: str
    person: Person
    day: date
    """Moved."""
    protocol: str | None
    seconds: int | None
    """How long it took, to ten seconds."""
    quality: float | None
    session: str
    """For finding its readings. Never told."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What is not shown, because too few people are like that."""

    k: int
    people: int
    sessions: int


@dataclass(frozen=True, slots=True)
class StudyReading:
    """One number, or why there is none."""

    visit: str
    measure: str
    value: float | None
    unit: str
    low: float | None
    high: float | None
    quality: float | None
    absent: str | None
    source: str
    scope: str
    preferred: bool
    seconds: int
    method: str
    version: str


def cohort(db: Transaction, clinic: str | None, k: int) -> tuple[list[StudyVisit], Suppressed]:
    """All visits that may be shown, in an order that tells nothing, and how many may not."""
    box = vault_of(db).purpose(_PURPOSE)
    found = research.visits(db, clinic)
    first: dict[str, Visit] = {}
    for visit in sorted(found, key=lambda each: each.began_ns):
        first.setdefault(visit.patient, visit)
    people = {patient: _person(box, visit) for patient, visit in first.items()}
    sizes = Counter((person.age, person.sex) for person in people.values())
    shown = {patient for patient, person in people.items() if sizes[person.age, person.sex] >= k}
    by_protocol: dict[str | None, set[str]] = {}
    for visit in found:
        if visit.patient in shown:
            by_protocol.setdefault(visit.protocol, set()).add(visit.patient)
    common = {protocol for protocol, those in by_protocol.items() if len(those) >= k}
    visits = [_visit(box, visit, people[visit.patient], common) for visit in found if visit.patient in shown]
    hidden = Suppressed(k, len(people) - len(shown), len(found) - len(visits))
    return sorted(visits, key=lambda each: each.visit), hidden


def readings_of(db: Transaction, visits: Sequence[StudyVisit]) -> Iterator[StudyReading]:
    """The readings of some visits."""
    found = research.readings(db, [visit.session for visit in visits])
    for visit in visits:
        for row in found.get(visit.session, ()):
            if (reading := _reading(visit.visit, row)) is not None:
                yield reading


def portions(visits: Sequence[StudyVisit], size: int = 200) -> Iterable[Sequence[StudyVisit]]:
    """Some visits at a time."""
    return (visits[begin : begin + size] for begin in range(0, len(visits), size))


def age_band(age: int | None) -> str:
    """Five years in one."""
    if age is None or age < 0:
        return "unknown"
    low = age // BAND * BAND
    return f"{OLDEST}+" if low >= OLDEST else f"{low}-{low + BAND - 1}"


def study_id(box: Box, patient: str) -> str:
    """What a person is called here."""
    return f"P{box.digest('person', patient)[:20]}"


def weeks_of(box: Box, patient: str) -> int:
    """By how many weeks a person's dates are moved: never by none."""
    drawn = int(box.digest("weeks", patient)[:12], 16) % (2 * MOST_WEEKS)
    return drawn - MOST_WEEKS if drawn < MOST_WEEKS else drawn - MOST_WEEKS + 1


def _person(box: Box, first: Visit) -> Person:
    began = datetime.fromtimestamp(first.began_ns // SECOND, UTC)
    age = None if first.birth_year is None else began.year - first.birth_year
    sex = first.sex if first.sex in ("female", "male") else "other or unknown"
    return Person(study_id(box, first.patient), age_band(age), sex, weeks_of(box, first.patient))


def _visit(box: Box, visit: Visit, person: Person, common: set[str | None]) -> StudyVisit:
    day = _EPOCH + timedelta(days=visit.began_ns // (86_400 * SECOND), weeks=person.weeks)
    return StudyVisit(
        visit=f"V{box.digest('visit', visit.session)[:20]}",
        person=person,
        day=day,
        protocol=visit.protocol if visit.protocol in common else None,
        seconds=None if visit.ended_ns is None else round(visit.ended_ns / SECOND / 10) * 10,
        quality=None if visit.quality is None else round(visit.quality, 2),
        session=visit.session,
    )


def _reading(visit: str, row: ReadingRow) -> StudyReading | None:
    """Without what a device or a person said in words: its name may be a serial number, a step's anything."""
    measure = MEASURES.get(row.measure)
    if measure is None:
        return None
    ours = row.revision > 0
    return StudyReading(
        visit=visit,
        measure=row.measure,
        # more digits than mean something would only help to find the same number elsewhere
        value=_rounded(row.value, measure.decimals),
        unit=measure.unit,
        low=_rounded(row.low, measure.decimals),
        high=_rounded(row.high, measure.decimals),
        quality=_rounded(row.quality, 2),
        absent=row.absent if row.absent is None or row.absent in _REASONS else "other",
        source=_source(row.source),
        scope=row.scope if row.scope in _SCOPES else "part",
        preferred=row.preferred,
        seconds=round((row.end_ns - row.start_ns) / SECOND),
        method=row.method if ours else "device",
        version=row.version if ours else "",
    )


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)


def _source(said: str) -> str:
    """Kinds of signal, where it says no more than these; devices' names are not told."""
    parts = [part.strip() for part in said.replace("+", ",").split(",")]
    return "+".join(parts) if all(part in _SOURCES for part in parts) else "device"

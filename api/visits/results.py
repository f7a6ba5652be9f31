"""What a visitor is told of a visit: the numbers of its newest analysis, with what is usual for people like them."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from analytics import norms
from api.store import Transaction, consents, entries, patients, readings, revisions, sessions, vault_of
from api.tables import ReadingRow, SessionRow
from kiosk.measures import EXPRESSIONS, MEASURES
from kiosk.messages import SECOND, Agreed, Shown
from kiosk.recording import Context
from kiosk.visitor.tiles import SCORES

TOLD_FOR = 20 * 60 * SECOND
"""After the close of a session the kiosk is told its results; whoever asks later is not sitting there any more."""
VISIBLE = (
    *(f"emotion_{name}" for name in EXPRESSIONS),
    *("valence", "arousal", "bmi", *SCORES, "heart_rate", "sdnn", "rmssd", "pnn50", "respiration_rate", "stress"),
    *("systolic", "diastolic", "temperature", "spo2", "hba1c", "height", "weight"),
)
"""What visitors are shown. The rest is for people who know what it means."""


@dataclass(frozen=True, slots=True)
class Told:
    """The results of a session, for its visitor."""

    session: SessionRow
    code: str | None
    """The visitor's pseudonym; none where nothing is stored."""
    context: Context
    first_closed_ns: int
    values: tuple[Shown, ...]


def told(db: Transaction, session: str) -> Told | None:
    """The results of a closed session whose visitor agreed to being measured, and has not taken that back."""
    row = sessions.get(db, session)
    if row is None or row.revision == 0 or not _may_be_told(db, row):
        return None
    newest, first = revisions.newest(db, session), revisions.first(db, session)
    if newest is None or first is None:
        return None
    context = msgspec.convert(newest.context, Context)
    person = patients.get(db, row.patient_id) if row.patient_id is not None else None
    return Told(
        session=row,
        code=person.pseudonym if person is not None and not row.fleeting else None,
        context=context,
        first_closed_ns=first.created_ns,
        values=values_of(db, row, context),
    )


def values_of(db: Transaction, row: SessionRow, context: Context) -> tuple[Shown, ...]:
    """The numbers of a session's newest analysis, and what devices measured themselves."""
    rows = readings.of_session(db, row.id, (readings.SPOT, row.revision))
    return tuple(_shown(each, context) for each in _best(rows))


def is_over(db: Transaction, session: str) -> bool:
    """Whether a session was erased: there will never be results."""
    return vault_of(db).is_erased("session", session)


def _may_be_told(db: Transaction, row: SessionRow) -> bool:
    agreed = [each.content for each in entries.of_session(db, row.id) if isinstance(each.content, Agreed)]
    if agreed and "measure" not in agreed[-1].purposes:
        return False
    if row.patient_id is not None and not row.fleeting:
        return consents.allows(db, row.patient_id, "measure")
    return bool(agreed)


def _best(rows: Iterable[ReadingRow]) -> list[ReadingRow]:
    """One reading of each measure: of the analysis the preferred one, of what was told or measured at once the last."""
    found: dict[str, ReadingRow] = {}
    for row in rows:
        if row.measure not in VISIBLE or not (
            row.revision == readings.SPOT or (row.preferred and row.scope == "recording")
        ):
            continue
        known = found.get(row.measure)
        if known is None or _rank(row) > _rank(known):
            found[row.measure] = row
    return [found[name] for name in VISIBLE if name in found]


def _rank(row: ReadingRow) -> tuple[bool, bool, int]:
    return row.value is not None, row.revision != readings.SPOT, row.end_ns


def _shown(row: ReadingRow, context: Context) -> Shown:
    """As it is told. What cannot be is absent: nobody is shown it."""
    possible = row.value is None or MEASURES[row.measure].possible(row.value)
    value = row.value if possible else None
    absent = None if value is not None else (row.absent or "not_delivered") if possible else "impossible"
    norm = norms.norm(row.measure, age=context.age, sex=context.sex) if value is not None else None
    return Shown(
        measure=row.measure,
        value=value,
        low=row.low if value is not None else None,
        high=row.high if value is not None else None,
        quality=row.quality,
        absent=absent,
        source=row.source[:128],
        usual=norm.usual() if norm is not None else None,
        usual_source=f"{norm.source}, doi:{norm.doi}" if norm is not None else "",
    )

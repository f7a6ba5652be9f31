"""What waits for a clinician: sessions by why they wait, the most pressing first.

Each reason is an arm of its own with an index of its own, so that a page is read and never the whole clinic. A session
stands in the first arm that it belongs to.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    Subquery,
    and_,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.readings import SPOT
from api.tables import AlertRow, ClinicRow, ReadingRow, ReviewRow, SessionRow

Why = Literal["urgent", "warning", "notice", "rhythm", "review", "partial", "done"]
WHYS: tuple[Why, ...] = ("urgent", "warning", "notice", "rhythm", "review", "partial", "done")
"""The order of the list: open alerts by severity, irregular rhythms, what nobody has reviewed, what was."""
ALERTS: tuple[Why, ...] = ("urgent", "warning", "notice")
MOST_COUNTED = 1000
"""Of what waits for one reason, no more are counted: beyond, it is many."""
_SEVERITY = case({"urgent": 0, "warning": 1}, value=col(AlertRow.severity), else_=2)
# as the indices say it: a planner takes a partial index only where it finds the same words
_TO_REVIEW: ColumnElement[bool] = literal_column("sessions.revision > sessions.reviewed")
_REVIEWED = and_(literal_column("sessions.revision <= sessions.reviewed"), literal_column("sessions.revision > 0"))
_IRREGULAR = and_(literal_column("readings.measure = 'irregular_rhythm'"), literal_column("readings.value > 0.5"))
Place = tuple[int, int, str]
"""Where a page ended: the number of the arm in WHYS, a time, a session."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A session, why it is in the list, and since when: its place there."""

    session: SessionRow
    why: Why
    since_ns: int

    @property
    def place(self) -> Place:
        """Where the list goes on after it."""
        return (WHYS.index(self.why), self.since_ns, self.session.id)


def waiting(
    db: Session,
    *,
    limit: int,
    clinic: str | None = None,
    kiosk: str | None = None,
    whys: Collection[Why] = WHYS,
    after: Place | None = None,
) -> list[Waiting]:
    """A page of the list; within one reason the newest first. `after` is the place of the last one seen."""
    found: list[Waiting] = []
    for number, why in enumerate(WHYS):
        if why not in whys or (after is not None and number < after[0]) or len(found) >= limit:
            continue
        since, query = _arm(db, why, clinic)
        if kiosk is not None:
            query = query.where(col(SessionRow.kiosk) == kiosk)
        if after is not None and number == after[0]:
            query = query.where(tuple_(since, col(SessionRow.id)) < after[1:])
        query = query.order_by(since.desc(), col(SessionRow.id).desc()).limit(limit - len(found))
        found += [Waiting(row[0], why, row[1]) for row in db.execute(query)]
    return found


def counts(db: Session, *, clinic: str | None = None, kiosk: str | None = None) -> dict[Why, int]:
    """How many sessions wait for each reason, up to MOST_COUNTED; of those that are done nobody asks."""
    worst = _worst(db, clinic)
    alerted = select(worst.c.s, func.count()).select_from(worst).group_by(worst.c.s)
    if kiosk is not None:
        alerted = alerted.join(SessionRow, worst.c.session_id == col(SessionRow.id)).where(
            col(SessionRow.kiosk) == kiosk
        )
    found: dict[Why, int] = dict.fromkeys(ALERTS, 0)
    found |= {ALERTS[row[0]]: min(MOST_COUNTED, row[1]) for row in db.execute(alerted)}
    for why in WHYS[len(ALERTS) : -1]:
        _, query = _arm(db, why, clinic)
        if kiosk is not None:
            query = query.where(col(SessionRow.kiosk) == kiosk)
        some = query.with_only_columns(col(SessionRow.id)).limit(MOST_COUNTED).subquery()
        found[why] = db.execute(select(func.count()).select_from(some)).scalar_one()
    return found


def _worst(db: Session, clinic: str | None) -> Subquery:
    """Sessions with open alerts: the most severe, and the last."""
    raised = func.max(col(AlertRow.raised_ns)).label("raised")
    return (
        select(col(AlertRow.session_id), raised, func.min(_SEVERITY).label("s"))
        .where(_of(db, col(AlertRow.clinic_id), clinic), col(AlertRow.state) == "open")
        .group_by(col(AlertRow.session_id))
        .subquery()
    )


def _arm(db: Session, why: Why, clinic: str | None) -> tuple[SQLColumnExpression[int], Select[SessionRow, int]]:
    """The sessions of one reason, and by which time they are ordered."""
    if why in ALERTS:
        worst = _worst(db, clinic)
        raised: SQLColumnExpression[int] = worst.c.raised
        joined = select(SessionRow, raised).join(worst, worst.c.session_id == col(SessionRow.id))
        return raised, joined.where(worst.c.s == ALERTS.index(why))
    seen = col(SessionRow.first_seen_ns)
    query = select(SessionRow, seen).where(_of(db, col(SessionRow.clinic_id), clinic), ~_alerted())
    if why == "rhythm":
        flagged = select(col(ReadingRow.session_id)).where(_IRREGULAR, _newest()).correlate(SessionRow)
        irregular = select(col(ReadingRow.session_id)).where(_IRREGULAR)
        # the index of the few is read first, and only then whether the newest revision still says so
        return seen, query.where(col(SessionRow.id).in_(irregular), flagged.exists(), _TO_REVIEW)
    if why == "done":
        return seen, query.where(_REVIEWED)
    outcome = "partial" if why == "partial" else "complete"
    return seen, query.where(_TO_REVIEW, col(SessionRow.outcome) == outcome, ~_irregular())


def _of(db: Session, column: SQLColumnExpression[str], clinic: str | None) -> ColumnElement[bool]:
    """Of a clinic, or by name of each that there is: every index begins with it."""
    if clinic is not None:
        return column == clinic
    return column.in_(list(db.execute(select(col(ClinicRow.id))).scalars()))


def _alerted() -> ColumnElement[bool]:
    return exists().where(col(AlertRow.session_id) == col(SessionRow.id), col(AlertRow.state) == "open")


def _newest() -> ColumnElement[bool]:
    return and_(
        col(ReadingRow.session_id) == col(SessionRow.id),
        col(ReadingRow.revision) == col(SessionRow.revision),
        col(ReadingRow.scope) == "recording",
        col(ReadingRow.preferred),
    )


def _irregular() -> ColumnElement[bool]:
    return exists().where(_IRREGULAR, _newest())


# --- what is said of each of them


def open_alerts(db: Session, wanted: Collection[str]) -> dict[str, list[AlertRow]]:
    """Open alerts of these sessions, the most pressing first."""
    found: dict[str, list[AlertRow]] = {}
    if not wanted:
        return found
    query = select(AlertRow).where(col(AlertRow.session_id).in_(wanted), col(AlertRow.state) == "open")
    for row in db.execute(query.order_by(_SEVERITY, col(AlertRow.raised_ns), col(AlertRow.id))).scalars():
        found.setdefault(row.session_id, []).append(row)
    return found


def numbers(db: Session, wanted: Collection[str], measures: Sequence[str]) -> dict[str, dict[str, ReadingRow]]:
    """What these sessions say of some measures: the newest revision's preferred readings, and what devices and
    questionnaires said last."""
    found: dict[str, dict[str, ReadingRow]] = {}
    if not wanted:
        return found
    own = and_(col(ReadingRow.revision) == SPOT, col(ReadingRow.scope) == "spot")
    query = (
        select(ReadingRow)
        .join(SessionRow, col(SessionRow.id) == col(ReadingRow.session_id))
        .where(
            col(SessionRow.id).in_(wanted),
            col(ReadingRow.measure).in_(measures),
            or_(own, _newest()),
            or_(col(ReadingRow.revision) == SPOT, col(ReadingRow.revision) == col(SessionRow.revision)),
        )
        .order_by(col(ReadingRow.id))
    )
    for row in db.execute(query).scalars():
        said = found.setdefault(row.session_id, {})
        before = said.get(row.measure)
        # a device's last word, and a value before none
        if before is None or row.value is not None or before.value is None:
            said[row.measure] = row
    return found


def verdicts(db: Session, wanted: Collection[str]) -> dict[str, ReviewRow]:
    """The last review of each of these sessions, where it is of the newest revision."""
    if not wanted:
        return {}
    query = (
        select(ReviewRow)
        .join(SessionRow, col(SessionRow.id) == col(ReviewRow.session_id))
        .where(col(ReviewRow.session_id).in_(wanted), col(ReviewRow.revision) == col(SessionRow.revision))
        .order_by(col(ReviewRow.created_ns), col(ReviewRow.id))
    )
    return {row.session_id: row for row in db.execute(query).scalars()}

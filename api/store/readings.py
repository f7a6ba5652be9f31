"""Readings read back: what devices measured themselves, and what each revision's analysis made."""

from collections.abc import Collection

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import DeviceRow, ReadingRow, SessionRow, StreamRow

SPOT = 0
"""The revision of what devices measured themselves."""
RECENT = 10
"""Sessions of a kiosk by which one knows what its devices measure."""
EARLIER = 20
"""Sessions that make a person's baseline: the last ones."""
_DEAD = ("failed", "gone")


def of_session(
    db: Session, session: str, revisions: tuple[int, ...], *, measure: str | None = None, scope: str | None = None
) -> list[ReadingRow]:
    """A session's readings of the given revisions."""
    query = select(ReadingRow).where(
        col(ReadingRow.session_id) == session, or_(*(col(ReadingRow.revision) == number for number in revisions))
    )
    if measure is not None:
        query = query.where(col(ReadingRow.measure) == measure)
    if scope is not None:
        query = query.where(col(ReadingRow.scope) == scope)
    return list(db.execute(query.order_by(col(ReadingRow.id))).scalars())


# built once: every list of sessions asks it
_RESULTS = (
    select(col(ReadingRow.session_id), col(ReadingRow.value))
    .join(
        SessionRow,
        and_(col(ReadingRow.session_id) == col(SessionRow.id), col(ReadingRow.revision) == col(SessionRow.revision)),
    )
    .where(
        col(SessionRow.id).in_(bindparam("wanted", expanding=True)),
        col(ReadingRow.measure) == bindparam("measure"),
        col(ReadingRow.scope) == "recording",
        col(ReadingRow.preferred),
    )
)


def results(db: Session, wanted: Collection[str], measure: str) -> dict[str, float | None]:
    """A measure of each session as its newest revision says it: whole recording, preferred source."""
    if not wanted:
        return {}
    rows = db.connection().execute(_RESULTS, {"wanted": list(wanted), "measure": measure})
    return {row[0]: row[1] for row in rows}


def earlier(db: Session, session: SessionRow, measures: Collection[str]) -> dict[str, list[float]]:
    """What the person's sessions before this one say of each measure, the newest first: those in which a person sat
    there, or of a simulated one simulated ones."""
    began = func.coalesce(col(SessionRow.origin_utc_ns), col(SessionRow.first_seen_ns))
    last = (
        select(col(SessionRow.id), col(SessionRow.revision), began.label("began"))
        .where(
            col(SessionRow.patient_id) == session.patient_id,
            began < (session.origin_utc_ns or session.first_seen_ns),
            col(SessionRow.revision) > 0,
            col(SessionRow.simulated) == session.simulated,
        )
        .order_by(began.desc())
        .limit(EARLIER)
        .subquery()
    )
    rows = db.execute(
        select(col(ReadingRow.measure), col(ReadingRow.value))
        .join(last, and_(col(ReadingRow.session_id) == last.c.id, col(ReadingRow.revision) == last.c.revision))
        .where(
            col(ReadingRow.measure).in_(measures),
            col(ReadingRow.scope) == "recording",
            col(ReadingRow.preferred),
        )
        .order_by(last.c.began.desc())
    )
    found: dict[str, list[float]] = {}
    for measure, value in rows:
        if value is not None:
            found.setdefault(measure, []).append(value)
    return found


def spot_measures(db: Session, session: SessionRow) -> frozenset[str]:
    """What devices have measured in a session, and what the kiosk's living devices did in its last ones."""
    last = (
        select(col(SessionRow.id))
        .where(col(SessionRow.kiosk) == session.kiosk)
        .order_by(col(SessionRow.first_seen_ns).desc())
        .limit(RECENT)
    )
    alive = and_(
        col(DeviceRow.kiosk) == session.kiosk,
        col(DeviceRow.device) == col(StreamRow.device),
        col(DeviceRow.state).not_in(_DEAD),
    )
    rows = db.execute(
        select(col(ReadingRow.measure))
        .join(StreamRow, col(StreamRow.id) == col(ReadingRow.stream_id))
        .outerjoin(DeviceRow, alive)
        .where(
            col(ReadingRow.session_id).in_(last) & col(DeviceRow.device).is_not(None)
            | (col(ReadingRow.session_id) == session.id),
            col(ReadingRow.revision) == SPOT,
        )
        .distinct()
    )
    return frozenset(rows.scalars())

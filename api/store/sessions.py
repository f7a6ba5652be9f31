"""Sessions and their life: open, ended, closed, and closed again when more has come."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, and_, exists, func, or_, select, tuple_, update
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.streams import insert
from api.tables import SessionRow, StreamRow
from kiosk import messages

CLAIM_EXPIRES = 15 * 60 * messages.SECOND
"""A closer that died frees its session after this."""


def kiosk_of(db: Session, session: str) -> str | None:
    """Whose session it is, or None where it is not known."""
    return db.execute(select(col(SessionRow.kiosk)).where(col(SessionRow.id) == session)).scalar_one_or_none()


def make_orphan(db: Session, session: str, kiosk: str, now: int) -> None:
    """A session of which only samples have come so far."""
    insert(
        db,
        SessionRow,
        [_row(session, kiosk, now, orphan=True)],
    )


def hear(db: Session, kiosk: str, message: messages.Session, now: int) -> None:
    """Take the kiosk's word about a session."""
    insert(db, SessionRow, [_row(message.stream.session, kiosk, now, orphan=False)])
    values: dict[str, Any] = {
        "orphan": False,
        "simulated": message.simulated,
        "origin_utc_ns": message.origin.utc,
        "origin_boot_ns": message.origin.boot,
        "boot_id": message.origin.boot_id,
    }
    mine = col(SessionRow.id) == message.stream.session
    db.execute(update(SessionRow).where(mine).values(values))
    if message.state == "ended":
        ended = {"ended_ns": message.ended, "ended_seen_ns": now}
        db.execute(update(SessionRow).where(mine, col(SessionRow.ended_seen_ns).is_(None)).values(ended))
        db.execute(update(SessionRow).where(mine, col(SessionRow.state) == "open").values(state="ended"))


def touch(db: Session, sessions: Iterable[str], now: int) -> None:
    """Something came for these sessions."""
    db.execute(update(SessionRow).where(col(SessionRow.id).in_(list(sessions))).values(last_seen_ns=now))


def mark_changed(db: Session, sessions: Iterable[str]) -> None:
    """Data came for these sessions; those that are being closed, or are closed, must be closed again."""
    late = and_(col(SessionRow.id).in_(list(sessions)), col(SessionRow.state) != "open")
    db.execute(update(SessionRow).where(late).values(changed=True))


def end_silent(db: Session, now: int, silence: int) -> int:
    """End sessions from which nothing has come for too long."""
    done = db.execute(
        update(SessionRow)
        .where(col(SessionRow.state) == "open", col(SessionRow.last_seen_ns) < now - silence)
        .values(state="ended", ended_seen_ns=now)
    )
    return cast("CursorResult[Any]", done).rowcount


@dataclass(frozen=True, slots=True)
class Due:
    """A session that is ready to be closed, or closed again."""

    id: str
    outcome: str
    revision: int


def due(db: Session, now: int, *, close_after: int, quiet: int) -> list[Due]:
    """Sessions to close: delivered in full, or waited for long enough; and those that changed after closing."""
    unfinished = exists().where(
        col(StreamRow.session_id) == col(SessionRow.id),
        or_(col(StreamRow.last).is_(None), col(StreamRow.upto) < col(StreamRow.last)),
    )
    listed = exists().where(col(StreamRow.session_id) == col(SessionRow.id))
    complete = and_(~unfinished, listed, col(SessionRow.ended_ns).is_not(None))
    waited = col(SessionRow.ended_seen_ns) <= now - close_after
    first = and_(col(SessionRow.state) == "ended", or_(complete, waited))
    again = and_(
        col(SessionRow.state) == "closed", col(SessionRow.changed), col(SessionRow.last_seen_ns) <= now - quiet
    )
    free = or_(col(SessionRow.claimed_ns).is_(None), col(SessionRow.claimed_ns) < now - CLAIM_EXPIRES)
    rows = db.execute(
        select(col(SessionRow.id), complete.label("complete"), col(SessionRow.revision))
        .where(free, or_(first, again))
        .order_by(col(SessionRow.ended_seen_ns))
        .limit(20)
    )
    return [Due(row[0], "complete" if row[1] else "partial", row[2]) for row in rows]


def claim(db: Session, session: Due, closer: str, now: int) -> bool:
    """Take a session for closing; False where another closer was first."""
    free = or_(col(SessionRow.claimed_ns).is_(None), col(SessionRow.claimed_ns) < now - CLAIM_EXPIRES)
    done = db.execute(
        update(SessionRow)
        .where(col(SessionRow.id) == session.id, col(SessionRow.revision) == session.revision, free)
        # what arrives from now on is not in what the closer is about to read
        .values(claimed_by=closer, claimed_ns=now, changed=False)
    )
    return cast("CursorResult[Any]", done).rowcount == 1


def close(db: Session, session: Due, closer: str, now: int) -> bool:
    """Set a session closed with its new revision; False where the claim was lost meanwhile."""
    done = db.execute(
        update(SessionRow)
        .where(
            col(SessionRow.id) == session.id,
            col(SessionRow.claimed_by) == closer,
            col(SessionRow.revision) == session.revision,
        )
        .values(
            state="closed",
            outcome=session.outcome,
            revision=session.revision + 1,
            closed_ns=now,
            claimed_by=None,
            claimed_ns=None,
        )
    )
    return cast("CursorResult[Any]", done).rowcount == 1


def release(db: Session, session: Due, closer: str) -> None:
    """Give a claim back after a failure, to be tried again."""
    db.execute(
        update(SessionRow)
        .where(col(SessionRow.id) == session.id, col(SessionRow.claimed_by) == closer)
        .values(claimed_by=None, claimed_ns=None, changed=True)
    )


def get(db: Session, session: str) -> SessionRow | None:
    """One session."""
    return db.get(SessionRow, session)


def _row(session: str, kiosk: str, now: int, *, orphan: bool) -> dict[str, object]:
    return {
        "id": session,
        "kiosk": kiosk,
        "state": "open",
        "orphan": orphan,
        "simulated": False,
        "first_seen_ns": now,
        "last_seen_ns": now,
        "revision": 0,
        "changed": False,
    }


def newest(
    db: Session,
    *,
    limit: int,
    before: tuple[int, str] | None = None,
    state: str | None = None,
    kiosk: str | None = None,
    patient: str | None = None,
) -> list[SessionRow]:
    """Sessions by when they were first heard of, newest first; `before` is (first_seen_ns, id) of the last one seen.

    That time never changes, so that a page neither skips nor repeats a session while others arrive.
    """
    order = tuple_(col(SessionRow.first_seen_ns), col(SessionRow.id))
    query = select(SessionRow).order_by(col(SessionRow.first_seen_ns).desc(), col(SessionRow.id).desc()).limit(limit)
    if before is not None:
        query = query.where(order < before)
    if state is not None:
        query = query.where(col(SessionRow.state) == state)
    if kiosk is not None:
        query = query.where(col(SessionRow.kiosk) == kiosk)
    if patient is not None:
        query = query.where(col(SessionRow.patient_id) == patient)
    return list(db.execute(query).scalars())


def assign(db: Session, session: str, patient: str | None) -> None:
    """Say whose session it is. Age, sex and baseline are part of its analysis, which is therefore due again."""
    db.execute(update(SessionRow).where(col(SessionRow.id) == session).values(patient_id=patient))
    mark_changed(db, [session])


def count_by_state(db: Session) -> dict[str, int]:
    """How many sessions there are of each state."""
    rows = db.execute(select(col(SessionRow.state), func.count()).group_by(col(SessionRow.state)))
    return {row[0]: row[1] for row in rows}

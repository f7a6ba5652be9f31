"""Sessions and their life: open, ended, closed, and closed again when more has come."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Row,
    Select,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store import reviews
from api.store.sealing import vault_of
from api.store.streams import insert
from api.tables import MAIN, PatientRow, SessionRow, StreamRow
from kiosk import messages

CLAIM_EXPIRES = 15 * 60 * messages.SECOND
"""A closer that died frees its session after this."""


def kiosk_of(db: Session, session: str) -> str | None:
    """Whose session it is, or None where it is not known."""
    return db.execute(select(col(SessionRow.kiosk)).where(col(SessionRow.id) == session)).scalar_one_or_none()


def make_orphan(db: Session, session: str, kiosk: str, now: int, *, clinic: str = MAIN) -> None:
    """A session of which only samples have come so far."""
    insert(
        db,
        SessionRow,
        [_row(session, kiosk, now, clinic, orphan=True)],
    )


def hear(db: Session, kiosk: str, message: messages.Session, now: int, *, clinic: str = MAIN) -> None:
    """Take the kiosk's word about a session."""
    insert(db, SessionRow, [_row(message.stream.session, kiosk, now, clinic, orphan=False)])
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


Why = Literal["late", "assigned", "corrected", "reanalysed"]
"""Why a closed session is analysed again; where several apply, the first."""


def mark_changed(db: Session, sessions: Iterable[str], *, reason: Why = "late", by: str | None = None) -> None:
    """These sessions are no longer what was analysed; those being closed, or closed, must be closed again."""
    late = and_(col(SessionRow.id).in_(list(sessions)), col(SessionRow.state) != "open")
    reasons = get_args(Why)
    stronger = and_(col(SessionRow.changed), col(SessionRow.due_reason).in_(reasons[: reasons.index(reason)]))
    db.execute(
        update(SessionRow)
        .where(late)
        .values(
            changed=True,
            due_reason=case((stronger, col(SessionRow.due_reason)), else_=reason),
            due_by=case((stronger, col(SessionRow.due_by)), else_=by),
        )
    )


def settle(db: Session, sessions: Iterable[str]) -> None:
    """These stay as they were closed: nothing that their newest revision does not know can be analysed any more."""
    db.execute(update(SessionRow).where(col(SessionRow.id).in_(list(sessions))).values(changed=False))


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
    reason: str = "closed"
    by: str | None = None
    """The user who wants it."""


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
        _due_columns(complete)
        .where(free, or_(first, again))
        # a visit that has just ended waits for no re-analysis of old ones
        .order_by(col(SessionRow.revision) > 0, col(SessionRow.ended_seen_ns))
        .limit(20)
    )
    return [_due(row) for row in rows]


def due_again(db: Session, session: str, *, reason: Why, by: str | None) -> Due | None:
    """A closed session, to be analysed again at once; None where it is not closed."""
    row = db.execute(
        _due_columns(col(SessionRow.outcome) == "complete").where(
            col(SessionRow.id) == session, col(SessionRow.state) == "closed"
        )
    ).one_or_none()
    return None if row is None else replace(_due(row), reason=reason, by=by)


def _due_columns(complete: ColumnElement[bool]) -> Select[str, bool, int, str | None, str | None]:
    return select(
        col(SessionRow.id),
        complete.label("complete"),
        col(SessionRow.revision),
        col(SessionRow.due_reason),
        col(SessionRow.due_by),
    )


def _due(row: Row[str, bool, int, str | None, str | None]) -> Due:
    number, complete, revision, reason, by = row
    why = "closed" if revision == 0 else reason or "late"
    return Due(number, "complete" if complete else "partial", revision, why, by if revision else None)


def claim(db: Session, session: Due, closer: str, now: int) -> bool:
    """Take a session for closing; False where another closer was first."""
    free = or_(col(SessionRow.claimed_ns).is_(None), col(SessionRow.claimed_ns) < now - CLAIM_EXPIRES)
    done = db.execute(
        update(SessionRow)
        .where(col(SessionRow.id) == session.id, col(SessionRow.revision) == session.revision, free)
        # what arrives from now on is not in what the closer is about to read
        .values(claimed_by=closer, claimed_ns=now, changed=False, due_reason=None, due_by=None)
    )
    return cast("CursorResult[Any]", done).rowcount == 1


def close(db: Session, session: Due, closer: str, now: int, *, quality: float | None = None) -> bool:
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
            quality=quality,
            closed_ns=now,
            claimed_by=None,
            claimed_ns=None,
        )
    )
    return cast("CursorResult[Any]", done).rowcount == 1


def release(db: Session, session: Due, closer: str, *, again: bool = True) -> None:
    """Give a claim back after a failure, to be tried again unless that is hopeless."""
    mine = update(SessionRow).where(col(SessionRow.id) == session.id, col(SessionRow.claimed_by) == closer)
    db.execute(
        mine.values(claimed_by=None, claimed_ns=None)
        if not again
        else mine.values(
            claimed_by=None,
            claimed_ns=None,
            changed=True,
            # what came meanwhile has a reason of its own
            due_reason=func.coalesce(col(SessionRow.due_reason), session.reason if session.revision else None),
            due_by=func.coalesce(col(SessionRow.due_by), session.by),
        )
    )


def get(db: Session, session: str) -> SessionRow | None:
    """One session."""
    return db.get(SessionRow, session)


def _row(session: str, kiosk: str, now: int, clinic: str, *, orphan: bool) -> dict[str, object]:
    return {
        "id": session,
        "kiosk": kiosk,
        "clinic_id": clinic,
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
    pseudonym: str | None = None,
    protocol: str | None = None,
    clinic: str | None = None,
    since: int | None = None,
    until: int | None = None,
    reviewed: bool | None = None,
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
    if since is not None:
        query = query.where(col(SessionRow.first_seen_ns) >= since)
    if until is not None:
        query = query.where(col(SessionRow.first_seen_ns) < until)
    if clinic is not None:
        query = query.where(col(SessionRow.clinic_id) == clinic)
    if kiosk is not None:
        query = query.where(col(SessionRow.kiosk) == kiosk)
    if patient is not None:
        query = query.where(col(SessionRow.patient_id) == patient)
    if pseudonym is not None:
        named = select(col(PatientRow.id)).where(col(PatientRow.pseudonym).startswith(pseudonym, autoescape=True))
        query = query.where(col(SessionRow.patient_id).in_(named))
    if protocol is not None:
        query = query.where(col(SessionRow.protocol) == protocol)
    if reviewed is not None:
        # what no analysis has told of yet, there is nothing to review of
        known = col(SessionRow.revision) > 0
        query = query.where(known, reviews.reviewed() if reviewed else ~reviews.reviewed())
    return list(db.execute(query).scalars())


def hold(db: Session, session: str) -> SessionRow | None:
    """One session that nobody else changes until this transaction ends."""
    return db.get(SessionRow, session, populate_existing=True, with_for_update=True)


def assign(db: Session, session: str, patient: str | None) -> None:
    """Say whose session it is. Age, sex and baseline are part of its analysis, which is therefore due again."""
    vault_of(db).assign(session, patient)
    mine = col(SessionRow.id) == session
    db.execute(update(SessionRow).where(mine).values(patient_id=patient, version=col(SessionRow.version) + 1))
    mark_changed(db, [session], reason="assigned")


def describe(db: Session, session: str, **values: str | None) -> None:
    """Set what people say of a session: protocol, operator_id."""
    mine = col(SessionRow.id) == session
    db.execute(update(SessionRow).where(mine).values(**values, version=col(SessionRow.version) + 1))


def count_by_state(db: Session) -> dict[str, int]:
    """How many sessions there are of each state."""
    rows = db.execute(select(col(SessionRow.state), func.count()).group_by(col(SessionRow.state)))
    return {row[0]: row[1] for row in rows}

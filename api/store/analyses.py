"""Uploads and how far their analysis is: claimed by compare-and-set, so that any number of workers may run."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, or_, select, tuple_, update
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.sealing import Tampered, vault_of
from api.store.sessions import Due
from api.store.streams import insert
from api.tables import AnalysisRow, ChunkRow, EventRow, LossRow, PyramidRow, SessionRow, StreamRow
from kiosk.messages import SECOND

CLAIM_EXPIRES = 60 * SECOND
"""A worker that died frees its upload after this; one that lives says so every second."""
MOST_ATTEMPTS = 3
_UNDER_WAY = ("queued", "reading", "analysing")
_LONGEST_ERROR = 300


def add(db: Session, row: AnalysisRow) -> None:
    """A new one."""
    db.add(row)
    db.flush()


def get(db: Session, analysis: str) -> AnalysisRow | None:
    """One of them."""
    return db.get(AnalysisRow, analysis)


def newest(
    db: Session,
    *,
    limit: int,
    clinic: str | None,
    before: tuple[int, str] | None = None,
    state: str | None = None,
    patient: str | None = None,
) -> list[AnalysisRow]:
    """Uploads, newest first; `before` is (created_ns, id) of the last one seen."""
    query = select(AnalysisRow).order_by(col(AnalysisRow.created_ns).desc(), col(AnalysisRow.id).desc()).limit(limit)
    if clinic is not None:
        query = query.where(col(AnalysisRow.clinic_id) == clinic)
    if before is not None:
        query = query.where(tuple_(col(AnalysisRow.created_ns), col(AnalysisRow.id)) < before)
    if state is not None:
        query = query.where(col(AnalysisRow.state) == state)
    if patient is not None:
        query = query.where(col(AnalysisRow.patient_id) == patient)
    return list(db.execute(query).scalars())


def remove(db: Session, analysis: str) -> None:
    """Forget an upload. A worker that is at it finds its claim gone, and stops."""
    db.execute(delete(AnalysisRow).where(col(AnalysisRow.id) == analysis))


def known(db: Session, analyses: Sequence[str]) -> set[str]:
    """Those of them that are still to be worked on."""
    rows = select(col(AnalysisRow.id)).where(col(AnalysisRow.id).in_(analyses), col(AnalysisRow.state).in_(_UNDER_WAY))
    return set(db.execute(rows).scalars())


def session_of(analysis: str) -> str:
    """The session that an upload becomes: the same at every attempt."""
    return f"s-{analysis.partition('-')[2] or analysis}"


def error_of(db: Session, row: AnalysisRow) -> str | None:
    """Why it failed, in words."""
    if row.error is None:
        return None
    try:
        return vault_of(db).purpose("analyses").open(base64.b64decode(row.error), f"analyses:{row.id}").decode()
    except (Tampered, binascii.Error):
        return "the reason cannot be read"


# --- for workers


def claim(db: Session, worker: str, now: int) -> AnalysisRow | None:
    """The oldest that nobody is at, as one's own; None where there is none."""
    query = (
        select(col(AnalysisRow.id), col(AnalysisRow.attempts))
        .where(col(AnalysisRow.state).in_(_UNDER_WAY), _free(now))
        .order_by(col(AnalysisRow.created_ns))
        .limit(5)
    )
    for analysis, attempts in db.execute(query).all():
        done = db.execute(
            update(AnalysisRow)
            .where(col(AnalysisRow.id) == analysis, col(AnalysisRow.attempts) == attempts, _free(now))
            .values(claimed_by=worker, claimed_ns=now, attempts=attempts + 1, state="reading", progress=0.0)
        )
        if _rows(done) == 1:
            return db.get(AnalysisRow, analysis, populate_existing=True)
    return None


def _free(now: int) -> ColumnElement[bool]:
    return or_(col(AnalysisRow.claimed_ns).is_(None), col(AnalysisRow.claimed_ns) < now - CLAIM_EXPIRES)


def note(db: Session, analysis: str, worker: str, state: str, progress: float, now: int) -> bool:
    """Say how far it is, and keep the claim; False where it is lost: taken over, or cancelled."""
    done = db.execute(_mine(analysis, worker).values(state=state, progress=min(progress, 0.999), claimed_ns=now))
    return _rows(done) == 1


def finish(db: Session, analysis: str, worker: str, session: str, now: int) -> bool:
    """It is done; False where the claim is lost."""
    values = {"state": "done", "progress": 1.0, "session_id": session, "finished_ns": now, "error": None}
    return _rows(db.execute(_mine(analysis, worker).values(**values, claimed_by=None, claimed_ns=None))) == 1


def fail(db: Session, analysis: str, worker: str, words: str, now: int) -> bool:
    """It failed for good, and why; False where the claim is lost."""
    text = words.encode()[:_LONGEST_ERROR].decode(errors="ignore").encode()
    sealed = vault_of(db).purpose("analyses").seal(text, f"analyses:{analysis}")
    values = {"state": "failed", "error": base64.b64encode(sealed).decode(), "finished_ns": now}
    return _rows(db.execute(_mine(analysis, worker).values(**values, claimed_by=None, claimed_ns=None))) == 1


def release(db: Session, analysis: str, worker: str, *, counted: bool) -> None:
    """Give it back, to be begun again; not `counted` where nothing of it was to blame."""
    again = col(AnalysisRow.attempts) - (0 if counted else 1)
    values = {"state": "queued", "progress": 0.0, "claimed_by": None, "claimed_ns": None, "attempts": again}
    db.execute(_mine(analysis, worker).values(**values))


def _mine(analysis: str, worker: str) -> Any:  # noqa: ANN401 - Update, before its values
    return update(AnalysisRow).where(col(AnalysisRow.id) == analysis, col(AnalysisRow.claimed_by) == worker)


def _rows(done: object) -> int:
    return cast("CursorResult[Any]", done).rowcount


# --- the session that it becomes


def open_session(
    db: Session, row: AnalysisRow, session: str, kiosk: str, worker: str, *, origin: int | None, ended: int, now: int
) -> None:
    """A session that is open and claimed, so that no closer takes the part for the whole."""
    discard(db, session)
    values: dict[str, Any] = {
        "id": session,
        "kiosk": kiosk,
        "clinic_id": row.clinic_id,
        "patient_id": row.patient_id,
        "operator_id": row.requested_by,
        "state": "open",
        "orphan": False,
        "simulated": False,
        "origin_utc_ns": origin,
        "ended_ns": ended,
        "first_seen_ns": now,
        "last_seen_ns": now,
        "revision": 0,
        "changed": False,
        "claimed_by": worker,
        "claimed_ns": now,
    }
    insert(db, SessionRow, [values])
    vault_of(db).assign(session, row.patient_id)


def touch_session(db: Session, session: str, worker: str, now: int) -> None:
    """Keep the session's claim."""
    mine = update(SessionRow).where(col(SessionRow.id) == session, col(SessionRow.claimed_by) == worker)
    db.execute(mine.values(last_seen_ns=now, claimed_ns=now))


def end_session(db: Session, session: str, now: int) -> Due:
    """Everything of the session is here; it is ready to be closed by whoever claimed it."""
    mine = col(SessionRow.id) == session
    db.execute(update(SessionRow).where(mine).values(state="ended", ended_seen_ns=now, last_seen_ns=now))
    db.execute(update(StreamRow).where(col(StreamRow.session_id) == session).values(last=col(StreamRow.upto)))
    return Due(session, "complete", 0)


def discard(db: Session, session: str) -> None:
    """Take away what an attempt stored that came to nothing; a closed session stays."""
    row = db.get(SessionRow, session)
    if row is None or row.revision > 0:
        return
    streams = select(col(StreamRow.id)).where(col(StreamRow.session_id) == session)
    for table in (ChunkRow, LossRow, EventRow, PyramidRow):
        db.execute(delete(table).where(col(table.stream_id).in_(streams)))
    db.execute(delete(StreamRow).where(col(StreamRow.session_id) == session))
    db.execute(delete(SessionRow).where(col(SessionRow.id) == session))
    db.expire_all()

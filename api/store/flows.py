"""How signals arrive: what of open sessions came lately, and how a kiosk's last sessions were delivered."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import ChunkRow, LossRow, SessionRow, StreamRow
from kiosk.messages import SECOND

LATELY = 40 * SECOND
"""Over so long the rate is measured; what came before is no news."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One signal of an open session."""

    kiosk: str
    session: str
    device: str
    signal: str
    nominal: float | None
    """Hertz; null where samples have times of their own."""
    measured: float | None
    """Over the last seconds; null where too little came."""
    age_ns: int | None
    """Since the last sample was taken; null where none came lately."""
    missing: int
    """Messages of the last seconds that are not here, though later ones are."""
    lost: int
    """Messages of the session that will never come."""
    stored: int
    """How many of its messages are here, or known to be lost, in a row."""


def flows(db: Session, clinic: str | None, now: int, *, kiosk: str | None = None) -> Iterator[Flow]:
    """Every signal of every session in progress, or of those of one kiosk."""
    query = select(SessionRow).where(col(SessionRow.state) == "open").order_by(col(SessionRow.first_seen_ns).desc())
    if clinic is not None:
        query = query.where(col(SessionRow.clinic_id) == clinic)
    if kiosk is not None:
        query = query.where(col(SessionRow.kiosk) == kiosk)
    for session in db.execute(query.limit(500)).scalars():
        yield from _of_session(db, session, now)


def _of_session(db: Session, session: SessionRow, now: int) -> Iterator[Flow]:
    streams = list(
        db.execute(
            select(StreamRow)
            .where(col(StreamRow.session_id) == session.id, col(StreamRow.channels).is_not(None))
            .order_by(col(StreamRow.device), col(StreamRow.signal), col(StreamRow.id))
        ).scalars()
    )
    # an orphan has no origin yet: when it was first heard of is near enough
    origin = session.origin_utc_ns if session.origin_utc_ns is not None else session.first_seen_ns
    numbers = [stream.id for stream in streams]
    lately = {
        row[0]: row
        for row in db.execute(
            select(
                col(ChunkRow.stream_id),
                func.count(),
                func.sum(col(ChunkRow.count)),
                func.min(col(ChunkRow.start_ns)),
                func.max(col(ChunkRow.start_ns)),
                func.min(col(ChunkRow.seq)),
                func.max(col(ChunkRow.seq)),
            )
            .where(col(ChunkRow.stream_id).in_(numbers), col(ChunkRow.start_ns) >= now - origin - LATELY)
            .group_by(col(ChunkRow.stream_id))
        )
    }
    lost = _lost(db, numbers)
    newest = {(stream.device, stream.signal): stream for stream in streams}
    for stream in newest.values():
        assert stream.id is not None
        row = lately.get(stream.id)
        chunks, samples, first, last, low, high = row[1:] if row is not None else (0, 0, 0, 0, 0, -1)
        span = last - first
        measured = samples * (chunks - 1) / chunks * SECOND / span if chunks > 1 and span > 0 else None
        # a chunk's time is that of its first sample
        length = span // (chunks - 1) if chunks > 1 else 0
        age = None if row is None else max(0, now - origin - last - length)
        yield Flow(
            session.kiosk, session.id, stream.device, stream.signal, stream.rate, measured, age,
            max(0, high - low + 1 - chunks), lost.get(stream.id, 0), stream.upto + 1,
        )  # fmt: skip


def _lost(db: Session, streams: list[int | None]) -> dict[int, int]:
    rows = db.execute(
        select(col(LossRow.stream_id), func.sum(col(LossRow.last) - col(LossRow.first) + 1))
        .where(col(LossRow.stream_id).in_(streams))
        .group_by(col(LossRow.stream_id))
    )
    return {row[0]: int(row[1]) for row in rows}


@dataclass(frozen=True, slots=True)
class Delivered:
    """How much of a session of a kiosk came."""

    session: SessionRow
    stored: int
    expected: int | None
    """Null while the end of any stream is unknown."""
    lost: int


def last_sessions(db: Session, kiosk: str, clinic: str | None, limit: int) -> list[Delivered]:
    """A kiosk's last sessions, the newest first."""
    query = (
        select(SessionRow)
        .where(col(SessionRow.kiosk) == kiosk)
        .order_by(col(SessionRow.first_seen_ns).desc(), col(SessionRow.id).desc())
        .limit(limit)
    )
    if clinic is not None:
        query = query.where(col(SessionRow.clinic_id) == clinic)
    sessions = list(db.execute(query).scalars())
    ids = [session.id for session in sessions]
    ends = {
        row[0]: row
        for row in db.execute(
            select(
                col(StreamRow.session_id),
                func.sum(col(StreamRow.upto) + 1),
                func.sum(func.coalesce(col(StreamRow.last), -1) + 1),
                func.sum(case((col(StreamRow.last).is_(None), 1), else_=0)),
            )
            .where(col(StreamRow.session_id).in_(ids))
            .group_by(col(StreamRow.session_id))
        )
    }
    lost = {
        row[0]: int(row[1])
        for row in db.execute(
            select(col(StreamRow.session_id), func.sum(col(LossRow.last) - col(LossRow.first) + 1))
            .join(StreamRow, col(StreamRow.id) == col(LossRow.stream_id))
            .where(col(StreamRow.session_id).in_(ids))
            .group_by(col(StreamRow.session_id))
        )
    }
    found = []
    for session in sessions:
        row = ends.get(session.id)
        stored, expected, unknown = (int(row[1]), int(row[2]), int(row[3])) if row is not None else (0, 0, 1)
        found.append(Delivered(session, stored, None if unknown else expected, lost.get(session.id, 0)))
    return found


def clock_offset(delivered: list[Delivered]) -> int | None:
    """How far a kiosk's clock seems to be ahead of ours, in nanoseconds, by when its sessions began and were heard of.

    The word took some time to come, so that the nearest of several is taken: it is right to the delay of that one.
    """
    known = [
        each.session.origin_utc_ns - each.session.first_seen_ns
        for each in delivered
        if each.session.origin_utc_ns is not None and not each.session.orphan
    ]
    return max(known, default=None)

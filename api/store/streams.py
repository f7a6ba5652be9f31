"""Streams of a session, how far each is committed, and what of it will never come."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import SQLModel, col

from api.store.sealing import vault_of
from api.tables import ChunkRow, LossRow, StreamRow
from kiosk.messages import SECOND, Lost, Stream


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stream is committed."""

    id: int
    upto: int
    last: int | None
    rate: float | None
    channels: tuple[str, ...] | None


def insert(db: Session, table: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    """Insert rows; those that are there already stay as they are."""
    if not rows:
        return
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    # many rows as many parameter sets: one long VALUES would hit the number of variables a statement may have
    db.connection().execute(dialect.insert(table).on_conflict_do_nothing(), rows)


def find_or_make(db: Session, stream: Stream) -> Progress:
    """A stream's progress; its session must exist."""
    key = {"session_id": stream.session, "device": stream.device, "signal": stream.signal, "run": stream.run}
    insert(db, StreamRow, [{**key, "upto": -1}])
    row = db.execute(select(StreamRow).filter_by(**key)).scalar_one()
    assert row.id is not None
    channels = tuple(row.channels) if row.channels is not None else None
    return Progress(row.id, row.upto, row.last, row.rate, channels)


def exists(db: Session, stream: Stream) -> bool:
    """Whether anything was ever heard of a stream."""
    key = {"session_id": stream.session, "device": stream.device, "signal": stream.signal, "run": stream.run}
    return db.execute(select(col(StreamRow.id)).filter_by(**key)).first() is not None


def set_shape(db: Session, stream_id: int, rate: float | None, channels: tuple[str, ...]) -> None:
    """Remember rate and channels, with the stream's first chunk."""
    db.execute(update(StreamRow).where(col(StreamRow.id) == stream_id).values(rate=rate, channels=list(channels)))


def set_progress(db: Session, progress: Iterable[tuple[int, int, int | None]]) -> None:
    """Write (stream, upto, last). Never back: two recorders may know different parts."""
    rows = [{"stream": stream, "new_upto": upto, "new_last": last} for stream, upto, last in progress]
    if rows:
        db.connection().execute(
            update(StreamRow)
            .where(col(StreamRow.id) == bindparam("stream"))
            .values(
                upto=case(
                    (col(StreamRow.upto) < bindparam("new_upto"), bindparam("new_upto")), else_=col(StreamRow.upto)
                ),
                last=func.coalesce(col(StreamRow.last), bindparam("new_last")),
            ),
            rows,
        )


def lose(db: Session, losses: Iterable[tuple[int, Lost]]) -> None:
    """Note ranges that will never come."""
    insert(
        db,
        LossRow,
        [
            {"stream_id": number, "first": lost.first, "last": lost.last, "reason": lost.reason}
            for number, lost in losses
        ],
    )


def of_session(db: Session, session: str) -> list[StreamRow]:
    """All streams of a session."""
    return list(db.execute(select(StreamRow).filter_by(session_id=session).order_by(col(StreamRow.id))).scalars())


def losses(db: Session, stream_id: int) -> list[LossRow]:
    """What of a stream will never come."""
    rows = select(LossRow).where(col(LossRow.stream_id) == stream_id).order_by(col(LossRow.first))
    return list(db.execute(rows).scalars())


def losses_of_session(db: Session, session: str) -> list[tuple[StreamRow, LossRow]]:
    """What of a session will never come."""
    rows = db.execute(
        select(StreamRow, LossRow)
        .join(LossRow, col(LossRow.stream_id) == col(StreamRow.id))
        .where(col(StreamRow.session_id) == session)
        .order_by(col(LossRow.stream_id), col(LossRow.first))
    )
    return [(row[0], row[1]) for row in rows]


@dataclass(frozen=True, slots=True)
class Extent:
    """What of a stream's samples is stored, and from when to when, in nanoseconds since the session's origin."""

    samples: int
    start: int
    end: int


def extents(db: Session, session: str) -> dict[int, Extent]:
    """The extent of each stream that has samples, by the stream's id."""
    rows = db.execute(
        select(
            col(ChunkRow.stream_id),
            col(StreamRow.rate),
            func.sum(col(ChunkRow.count)),
            func.min(col(ChunkRow.start_ns)),
            func.max(col(ChunkRow.start_ns)),
        )
        .join(StreamRow, col(ChunkRow.stream_id) == col(StreamRow.id))
        .where(col(StreamRow.session_id) == session)
        .group_by(col(ChunkRow.stream_id), col(StreamRow.rate))
    ).all()
    return {row[0]: Extent(int(row[2]), row[3], _end(db, session, row[0], row[1], row[4])) for row in rows}


def _end(db: Session, session: str, stream: int, rate: float | None, last_start: int) -> int:
    """When the last sample's period ends; where there is no rate, when the last sample was."""
    last = db.execute(
        select(col(ChunkRow.count), col(ChunkRow.offsets), col(ChunkRow.seq), col(ChunkRow.sealed))
        .where(col(ChunkRow.stream_id) == stream, col(ChunkRow.start_ns) == last_start)
        .order_by(col(ChunkRow.seq).desc())
        .limit(1)
    ).one()
    if rate is not None:
        return last_start + round(last[0] * SECOND / rate)
    offsets = last[1]
    if offsets and last[3]:
        offsets = vault_of(db).session(session).open(offsets, place_of_offsets(stream, last[2]))
    return last_start + (int.from_bytes(bytes(offsets)[-4:], "little", signed=True) * 1000 if offsets else 0)


def place_of_offsets(stream: int, seq: int) -> str:
    """Where a chunk's offsets are sealed for."""
    return f"chunks:{stream}:{seq}:offsets"

"""Waveforms: samples as they came, encrypted under their session's key, and read back as messages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.sealing import Box, vault_of
from api.store.streams import place_of_offsets
from api.tables import ChunkRow, StreamRow
from kiosk.messages import Chunk, Stream

# one statement with six arrays: ten times as fast as a statement per row
_POSTGRESQL = (
    "INSERT INTO chunks (stream_id, seq, start_ns, count, samples, offsets, sealed) SELECT *, true FROM unnest"
    "(%s::int[], %s::bigint[], %s::bigint[], %s::int[], %s::bytea[], %s::bytea[]) ON CONFLICT DO NOTHING"
)
_SQLITE = (
    "INSERT INTO chunks (stream_id, seq, start_ns, count, samples, offsets, sealed) VALUES (?, ?, ?, ?, ?, ?, 1)"
    " ON CONFLICT DO NOTHING"
)


def add(db: Session, chunks: Sequence[tuple[int, Chunk]], boxes: Mapping[str, Box] | None = None) -> None:
    """Insert chunks of the given streams; one that is there already stays as it is. `boxes` are those at hand."""
    if not chunks:
        return
    vault, mine = vault_of(db), dict(boxes or {})
    rows = []
    for number, chunk in chunks:
        session = chunk.stream.session
        box = mine.get(session) or mine.setdefault(session, vault.session(session))
        sealed_ = sealed(box, number, chunk.seq, chunk.samples, chunk.offsets)
        rows.append((number, chunk.seq, chunk.start, chunk.count, *sealed_))
    connection = db.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_POSTGRESQL, tuple(map(list, zip(*rows, strict=True))))
    else:
        connection.exec_driver_sql(_SQLITE, rows)


def place(stream: int, seq: int) -> str:
    """Where a chunk's samples are sealed for: they open nowhere else."""
    return f"chunks:{stream}:{seq}"


def sealed(box: Box, stream: int, seq: int, samples: bytes, offsets: bytes | None) -> tuple[bytes, bytes | None]:
    """Samples and offsets as a row keeps them."""
    shut = box.seal(samples, place(stream, seq))
    return shut, None if offsets is None else box.seal(offsets, place_of_offsets(stream, seq))


def opened(box: Box, stream: int, seq: int, samples: bytes, offsets: bytes | None) -> tuple[bytes, bytes | None]:
    """Samples and offsets of a sealed row."""
    plain = box.open(samples, place(stream, seq))
    return plain, None if offsets is None else box.open(offsets, place_of_offsets(stream, seq))


def of_session(
    db: Session,
    session: str,
    *,
    signals: Iterable[str] | None = None,
    device: str | None = None,
    start: int | None = None,
    end: int | None = None,
) -> Iterator[Chunk]:
    """Chunks of a session in order of stream and seq, optionally those that may touch [start, end)."""
    wanted = select(StreamRow).where(col(StreamRow.session_id) == session, col(StreamRow.channels).is_not(None))
    if signals is not None:
        wanted = wanted.where(col(StreamRow.signal).in_(list(signals)))
    if device is not None:
        wanted = wanted.where(col(StreamRow.device) == device)
    streams = db.execute(wanted.order_by(col(StreamRow.id))).scalars().all()
    return chain.from_iterable(_of_stream(db, row, start, end) for row in streams)


# no chunk is longer: a regular one lasts a second at most, an irregular one's offsets end here
_LONGEST = 2_200_000_000_000


def _of_stream(db: Session, row: StreamRow, start: int | None, end: int | None) -> Iterator[Chunk]:
    assert row.id is not None
    box = vault_of(db).session(row.session_id)
    query = select(
        col(ChunkRow.seq),
        col(ChunkRow.start_ns),
        col(ChunkRow.samples),
        col(ChunkRow.offsets),
        col(ChunkRow.sealed),
    ).where(col(ChunkRow.stream_id) == row.id)
    if start is not None:
        longest = 60_000_000_000 if row.rate is not None else _LONGEST
        query = query.where(col(ChunkRow.start_ns) >= start - longest)
    if end is not None:
        query = query.where(col(ChunkRow.start_ns) < end)
    stream = Stream(row.session_id, row.device, row.signal, row.run)
    channels = tuple(row.channels or ())
    for seq, begin, samples, offsets, is_sealed in db.execute(query.order_by(col(ChunkRow.seq))):
        if is_sealed:
            samples, offsets = opened(box, row.id, seq, samples, offsets)  # noqa: PLW2901
        yield Chunk(stream, seq, begin, row.rate, channels, bytes(samples), bytes(offsets) if offsets else None)

"""The rows behind resources, many at a time."""

from collections.abc import Collection, Iterable
from typing import NamedTuple, TypeVar

from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased
from sqlmodel import SQLModel, col

from api.store.chunks import opened
from api.store.fhir.told import repeated
from api.store.fhir.wanted import WINDOW_NS
from api.store.sealing import vault_of
from api.tables import (
    ChunkRow,
    CorrectionRow,
    DeviceRow,
    IdentityRow,
    ReadingRow,
    RevisionRow,
    StreamRow,
)
from kiosk.messages import Chunk, Stream

Row = TypeVar("Row", bound=SQLModel)


def rows_by_id(db: Session, table: type[Row], ids: Collection[object]) -> dict[object, Row]:
    """Rows of a table whose primary key is one column `id`."""
    column = table.__table__.c["id"]  # type: ignore[attr-defined] # SQLModel does not say it
    return {getattr(row, "id"): row for row in db.execute(select(table).where(column.in_(list(ids)))).scalars()}  # noqa: B009


def revisions_of(db: Session, pairs: Iterable[tuple[str, int]]) -> dict[tuple[str, int], RevisionRow]:
    """Analyses by session and number."""
    wanted = list(pairs)
    if not wanted:
        return {}
    query = select(RevisionRow).where(tuple_(col(RevisionRow.session_id), col(RevisionRow.number)).in_(wanted))
    return {(row.session_id, row.number): row for row in db.execute(query).scalars()}


def diastolic_of(db: Session, systolic: Collection[ReadingRow]) -> dict[int, ReadingRow]:
    """The diastolic reading that was measured with each systolic one, by the latter's id."""
    ids = [row.id for row in systolic if row.measure == "systolic"]
    first, other = aliased(ReadingRow), aliased(ReadingRow)
    query = (
        select(col(first.id), other)
        .join(
            other,
            and_(
                col(other.session_id) == col(first.session_id),
                col(other.revision) == col(first.revision),
                col(other.measure) == "diastolic",
                col(other.source) == col(first.source),
                col(other.scope) == col(first.scope),
                col(other.start_ns) == col(first.start_ns),
                col(other.end_ns) == col(first.end_ns),
            ),
        )
        .where(col(first.id).in_(ids))
    )
    return {row[0] or 0: row[1] for row in db.execute(query)} if ids else {}


def earlier_revisions(db: Session, rows: Collection[ReadingRow]) -> dict[int, int]:
    """For readings of an analysis: the id of the oldest row that says the same thing, by their own."""
    ids = [row.id for row in rows if row.revision > 0]
    now, first = aliased(ReadingRow), aliased(ReadingRow)
    same = and_(
        col(first.session_id) == col(now.session_id),
        col(first.measure) == col(now.measure),
        col(first.source) == col(now.source),
        col(first.scope) == col(now.scope),
        col(first.revision) > 0,
    )
    if not ids:
        return {}
    query = select(col(now.id), func.min(col(first.id))).join(first, same)
    query = query.where(col(now.id).in_(ids), ~repeated(now)).group_by(col(now.id))
    found = {row[0] or 0: row[1] or 0 for row in db.execute(query)}
    return {number or 0: found.get(number or 0, number or 0) for number in ids}


def same_readings(db: Session, reading: int) -> list[ReadingRow]:
    """What every revision says of the same thing, oldest first; the reading alone where a device measured it, or
    where its revision said it before."""
    row = db.get(ReadingRow, reading)
    if row is None:
        return []
    mine = select(col(ReadingRow.id)).where(col(ReadingRow.id) == reading)
    if row.revision == 0 or db.execute(mine.where(repeated(ReadingRow))).first() is not None:
        return [row]
    query = select(ReadingRow).where(
        col(ReadingRow.session_id) == row.session_id,
        col(ReadingRow.measure) == row.measure,
        col(ReadingRow.source) == row.source,
        col(ReadingRow.scope) == row.scope,
        col(ReadingRow.revision) > 0,
    )
    return list(db.execute(query.order_by(col(ReadingRow.revision), col(ReadingRow.id))).scalars())


def owners_of_readings(db: Session, readings: Collection[int]) -> set[str]:
    """The sessions of these readings."""
    query = select(col(ReadingRow.session_id)).where(col(ReadingRow.id).in_(list(readings)))
    return set(db.execute(query.distinct()).scalars()) if readings else set()


def owners_of_streams(db: Session, streams: Collection[int]) -> set[str]:
    """The sessions of these streams."""
    query = select(col(StreamRow.session_id)).where(col(StreamRow.id).in_(list(streams)))
    return set(db.execute(query.distinct()).scalars()) if streams else set()


def devices_of(db: Session, kiosks: Collection[str]) -> dict[str, frozenset[str]]:
    """The names of the devices that each kiosk has said something of."""
    rows = db.execute(select(col(DeviceRow.kiosk), col(DeviceRow.device)).where(col(DeviceRow.kiosk).in_(list(kiosks))))
    found: dict[str, set[str]] = {}
    for kiosk, device in rows:
        found.setdefault(kiosk, set()).add(device)
    return {kiosk: frozenset(devices) for kiosk, devices in found.items()}


def devices_of_streams(db: Session, streams: Collection[int | None]) -> dict[int, str]:
    """Which device each stream is of."""
    query = select(col(StreamRow.id), col(StreamRow.device)).where(col(StreamRow.id).in_(list(streams)))
    return {row[0] or 0: row[1] for row in db.execute(query)}


class EcgWindow(NamedTuple):
    """A stretch of one device's electrocardiogram."""

    session: str
    device: str
    stream: int
    part: int


def ecg_windows(db: Session, sessions: Collection[str]) -> list[EcgWindow]:
    """All that there is of electrocardiograms in these sessions."""
    window = col(ChunkRow.start_ns) // WINDOW_NS
    query = (
        select(col(StreamRow.session_id), col(StreamRow.device), col(StreamRow.id), window)
        .join(ChunkRow, col(ChunkRow.stream_id) == col(StreamRow.id))
        .where(
            col(StreamRow.session_id).in_(list(sessions)),
            col(StreamRow.signal) == "ecg",
            col(StreamRow.rate).is_not(None),
        )
        .group_by(col(StreamRow.session_id), col(StreamRow.device), col(StreamRow.id), window)
        .order_by(col(StreamRow.id), window)
    )
    return [EcgWindow(row[0], row[1], row[2] or 0, row[3]) for row in db.execute(query)]


def chunks_of_window(db: Session, stream: StreamRow, part: int) -> list[Chunk]:
    """The chunks that begin in a window, in the order of their times."""
    assert stream.id is not None
    begins = col(ChunkRow.start_ns)
    query = (
        select(ChunkRow)
        .where(
            col(ChunkRow.stream_id) == stream.id,
            # for the index; the last condition says it exactly
            begins > (part - 1) * WINDOW_NS,
            begins < (part + 1) * WINDOW_NS,
            begins // WINDOW_NS == part,
        )
        .order_by(begins, col(ChunkRow.seq))
    )
    named = Stream(stream.session_id, stream.device, stream.signal, stream.run)
    box = vault_of(db).session(stream.session_id)
    found = []
    for row in db.execute(query).scalars():
        samples = opened(box, stream.id, row.seq, row.samples, None)[0] if row.sealed else bytes(row.samples)
        found.append(Chunk(named, row.seq, row.start_ns, stream.rate, tuple(stream.channels or ()), samples))
    return found


def identity_updates(db: Session, patients: Collection[str]) -> dict[str, int]:
    """When something was last said about who these patients are."""
    query = select(col(IdentityRow.patient_id), col(IdentityRow.updated_ns))
    return {row[0]: row[1] for row in db.execute(query.where(col(IdentityRow.patient_id).in_(list(patients))))}


def correctors(db: Session, revisions: Collection[RevisionRow]) -> dict[tuple[str, int], tuple[str, ...]]:
    """Who set beats by hand that were in force when a revision was made, by session and number."""
    in_force = or_(col(CorrectionRow.undone_ns).is_(None), col(CorrectionRow.undone_ns) > col(RevisionRow.created_ns))
    query = (
        select(col(RevisionRow.session_id), col(RevisionRow.number), col(CorrectionRow.author_id))
        .join(CorrectionRow, col(CorrectionRow.session_id) == col(RevisionRow.session_id))
        .where(
            tuple_(col(RevisionRow.session_id), col(RevisionRow.number)).in_(_names(revisions)),
            col(CorrectionRow.created_ns) <= col(RevisionRow.created_ns),
            in_force,
        )
        .distinct()
        .order_by(col(CorrectionRow.author_id))
    )
    found: dict[tuple[str, int], tuple[str, ...]] = {}
    for session, number, author in db.execute(query) if revisions else ():
        found[session, number] = (*found.get((session, number), ()), author)
    return found


def readings_of(db: Session, revisions: Collection[RevisionRow]) -> dict[tuple[str, int], list[ReadingRow]]:
    """What revisions say, by session and number, in the order in which it was stored."""
    mine = tuple_(col(ReadingRow.session_id), col(ReadingRow.revision)).in_(_names(revisions))
    found: dict[tuple[str, int], list[ReadingRow]] = {}
    rows = db.execute(select(ReadingRow).where(mine).order_by(col(ReadingRow.id))).scalars() if revisions else ()
    for row in rows:
        found.setdefault((row.session_id, row.revision), []).append(row)
    return found


def devices_by_name(db: Session, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], DeviceRow]:
    """Devices, by kiosk and name."""
    wanted = tuple_(col(DeviceRow.kiosk), col(DeviceRow.device)).in_(list(names))
    rows = db.execute(select(DeviceRow).where(wanted)).scalars() if names else ()
    return {(row.kiosk, row.device): row for row in rows}


def _names(revisions: Iterable[RevisionRow]) -> list[tuple[str, int]]:
    return [(row.session_id, row.number) for row in revisions]

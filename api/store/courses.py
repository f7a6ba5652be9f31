"""Courses: how numbers went during a session, as each revision saw it. Encrypted under the session's key."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.sealing import Vault, vault_of
from api.tables import CourseRow

Floats = NDArray[np.float64]
LONGEST_SOURCE = 128
"""Characters of a source's name that are kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A course, opened. Times in seconds, or what else a figure's points lie over."""

    measure: str
    source: str
    method: str
    window: float
    times: Floats
    values: Floats


class Sealed(NamedTuple):
    """A row's values."""

    session: str
    revision: int
    measure: str
    source: str
    points: bytes


class _Points(msgspec.Struct, array_like=True, frozen=True):
    method: str
    window: float
    times: bytes
    values: bytes


def sealed(vault: Vault, session: str, revision: int, courses: Iterable[Kept]) -> list[Sealed]:
    """Courses of a revision, encrypted; of two of one measure and source the first."""
    box = vault.session(session)
    rows: dict[tuple[str, str], Sealed] = {}
    for each in courses:
        source = each.source[:LONGEST_SOURCE]
        if (each.measure, source) not in rows:
            times, values = (np.asarray(column, "<f8").tobytes() for column in (each.times, each.values))
            points = msgspec.msgpack.encode(_Points(each.method, each.window, times, values))
            shut = box.seal(points, place(session, revision, each.measure, source))
            rows[each.measure, source] = Sealed(session, revision, each.measure, source, shut)
    return list(rows.values())


def add(db: Session, rows: Iterable[Sealed]) -> None:
    """Store them, in the transaction that stores their revision."""
    db.add_all(
        CourseRow(session_id=row.session, revision=row.revision, measure=row.measure, source=row.source,
                  points=row.points)
        for row in rows
    )  # fmt: skip


def of_revision(
    db: Session, session: str, revision: int, *, measures: Collection[str] | None = None, source: str | None = None
) -> list[Kept]:
    """What a revision has of these measures."""
    query = select(CourseRow).where(col(CourseRow.session_id) == session, col(CourseRow.revision) == revision)
    if measures is not None:
        query = query.where(col(CourseRow.measure).in_(list(measures)))
    if source is not None:
        query = query.where(col(CourseRow.source) == source)
    rows = db.execute(query.order_by(col(CourseRow.measure), col(CourseRow.source))).scalars().all()
    return _opened(db, session, rows)


def has_any(db: Session, session: str, revision: int) -> bool:
    """Whether a revision kept how its numbers went: those of earlier versions did not."""
    mine = select(col(CourseRow.measure)).where(
        col(CourseRow.session_id) == session, col(CourseRow.revision) == revision
    )
    return db.execute(mine.limit(1)).scalar_one_or_none() is not None


def place(session: str, revision: int, measure: str, source: str) -> str:
    """Where a course is sealed for: it opens nowhere else."""
    return f"courses:{session}:{revision}:{measure}:{source}"


def _opened(db: Session, session: str, rows: Sequence[CourseRow]) -> list[Kept]:
    # whether its key is there shows even where it has no rows
    box = vault_of(db).session(session)
    found = []
    for row in rows:
        plain = box.open(row.points, place(session, row.revision, row.measure, row.source))
        points = msgspec.msgpack.decode(plain, type=_Points)
        times, values = np.frombuffer(points.times, "<f8"), np.frombuffer(points.values, "<f8")
        found.append(Kept(row.measure, row.source, points.method, points.window, times, values))
    return found

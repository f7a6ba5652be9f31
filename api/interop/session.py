"""A session as exports tell it: whose, when, what was measured and what was found. No name is in it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from api.interop import flows
from api.interop.flows import Flow
from api.store import Transaction, events, patients, readings, revisions
from api.tables import ReadingRow, SessionRow
from kiosk.messages import SECOND

MOST_MARKS = 20_000
"""Events that an export holds, in order of time."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mark:
    """An event."""

    time_ns: int
    device: str
    event: str
    detail: str

    @property
    def said(self) -> str:
        """In one line."""
        return f"{self.event}: {self.detail}" if self.detail else self.event


@dataclass(frozen=True, slots=True)
class Exported:
    """What exports tell of a session beside its samples, which they read as they go."""

    session: str
    kiosk: str
    pseudonym: str | None
    sex: str | None
    birth_year: int | None
    protocol: str | None
    simulated: bool
    revision: int
    version: str | None
    """Of the program that analysed it."""
    origin: datetime | None
    """Its time zero; None where its kiosk never said it."""
    ended: float | None
    flows: tuple[Flow, ...]
    beats: NDArray[np.float64]
    """In seconds, of the newest revision."""
    marks: tuple[Mark, ...]
    readings: tuple[ReadingRow, ...]


def moment(nanoseconds: int) -> datetime:
    """A UTC time from nanoseconds since 1970."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)


def gathered(db: Transaction, row: SessionRow) -> Exported:
    """All of a session that is small."""
    person = patients.get(db, row.patient_id) if row.patient_id else None
    newest = revisions.newest(db, row.id)
    beats = np.frombuffer(newest.beats, "<f8") if newest is not None and newest.beats else np.empty(0)
    numbers = (0,) if newest is None else (0, newest.number)
    marked = tuple(
        Mark(each.time_ns, device, each.event, each.detail)
        for each, device in events.of_session(db, row.id, limit=MOST_MARKS)
    )
    return Exported(
        session=row.id,
        kiosk=row.kiosk,
        pseudonym=person.pseudonym if person else None,
        sex=person.sex if person else None,
        birth_year=person.birth_year if person else None,
        protocol=row.protocol,
        simulated=row.simulated,
        revision=newest.number if newest else 0,
        version=newest.version if newest else None,
        origin=None if row.origin_utc_ns is None else moment(row.origin_utc_ns),
        ended=None if row.ended_ns is None else row.ended_ns / SECOND,
        flows=tuple(flows.flows(db, row.id)),
        beats=beats,
        marks=marked,
        readings=tuple(readings.of_session(db, row.id, numbers)),
    )

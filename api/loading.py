"""What an analysis is given: a stored session as a recording, and what is known of the person."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec

from analytics import norms
from analytics.session import COMPARED
from api.baselines import baseline
from api.store import Database, Transaction, chunks, entries, events, patients, readings, revisions, sessions
from kiosk import recording
from kiosk.errors import BadRecording
from kiosk.messages import SECOND, Chunk
from kiosk.recording import Context, Recording, Track

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def load(database: Database, session_id: str) -> Recording:
    """A stored session as a recording, or BadRecording."""
    with database.reading() as db:
        if sessions.get(db, session_id) is None:
            raise BadRecording(f"there is no session {session_id}")
        tracks = tuple(_tracks(chunks.of_session(db, session_id)))
        return Recording(tracks, name=session_id, marks=events.marks(db, session_id))


def context_of(database: Database, session_id: str, *, again: bool = False) -> Context:
    """What is known of the person, at the time of the session; `again`, what the newest revision knew."""
    with database.reading() as db:
        row = sessions.get(db, session_id)
        known = revisions.newest(db, session_id) if again else None
        if known is not None:
            return replace(msgspec.convert(known.context, Context), corrected_beats=(), by_hand=0)
        person = patients.get(db, row.patient_id) if row is not None and row.patient_id else None
        if row is None:
            return Context()
        when = row.origin_utc_ns or row.first_seen_ns
        year = (EPOCH + timedelta(seconds=when // SECOND)).year
        if person is None:
            return _told(db, session_id, year)
        earlier = readings.earlier(db, row, COMPARED)
        return Context(
            age=float(year - person.birth_year) if person.birth_year else None,
            sex=person.sex,
            baselines=tuple(baseline(measure, values) for measure, values in sorted(earlier.items())),
            norms_version=norms.VERSION,
        )


def _told(db: Transaction, session_id: str, year: int) -> Context:
    """What a visitor told whose session is nobody's, because it is not to be stored."""
    said = entries.person(entries.of_session(db, session_id))
    if said is None:
        return Context()
    age = float(year - said.birth_year) if said.birth_year is not None and said.birth_year <= year else None
    return Context(age=age, sex=said.sex, norms_version=norms.VERSION)


def _tracks(found: Iterable[Chunk]) -> Iterable[Track]:
    """One track per device and signal; runs follow each other, unless rate or channels changed in between."""
    groups: dict[tuple[str, str, float | None, tuple[str, ...]], list[Chunk]] = {}
    for chunk in found:
        key = (chunk.stream.device, chunk.stream.signal, chunk.rate, chunk.channels)
        groups.setdefault(key, []).append(chunk)
    return [recording.track(group) for group in groups.values()]

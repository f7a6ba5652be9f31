"""What an analysis found: a revision's readings, with context and versions. Added, never changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from api.tables import ReadingRow, RevisionRow
from kiosk.measures import Reason


@dataclass(frozen=True, slots=True)
class Found:
    """One final reading, times in nanoseconds since the session's origin."""

    measure: str
    value: float | None
    low: float | None
    high: float | None
    quality: float | None
    absent: Reason | None
    source: str
    scope: str
    method: str
    preferred: bool
    start_ns: int
    end_ns: int
    note: str = ""
    note_ru: str = ""
    model: str | None = None
    """SHA-256 of the network behind it."""


def add(
    db: Session,
    session: str,
    number: int,
    *,
    outcome: str,
    version: str,
    context: Mapping[str, Any],
    beats: bytes | None,
    readings: Iterable[Found],
    now: int,
    reason: str = "closed",
    requested_by: str | None = None,
    detected: bytes | None = None,
) -> None:
    """Store a revision."""
    db.add(
        RevisionRow(
            session_id=session,
            number=number,
            outcome=outcome,
            reason=reason,
            requested_by=requested_by,
            detected=detected,
            created_ns=now,
            version=version,
            context=dict(context),
            beats=beats,
        )
    )
    db.flush()
    rows = [
        {
            "session_id": session,
            "revision": number,
            "measure": found.measure,
            "value": found.value,
            "low": found.low,
            "high": found.high,
            "quality": found.quality,
            "absent": found.absent,
            "source": found.source,
            "scope": found.scope,
            "method": found.method,
            "version": version,
            "model": found.model,
            "preferred": found.preferred,
            "note": found.note,
            "note_ru": found.note_ru,
            "start_ns": found.start_ns,
            "end_ns": found.end_ns,
        }
        for found in readings
    ]
    if rows:
        # as many parameter sets: objects of a hundred rows take ten times as long to make as the rows to write
        db.connection().execute(insert(ReadingRow), rows)

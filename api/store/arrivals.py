"""What arrives beside samples: device readings, events, device states, and what could not be taken."""

from collections.abc import Iterable

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.streams import insert
from api.tables import DeviceRow, EventRow, QuarantineRow, ReadingRow
from kiosk.messages import Event, Reading, Status

MOST_QUARANTINED = 10_000


def add_readings(db: Session, readings: Iterable[tuple[int, Reading]], version: str) -> None:
    """Insert the readings of devices."""
    insert(
        db,
        ReadingRow,
        [
            {
                "session_id": reading.stream.session,
                "revision": 0,
                "stream_id": number,
                "seq": reading.seq,
                "measure": reading.measure,
                "value": reading.value,
                "low": reading.low,
                "high": reading.high,
                "quality": reading.quality,
                "absent": reading.absent,
                "source": reading.source,
                "scope": reading.scope,
                "method": reading.method,
                "version": version,
                "preferred": False,
                "note": "",
                "note_ru": "",
                "start_ns": reading.start,
                "end_ns": reading.end,
            }
            for number, reading in readings
        ],
    )


def add_events(db: Session, events: Iterable[tuple[int, Event]]) -> None:
    """Insert events."""
    insert(
        db,
        EventRow,
        [
            {
                "stream_id": number,
                "seq": event.seq,
                "session_id": event.stream.session,
                "event": event.event,
                "time_ns": event.time,
                "detail": event.detail,
            }
            for number, event in events
        ],
    )


def see_devices(db: Session, statuses: Iterable[tuple[str, Status]], now: int) -> None:
    """Keep each device's last word."""
    rows = {
        (kiosk, status.device): {
            "kiosk": kiosk,
            "device": status.device,
            "state": status.state,
            "simulated": status.simulated,
            "detail": status.detail,
            "drift_ppm": status.drift_ppm,
            "lost": status.lost,
            "waiting": status.waiting,
            "seen_ns": now,
        }
        for kiosk, status in statuses
    }
    if not rows:
        return
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(DeviceRow).values(list(rows.values()))
    keep = {name: statement.excluded[name] for name in next(iter(rows.values())) if name not in ("kiosk", "device")}
    db.execute(statement.on_conflict_do_update(index_elements=["kiosk", "device"], set_=keep))


def quarantine(db: Session, payloads: Iterable[tuple[str, str, bytes, str]], now: int) -> None:
    """Keep (digest, topic, payload, reason) aside, each payload once; the oldest go when there are too many."""
    rows: list[dict[str, object]] = [
        {
            "digest": digest,
            "topic": topic[:200].encode("ascii", "backslashreplace").decode()[:400],
            "payload": payload,
            "reason": reason,
            "received_ns": now,
        }
        for digest, topic, payload, reason in payloads
    ]
    if not rows:
        return
    insert(db, QuarantineRow, rows)
    excess = db.execute(select(func.count()).select_from(QuarantineRow)).scalar_one() - MOST_QUARANTINED
    if excess > 0:
        oldest = select(col(QuarantineRow.digest)).order_by(col(QuarantineRow.received_ns)).limit(excess)
        db.execute(delete(QuarantineRow).where(col(QuarantineRow.digest).in_(oldest)))

"""What arrives beside samples: device readings, events, device states, and what could not be taken."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.events import place
from api.store.keys import KeyDamaged
from api.store.sealing import Box, Vault, vault_of
from api.store.streams import insert
from api.tables import MAIN, DeviceRow, EventRow, KioskRow, QuarantineRow, ReadingRow, SessionRow
from kiosk.messages import SECOND, Event, Reading, Status, header

MOST_DEVICES = 256
"""Of one kiosk, those that spoke last. Nobody connects as many."""
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


def add_events(db: Session, events: Iterable[tuple[int, Event]], boxes: Mapping[str, Box] | None = None) -> None:
    """Insert events, what they say encrypted. `boxes` are those at hand, by session."""
    vault, boxes = vault_of(db), boxes or {}
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
                "detail": (boxes.get(event.stream.session) or vault.session(event.stream.session)).seal(
                    event.detail.encode(), place(number, event.seq)
                )
                if event.detail
                else None,
                "sealed": bool(event.detail),
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
            "version": status.version,
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
    for kiosk in {status_of for status_of, _ in rows}:
        mine = col(DeviceRow.kiosk) == kiosk
        lately = select(col(DeviceRow.device)).where(mine).order_by(col(DeviceRow.seen_ns).desc()).limit(MOST_DEVICES)
        # whoever makes up devices fills no table, and no page
        count = db.execute(select(func.count()).select_from(DeviceRow).where(mine)).scalar_one()
        if count > MOST_DEVICES:
            db.execute(delete(DeviceRow).where(mine, col(DeviceRow.device).not_in(lately)))


class Kiosk(NamedTuple):
    """What the recorder must know of a kiosk."""

    clinic: str
    revoked: bool


def hear_kiosk(db: Session, kiosk: str, now: int) -> Kiosk:
    """Whose kiosk it is, and whether it may speak; one that nobody added is the main clinic's from now on."""
    insert(db, KioskRow, [{"name": kiosk, "clinic_id": MAIN, "place": "", "added_ns": now}])
    found = select(col(KioskRow.clinic_id), col(KioskRow.revoked_ns)).where(col(KioskRow.name) == kiosk)
    clinic, revoked = db.execute(found).one()
    return Kiosk(clinic, revoked is not None)


# --- what could not be taken


class Aside(NamedTuple):
    """A payload that could not be taken, and why."""

    digest: str
    topic: str
    payload: bytes
    reason: str


def quarantine(db: Session, payloads: Iterable[Aside], now: int) -> None:
    """Keep payloads aside, each once and encrypted; the oldest go when there are too many. Of the erased, nothing."""
    rows: list[dict[str, object]] = []
    vault = vault_of(db)
    for each in payloads:
        read = header(each.payload)
        if read is not None and vault.is_erased("session", read.stream.session):
            continue
        session = owner(db, each.payload)
        try:
            box = quarantine_box(vault, session, now)
        except KeyDamaged:
            session, box = None, quarantine_box(vault, None, now)
        rows.append(
            {
                "digest": each.digest,
                "topic": each.topic[:200].encode("ascii", "backslashreplace").decode()[:400],
                "payload": box.seal(each.payload, place_aside(each.digest)),
                "sealed": True,
                "reason": each.reason,
                "session_id": session,
                "received_ns": now,
            }
        )
    if not rows:
        return
    insert(db, QuarantineRow, rows)
    excess = db.execute(select(func.count()).select_from(QuarantineRow)).scalar_one() - MOST_QUARANTINED
    if excess > 0:
        oldest = select(col(QuarantineRow.digest)).order_by(col(QuarantineRow.received_ns)).limit(excess)
        db.execute(delete(QuarantineRow).where(col(QuarantineRow.digest).in_(oldest)))


def quarantined(db: Session, digest: str) -> bytes | None:
    """A payload that was kept aside, as it came."""
    row = db.get(QuarantineRow, digest)
    if row is None or not row.sealed:
        return None if row is None else row.payload
    return quarantine_box(vault_of(db), row.session_id, row.received_ns).open(row.payload, place_aside(digest))


def owner(db: Session, payload: bytes) -> str | None:
    """The session that a payload names, where it is one that we know."""
    read = header(payload)
    if read is None:
        return None
    known = select(col(SessionRow.id)).where(col(SessionRow.id) == read.stream.session)
    return db.execute(known).scalar_one_or_none()


def quarantine_box(vault: Vault, session: str | None, received: int) -> Box:
    """The session's, so that its erasure takes this too; nobody's goes into the box of its day, to be destroyed
    with it one day."""
    if session is not None:
        return vault.session(session)
    day = datetime.fromtimestamp(received // SECOND, UTC).date()
    return vault.purpose(f"quarantine-{day.isoformat()}")


def place_aside(digest: str) -> str:
    """Where a payload is sealed for."""
    return f"quarantine:{digest}"

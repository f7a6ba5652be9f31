"""What the live wall must know of a clinic's kiosks that nobody says on the bus: whose, where, who sits there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store import devices, kiosks
from api.tables import AlertRow, PatientRow, SessionRow

SEVERITIES = ("notice", "warning", "urgent")
"""From the least to the gravest."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """A session in progress."""

    id: str
    origin_ns: int | None
    """UTC; null while only samples have come."""
    simulated: bool
    pseudonym: str | None


@dataclass(frozen=True, slots=True)
class Raised:
    """Alerts of a kiosk's sessions that nobody has seen to."""

    count: int
    severity: str
    session: str
    """Of the newest of the gravest."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One kiosk of a clinic."""

    kiosk: str
    place: str = ""
    revoked: bool = False
    seen: Mapping[str, int] = field(default_factory=dict)
    """When each of its devices was last noted, UTC in nanoseconds."""
    sittings: Mapping[str, Sitting] = field(default_factory=dict)
    raised: Raised | None = None


def seats(db: Session, clinic: str | None) -> dict[str, Seat]:
    """Every kiosk of a clinic (of all, where none is said), by name."""
    added = {row.name: row for row in kiosks.every(db, clinic)}
    seen: dict[str, dict[str, int]] = {}
    for row in devices.every(db, clinic):
        seen.setdefault(row.kiosk, {})[row.device] = row.seen_ns
    sittings, raised = _sittings(db, clinic), _raised(db, clinic)
    return {
        name: Seat(
            name,
            added[name].place if name in added else "",
            name in added and added[name].revoked_ns is not None,
            seen.get(name, {}),
            sittings.get(name, {}),
            raised.get(name),
        )
        for name in sorted({*added, *seen})
    }


def _sittings(db: Session, clinic: str | None) -> dict[str, dict[str, Sitting]]:
    columns = (
        col(SessionRow.kiosk),
        col(SessionRow.id),
        col(SessionRow.origin_utc_ns),
        col(SessionRow.simulated),
        col(PatientRow.pseudonym),
    )
    query = (
        select(*columns)
        .outerjoin(PatientRow, col(PatientRow.id) == col(SessionRow.patient_id))
        .where(col(SessionRow.state) == "open")
    )
    if clinic is not None:
        query = query.where(col(SessionRow.clinic_id) == clinic)
    found: dict[str, dict[str, Sitting]] = {}
    for kiosk, session, origin, simulated, pseudonym in db.execute(query):
        found.setdefault(kiosk, {})[session] = Sitting(session, origin, simulated, pseudonym)
    return found


def _raised(db: Session, clinic: str | None) -> dict[str, Raised]:
    query = (
        select(col(SessionRow.kiosk), col(AlertRow.severity), func.count(), func.max(col(AlertRow.raised_ns)))
        .join(SessionRow, col(SessionRow.id) == col(AlertRow.session_id))
        .where(col(AlertRow.state) == "open")
        .group_by(col(SessionRow.kiosk), col(AlertRow.severity))
    )
    if clinic is not None:
        query = query.where(col(AlertRow.clinic_id) == clinic)
    counts: dict[str, int] = {}
    worst: dict[str, tuple[int, int, str]] = {}
    for kiosk, severity, count, newest in db.execute(query):
        counts[kiosk] = counts.get(kiosk, 0) + count
        rank = SEVERITIES.index(severity) if severity in SEVERITIES else 0
        worst[kiosk] = max(worst.get(kiosk, (-1, 0, "")), (rank, newest, severity))
    return {
        kiosk: Raised(count, worst[kiosk][2], _newest(db, kiosk, worst[kiosk], clinic))
        for kiosk, count in counts.items()
    }


def _newest(db: Session, kiosk: str, worst: tuple[int, int, str], clinic: str | None) -> str:
    query = (
        select(col(AlertRow.session_id))
        .join(SessionRow, col(SessionRow.id) == col(AlertRow.session_id))
        .where(
            col(SessionRow.kiosk) == kiosk,
            col(AlertRow.state) == "open",
            col(AlertRow.severity) == worst[2],
            col(AlertRow.raised_ns) == worst[1],
        )
        .limit(1)
    )
    if clinic is not None:
        query = query.where(col(AlertRow.clinic_id) == clinic)
    return str(db.execute(query).scalar_one())

"""What kiosks, devices and signals do, for whoever looks after them."""

from datetime import datetime
from itertools import groupby
from typing import Annotated, Literal, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api import errors
from api.dependencies import Reader, may
from api.errors import Failed, documented
from api.routes.kiosks import Kiosk
from api.routes.words import KioskName, moment, seconds, seconds_or_none
from api.security import Action, Identity
from api.store import devices, flows, kiosks, utc_now
from api.store.flows import Delivered, Flow
from api.wall.known import AWAY, MOST_WAITING, SERVICE
from kiosk.messages import SECOND

router = APIRouter(prefix="/api/v1/devices", tags=["kiosks"])
NOTED_EVERY = 20 * SECOND
"""The recorder writes down what a kiosk says once in so long, or at once where it changed."""
LAST = 20
State = Literal["measuring", "free", "trouble", "offline", "revoked"]

_FLOW: JsonDict = {
    "session": "s-20250102-0001",
    "device": "chest-strap",
    "signal": "ecg",
    "nominal": 250.0,
    "measured": 249.9,
    "age": 0.4,
    "missing": 0,
    "lost": 0,
    "stored": 1800,
}
_DEVICE: JsonDict = {
    "device": "sensors",
    "state": "running",
    "simulated": False,
    "detail": "",
    "drift_ppm": None,
    "lost": 0,
    "waiting": 3,
    "version": "0.1.0",
    "seen": "2025-01-02T09:03:00.480000Z",
    "age": 1.4,
}
_HEALTH: JsonDict = {
    "kiosk": "kiosk-1",
    "clinic": "main",
    "place": "waiting room, left",
    "revoked": None,
    "devices": [_DEVICE],
    "state": "measuring",
    "age": 1.4,
    "version": "0.1.0",
    "session": "s-20250102-0001",
    "signals": [_FLOW],
}
_DELIVERED: JsonDict = {
    "session": "s-20250102-0001",
    "state": "closed",
    "outcome": "complete",
    "first_seen": "2025-01-02T09:00:00.210000Z",
    "clock_offset": -0.21,
    "stored": 1800,
    "expected": 1800,
    "lost": 0,
}


class SignalShape(BaseModel):
    """One signal of a session in progress, as it arrives."""

    session: str
    device: str
    signal: str
    nominal: float | None = Field(description="Hertz, as the device says; null where samples have times of their own.")
    measured: float | None = Field(description="Hertz over the last 40 s; null where too little came.")
    age: float | None = Field(description="Seconds since the last sample was taken; null: none in 40 s.")
    missing: int = Field(description="Messages of the last 40 s that are not here, though later ones are.")
    lost: int = Field(description="Messages of the session that will never come.")
    stored: int = Field(description="Messages that are here, or known to be lost, in a row.")

    @classmethod
    def of(cls, flow: Flow) -> Self:
        """From what the store found."""
        measured = None if flow.measured is None else round(flow.measured, 2)
        age = None if flow.age_ns is None else round(seconds(flow.age_ns), 2)
        return cls(
            session=flow.session, device=flow.device, signal=flow.signal, nominal=flow.nominal, measured=measured,
            age=age, missing=flow.missing, lost=flow.lost, stored=flow.stored,
        )  # fmt: skip


class KioskHealth(Kiosk):
    """A kiosk and how it does."""

    model_config = ConfigDict(json_schema_extra={"examples": [_HEALTH]})

    state: State = Field(
        description="trouble: a device failed, or messages pile up. offline: nothing was heard of it for a while."
    )
    age: float | None = Field(description="Seconds since it was last heard of; null: never.")
    version: str | None = Field(description="Of its software, where it said so.")
    session: str | None = Field(description="The session in progress.")
    signals: list[SignalShape]


class HealthList(BaseModel):
    """All kiosks that were added or ever heard of."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_HEALTH]}]})

    items: list[KioskHealth]


class DeliveredShape(BaseModel):
    """How a session came in."""

    session: str
    state: str
    outcome: str | None
    first_seen: datetime
    clock_offset: float | None = Field(
        description="When it began by the kiosk's clock less when it was first heard of here, in seconds: the time "
        "that word took, and what the clock is off."
    )
    stored: int = Field(description="Messages that are here, or known to be lost, in a row.")
    expected: int | None = Field(description="Null while the end of any stream is unknown.")
    lost: int

    @classmethod
    def of(cls, found: Delivered) -> Self:
        """From what the store found."""
        row = found.session
        offset = None if row.origin_utc_ns is None else row.origin_utc_ns - row.first_seen_ns
        return cls(
            session=row.id,
            state=row.state,
            outcome=row.outcome,
            first_seen=moment(row.first_seen_ns),
            clock_offset=seconds_or_none(offset),
            stored=found.stored,
            expected=found.expected,
            lost=found.lost,
        )


class KioskHistory(KioskHealth):
    """A kiosk, how it does, and how its last sessions came in."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**_HEALTH, "clock_offset": -0.21, "history": [_DELIVERED]}]}
    )

    clock_offset: float | None = Field(
        description="How far its clock seems ahead of the server's, in seconds: the nearest of its last sessions, "
        "right to the time that its word took; null where nothing tells."
    )
    history: list[DeliveredShape]


def _state(kiosk: Kiosk, session: str | None) -> tuple[State, float | None]:
    if kiosk.revoked is not None:
        return "revoked", min((each.age for each in kiosk.devices), default=None)
    age = min((each.age for each in kiosk.devices), default=None)
    service = next((each for each in kiosk.devices if each.device == SERVICE), None)
    away = seconds(AWAY + NOTED_EVERY)
    if age is None or age > away or (service is not None and service.state in ("gone", "stopped")):
        return "offline", age
    heard = [each for each in kiosk.devices if each.age <= away]
    if any(each.state == "failed" or each.waiting > MOST_WAITING for each in heard):
        return "trouble", age
    return ("free" if session is None else "measuring"), age


def _health(kiosk: Kiosk, signals: list[SignalShape]) -> KioskHealth:
    session = signals[0].session if signals else None
    state, age = _state(kiosk, session)
    version = next((each.version for each in kiosk.devices if each.device == SERVICE), None)
    return KioskHealth(
        **kiosk.model_dump(exclude={"devices"}),
        devices=kiosk.devices,
        state=state,
        age=age,
        version=version,
        session=session,
        signals=signals,
    )


def _every(db: Reader, clinic: str | None) -> list[KioskHealth]:
    now = utc_now()
    added = {row.name: row for row in kiosks.every(db, clinic)}
    heard = {kiosk: list(rows) for kiosk, rows in groupby(devices.every(db, clinic), key=lambda row: row.kiosk)}
    arriving: dict[str, list[SignalShape]] = {}
    for flow in flows.flows(db, clinic, now):
        arriving.setdefault(flow.kiosk, []).append(SignalShape.of(flow))
    return [
        _health(Kiosk.of(name, added.get(name), heard.get(name, []), now), arriving.get(name, []))
        for name in sorted({*added, *heard})
    ]


@router.get("", responses=documented(errors.NO_DATABASE))
def list_devices(who: Annotated[Identity, may(Action.READ_KIOSKS)], db: Reader) -> HealthList:
    """Every kiosk with its devices and the signals that arrive, as the record has them."""
    return HealthList(items=_every(db, who.clinic))


@router.get("/{kiosk}", responses=documented(errors.NO_KIOSK, errors.INVALID, errors.NO_DATABASE))
def get_kiosk_health(kiosk: KioskName, who: Annotated[Identity, may(Action.READ_KIOSKS)], db: Reader) -> KioskHistory:
    """One kiosk, and how its last sessions came in."""
    owner = devices.clinic_of(db, kiosk)
    if owner is None or not who.sees(owner):
        raise Failed(errors.NO_KIOSK)
    now = utc_now()
    rows = [row for row in devices.every(db, owner) if row.kiosk == kiosk]
    signals = [SignalShape.of(flow) for flow in flows.flows(db, who.clinic, now, kiosk=kiosk)]
    health = _health(Kiosk.of(kiosk, kiosks.get(db, kiosk), rows, now), signals)
    delivered = flows.last_sessions(db, kiosk, who.clinic, LAST)
    return KioskHistory(
        **health.model_dump(exclude={"devices", "signals"}),
        devices=health.devices,
        signals=health.signals,
        clock_offset=seconds_or_none(flows.clock_offset(delivered)),
        history=[DeliveredShape.of(each) for each in delivered],
    )

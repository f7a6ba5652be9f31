"""Kiosks: their devices, and commands to them."""

from datetime import datetime
from itertools import groupby
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.responses import Response

from api import errors
from api.commands import Given, Verb
from api.dependencies import Reader, TheCommands, TheIdentity, Writer, may
from api.errors import Failed, documented
from api.routes.words import PATTERN, KioskName, moment, moment_or_none, seconds
from api.security import Action, Identity
from api.store import devices, kiosks, utc_now
from api.tables import MAIN, DeviceRow, KioskRow
from kiosk.errors import BusDown

router = APIRouter(prefix="/api/v1/kiosks", tags=["kiosks"])

_KIOSK: JsonDict = {
    "kiosk": "kiosk-1",
    "clinic": "main",
    "place": "waiting room, left",
    "revoked": None,
    "devices": [
        {
            "device": "chest-strap",
            "state": "running",
            "simulated": False,
            "detail": "",
            "drift_ppm": -11.5,
            "lost": 0,
            "waiting": 3,
            "version": None,
            "seen": "2025-01-02T09:03:00.480000Z",
            "age": 1.4,
        }
    ],
}


class DeviceShape(BaseModel):
    """What a device last said of itself."""

    device: str = Field(description="`sensors` is the kiosk's own service.")
    state: str = Field(
        description="starting, running (it delivers, or waits to be used once), failed, stopped or gone."
    )
    simulated: bool
    detail: str
    drift_ppm: float | None = Field(description="How much faster its clock runs than the kiosk's; null if unknown.")
    lost: int = Field(description="Messages that its outbox had to give up.")
    waiting: int = Field(description="Messages in its outbox that are not stored here yet.")
    version: str | None = Field(description="Of the kiosk's software; `sensors` alone says it.")
    seen: datetime
    age: float = Field(description="Seconds since then.")

    @classmethod
    def of(cls, row: DeviceRow, now: int) -> Self:
        """From its row."""
        return cls(
            device=row.device,
            state=row.state,
            simulated=row.simulated,
            detail=row.detail,
            drift_ppm=row.drift_ppm,
            lost=row.lost,
            waiting=row.waiting,
            version=row.version,
            seen=moment(row.seen_ns),
            age=max(0.0, seconds(now - row.seen_ns)),
        )


class Kiosk(BaseModel):
    """A kiosk with its devices."""

    model_config = ConfigDict(json_schema_extra={"examples": [_KIOSK]})

    kiosk: str
    clinic: str = Field(description="Whose it is.")
    place: str = Field(description="Where it stands; empty where nobody said.")
    revoked: datetime | None = Field(description="Since when it may speak no more; null: it may.")
    devices: list[DeviceShape]

    @classmethod
    def of(cls, kiosk: str, row: KioskRow | None, rows: list[DeviceRow], now: int) -> Self:
        """From its row, where it was added, and its devices'."""
        return cls(
            kiosk=kiosk,
            clinic=MAIN if row is None else row.clinic_id,
            place="" if row is None else row.place,
            revoked=None if row is None else moment_or_none(row.revoked_ns),
            devices=[DeviceShape.of(each, now) for each in rows],
        )


class KioskList(BaseModel):
    """All kiosks that were added or ever heard of."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_KIOSK]}]})

    items: list[Kiosk]


class Order(BaseModel):
    """What a kiosk shall do."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"action": "start"}]})

    action: Verb = Field(description="start a visit, stop (end) it, or cancel it.")


class CommandShape(BaseModel):
    """A command and what became of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "c-9f31c5d2a4b80e67",
                    "kiosk": "kiosk-1",
                    "action": "start",
                    "state": "pending",
                    "given": "2025-01-02T08:59:58Z",
                }
            ]
        }
    )

    id: str
    kiosk: str
    action: Verb
    state: Literal["pending", "obeyed", "unanswered"] = Field(
        description="obeyed: a device of the kiosk named it. unanswered: none did within 10 s."
    )
    given: datetime

    @classmethod
    def of(cls, given: Given) -> Self:
        """From what is remembered of it."""
        return cls(id=given.id, kiosk=given.kiosk, action=given.action, state=given.state, given=moment(given.given_ns))


@router.get("", responses=documented(errors.NO_DATABASE))
def list_kiosks(who: Annotated[Identity, may(Action.READ_KIOSKS)], db: Reader) -> KioskList:
    """All kiosks and what their devices do."""
    now = utc_now()
    added = {row.name: row for row in kiosks.every(db, who.clinic)}
    heard = {kiosk: list(rows) for kiosk, rows in groupby(devices.every(db, who.clinic), key=lambda row: row.kiosk)}
    return KioskList(
        items=[Kiosk.of(name, added.get(name), heard.get(name, []), now) for name in sorted({*added, *heard})]
    )


def _known(kiosk: KioskName, who: TheIdentity, db: Reader) -> str:
    owner = devices.clinic_of(db, kiosk)
    if owner is None or not who.sees(owner):
        raise Failed(errors.NO_KIOSK)
    return kiosk


TheKiosk = Annotated[str, Depends(_known, scope="function")]


@router.delete(
    "/{kiosk}",
    status_code=204,
    response_class=Response,
    responses=documented(errors.NO_KIOSK, errors.INVALID, errors.NO_DATABASE),
)
def revoke_kiosk(kiosk: KioskName, who: Annotated[Identity, may(Action.MANAGE_KIOSKS)], db: Writer) -> None:
    """Record nothing more of a kiosk, from seconds later on. `kiosk kiosks revoke` takes its password as well."""
    owner = devices.clinic_of(db, kiosk)
    if owner is None or not who.sees(owner):
        raise Failed(errors.NO_KIOSK)
    kiosks.revoke(db, kiosk, utc_now())


@router.post(
    "/{kiosk}/commands",
    status_code=202,
    responses=documented(
        errors.NO_KIOSK, errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE, errors.NO_BROKER
    ),
)
async def give_command(
    who: Annotated[Identity, may(Action.COMMAND_KIOSKS)],
    kiosk: TheKiosk,
    order: Order,
    commands: TheCommands,
    response: Response,
) -> CommandShape:
    """Command a kiosk. It is said once a second until a device of the kiosk names it, for ten seconds at most."""
    try:
        given = await commands.give(kiosk, order.action)
    except BusDown:
        raise Failed(errors.NO_BROKER) from None
    response.headers["Location"] = f"{router.prefix}/{kiosk}/commands/{given.id}"
    return CommandShape.of(given)


@router.get(
    "/{kiosk}/commands/{command}",
    responses=documented(errors.NO_KIOSK, errors.NO_COMMAND, errors.INVALID, errors.NO_DATABASE),
)
async def get_command(
    who: Annotated[Identity, may(Action.COMMAND_KIOSKS)],
    kiosk: TheKiosk,
    command: Annotated[
        str, Path(description="The command's id.", pattern=PATTERN, max_length=64, examples=["c-9f31c5d2a4b80e67"])
    ],
    commands: TheCommands,
) -> CommandShape:
    """What became of a command."""
    given = commands.get(kiosk, command)
    if given is None:
        raise Failed(errors.NO_COMMAND)
    return CommandShape.of(given)

"""Kiosks: their devices, and commands to them."""

from datetime import datetime
from itertools import groupby
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.responses import Response

from api import errors
from api.commands import Action, Given
from api.dependencies import Reader, TheCommands
from api.errors import Failed, documented
from api.routes.words import PATTERN, KioskName, moment, seconds
from api.store import devices, utc_now
from api.tables import DeviceRow
from kiosk.errors import BusDown

router = APIRouter(prefix="/api/v1/kiosks", tags=["kiosks"])

_KIOSK: JsonDict = {
    "kiosk": "kiosk-1",
    "devices": [
        {
            "device": "chest-strap",
            "state": "running",
            "simulated": False,
            "detail": "",
            "drift_ppm": -11.5,
            "lost": 0,
            "waiting": 3,
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
            seen=moment(row.seen_ns),
            age=max(0.0, seconds(now - row.seen_ns)),
        )


class Kiosk(BaseModel):
    """A kiosk with its devices."""

    model_config = ConfigDict(json_schema_extra={"examples": [_KIOSK]})

    kiosk: str
    devices: list[DeviceShape]


class KioskList(BaseModel):
    """All kiosks that were ever heard of."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_KIOSK]}]})

    items: list[Kiosk]


class Order(BaseModel):
    """What a kiosk shall do."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"action": "start"}]})

    action: Action = Field(description="start a visit, stop (end) it, or cancel it.")


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
    action: Action
    state: Literal["pending", "obeyed", "unanswered"] = Field(
        description="obeyed: a device of the kiosk named it. unanswered: none did within 10 s."
    )
    given: datetime

    @classmethod
    def of(cls, given: Given) -> Self:
        """From what is remembered of it."""
        return cls(id=given.id, kiosk=given.kiosk, action=given.action, state=given.state, given=moment(given.given_ns))


@router.get("", responses=documented(errors.NO_DATABASE))
def list_kiosks(db: Reader) -> KioskList:
    """All kiosks and what their devices do."""
    now = utc_now()
    return KioskList(
        items=[
            Kiosk(kiosk=kiosk, devices=[DeviceShape.of(row, now) for row in rows])
            for kiosk, rows in groupby(devices.every(db), key=lambda row: row.kiosk)
        ]
    )


def _known(kiosk: KioskName, db: Reader) -> str:
    if not devices.knows(db, kiosk):
        raise Failed(errors.NO_KIOSK)
    return kiosk


@router.post(
    "/{kiosk}/commands",
    status_code=202,
    responses=documented(
        errors.NO_KIOSK, errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE, errors.NO_BROKER
    ),
)
async def give_command(
    kiosk: Annotated[str, Depends(_known, scope="function")], order: Order, commands: TheCommands, response: Response
) -> CommandShape:
    """Command a kiosk. It is said once a second until a device of the kiosk names it, for ten seconds at most."""
    try:
        given = await commands.give(kiosk, order.action)
    except BusDown:
        raise Failed(errors.NO_BROKER) from None
    response.headers["Location"] = f"{router.prefix}/{kiosk}/commands/{given.id}"
    return CommandShape.of(given)


@router.get("/{kiosk}/commands/{command}", responses=documented(errors.NO_COMMAND, errors.INVALID))
async def get_command(
    kiosk: KioskName,
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

"""The technician's page: every kiosk, device and signal, and how they do."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from api.dashboard.entrance import member_of
from api.dashboard.rendering import page
from api.dependencies import Reader, may
from api.security import Action, Identity

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/devices")
def devices_page(who: Annotated[Identity, may(Action.READ_KIOSKS)], db: Reader) -> HTMLResponse:
    """What every kiosk delivers, and what it does not."""
    return page(
        "devices.html",
        member=member_of(db, who),
        commands=who.may(Action.COMMAND_KIOSKS),
        sessions=who.may(Action.READ_SESSIONS),
        texts=("devices",),
    )

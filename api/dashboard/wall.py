"""The page of the live wall: every kiosk of the clinic at once."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from api.dashboard.entrance import member_of
from api.dashboard.rendering import page
from api.dependencies import Reader, may
from api.security import Action, Identity

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/wall")
def wall_page(who: Annotated[Identity, may(Action.WATCH_LIVE)], db: Reader) -> HTMLResponse:
    """All that is measured now."""
    return page("wall.html", member=member_of(db, who), texts=("wall",))

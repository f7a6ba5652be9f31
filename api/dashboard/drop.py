"""Drop a file: a recording, a picture or a voice clip becomes a session with its readings."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from api.dashboard.entrance import member_of
from api.dashboard.rendering import page
from api.dependencies import Reader, TheSettings, may
from api.security import Action, Identity

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/drop")
def drop_page(who: Annotated[Identity, may(Action.UPLOAD)], db: Reader, settings: TheSettings) -> HTMLResponse:
    """Where one drops it."""
    return page(
        "drop.html",
        member=member_of(db, who),
        results=who.may(Action.READ_RESULTS),
        most=settings.upload_bytes,
        texts=("drop",),
    )

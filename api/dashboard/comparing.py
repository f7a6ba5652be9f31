"""The page on which two sessions are held beside each other."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse

from api.dashboard.entrance import member_of
from api.dashboard.languages import t
from api.dashboard.problems import problem_page
from api.dashboard.rendering import page
from api.dependencies import Reader, may
from api.security import Action, Identity
from api.store import Transaction, sessions
from kiosk import topics

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Asked = Annotated[str, Query(max_length=64)]


@router.get("/compare")
def compare_page(
    who: Annotated[Identity, may(Action.READ_RESULTS)], db: Reader, a: Asked = "", b: Asked = ""
) -> HTMLResponse:
    """Two sessions; where the second is not said, the same person's are offered."""
    for each in filter(None, (a, b)):
        if not _seen(who, each, db):
            return problem_page(404, t("problem.no_session.title"), t("problem.no_session.detail"), who=who)
    return page("compare.html", texts=("compare", "analysis"), member=member_of(db, who), first=a, second=b)


def _seen(who: Identity, session: str, db: Transaction) -> bool:
    found = sessions.get(db, session) if topics.NAME.fullmatch(session) else None
    return found is not None and who.sees(found.clinic_id)

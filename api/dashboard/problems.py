"""Errors have one shape, problem details. Outside the API, where a person looks, this says them as a page."""

import json
from http import HTTPStatus
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.dashboard.rendering import page
from api.login.gate import NOTHING_BUT_ACCOUNT
from api.security import Identity

WORDS = {
    403: ("This is not for your role", "An administrator of your clinic says who may see what."),
    404: ("This page does not exist", "The address may be mistyped, or the session was never recorded here."),
    500: ("Something went wrong on our side", "It was noted in the log. Trying again may help."),
    503: ("The database does not answer", "Recorded data is safe: kiosks keep it until it is stored."),
}


def problem_page(status: int, title: str = "", detail: str = "") -> HTMLResponse:
    """The page for an error."""
    fallback = (HTTPStatus(status).phrase, "")
    known_title, known_detail = WORDS.get(status, fallback)
    return page("problem.html", status=status, code=status, title=title or known_title, detail=detail or known_detail)


class PagesForProblems:
    """Turns problem details into pages for browsers; what the API answers stays as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/api/") or not _wants_page(scope):
            await self.app(scope, receive, send)
            return
        held: Message | None = None
        body = b""

        async def look(message: Message) -> None:
            nonlocal held, body
            if message["type"] == "http.response.start" and _is_problem(message):
                held = message
            elif held is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    answer = _elsewhere(scope, held["status"]) or _page_for(held["status"], body)
                    kept = Headers(raw=held["headers"])
                    for name, value in kept.items():
                        answer.headers.setdefault(name, value)
                    await answer(scope, receive, send)

        await self.app(scope, receive, look)


def _elsewhere(scope: Scope, status: int) -> Response | None:
    """Where a person goes who has not logged in, or must set something right before anything else."""
    if scope["method"] not in ("GET", "HEAD"):
        return None
    if status == HTTPStatus.UNAUTHORIZED:
        query = scope.get("query_string", b"")
        path = scope["path"] + (f"?{query.decode('latin-1')}" if query else "")
        return HTMLResponse("", 303, {"Location": f"/login?next={quote(path, safe='/')}"})
    who = scope.get("state", {}).get("identity")
    if status == HTTPStatus.FORBIDDEN and isinstance(who, Identity) and who.actions == NOTHING_BUT_ACCOUNT:
        return HTMLResponse("", 303, {"Location": "/account"})
    return None


def _wants_page(scope: Scope) -> bool:
    return "text/html" in Headers(scope=scope).get("accept", "")


def _is_problem(message: Message) -> bool:
    kind = Headers(raw=message["headers"]).get("content-type", "")
    return message["status"] >= 400 and kind.startswith(("application/problem+json", "application/json"))


def _page_for(status: int, body: bytes) -> HTMLResponse:
    """Our own words where we have some: an API's detail speaks to programmers."""
    if status in WORDS:
        return problem_page(status)
    try:
        problem = json.loads(body)
        return problem_page(status, str(problem.get("title", "")), str(problem.get("detail", "")))
    except (ValueError, AttributeError):
        return problem_page(status)

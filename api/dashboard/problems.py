"""Errors have one shape, problem details. Outside the API, where a person looks, this says them as a page."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.dashboard.languages import t
from api.dashboard.rendering import page
from api.dashboard.sections import Section, home_of, sections_of
from api.login.gate import NOTHING_BUT_ACCOUNT
from api.security import Identity

OURS = (403, 404, 500, 503)
"""Those of which a page has words of its own."""


def problem_page(status: int, title: str = "", detail: str = "", *, who: Identity | None = None) -> HTMLResponse:
    """The page for an error; whoever is logged in keeps the way to their other pages."""
    known_title, known_detail = HTTPStatus(status).phrase, ""
    if status in OURS:
        known_title, known_detail = t(f"problem.{status}.title"), t(f"problem.{status}.detail")
    return page(
        "problem.html",
        status=status,
        code=status,
        title=title or known_title,
        detail=detail or known_detail,
        member=Someone(() if who is None else sections_of(who)),
        home="/" if who is None else home_of(who),
    )


@dataclass(frozen=True, slots=True)
class Someone:
    """Who looks at the page of an error: nothing is looked up for that."""

    sections: tuple[Section, ...]
    name: str = ""
    role: str = ""


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
                    answer = _elsewhere(scope, held["status"]) or _page_for(held["status"], body, _who(scope))
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
    who = _who(scope)
    if status == HTTPStatus.FORBIDDEN and who is not None and who.actions == NOTHING_BUT_ACCOUNT:
        return HTMLResponse("", 303, {"Location": "/account"})
    return None


def _wants_page(scope: Scope) -> bool:
    return "text/html" in Headers(scope=scope).get("accept", "")


def _is_problem(message: Message) -> bool:
    kind = Headers(raw=message["headers"]).get("content-type", "")
    return message["status"] >= 400 and kind.startswith(("application/problem+json", "application/json"))


def _who(scope: Scope) -> Identity | None:
    known = scope.get("state", {}).get("identity")
    return known if isinstance(known, Identity) else None


def _page_for(status: int, body: bytes, who: Identity | None) -> HTMLResponse:
    """Our own words where we have some: an API's detail speaks to programmers."""
    if status in OURS:
        return problem_page(status, who=who)
    try:
        problem = json.loads(body)
        return problem_page(status, str(problem.get("title", "")), str(problem.get("detail", "")), who=who)
    except (ValueError, AttributeError):
        return problem_page(status, who=who)

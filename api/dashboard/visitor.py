"""A visitor's results behind the link that the kiosk showed: no login, for an hour, and then as if never there."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import HTMLResponse, Response

from api import errors
from api.audit import NO_ROLE, AuditDown, Auditor, Entry
from api.dashboard.rendering import page
from api.dependencies import TheDatabase, TheSettings
from api.errors import Failed
from api.login.throttle import Throttle, address_of
from api.reports import results_pdf
from api.routes.words import moment
from api.store import Database, Destroyed, links, utc_now
from api.visits import results
from api.visits.results import Told
from kiosk import wording
from kiosk.assistant import Facts
from kiosk.assistant.rules import warning
from kiosk.errors import BadRecording
from kiosk.visitor import WORDS
from kiosk.visitor.tiles import Reader, tiles

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
VISITOR, OPENED = "visitor", "visitor-link"
"""Who, and what, as the audit has it."""
HEADERS = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
SHORE = 0.3
"""Of the drawn scale lies on each side of what is usual."""
GOOD, FAIR = 0.8, 0.5
"""Qualities from which it is said so; as at the kiosk."""
Token = Annotated[str, Path(max_length=100)]
Language = Annotated[str, Query(max_length=2)]


@router.get("/r/{token}")
def results_page(
    token: Token, request: Request, database: TheDatabase, settings: TheSettings, language: Language = ""
) -> Response:
    """The results, for who has the link."""
    _throttle(request, behind_proxy=settings.behind_proxy)
    spoken = _language(request, language)
    opened = _opened(request, database, token)
    if opened is None:
        return _gone(spoken)
    told, until = opened
    reader = Reader(WORDS[spoken], spoken, told.context.age, told.context.sex)
    shown = tiles(told.values, reader)
    there = [each for each in shown if each.value]
    return _page(
        "visitor.html",
        spoken,
        groups=[(name, [each for each in there if each.group == name]) for name in ("basic", "diagnostics")],
        missing=[each for each in shown if not each.value],
        at=at,
        grade=grade,
        code=told.code,
        simulated=told.session.simulated,
        measured=_measured(told),
        until=moment(until),
        token=token,
        emergency=settings.emergency_number,
        warning=warning(Facts(told.values), spoken, settings.emergency_number),
    )


@router.get("/r/{token}/results.pdf")
def results_file(
    token: Token, request: Request, database: TheDatabase, settings: TheSettings, language: Language = ""
) -> Response:
    """The same as a file to keep."""
    _throttle(request, behind_proxy=settings.behind_proxy)
    spoken = _language(request, language)
    opened = _opened(request, database, token)
    if opened is None:
        return _gone(spoken)
    try:
        made = results_pdf(database, opened[0].session.id, language="ru" if spoken == "ru" else "en")
    except (BadRecording, Destroyed):
        return _gone(spoken)
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="results.pdf"'}
    return Response(made, media_type="application/pdf", headers=headers)


def at(place: float) -> float:
    """Where on the drawn scale a place within the usual range is, in percent."""
    return round(100 * min(0.98, max(0.02, SHORE + place * (1 - 2 * SHORE))), 1)


def grade(quality: float) -> str:
    """How well it was measured, in one word of the catalogue."""
    return "good" if quality >= GOOD else "fair" if quality >= FAIR else "poor"


def _throttle(request: Request, *, behind_proxy: bool) -> None:
    """As at the login: whoever tries tokens gets nowhere anyway, and shall not keep the server busy."""
    throttle: Throttle = request.app.state.link_throttle
    throttle.take(address_of(request, behind_proxy=behind_proxy))


def _language(request: Request, chosen: str) -> str:
    return chosen if chosen in WORDS else wording.preferred(request.headers.get("accept-language", ""), WORDS)


def _opened(request: Request, database: Database, token: str) -> tuple[Told, int] | None:
    """The results and until when they may be read; None, and the same for all, where the link is unknown, has expired,
    or where there is nothing any more."""
    now = utc_now()
    with database.reading() as db:
        found = links.session_of(db, token, now)
        try:
            told = None if found is None else results.told(db, found.session)
        except Destroyed:
            told = None
    if found is None or told is None:
        return None
    auditor: Auditor = request.app.state.auditor
    try:
        auditor.note_now(Entry(VISITOR, NO_ROLE, OPENED, "session", told.session.id, "done", told.session.clinic_id))
    except AuditDown:
        raise Failed(errors.NO_AUDIT) from None
    with database.transaction() as db:
        links.count_opening(db, token)
    return told, found.until_ns


def _measured(told: Told) -> datetime:
    return moment(told.session.origin_utc_ns or told.session.first_seen_ns)


def _gone(spoken: str) -> Response:
    return _page("visitor_gone.html", spoken, status=404)


def _page(template: str, spoken: str, *, status: int = 200, **context: object) -> Response:
    words = WORDS[spoken]

    def say(key: str, /, **values: object) -> str:
        text = words[key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    context |= {"spoken": spoken, "say": say, "tongues": {code: each["language"] for code, each in WORDS.items()}}
    made = page(template, status=status, texts=(), **context)
    made.headers.update(HEADERS | {"Content-Language": spoken, "Vary": "Accept-Language"})
    return made

"""Logging in at an identity provider: away, and back."""

import logging
from html import escape
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api import errors
from api.audit import ANONYMOUS, NO_ROLE, Auditor, Entry
from api.dependencies import TheDatabase, TheSettings
from api.errors import Failed, documented
from api.login import Desk, Gate, linked, oidc, tokens
from api.login.desk import LOGIN
from api.login.oidc import Person, Provider, ProviderDown
from api.login.throttle import address_of
from api.login.tokens import Pair
from api.store import Database, clock
from kiosk.messages import SECOND
from kiosk.settings import Settings

log = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1/oidc", tags=["account"])
# ASCII: RFC 6749 appendix A has no other characters in any of these, and a longer address is no request
Text = Annotated[
    str | None, Query(max_length=4000, pattern="^[\\x20-\\x7e]*$", description="What the provider answers.")
]


@router.get(
    "/login",
    status_code=303,
    response_class=RedirectResponse,
    responses={
        303: {"description": "To the provider."},
        **documented(errors.NO_PROVIDER, errors.PROVIDER_DOWN, errors.TOO_MANY, errors.INVALID, errors.NO_DATABASE),
    },
)
async def log_in_elsewhere(
    request: Request,
    settings: TheSettings,
    after: Annotated[str, Query(alias="next", max_length=400, description="The page to go on with.")] = "/",
) -> Response:
    """Send a browser to the identity provider."""
    provider = _provider(request)
    desk: Desk = request.app.state.desk
    desk.throttle.take(address_of(request, behind_proxy=settings.behind_proxy))
    try:
        begun = await provider.begin(after)
    except ProviderDown as error:
        log.warning("%s", error)
        raise Failed(errors.PROVIDER_DOWN) from None
    response = RedirectResponse(begun.address, 303)
    _set_cookie(request, response, begun.cookie)
    return response


@router.get(
    "/callback",
    response_class=HTMLResponse,
    responses={
        200: {"description": "Logged in: a page leads on.", "content": {"text/html": {"example": "<!doctype html>"}}},
        **documented(
            errors.NO_PROVIDER, errors.PROVIDER_DOWN, errors.NOT_LET_IN, errors.TOO_MANY, errors.INVALID,
            errors.NO_DATABASE,
        ),
    },
)  # fmt: skip
async def come_back(
    request: Request,
    settings: TheSettings,
    database: TheDatabase,
    code: Text = None,
    state: Text = None,
    iss: Text = None,
    error: Text = None,
) -> Response:
    """Where the provider sends a browser back to."""
    provider = _provider(request)
    desk: Desk = request.app.state.desk
    desk.throttle.take(address_of(request, behind_proxy=settings.behind_proxy))
    said = {"code": code, "state": state, "iss": iss, "error": error}
    answer = {name: value for name, value in said.items() if value is not None}
    auditor: Auditor = request.app.state.auditor
    gate: Gate = request.app.state.gate
    try:
        person = await provider.finish(request.cookies.get(_cookie(request), ""), answer)
        pair = await run_in_threadpool(_let_in, database, settings, auditor, person)
    except ProviderDown as refusal:
        log.warning("%s", refusal)
        raise Failed(errors.PROVIDER_DOWN) from None
    except oidc.Failed as refusal:
        log.warning("a login at the identity provider does not count: %s", refusal)
        await auditor.note(Entry(ANONYMOUS, NO_ROLE, LOGIN, "user", "?", "refused"))
        raise Failed(errors.NOT_LET_IN) from None
    await run_in_threadpool(gate.end_cookie_login, request)
    # not a redirect: a browser that came from another site would follow it without its strict cookies
    page = f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={escape(person.next)}">'
    response = HTMLResponse(f'{page}<title>health-kiosk</title><a href="{escape(person.next)}">&#8594;</a>')
    gate.cookies.give(response, pair, await run_in_threadpool(gate.csrf_of, pair.family), clock.utc_now())
    _set_cookie(request, response, "")
    return response


def _let_in(database: Database, settings: Settings, auditor: Auditor, person: Person) -> Pair:
    rules = linked.grants(settings.oidc_roles)
    now = clock.utc_now()
    with database.transaction() as db:
        user = linked.user_of(db, person, claim=settings.oidc_role_claim, rules=rules, create=settings.oidc_create)
        auditor.note_within(db, Entry(user.id, user.role, LOGIN, "user", user.id, "done", user.clinic_id))
        return tokens.begin(db, user, "cookie", now)


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.oidc
    if provider is None:
        raise Failed(errors.NO_PROVIDER)
    return provider


def _cookie(request: Request) -> str:
    gate: Gate = request.app.state.gate
    return "__Host-kiosk-oidc" if gate.cookies.secure else "kiosk-oidc"


def _set_cookie(request: Request, response: Response, value: str) -> None:
    # lax, not strict: it must come along when the provider sends the browser back
    gate: Gate = request.app.state.gate
    response.set_cookie(
        _cookie(request), value, max_age=oidc.LASTS // SECOND if value else 0, path="/",
        secure=gate.cookies.secure, httponly=True, samesite="lax",
    )  # fmt: skip

"""The pages through which one comes in, and where one looks after one's own login."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.dashboard.languages import t
from api.dashboard.rendering import page
from api.dashboard.sections import Section, sections_of
from api.dashboard.tasks import tasks_of
from api.dependencies import Reader, may
from api.login import Gate, passwords
from api.login.oidc import Provider
from api.routes.account import Account
from api.security import Action, Identity
from api.store import Transaction, users

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
HOME = "/"
_OF_OURS = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path, and a query, of this very server: no second slash, no backslash, no blank, no control character."""
MOST_NEXT = 1000


@dataclass(frozen=True, slots=True)
class Member:
    """Who looks at a page."""

    name: str
    role: str
    sections: tuple[Section, ...]
    """Where the page's head leads them."""


def member_of(db: Transaction, who: Identity) -> Member:
    """Who looks at a page, as its head says."""
    row = users.get(db, who.id)
    name = (row.name or row.login) if row is not None else who.id
    return Member(name, t(f"frame.role.{who.role}"), sections_of(who))


def next_of(given: str | None) -> str:
    """Where to go after the login: a page of ours, whatever an address said."""
    if given is None or len(given) > MOST_NEXT or not _OF_OURS.fullmatch(given):
        return HOME
    return HOME if given.startswith(("/login", "/api/")) else given


@router.get("/login")
def login_page(request: Request) -> Response:
    """Where one logs in. Whoever is logged in goes on."""
    gate: Gate = request.app.state.gate
    goes_to = next_of(request.query_params.get("next"))
    if gate.identify(request) is not None:
        return RedirectResponse(goes_to, 303)
    elsewhere: Provider | None = request.app.state.oidc
    return page(
        "login.html",
        texts=("login",),
        goes_to=goes_to,
        renewable=gate.cookies.refresh in request.cookies,
        provider=elsewhere.title if elsewhere is not None else None,
    )


@router.get("/account")
def account_page(who: Annotated[Identity, may(Action.OWN_ACCOUNT)], db: Reader) -> Response:
    """One's own login: password, second factor, and where else one is logged in."""
    row = users.get(db, who.id)
    if row is None:
        return RedirectResponse(HOME, 303)
    return page(
        "account.html",
        texts=("login", "account"),
        account=Account.of(row, who),
        tasks=tasks_of(who.role),
        least=passwords.LEAST,
        most=passwords.MOST,
        member=member_of(db, who),
    )

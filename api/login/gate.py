"""The gate: who a request comes from, by access token, API key or cookie."""

import importlib
import importlib.util
from typing import Protocol, cast

from starlette.requests import HTTPConnection

from api import errors
from api.errors import Failed
from api.login import cookies
from api.login.cookies import SAFE, Cookies
from api.login.tokens import ACCESS, Pair, Via, digest, family_of
from api.login.tokens import renew as trade_in
from api.security import Action, Identity, Role
from api.store import Database, clock, tokens
from api.store.tokens import Holder
from kiosk.settings import Settings

KEY = "kk_"
"""How API keys begin."""
DEMO = "u-demo-"
"""How the ids of a demonstration's users begin: they are nobody where there is none."""
NOTHING_BUT_ACCOUNT = frozenset({Action.OWN_ACCOUNT})
MOST_TOKEN = 200


class Gate:
    """Knows who asks. It remembers nothing: what is revoked is out at the next request."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._demo = settings.demo
        self._factor_required = settings.second_factor == "required"
        self._keys = _keys()
        self.cookies = Cookies(secure=settings.https)

    def identify(self, connection: HTTPConnection) -> Identity | None:
        """Who it is; None without anything that counts. Raises Failed(CSRF) for what another page may have sent."""
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._by_header(token.strip())
        return self._by_cookie(connection)

    def check_page(self, connection: HTTPConnection) -> None:
        """Go on where a request may come from a page of ours, or from no page; else Failed(FOREIGN)."""
        if not cookies.same_site(connection.headers):
            raise Failed(errors.FOREIGN)

    def renew(self, token: str, via: Via) -> Pair | None:
        """The next pair for a refresh token; None where it is not good."""
        with self._database.transaction() as db:
            return trade_in(db, token, via, clock.utc_now())

    def renew_cookie(self, connection: HTTPConnection) -> Pair | None:
        """The same for the cookie's. Raises Failed(CSRF) for what another page may have sent."""
        token = connection.cookies.get(self.cookies.refresh, "")
        with self._database.reading() as db:
            family = family_of(db, token)
        if family is None:
            return None
        if not cookies.is_from_our_page(self._database.vault, family, connection.headers):
            raise Failed(errors.CSRF)
        return self.renew(token, "cookie")

    def end_cookie_login(self, connection: HTTPConnection) -> None:
        """End the login that a browser had until now: it could be somebody else's who sat there before."""
        with self._database.transaction() as db:
            family = family_of(db, connection.cookies.get(self.cookies.refresh, ""))
            if family is not None:
                tokens.revoke(db, family, clock.utc_now())

    def csrf_of(self, family: str) -> str:
        """What pages of a login send along with whatever changes something."""
        return cookies.csrf_of(self._database.vault, family)

    def alive(self, who: Identity) -> bool:
        """Whether a login still counts: a socket outlives the access token that opened it."""
        if who.via == "key":
            return self._keys is not None and self._keys.alive(self._database, who)
        if who.family is None:
            return False
        with self._database.reading() as db:
            return tokens.lives(db, who.family, clock.utc_now())

    def _by_header(self, token: str) -> Identity | None:
        if len(token) > MOST_TOKEN or not token.isascii():
            return None
        if token.startswith(KEY):
            return self._keys.identify(self._database, token) if self._keys is not None else None
        return self._by_token(token, "bearer")

    def _by_cookie(self, connection: HTTPConnection) -> Identity | None:
        token = connection.cookies.get(self.cookies.access, "")
        who = self._by_token(token, "cookie") if len(token) <= MOST_TOKEN else None
        # a socket has no method; whose page opened it, the server has seen by its origin
        method = connection.scope.get("method", "GET")
        if who is not None and method not in SAFE:
            assert who.family is not None
            if not cookies.is_from_our_page(self._database.vault, who.family, connection.headers):
                raise Failed(errors.CSRF)
        return who

    def _by_token(self, token: str, via: str) -> Identity | None:
        if not token.startswith(ACCESS):
            return None
        with self._database.reading() as db:
            found = tokens.holder(db, digest(token), clock.utc_now())
        # what a cookie held is no good in a header, and the other way round: there the CSRF check would be missing
        if found is None or found.via != via or (found.user.startswith(DEMO) and not self._demo):
            return None
        return self._identity(found)

    def _identity(self, holder: Holder) -> Identity:
        restricted = holder.must_change or (
            self._factor_required and holder.has_password and not holder.has_second_factor
        )
        return Identity(
            id=holder.user,
            role=Role(holder.role),
            clinic=holder.clinic,
            via="cookie" if holder.via == "cookie" else "bearer",
            actions=NOTHING_BUT_ACCOUNT if restricted else None,
            family=holder.family,
        )


class _Keys(Protocol):
    """What `api.login.keys` offers."""

    def identify(self, database: Database, token: str) -> Identity | None: ...

    def alive(self, database: Database, who: Identity) -> bool: ...


def _keys() -> _Keys | None:
    name = "api.login.keys"
    return cast(_Keys, importlib.import_module(name)) if importlib.util.find_spec(name) is not None else None

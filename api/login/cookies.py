"""The cookies of a login in a browser, and the proof that a request comes from a page of ours."""

import hmac
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import Response

from api.login.tokens import Pair
from api.store import Vault
from kiosk.messages import SECOND

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110 section 9.2.1)."""
CSRF_HEADER = "x-csrf-token"


class Cookies:
    """Their names and attributes. Where pages come over TLS, `__Host-` ties them to this very host and to TLS."""

    def __init__(self, *, secure: bool) -> None:
        self.secure = secure
        prefix = "__Host-" if secure else ""
        self.access, self.refresh, self.csrf = f"{prefix}kiosk", f"{prefix}kiosk-refresh", f"{prefix}kiosk-csrf"

    def give(self, response: Response, pair: Pair, csrf: str, now: int) -> None:
        """Let the browser keep a login."""
        ends = (pair.access_expires_ns - now) // SECOND, (pair.refresh_expires_ns - now) // SECOND
        self._set(response, self.access, pair.access, ends[0])
        self._set(response, self.refresh, pair.refresh, ends[1])
        self._set(response, self.csrf, csrf, ends[1], script=True)

    def take(self, response: Response) -> None:
        """Let the browser forget it."""
        for name in (self.access, self.refresh, self.csrf):
            self._set(response, name, "", 0, script=name == self.csrf)

    def _set(self, response: Response, name: str, value: str, seconds: int, *, script: bool = False) -> None:
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self.secure, httponly=not script, samesite="strict"
        )


def csrf_of(vault: Vault, family: str) -> str:
    """What pages of a login send along with whatever changes something: nobody else can compute it."""
    return vault.purpose("csrf").digest("csrf", family)


def is_from_our_page(vault: Vault, family: str, headers: Headers) -> bool:
    """Whether a request with cookies was made by a page of ours: its header says so, and no other sign denies it.

    The value is compared with what it must be for this login, not with the cookie, which a neighbouring host may set.
    """
    if not same_site(headers):
        return False
    given = headers.get(CSRF_HEADER, "")
    return hmac.compare_digest(given.encode("latin-1"), csrf_of(vault, family).encode())


def same_site(headers: Mapping[str, str]) -> bool:
    """Whether what the browser itself says of the page that asks allows it to be one of ours."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers.get("host"):
        return False
    return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")

"""The language of a page: what the cookie says that the page's switch sets, else what the browser prefers."""

import re
from contextvars import ContextVar
from importlib.resources import files

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from kiosk import wording

CATALOGUES = wording.read(files("api.dashboard") / "languages")
COOKIE = "kiosk_language"
"""Set by the page's own script; it says nothing but a language."""
_now: ContextVar[str] = ContextVar("language", default=wording.SOURCE)
_VALUE = re.compile(r"\{(\w+)\}")


def language() -> str:
    """Of the request that is being answered."""
    return _now.get()


def t(key: str, /, **values: object) -> str:
    """A text in the request's language; `{name}` in it is replaced by the value of that name."""
    text = CATALOGUES[_now.get()][key]
    return _VALUE.sub(lambda found: str(values.get(found[1], found[0])), text) if values else text


def plural(key: str, n: int, /, **values: object) -> str:
    """ "3 sessions": the key's `.one`, `.few` or `.many`, by the number, which the text has as `{n}` (Unicode CLDR)."""
    if _now.get() == "ru":
        tens, ones = n % 100, n % 10
        form = "many" if 11 <= tens <= 14 else "one" if ones == 1 else "few" if 2 <= ones <= 4 else "many"
    else:
        form = "one" if n == 1 else "many"
    return t(f"{key}.{form}", n=n, **values)


def part(*names: str) -> dict[str, str]:
    """All texts of these parts, for a page's scripts."""
    begins = tuple(f"{name}." for name in names)
    return {key: text for key, text in CATALOGUES[_now.get()].items() if key.startswith(begins)}


class Tongue:
    """Finds out the language of each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            chosen = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
            wanted = headers.get("accept-language", "")
            _now.set(chosen if chosen in CATALOGUES else wording.preferred(wanted, CATALOGUES))
        await self._app(scope, receive, send)

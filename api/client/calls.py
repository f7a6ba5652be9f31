"""How the client asks: logged in, again where that does no harm, with one exception for everything that goes wrong."""

import random
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import msgspec

AGAIN = frozenset({429, 502, 503, 504})
"""Answers that may be another one a moment later."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
TRIES = 5
UNTOLD = 60.0
"""Seconds that a token is taken to last where the server does not say what time it is."""
EARLY = 30.0
"""Seconds before its end at which a token is renewed."""
Params = Mapping[str, str | int | float | None]
Json = Mapping[str, object]


class Problem(Exception):
    """What the API says when it does not do what it was asked for. Compare `kind`, as in `unknown-session`."""

    def __init__(self, status: int, kind: str, title: str, detail: str, more: Mapping[str, object]) -> None:
        super().__init__(f"{title}: {detail}" if detail else title)
        self.status, self.kind, self.title, self.detail, self.more = status, kind, title, detail, more

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        """From an answer, ours or that of something in between."""
        try:
            said = msgspec.json.decode(response.content, type=dict[str, object])
        except msgspec.DecodeError:
            said = {}
        kind = str(said.pop("type", "")).rpartition("/")[2] or f"http-{response.status_code}"
        title = str(said.pop("title", response.reason_phrase))
        return cls(response.status_code, kind, title, str(said.pop("detail", "")), said)


class Unreachable(Problem):
    """Nobody answered, however often it was tried."""

    def __init__(self, error: httpx.TransportError) -> None:
        super().__init__(0, "unreachable", "The server does not answer", type(error).__name__, {})


class _Login(msgspec.Struct, frozen=True):
    access: str
    refresh: str
    expires: datetime


class Calls:
    """A connection to the API. Close it, or use it in a `with`."""

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        login: str | None = None,
        password: str | None = None,
        code: str | None = None,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if (token is None) == (login is None or password is None):
            raise ValueError("either a token, or a login and a password")
        self._http = httpx.Client(base_url=base_url, timeout=timeout, transport=transport)
        self._until = 0.0
        """When the token is to be renewed; by a clock that nobody sets."""
        self._token = token
        self._pair: _Login | None = None
        if token is None:
            try:
                self._pair = self._log_in(login, password, code)
            except BaseException:
                self._http.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Log out, where it was this that logged in, and let go of the connection."""
        try:
            if self._pair is not None and not self._http.is_closed:
                self._http.post("/api/v1/account/logout", headers=self._authorised())
        except (httpx.TransportError, Problem):
            pass  # the login ends by itself
        finally:
            self._http.close()

    def get(self, path: str, params: Params | None = None) -> httpx.Response:
        """Read."""
        given = {name: value for name, value in (params or {}).items() if value is not None}
        return self._call(lambda: self._http.build_request("GET", path, params=given))

    def post(self, path: str, body: Json | None = None) -> httpx.Response:
        """Make something. It is made once, however often this has to be sent."""
        key = {"Idempotency-Key": secrets.token_hex(16)}
        return self._call(lambda: self._http.build_request("POST", path, json=body, headers=key))

    def patch(self, path: str, body: Json, etag: str | None) -> httpx.Response:
        """Change something; with `etag` only if nobody else has meanwhile."""
        match = {"If-Match": etag} if etag is not None else {}
        # sent twice, the second one would find its own change
        return self._call(lambda: self._http.build_request("PATCH", path, json=body, headers=match), tries=1)

    def delete(self, path: str) -> httpx.Response:
        """Take something away."""
        return self._call(lambda: self._http.build_request("DELETE", path))

    def send(self, path: str, files: Mapping[str, Path | bytes], fields: Mapping[str, str]) -> httpx.Response:
        """Upload files by name. They are read again where it has to be sent again."""
        key = {"Idempotency-Key": secrets.token_hex(16)}
        with ExitStack() as opened:

            def request() -> httpx.Request:
                parts = [
                    ("files", (name, each if isinstance(each, bytes) else opened.enter_context(each.open("rb"))))
                    for name, each in files.items()
                ]
                return self._http.build_request("POST", path, files=parts, data=dict(fields), headers=key)

            return self._call(request)

    # --- one call, as often as it takes

    def _call(self, build: Callable[[], httpx.Request], *, tries: int = TRIES) -> httpx.Response:
        renewed = False
        for attempt in range(1, tries + 1):
            request = build()
            request.headers.update(self._authorised())
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                if attempt == tries:
                    raise Unreachable(error) from None
                _pause(attempt, None)
                continue
            if response.status_code == 401 and self._pair is not None and not renewed:
                renewed = True
                self._renew()
                # asked for by the way: it costs no attempt
                request = build()
                request.headers.update(self._authorised())
                response = self._http.send(request)
            if response.is_success:
                return response
            problem = Problem.of(response)
            may_change = response.status_code in AGAIN or problem.kind == "idempotency-key-busy"
            if not may_change or attempt == tries:
                raise problem
            _pause(attempt, response.headers.get("retry-after"))
        raise AssertionError

    def _authorised(self) -> dict[str, str]:
        if self._pair is not None and time.monotonic() > self._until:
            self._renew()
        token = self._pair.access if self._pair is not None else self._token
        return {"Authorization": f"Bearer {token}"}

    def _log_in(self, login: str | None, password: str | None, code: str | None) -> _Login:
        said = {"login": login, "password": password, **({"code": code} if code else {})}
        return self._pair_of("/api/v1/account/login", said)

    def _renew(self) -> None:
        assert self._pair is not None
        self._pair = self._pair_of("/api/v1/account/refresh", {"refresh": self._pair.refresh})

    def _pair_of(self, path: str, said: Json) -> _Login:
        try:
            response = self._http.post(path, json=said)
        except httpx.TransportError as error:
            raise Unreachable(error) from None
        if not response.is_success:
            raise Problem.of(response)
        pair = msgspec.json.decode(response.content, type=_Login)
        # by the server's own clock: ours may be wrong
        now = response.headers.get("date")
        lasts = (pair.expires - parsedate_to_datetime(now)).total_seconds() if now else UNTOLD
        self._until = time.monotonic() + lasts - EARLY
        return pair


def _pause(attempt: int, said: str | None) -> None:
    """Longer each time, and never as long as another client's; what the server says counts."""
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
    if said is not None and said.isdecimal():
        pause = max(pause, min(float(said), LONGEST_PAUSE))
    time.sleep(pause)

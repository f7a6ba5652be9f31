"""`Idempotency-Key`: a POST that is sent again changes nothing, and is answered as it was the first time.

Around the routes, not in them: none can forget it. Answers are kept encrypted; those of routes that hand out secrets
are not kept at all. Uploads are too long to be kept waiting for here: their route does the same by itself.
"""

import asyncio
import hashlib
import re
from collections.abc import Iterable

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors, witness
from api.errors import Failed, Kind
from api.security import Action, Identity
from api.store import Database, idempotency, utc_now
from api.store.idempotency import Answer, Refusal

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
PATTERN = r"^[\x21-\x7e]{1,100}$"
PREFIX = "/api/v1/"
UPLOADS = "/api/v1/analyses"
SECRETS = ("login", "logout", "account", "users", "keys", "api-keys", "tokens", "token", "oidc", "me")
"""First words of addresses whose answers hold what nobody must find here: passwords, tokens, keys, second factors."""
SECRET = re.compile(r"password|token|secret|api_?key|recovery|totp|otpauth", re.IGNORECASE)
"""Fields that make an answer one of those, wherever it comes from."""
REFUSED: dict[Refusal, Kind] = {"used": errors.KEY_USED, "busy": errors.KEY_BUSY}
_KEPT = ("content-type", "location", "etag")


class Idempotency:
    """Answers what was answered already."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = key_of(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        if not re.match(PATTERN, key):
            fault = {"where": f"header.{HEADER}", "what": "1 to 100 characters of ASCII without blanks"}
            await errors.problem(errors.INVALID, errors=[fault])(scope, receive, send)
            return
        database: Database = scope["app"].state.database
        try:
            who = await asyncio.to_thread(scope["app"].state.gate.identify, HTTPConnection(scope))
        except Failed:
            who = None  # the route says why
        if who is None:
            await self._app(scope, receive, send)
            return
        body = await _all(receive)
        if body is None:
            return  # nobody waits for an answer
        request = _request(scope, who, body)
        known = await asyncio.to_thread(claim, database, who.id, key, request)
        if isinstance(known, Answer):
            if known.action:
                witness.looked_at(HTTPConnection(scope), Action(known.action), who)
            await replayed(known)(scope, receive, send)
        elif known is not None:
            await errors.problem(REFUSED[known])(scope, receive, send)
        else:
            await self._first(scope, _again(body, receive), send, _Claim(database, who.id, key, scope))

    async def _first(self, scope: Scope, receive: Receive, send: Send, claimed: "_Claim") -> None:
        """Let the route answer, and keep what it says."""
        status, headers, body = 0, Headers(), bytearray()

        async def heard(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], Headers(raw=message["headers"])
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    # kept before it leaves: who hears it may rely on it
                    await asyncio.to_thread(claimed.keep, status, headers, bytes(body))
            await send(message)

        try:
            await self._app(scope, receive, heard)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(claimed.drop))
            raise


class _Claim:
    """A key that is this request's."""

    def __init__(self, database: Database, actor: str, key: str, scope: Scope) -> None:
        self._database, self._actor, self._key, self._scope = database, actor, key, scope

    def keep(self, status: int, headers: Headers, body: bytes) -> None:
        """Keep an answer; what went wrong, or holds a secret, is not kept, and may be tried again."""
        if not 200 <= status < 300 or _is_secret(body):
            self.drop()
            return
        kept = tuple((name, headers[name]) for name in _KEPT if name in headers)
        access: witness.Access | None = self._scope.get("state", {}).get("access")
        answer = Answer(status, kept, body, str(access.action) if access is not None else "")
        with self._database.transaction() as db:
            idempotency.finish(db, self._actor, self._key, answer)

    def drop(self) -> None:
        """Forget the request."""
        with self._database.transaction() as db:
            idempotency.drop(db, self._actor, self._key)


def claim(database: Database, actor: str, key: str, request: str) -> Answer | Refusal | None:
    """Begin a request under a key, in a transaction of its own: None where it is new."""
    with database.transaction() as db:
        return idempotency.begin(db, actor, key, request, utc_now())


def replayed(answer: Answer) -> Response:
    """An answer once more."""
    response = Response(answer.body, answer.status)
    headers = MutableHeaders(raw=response.raw_headers)
    for name, value in answer.headers:
        headers[name] = value
    headers[REPLAYED] = "true"
    return response


def key_of(scope: Scope) -> str | None:
    """The key of a request that is looked after here."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    path: str = scope["path"]
    if not path.startswith(PREFIX) or path == UPLOADS or path.removeprefix(PREFIX).partition("/")[0] in SECRETS:
        return None
    return Headers(scope=scope).get(HEADER)


def _request(scope: Scope, who: Identity, body: bytes) -> str:
    """What is asked, and as what: who may something else meanwhile is told nothing of before."""
    may = f"{who.role} {who.clinic} {sorted(who.actions or ())}".encode()
    said = (may, scope["method"].encode(), scope["path"].encode(), scope.get("query_string", b""), body)
    return hashlib.sha256(b"\n".join(said)).hexdigest()


def _is_secret(body: bytes) -> bool:
    try:
        said = msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:
        return True  # nothing else than JSON is kept
    return any(SECRET.search(name) for name in _names(said))


def _names(said: object) -> Iterable[str]:
    if isinstance(said, dict):
        for name, value in said.items():
            yield name
            yield from _names(value)
    elif isinstance(said, list):
        for value in said:
            yield from _names(value)


async def _all(receive: Receive) -> bytes | None:
    """The whole body; it is small, `Limits` has seen to that. None where the client has gone."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """What hands out the body, and then goes on listening."""
    told = False

    async def next_message() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message

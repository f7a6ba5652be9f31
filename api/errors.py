"""Every error has one shape: problem details (RFC 9457). This is the table of them, and who turns what into which."""

import logging
import traceback
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.store import DatabaseDown, StoreError
from api.store.outage import is_outage
from kiosk.errors import KioskError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPES = "https://health-kiosk.example/problems"
RETRY_AFTER = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem. `detail` is what it says where nothing more is known."""

    slug: str
    status: int
    title: str
    detail: str

    @property
    def type(self) -> str:
        """The URI that programs compare."""
        return f"{TYPES}/{self.slug}"


INVALID = Kind("invalid", 422, "The request is not valid", "A part of the request is missing, unknown or malformed.")
UNPARSABLE = Kind("unparsable", 400, "The body cannot be read", "It is not JSON in UTF-8, or nested too deeply.")
NOT_FOUND = Kind("not-found", 404, "There is nothing at this address", "Neither a resource nor a page.")
NO_SESSION = Kind("unknown-session", 404, "There is no such session", "No session of this id is stored here.")
NO_PATIENT = Kind("unknown-patient", 404, "There is no such patient", "No patient of this id is stored here.")
NO_KIOSK = Kind("unknown-kiosk", 404, "There is no such kiosk", "Nothing was ever heard of a kiosk of this name.")
NO_COMMAND = Kind("unknown-command", 404, "There is no such command", "It was never given, or too long ago.")
NO_REVISION = Kind("unknown-revision", 404, "There is no such revision", "The session has fewer revisions.")
NO_WAVEFORM = Kind("no-waveform", 404, "There is no such waveform", "Nothing of this signal has been delivered.")
NOT_ALLOWED = Kind("method-not-allowed", 405, "This address does not take this method", "See the header Allow.")
TAKEN = Kind("pseudonym-taken", 409, "The pseudonym is taken", "Another patient has this pseudonym.")
NOBODY = Kind("no-such-patient", 409, "There is no patient to assign to", "No patient of this id is stored here.")
SEVERAL = Kind("several-waveforms", 409, "Several waveforms have this signal", "Say which one: device, or run as well.")
IRREGULAR = Kind("irregular", 409, "These samples have times of their own", "Raw rows would lose them: ask for JSON.")
TOO_LARGE = Kind("body-too-large", 413, "The body is too large", "At most 64 KiB are taken.")
TOO_MUCH = Kind("window-too-large", 413, "The window is too large", "Ask for it in parts.")
ELSEWHERE = Kind("foreign-host", 421, "This server does not answer under that name", "Use its address or short name.")
FOREIGN = Kind("foreign-origin", 403, "This connection was opened by another site's page", "Open it from our own page.")
INTERNAL = Kind("internal", 500, "An error of ours", "It is in the log under the id that `instance` names.")
NO_DATABASE = Kind("database-down", 503, "The database does not answer", "Try again in a few seconds.")
NO_BROKER = Kind("broker-down", 503, "The broker does not answer", "Try again in a few seconds.")
NOT_READY = Kind("not-ready", 503, "A part that is needed does not answer", "The database or the broker is away.")
_GENERAL = {kind.status: kind for kind in (UNPARSABLE, NOT_FOUND, NOT_ALLOWED, TOO_LARGE, INVALID)}


class Fault(BaseModel):
    """What is wrong with one part of a request. What was sent is not repeated."""

    where: str = Field(description="The part: path, query or body, then the names that lead to it.")
    what: str = Field(description="What is wrong with it, for people.")


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"type": NO_SESSION.type, "title": NO_SESSION.title, "status": 404, "detail": NO_SESSION.detail}
            ]
        }
    )

    type: str = Field(
        description="A URI that identifies the kind of problem. Programs compare it; it need not resolve."
    )
    title: str = Field(description="The kind of problem, for people.")
    status: int = Field(description="The HTTP status, repeated.", ge=100, le=599)
    detail: str = Field(description="What happened here, for people.")
    instance: str | None = Field(None, description="The id under which the log tells more.")
    errors: list[Fault] | None = Field(None, description="What is wrong with the request, part by part.")
    missing: list[str] | None = Field(None, description="Which parts of the system do not answer.")


class Failed(KioskError):
    """A request that ends in a problem."""

    def __init__(self, kind: Kind, detail: str | None = None, **more: object) -> None:
        super().__init__(detail or kind.detail)
        self.kind = kind
        self.detail = detail or kind.detail
        self.more = more


def body(kind: Kind, detail: str | None = None, **more: object) -> bytes:
    """A problem's JSON."""
    return msgspec.json.encode(
        {"type": kind.type, "title": kind.title, "status": kind.status, "detail": detail or kind.detail, **more}
    )


def problem(kind: Kind, detail: str | None = None, **more: object) -> Response:
    """The response that says a problem."""
    response = Response(body(kind, detail, **more), kind.status, media_type=MEDIA_TYPE)
    if kind.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def internal(error: BaseException, where: str) -> Response:
    """Log what went wrong under an id and tell only the id. The error's own text stays out: it may hold data."""
    instance = uuid.uuid4().urn
    trace = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s failed: %s, %s\n%s", where, type(error).__name__, instance, trace)
    return problem(INTERNAL, instance=instance)


def documented(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """The part of a route's OpenAPI that tells its problems, with an example of each."""
    said: dict[int | str, dict[str, Any]] = {}
    for kind in (*kinds, ELSEWHERE, INTERNAL):
        answer = said.setdefault(kind.status, {"description": kind.title, "content": {MEDIA_TYPE: {}}})
        content = answer["content"][MEDIA_TYPE]
        content["schema"] = {"$ref": "#/components/schemas/Problem"}
        value: dict[str, object] = {
            "type": kind.type, "title": kind.title, "status": kind.status, "detail": kind.detail
        }  # fmt: skip
        if kind is INVALID:
            value["errors"] = [{"where": "query.limit", "what": "Input should be less than or equal to 200"}]
        if kind is INTERNAL:
            value["instance"] = "urn:uuid:5d0f0f3c-51b5-4d3f-8f55-1f0a4c8f4c55"
        if kind is NOT_READY:
            value["missing"] = ["broker"]
        content.setdefault("examples", {})[kind.slug] = {"summary": kind.title, "value": value}
        if kind.status == HTTPStatus.SERVICE_UNAVAILABLE:
            answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return said


def faults(errors: Sequence[Any]) -> list[dict[str, str]]:
    """What a validation found, without what was sent."""
    return [{"where": ".".join(map(str, error["loc"])), "what": error["msg"]} for error in errors]


async def _on_failed(_: Request, error: Exception) -> Response:
    assert isinstance(error, Failed)
    return problem(error.kind, error.detail, **error.more)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    kind = _GENERAL.get(status, Kind(f"http-{status.value}", status.value, status.phrase, status.description))
    response = problem(kind)
    response.headers.update(error.headers or {})
    if kind is NOT_ALLOWED:
        # the router knows one route at a time; an address may have several, one per method
        described = request.app.openapi()["paths"].get(getattr(request.scope.get("route"), "path_format", None), {})
        if described:
            response.headers["Allow"] = ", ".join(sorted(method.upper() for method in described))
    return response


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem(INVALID, errors=faults(error.errors()))


async def _on_database(_: Request, error: Exception) -> Response:
    if isinstance(error, StoreError) and not is_outage(error):
        raise error
    log.warning("the database does not answer: %s", type(error).__name__)
    return problem(NO_DATABASE)


def install(app: FastAPI) -> None:
    """Let every error that a route raises become a problem. Unforeseen ones are caught by `api.middleware`."""
    app.add_exception_handler(Failed, _on_failed)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(StoreError, _on_database)
    app.add_exception_handler(DatabaseDown, _on_database)

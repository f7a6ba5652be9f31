"""Every error has one shape: problem details (RFC 9457). This is the table of them, and who turns what into which."""

import logging
import re
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

from api.audit import AuditDown
from api.store import DatabaseDown, Destroyed, KeysUnusable, StoreError
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
NO_ANALYSIS = Kind("unknown-analysis", 404, "There is no such upload", "No upload of this id is kept here.")
NO_NOTE = Kind("unknown-note", 404, "There is no such note", "No note of this id is stored here.")
NO_CORRECTION = Kind("unknown-correction", 404, "There is no such correction", "The session has none of this id.")
NO_QUESTIONNAIRE = Kind("unknown-questionnaire", 404, "There is no such questionnaire", "See the list of them.")
NO_RULE = Kind("unknown-rule", 404, "There is no such rule", "No rule of this id is stored here.")
NO_ALERT = Kind("unknown-alert", 404, "There is no such alert", "No alert of this id is stored here.")
NOT_ANALYSED = Kind("not-analysed", 409, "The session is not analysed yet", "Wait until it is closed.")
SAMPLES_GONE = Kind("samples-gone", 409, "The samples are kept no longer", "What was found in them stays as it is.")
OLD_REVISION = Kind("old-revision", 409, "There is a newer revision", "Look at that one.")
BUILT_UPON = Kind("built-upon", 409, "Another correction builds on this one", "Undo that one first, or all of them.")
WITHDRAWN = Kind("withdrawn", 409, "The alert was withdrawn", "The newest revision no longer says it.")
IMPOSSIBLE_BEATS = Kind("impossible-beats", 422, "These beats cannot be", "Nothing was changed; `errors` says why.")
NOT_YOURS = Kind("not-yours", 403, "Somebody else wrote this", "Only who wrote it may change it.")
NO_WAVEFORM = Kind("no-waveform", 404, "There is no such waveform", "Nothing of this signal has been delivered.")
NOT_ALLOWED = Kind("method-not-allowed", 405, "This address does not take this method", "See the header Allow.")
TAKEN = Kind("pseudonym-taken", 409, "The pseudonym is taken", "Another patient has this pseudonym.")
NOBODY = Kind("no-such-patient", 409, "There is no patient to assign to", "No patient of this id is stored here.")
MERGED = Kind("merged", 409, "The patient was merged", "It is `patient` now: ask there.")
NOT_MERGEABLE = Kind("not-mergeable", 409, "These two cannot be merged", "One is gone, merged, or of another clinic.")
DUPLICATE = Kind("duplicate-record", 409, "The record number is taken", "`patient` has it: merge them if they are one.")
NO_IDENTITY = Kind("no-identity", 404, "Nobody said who this is", "The patient has a pseudonym alone.")
NO_CONSENT = Kind("unknown-consent", 404, "There is no such consent", "No consent of this id is stored here.")
NO_TEXT = Kind("unknown-text", 409, "There is no such consent text", "No text of this version and language is stored.")
TEXT_TAKEN = Kind("text-taken", 409, "The text stands already", "Texts never change: another wording, another version.")
SEVERAL = Kind("several-waveforms", 409, "Several waveforms have this signal", "Say which one: device, or run as well.")
IRREGULAR = Kind("irregular", 409, "These samples have times of their own", "Raw rows would lose them: ask for JSON.")
TOO_LARGE = Kind("body-too-large", 413, "The body is too large", "At most 64 KiB are taken.")
TOO_MUCH = Kind("window-too-large", 413, "The window is too large", "Ask for it in parts.")
ELSEWHERE = Kind("foreign-host", 421, "This server does not answer under that name", "Use its address or short name.")
FOREIGN = Kind("foreign-origin", 403, "This connection was opened by another site's page", "Open it from our own page.")
KEY_USED = Kind("idempotency-key-used", 422, "The key belongs to another request", "Make up a new Idempotency-Key.")
KEY_BUSY = Kind("idempotency-key-busy", 409, "The first request is under way", "Send it again in a moment.")
NO_LOGIN = Kind("not-logged-in", 401, "Nobody is logged in", "Log in, or send a token or an API key that is valid.")
WRONG_LOGIN = Kind(
    "wrong-login", 401, "That did not match", "Login or password is wrong, or there were too many attempts just now."
)
WRONG_PASSWORD = Kind(
    "wrong-password", 403, "The password is wrong", "Your present password is needed; too many attempts pause it."
)
WANTS_CODE = Kind(
    "second-factor-needed", 401, "The second factor is missing", "Send a code of your app, or a recovery code."
)
WRONG_CODE = Kind("wrong-code", 401, "The code is wrong", "It may have expired, or been used: wait for the next one.")
NOT_CONFIRMED = Kind("not-confirmed", 409, "The code is not of that secret", "Wait for the next one, or begin again.")
HAS_FACTOR = Kind("has-second-factor", 409, "There is a second factor already", "Remove it before you set up another.")
WEAK = Kind("weak-password", 422, "The password is not good enough", "It is too short, or guessed too easily.")
TOO_MANY = Kind("too-many-attempts", 429, "Too many attempts", "Wait as long as Retry-After says.")
NO_PROVIDER = Kind("no-provider", 404, "There is no identity provider", "Log in with a password.")
NOT_LET_IN = Kind("not-let-in", 403, "The login at the provider does not count", "Begin again.")
PROVIDER_DOWN = Kind("provider-down", 502, "The identity provider does not answer", "Try again later.")
NO_KEY = Kind("unknown-key", 404, "There is no such API key", "No key of this id is here.")
NO_USER = Kind("unknown-user", 404, "There is no such user", "No user of this id is here.")
NO_LOGIN_HERE = Kind("unknown-login", 404, "There is no such login", "It has ended, or was not yours.")
LOGIN_TAKEN = Kind("login-taken", 409, "The login is taken", "Another user has it.")
LAST_ADMINISTRATOR = Kind("last-administrator", 409, "Nobody could manage users any more", "Name another one first.")
FORBIDDEN = Kind("forbidden", 403, "This is not for your role", "The role may not do this.")
CSRF = Kind("csrf", 403, "The request may come from another page", "Send the CSRF cookie's value as X-CSRF-Token.")
CHANGED = Kind("changed-meanwhile", 412, "It has changed meanwhile", "Read it again; If-Match names an older version.")
ERASED = Kind("erased", 410, "It was erased", "Its keys are destroyed.")
INTERNAL = Kind("internal", 500, "An error of ours", "It is in the log under the id that `instance` names.")
NO_DATABASE = Kind("database-down", 503, "The database does not answer", "Try again in a few seconds.")
NO_BROKER = Kind("broker-down", 503, "The broker does not answer", "Try again in a few seconds.")
NO_AUDIT = Kind("not-noted", 503, "The access cannot be noted", "What cannot be noted is not told. Try again.")
NOT_READY = Kind("not-ready", 503, "A part that is needed does not answer", "The database or the broker is away.")
_NAME = re.compile(r"[A-Za-z_$][\w$.-]{0,63}", re.ASCII)
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
    patient: str | None = Field(None, description="The patient whom it is about, where that is another one.")
    retry_after: int | None = Field(None, description="Seconds to wait, where there were too many attempts.")
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
    if kind.status == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers["Retry-After"] = str(more.get("retry_after", RETRY_AFTER))
    return response


def internal(error: BaseException, where: str) -> Response:
    """Log what went wrong under an id and tell only the id. The error's own text stays out: it may hold data."""
    instance = uuid.uuid4().urn
    trace = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s failed: %s, %s\n%s", where, type(error).__name__, instance, trace)
    return problem(INTERNAL, instance=instance)


def documented(*kinds: Kind, public: bool = False) -> dict[int | str, dict[str, Any]]:
    """The part of a route's OpenAPI that tells its problems, with an example of each."""
    said: dict[int | str, dict[str, Any]] = {}
    for kind in (*kinds, *(() if public else (NO_LOGIN, FORBIDDEN)), ELSEWHERE, INTERNAL):
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
        if kind.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
            answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return said


def faults(errors: Sequence[Any]) -> list[dict[str, str]]:
    """What a validation found, without what was sent."""
    return [{"where": ".".join(map(_part, error["loc"])), "what": error["msg"]} for error in errors]


def _part(name: object) -> str:
    """A part's name. Names too may be what was sent: of fields that nobody knows."""
    return str(name) if isinstance(name, int) or _NAME.fullmatch(str(name)) else "?"


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


async def _on_erased(_: Request, __: Exception) -> Response:
    return problem(ERASED)


async def _on_unnoted(_: Request, error: Exception) -> Response:
    assert isinstance(error, AuditDown)
    return problem(NO_AUDIT)


def install(app: FastAPI) -> None:
    """Let every error that a route raises become a problem. Unforeseen ones are caught by `api.middleware`."""
    app.add_exception_handler(Failed, _on_failed)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(StoreError, _on_database)
    app.add_exception_handler(DatabaseDown, _on_database)
    app.add_exception_handler(AuditDown, _on_unnoted)
    app.add_exception_handler(KeysUnusable, _on_database)
    app.add_exception_handler(Destroyed, _on_erased)

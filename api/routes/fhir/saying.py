"""How FHIR answers: media type, versions, OperationOutcomes; and what the OpenAPI document says of that.

What is said is `application/fhir+json`, and so is what is wrong: an OperationOutcome. It is the one exception from
problem details. (What fails before a route is reached - a foreign host, a method that is not there - has those still.)
"""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api import errors
from api.errors import Failed, Kind
from api.interop.fhir import bundles, dates, search
from api.interop.fhir.search import INCLUDES, SEARCHES, BadSearch, Parameter
from api.interop.fhir.shapes import Json, Resource, encoded, jsonable
from api.store import DatabaseDown, Destroyed, KeysUnusable, StoreError, Tampered
from api.store.outage import is_outage

PREFIX: Final = "/fhir/R4"
MEDIA_TYPE: Final = "application/fhir+json"
_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    410: "deleted",
    429: "throttled",
    503: "transient",
}
NOT_THERE = Kind("unknown-resource", 404, "There is no such resource", "None of this id is stored here.")
NOT_TOLD = Kind("no-longer-told", 410, "It is not told any more", "The newest analysis has nothing like it.")
NO_XML = Kind("not-acceptable", 406, "There is JSON alone", "Ask for application/fhir+json.")
BROAD = Kind("too-broad", 403, "The search is too broad", "Say whose, of which session, or when.")
UNREADABLE = Kind("bad-search", 400, "The search cannot be read", "A parameter has a value that it cannot have.")


class FhirResponse(Response):
    """A resource as it travels."""

    media_type = MEDIA_TYPE


class FhirRoute(APIRoute):
    """A route whose errors are OperationOutcomes."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with a net below."""
        handle = super().get_route_handler()

        async def netted(request: Request) -> Response:
            try:
                return await handle(request)
            except Failed as error:
                # FHIR says 400 where a parameter is wrong
                status = 400 if error.kind.status == errors.INVALID.status else error.kind.status
                return refusal(status, error.detail)
            except BadSearch as error:
                return refusal(error.status, str(error), code=error.code)
            except RequestValidationError:
                return refusal(400, "A part of the address is malformed.")
            except HTTPException as error:
                return refusal(error.status_code, error.detail)
            except (Destroyed, Tampered):
                return refusal(410, errors.ERASED.detail)
            except (StoreError, DatabaseDown, KeysUnusable) as error:
                if isinstance(error, StoreError) and not is_outage(error):
                    raise
                return refusal(503, errors.NO_DATABASE.detail)

        return netted


def refusal(status: int, words: str, *, code: str | None = None) -> Response:
    """What is wrong, as an OperationOutcome."""
    response = FhirResponse(encoded(bundles.outcome(code or _CODES.get(status, "processing"), words)), status)
    if status == errors.NO_DATABASE.status:
        response.headers["Retry-After"] = str(errors.RETRY_AFTER)
    return response


def documented(example: Resource, *kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """The part of OpenAPI that tells a route's answers."""
    said = jsonable(example)
    schema: Json = {
        "type": "object",
        "properties": {"resourceType": {"const": said["resourceType"]}},
        "required": ["resourceType"],
    }
    answers: dict[int | str, dict[str, Any]] = {
        200: {"description": "FHIR R4", "content": {MEDIA_TYPE: {"schema": schema, "example": said}}}
    }
    before = errors.documented(public=True)
    for kind in (*kinds, UNREADABLE, NO_XML, errors.NO_LOGIN, errors.FORBIDDEN, errors.NO_DATABASE):
        outcome = jsonable(bundles.outcome(_CODES[kind.status], kind.detail))
        answer = answers.setdefault(kind.status, {"description": kind.title, "content": {MEDIA_TYPE: {}}})
        content = answer["content"][MEDIA_TYPE]
        content["schema"] = {
            "type": "object",
            "properties": {"resourceType": {"const": "OperationOutcome"}},
            "required": ["resourceType", "issue"],
        }
        content.setdefault("examples", {})[kind.slug] = {"summary": kind.title, "value": outcome}
    return {**answers, **before}


def parameters_said(parameters: Iterable[Parameter]) -> list[Json]:
    """A kind's own search parameters, for OpenAPI."""
    described: list[Json] = []
    for each in parameters:
        schema = dict(TEXT)
        if each.type == "date":
            schema |= {"pattern": dates.SEVERAL, "examples": ["ge2025-01-02"]}
        described.append(parameter(each.name, f"{each.words} ({each.type})", schema))
    return described


def parameter(name: str, words: str, schema: Json, where: str = "query") -> Json:
    """One parameter, for OpenAPI."""
    return {"name": name, "in": where, "required": False, "description": words, "schema": schema}


TEXT: Final[Json] = {"type": "string", "maxLength": search.LONGEST}
FORMAT = parameter("_format", "JSON is all there is.", {"enum": ["json", "application/json", MEDIA_TYPE]})
PREFER = parameter(
    "Prefer",
    "handling=strict: refuse parameters that are not known; else they are ignored, and the answer says so.",
    {"type": "string", "examples": ["handling=strict"]},
    "header",
)
COUNT = parameter("_count", "Matches on a page, 200 at most; 0: only how many.", {"type": "integer", "minimum": 0,
                    "maximum": 999_999_999})  # fmt: skip
CURSOR = parameter("_page", "Where a page begins: of the link `next`.", {"type": "string",
                     "pattern": "^[A-Za-z0-9_-]{1,400}$"})  # fmt: skip


def paging(kind: str) -> list[Json]:
    """Parameters that say how to answer a search, for OpenAPI."""
    dates_ = [each.name for each in SEARCHES[kind] if each.type == "date"][:1]
    ways = [f"{sign}{name}" for name in (*dates_, "_lastUpdated") for sign in ("", "-")]
    said = [COUNT, parameter("_sort", "With - the newest first.", {"type": "string", "enum": ways}), CURSOR]
    if kind in INCLUDES:
        included: list[object] = [f"{kind}:{each}" for each in INCLUDES[kind]]
        said.append(parameter("_include", "What it points to, too.", {"type": "string", "enum": included}))
    return [*said, PREFER, FORMAT]


def base_of(request: Request) -> str:
    """The base URL as the client knows it."""
    return str(request.base_url).rstrip("/") + PREFIX


def acceptable(request: Request) -> None:
    """NO_XML where the client takes no JSON."""
    asked = request.query_params.get("_format")
    if asked is not None:
        # a plus that nobody escaped arrives as a blank
        if asked.replace(" ", "+").partition(";")[0] not in ("json", "application/json", MEDIA_TYPE):
            raise Failed(NO_XML)
        return
    taken = [each.partition(";")[0].strip() for each in request.headers.get("accept", "*/*").split(",")]
    if not {"*/*", "application/*", "application/json", MEDIA_TYPE, "text/json"} & set(taken):
        raise Failed(NO_XML)


def is_strict(request: Request) -> bool:
    """Whether the client wants what is not known refused."""
    return "handling=strict" in request.headers.get("prefer", "").replace(" ", "").lower()


def answered(resource: Resource) -> Response:
    """A resource with its version."""
    response = FhirResponse(encoded(resource))
    if resource.meta is not None and resource.meta.version_id is not None:
        response.headers["ETag"] = f'W/"{resource.meta.version_id}"'
    return response

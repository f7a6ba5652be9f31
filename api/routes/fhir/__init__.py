"""FHIR R4, read-only: read, search, history of observations, everything of a visit or a person, terminology."""

from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.errors import Failed
from api.interop.fhir import bundles
from api.interop.fhir.capability import statement
from api.interop.fhir.examples import EXAMPLES
from api.interop.fhir.search import COMMON, SEARCHES
from api.interop.fhir.shapes import encoded
from api.interop.fhir.terminology import STATIC
from api.routes.fhir import everything, reading
from api.routes.fhir.reading import EXAMPLE_BUNDLE, READS, FhirId
from api.routes.fhir.saying import (
    BROAD,
    FORMAT,
    NOT_THERE,
    NOT_TOLD,
    PREFIX,
    TEXT,
    FhirResponse,
    FhirRoute,
    acceptable,
    answered,
    base_of,
    documented,
    paging,
    parameter,
    parameters_said,
)
from api.routes.fhir.searching import searching
from api.store import utc_now
from kiosk.version import VERSION

__all__ = ["router"]

router = APIRouter(prefix=PREFIX, tags=["fhir"], route_class=FhirRoute)
for _part in (reading, everything):
    router.include_router(_part.router)


@router.get("/metadata", response_class=FhirResponse, responses=documented(statement(VERSION, PREFIX)),
            openapi_extra={"parameters": [FORMAT]})  # fmt: skip
def get_capabilities(request: Request) -> Response:
    """What this server can do: a CapabilityStatement, made of the tables by which it does it."""
    acceptable(request)
    return answered(statement(VERSION, base_of(request)))


def _static(kind: str) -> tuple[Callable[..., Response], Callable[..., Response]]:
    """Routes of what is the same for everybody, and public as the program is."""

    def find(request: Request) -> Response:
        acceptable(request)
        wanted = request.query_params.getlist("url")
        matches = [each for each in STATIC[kind] if not wanted or each.url in wanted]
        base = base_of(request)
        here = f"{base}/{kind}" + (f"?{urlencode([('url', each) for each in wanted])}" if wanted else "")
        bundle = bundles.searchset(base, utc_now(), matches=matches, total=len(matches), here=here)
        return FhirResponse(encoded(bundle))

    def read(request: Request, resource: FhirId) -> Response:
        acceptable(request)
        for each in STATIC[kind]:
            if each.id == resource:
                return answered(each)
        raise Failed(NOT_THERE)

    return find, read


def _install() -> None:
    for kind, (named, read) in READS.items():
        parameters = [*parameters_said((*COMMON, *SEARCHES[kind])), *paging(kind)]
        router.add_api_route(
            f"/{kind}",
            searching(kind),
            name=f"find_{kind}",
            summary=f"Search {kind}",
            description=f"{kind} resources, a page at a time. Alternatives stand between commas.",
            response_class=FhirResponse,
            responses=documented(EXAMPLE_BUNDLE, *((BROAD,) if kind == "Observation" else ())),
            openapi_extra={"parameters": parameters},
        )
        router.add_api_route(
            f"/{kind}/{{{named}}}",
            read,
            name=f"read_{kind}",
            summary=f"Read {kind}",
            description=f"One {kind}, as it is now.",
            response_class=FhirResponse,
            responses=documented(EXAMPLES[kind], NOT_THERE, *((NOT_TOLD,) if kind == "Observation" else ())),
            openapi_extra={"parameters": [FORMAT]},
        )
    for kind in STATIC:
        find, read_static = _static(kind)
        url = parameter("url", "Its canonical URL.", TEXT)
        router.add_api_route(
            f"/{kind}",
            find,
            name=f"find_{kind}",
            summary=f"List {kind}",
            description=f"Every {kind} of ours.",
            response_class=FhirResponse,
            responses=documented(EXAMPLE_BUNDLE),
            openapi_extra={"parameters": [url, FORMAT]},
        )
        router.add_api_route(
            f"/{kind}/{{resource}}",
            read_static,
            name=f"read_{kind}",
            summary=f"Read {kind}",
            description=f"One {kind} of ours.",
            response_class=FhirResponse,
            responses=documented(STATIC[kind][0], NOT_THERE),
            openapi_extra={"parameters": [FORMAT]},
        )


_install()

"""What this server can do, said from the tables that it does it by."""

from collections.abc import Iterable
from typing import Final

from api.interop.fhir.codes import PROFILES, TABLE
from api.interop.fhir.search import COMMON, INCLUDES, SEARCHES
from api.interop.fhir.shapes import CodeableConcept, Coding, Element, Resource
from api.interop.fhir.terminology import STATIC

FHIR_VERSION: Final = "4.0.1"
SINCE: Final = "2026-01-01"
"""When what is said here last changed."""


class Code(Element, frozen=True, kw_only=True):
    """One thing that can be done."""

    code: str


class SearchParam(Element, frozen=True, kw_only=True):
    """A parameter that searches take."""

    name: str
    type: str
    documentation: str


class Operation(Element, frozen=True, kw_only=True):
    """An operation."""

    name: str
    definition: str


class RestResource(Element, frozen=True, kw_only=True):
    """What can be done with a kind of resource."""

    type: str
    supported_profile: tuple[str, ...] = ()
    interaction: tuple[Code, ...]
    versioning: str
    read_history: bool
    search_include: tuple[str, ...] = ()
    search_param: tuple[SearchParam, ...] = ()
    operation: tuple[Operation, ...] = ()


class Security(Element, frozen=True, kw_only=True):
    """Who may come in."""

    cors: bool
    service: tuple[CodeableConcept, ...]
    description: str


class Rest(Element, frozen=True, kw_only=True):
    """The server."""

    mode: str
    security: Security
    resource: tuple[RestResource, ...]


class Software(Element, frozen=True, kw_only=True):
    """What it runs."""

    name: str
    version: str


class Implementation(Element, frozen=True, kw_only=True):
    """Where it is."""

    description: str
    url: str


class CapabilityStatement(Resource, frozen=True, kw_only=True, tag="CapabilityStatement"):
    """What this server can do."""

    status: str
    date: str
    kind: str
    software: Software
    implementation: Implementation
    fhir_version: str
    format: tuple[str, ...]
    rest: tuple[Rest, ...]


EVERYTHING: Final = {
    "Patient": "http://hl7.org/fhir/OperationDefinition/Patient-everything",
    "Encounter": "http://hl7.org/fhir/OperationDefinition/Encounter-everything",
}


def statement(version: str, url: str) -> CapabilityStatement:
    """The statement of a server at a base URL."""
    kinds = [_resource(kind) for kind in SEARCHES] + [_static(kind) for kind in STATIC]
    oauth = Coding(
        system="http://terminology.hl7.org/CodeSystem/restful-security-service", code="OAuth", display="OAuth"
    )
    return CapabilityStatement(
        status="active",
        date=SINCE,
        kind="instance",
        software=Software(name="health-kiosk", version=version),
        implementation=Implementation(description="The record of a clinic's screening kiosks, read-only.", url=url),
        fhir_version=FHIR_VERSION,
        format=("application/fhir+json", "json"),
        rest=(
            Rest(
                mode="server",
                security=Security(
                    cors=False,
                    service=(CodeableConcept(coding=(oauth,), text="Bearer tokens"),),
                    description="A bearer token or an API key whose role may export; names only for roles that may "
                    "read identities, of patients who agreed to share them.",
                ),
                resource=tuple(sorted(kinds, key=lambda each: each.type)),
            ),
        ),
    )


def _resource(kind: str) -> RestResource:
    versioned = kind == "Observation"
    done = ["read", "search-type", *(["vread", "history-instance"] if versioned else [])]
    operation = (Operation(name="everything", definition=EVERYTHING[kind]),) if kind in EVERYTHING else ()
    return RestResource(
        type=kind,
        supported_profile=tuple(_profiles()) if kind == "Observation" else (),
        interaction=tuple(Code(code=each) for each in done),
        versioning="versioned",
        read_history=versioned,
        search_include=tuple(f"{kind}:{each}" for each in INCLUDES.get(kind, ())),
        search_param=tuple(
            SearchParam(name=each.name, type=each.type, documentation=each.words) for each in (*COMMON, *SEARCHES[kind])
        ),
        operation=operation,
    )


def _static(kind: str) -> RestResource:
    url = SearchParam(name="url", type="uri", documentation="Its canonical URL.")
    done = (Code(code="read"), Code(code="search-type"))
    return RestResource(type=kind, interaction=done, versioning="no-version", read_history=False, search_param=(url,))


def _profiles() -> Iterable[str]:
    named = {coded.profile for coded in TABLE.values() if coded.profile}
    return (f"{PROFILES}/{name}" for name in ("vitalsigns", "vitalspanel", *sorted(named)))

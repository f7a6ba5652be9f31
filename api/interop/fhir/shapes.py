"""The shapes of resources, as far as we fill them. Encoded, what is not set is left out, as FHIR wants it."""

from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Struct, field

Json = dict[str, object]


class Element(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What every part of a resource is."""


class Coding(Element, frozen=True, kw_only=True):
    system: str
    code: str
    display: str | None = None


class CodeableConcept(Element, frozen=True, kw_only=True):
    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Quantity(Element, frozen=True, kw_only=True):
    value: Decimal | int
    unit: str
    system: str
    code: str


class Range(Element, frozen=True, kw_only=True):
    low: Quantity
    high: Quantity


class Extension(Element, frozen=True, kw_only=True):
    url: str
    value_boolean: bool | None = None
    value_code: str | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_decimal: Decimal | None = None
    value_integer: int | None = None
    value_range: Range | None = None
    value_string: str | None = None


class Identifier(Element, frozen=True, kw_only=True):
    system: str
    value: str
    use: str | None = None


class Reference(Element, frozen=True, kw_only=True):
    extension: tuple[Extension, ...] = ()
    reference: str | None = None
    type: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Period(Element, frozen=True, kw_only=True):
    extension: tuple[Extension, ...] = ()
    start: str | None = None
    end: str | None = None


class Annotation(Element, frozen=True, kw_only=True):
    text: str


class Meta(Element, frozen=True, kw_only=True):
    version_id: str | None = None
    last_updated: str | None = None
    profile: tuple[str, ...] = ()
    security: tuple[Coding, ...] = ()
    tag: tuple[Coding, ...] = ()


class Resource(Element, frozen=True, kw_only=True, tag_field="resourceType"):
    id: str | None = None
    meta: Meta | None = None


class Named(Resource, frozen=True, kw_only=True):
    """A resource that is stored here, and so has an id."""

    extension: tuple[Extension, ...] = ()


class SampledData(Element, frozen=True, kw_only=True):
    origin: Quantity
    period: Decimal
    factor: Decimal
    dimensions: int
    data: str


class Component(Element, frozen=True, kw_only=True):
    extension: tuple[Extension, ...] = ()
    code: CodeableConcept
    value_quantity: Quantity | None = None
    value_sampled_data: SampledData | None = None
    data_absent_reason: CodeableConcept | None = None


class Observation(Named, frozen=True, kw_only=True, tag="Observation"):
    status: str
    category: tuple[CodeableConcept, ...]
    code: CodeableConcept
    subject: Reference
    encounter: Reference
    effective_period: Period
    issued: str
    value_quantity: Quantity | None = None
    data_absent_reason: CodeableConcept | None = None
    note: tuple[Annotation, ...] = ()
    method: CodeableConcept | None = None
    device: Reference | None = None
    has_member: tuple[Reference, ...] = ()
    derived_from: tuple[Reference, ...] = ()
    component: tuple[Component, ...] = ()


class HumanName(Element, frozen=True, kw_only=True):
    text: str | None = None
    family: str | None = None
    given: tuple[str, ...] = ()


class ContactPoint(Element, frozen=True, kw_only=True):
    system: str
    value: str


class PatientLink(Element, frozen=True, kw_only=True):
    other: Reference
    type: str


class Patient(Named, frozen=True, kw_only=True, tag="Patient"):
    identifier: tuple[Identifier, ...]
    active: bool
    name: tuple[HumanName, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()
    gender: str | None = None
    birth_date: str | None = None
    link: tuple[PatientLink, ...] = ()


class Encounter(Named, frozen=True, kw_only=True, tag="Encounter"):
    identifier: tuple[Identifier, ...]
    status: str
    kind: Coding = field(name="class")
    type: tuple[CodeableConcept, ...] = ()
    subject: Reference | None = None
    period: Period | None = None


class DiagnosticReport(Named, frozen=True, kw_only=True, tag="DiagnosticReport"):
    status: str
    category: tuple[CodeableConcept, ...]
    code: CodeableConcept
    subject: Reference
    encounter: Reference
    effective_period: Period
    issued: str
    result: tuple[Reference, ...] = ()


class Answer(Element, frozen=True, kw_only=True):
    value_integer: int


class Item(Element, frozen=True, kw_only=True):
    link_id: str
    answer: tuple[Answer, ...] = ()


class QuestionnaireResponse(Named, frozen=True, kw_only=True, tag="QuestionnaireResponse"):
    questionnaire: str
    status: str
    subject: Reference
    encounter: Reference
    authored: str
    item: tuple[Item, ...] = ()


class DeviceName(Element, frozen=True, kw_only=True):
    name: str
    type: str


class Device(Named, frozen=True, kw_only=True, tag="Device"):
    identifier: tuple[Identifier, ...]
    status: str
    status_reason: tuple[CodeableConcept, ...]
    device_name: tuple[DeviceName, ...]
    owner: Reference | None = None


class Policy(Element, frozen=True, kw_only=True):
    uri: str


class Provision(Element, frozen=True, kw_only=True):
    type: str
    period: Period
    purpose: tuple[Coding, ...]


class Consent(Named, frozen=True, kw_only=True, tag="Consent"):
    status: str
    scope: CodeableConcept
    category: tuple[CodeableConcept, ...]
    patient: Reference
    date_time: str
    policy: tuple[Policy, ...]
    provision: Provision


class Agent(Element, frozen=True, kw_only=True):
    type: CodeableConcept
    who: Reference


class ProvenanceEntity(Element, frozen=True, kw_only=True):
    role: str
    what: Reference


class Provenance(Named, frozen=True, kw_only=True, tag="Provenance"):
    target: tuple[Reference, ...]
    recorded: str
    activity: CodeableConcept
    agent: tuple[Agent, ...]
    entity: tuple[ProvenanceEntity, ...] = ()


class Issue(Element, frozen=True, kw_only=True):
    severity: str
    code: str
    details: CodeableConcept | None = None
    diagnostics: str | None = None


class OperationOutcome(Resource, frozen=True, kw_only=True, tag="OperationOutcome"):
    issue: tuple[Issue, ...]


class Link(Element, frozen=True, kw_only=True):
    relation: str
    url: str


class SearchMode(Element, frozen=True, kw_only=True):
    mode: Literal["match", "include", "outcome"]


class Request(Element, frozen=True, kw_only=True):
    method: str
    url: str


class Answered(Element, frozen=True, kw_only=True):
    status: str
    etag: str


class Entry(Element, frozen=True, kw_only=True):
    full_url: str | None = None
    resource: Resource
    search: SearchMode | None = None
    request: Request | None = None
    response: Answered | None = None


class Bundle(Resource, frozen=True, kw_only=True, tag="Bundle"):
    type: str
    timestamp: str
    total: int | None = None
    link: tuple[Link, ...] = ()
    entry: tuple[Entry, ...] = ()


_encoder = msgspec.json.Encoder(decimal_format="number")


def encoded(resource: Resource) -> bytes:
    """A resource's JSON. Decimals keep their digits: in FHIR 36.0 says more than 36."""
    return _encoder.encode(resource)


def jsonable(resource: Resource) -> Json:
    """The same as Python's own types."""
    made: Json = msgspec.json.decode(encoded(resource))
    return made

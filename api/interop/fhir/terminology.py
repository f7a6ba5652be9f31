"""Our own code systems, made of the catalogue of measures, and how they map to LOINC."""

from collections.abc import Mapping
from types import MappingProxyType

from api.interop.fhir.codes import ABSENT, CANONICAL, PURPOSES, REASONS, TABLE, Code, own
from api.interop.fhir.shapes import Element, Resource
from kiosk.measures import LOINC, MEASURES, OWN


class Property(Element, frozen=True, kw_only=True):
    """What else is said of a concept."""

    code: str
    value_string: str | None = None


class PropertyKind(Element, frozen=True, kw_only=True):
    """That something else is said of concepts."""

    code: str
    type: str
    description: str


class Concept(Element, frozen=True, kw_only=True):
    """A code with its meaning."""

    code: str
    display: str
    property: tuple[Property, ...] = ()


class Canonical(Resource, frozen=True, kw_only=True):
    """What all of these have."""

    url: str
    name: str
    title: str
    status: str
    description: str


class CodeSystem(Canonical, frozen=True, kw_only=True, tag="CodeSystem"):
    """Codes of ours."""

    case_sensitive: bool
    content: str
    property: tuple[PropertyKind, ...] = ()
    concept: tuple[Concept, ...]


class Included(Element, frozen=True, kw_only=True):
    """A whole code system."""

    system: str


class Compose(Element, frozen=True, kw_only=True):
    """What a value set is composed of."""

    include: tuple[Included, ...]


class ValueSet(Canonical, frozen=True, kw_only=True, tag="ValueSet"):
    """Codes to choose from."""

    compose: Compose


class Target(Element, frozen=True, kw_only=True):
    """What a code is elsewhere."""

    code: str | None = None
    display: str | None = None
    equivalence: str


class Mapped(Element, frozen=True, kw_only=True):
    """A code of ours and what it is elsewhere."""

    code: str
    display: str
    target: tuple[Target, ...]


class Group(Element, frozen=True, kw_only=True):
    """From one system to another."""

    source: str
    target: str
    element: tuple[Mapped, ...]


class ConceptMap(Canonical, frozen=True, kw_only=True, tag="ConceptMap"):
    """What our codes are in other systems."""

    source_uri: str
    target_uri: str
    group: tuple[Group, ...]


OTHERS = (
    Code(OWN, "blood_pressure", "Blood pressure"),
    Code(OWN, "session_report", "Results of a screening session"),
    Code(OWN, "screening", "Screening at a kiosk"),
)
"""Codes of ours that are no measures."""


def _measures() -> CodeSystem:
    concepts = [
        Concept(
            code=measure.name,
            display=own(measure).display,
            property=(
                Property(code="unit", value_string=measure.unit),
                Property(code="decimals", value_string=str(measure.decimals)),
            ),
        )
        for measure in MEASURES.values()
    ]
    return CodeSystem(
        id="measures",
        url=OWN,
        name="HealthKioskMeasures",
        title="What a health-kiosk measures",
        status="active",
        description="Numbers that a screening kiosk measures or computes; docs/methods.md says how.",
        case_sensitive=True,
        content="complete",
        property=(
            PropertyKind(code="unit", type="string", description="Its unit, in UCUM."),
            PropertyKind(code="decimals", type="string", description="How many decimals are told."),
        ),
        concept=(*concepts, *(Concept(code=each.code, display=each.display) for each in OTHERS)),
    )


def _reasons() -> CodeSystem:
    return CodeSystem(
        id="absent",
        url=ABSENT,
        name="HealthKioskAbsent",
        title="Why there is no number",
        status="active",
        description="Reasons for giving no number. Devices may have reasons of their own beside these.",
        case_sensitive=True,
        content="fragment",
        concept=tuple(Concept(code=reason, display=said) for reason, (_, said) in REASONS.items()),
    )


def _purposes() -> CodeSystem:
    said = {
        "measure": "Be measured",
        "store": "Have the results stored",
        "share": "Have them shared by name",
        "research": "Research with de-identified data",
        "talk": "Have the conversation with the assistant stored",
    }
    return CodeSystem(
        id="purposes",
        url=PURPOSES,
        name="HealthKioskPurposes",
        title="What people agree to",
        status="active",
        description="Purposes of a consent.",
        case_sensitive=True,
        content="complete",
        concept=tuple(Concept(code=code, display=display) for code, display in said.items()),
    )


def _values() -> ValueSet:
    return ValueSet(
        id="measures",
        url=f"{CANONICAL}/ValueSet/measures",
        name="HealthKioskMeasureCodes",
        title="What a health-kiosk measures",
        status="active",
        description="All codes of ours for measures.",
        compose=Compose(include=(Included(system=OWN),)),
    )


def _map() -> ConceptMap:
    elements = []
    for name, coded in TABLE.items():
        loinc = [code for code in coded.codes if code.system == LOINC]
        # the code by the same method comes last: for SpO2 pulse oximetry, of which the other is the wider one
        found = [
            Target(code=code.code, display=code.display, equivalence="equivalent" if code is loinc[-1] else "wider")
            for code in loinc
        ]
        targets = tuple(found) or (Target(equivalence="unmatched"),)
        elements.append(Mapped(code=name, display=MEASURES[name].title, target=targets))
    return ConceptMap(
        id="measures-loinc",
        url=f"{CANONICAL}/ConceptMap/measures-loinc",
        name="HealthKioskMeasuresToLoinc",
        title="Our measures in LOINC",
        status="active",
        description="LOINC has vital signs and SDNN, and no code for RMSSD, pNN50, stress, affect and the rest.",
        source_uri=f"{CANONICAL}/ValueSet/measures",
        target_uri=f"{LOINC}/vs",
        group=(Group(source=OWN, target=LOINC, element=tuple(elements)),),
    )


STATIC: Mapping[str, tuple[Canonical, ...]] = MappingProxyType(
    {"CodeSystem": (_measures(), _reasons(), _purposes()), "ValueSet": (_values(),), "ConceptMap": (_map(),)}
)
"""What is the same for everybody, by kind."""

"""Words that several resources speak: ids, references, moments, numbers, our extensions."""

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from api.interop.fhir.codes import CANONICAL, PROFILES, TERMS, UCUM, Code
from api.interop.fhir.shapes import CodeableConcept, Coding, Extension, Meta, Period, Quantity, Reference

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
IDENTIFIERS = f"{CANONICAL}/identifiers"
DATA_ABSENT_REASON = f"{PROFILES}/data-absent-reason"
ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
"""What FHIR lets an id be."""
SEPARATOR = ".-"


def fhir_id(*names: str) -> str:
    """Our names as an id: FHIR's have no underscore, so that a dot escapes it, and itself."""
    return SEPARATOR.join(name.replace(".", ".d").replace("_", ".u") for name in names)


def names_of(said: str) -> tuple[str, ...] | None:
    """The names behind an id, or None where it cannot be one of ours."""
    parts = said.split(SEPARATOR)
    if not ID.fullmatch(said) or not all(re.fullmatch(r"([A-Za-z0-9-]|\.[du])+", part) for part in parts):
        return None
    return tuple(part.replace(".u", "_").replace(".d", ".") for part in parts)


def instant(nanoseconds: int) -> str:
    """A UTC moment, to the microsecond, from nanoseconds since 1970."""
    said = (_EPOCH + timedelta(microseconds=nanoseconds // 1000)).isoformat(timespec="microseconds")
    return said.replace("+00:00", "Z")


def nanoseconds(said: str) -> int:
    """The nanoseconds of a moment that `instant` said."""
    return (datetime.fromisoformat(said) - _EPOCH) // timedelta(microseconds=1) * 1000


def reference(kind: str, name: str, *, display: str | None = None) -> Reference:
    """To a resource of ours."""
    return Reference(reference=f"{kind}/{name}", type=kind, display=display)


def unknown() -> tuple[Extension, ...]:
    """Stands where an element must be and nobody knows what it would say."""
    return (Extension(url=DATA_ABSENT_REASON, value_code="unknown"),)


def subject(patient: str | None) -> Reference:
    """Whose it is. A session that nobody was assigned to has a subject that nobody knows."""
    return Reference(extension=unknown()) if patient is None else reference("Patient", patient)


def period(start: int | None, end: int | None) -> Period:
    """A stretch of time; without an origin nobody knows which."""
    if start is None:
        return Period(extension=unknown())
    return Period(start=instant(start), end=None if end is None else instant(end))


def concept(*codes: Code, text: str | None = None) -> CodeableConcept:
    """Codes that say the same."""
    said = tuple(Coding(system=code.system, code=code.code, display=code.display) for code in codes)
    return CodeableConcept(coding=said, text=text)


def meta(
    version: int, updated: int, *, simulated: bool = False, profiles: tuple[str, ...] = (), pseudonym: bool = False
) -> Meta:
    """Version and time; where no person sat there, the tag that says so."""
    test = Coding(system=f"{TERMS}/v3-ActReason", code="HTEST", display="test health data")
    hidden = Coding(system=f"{TERMS}/v3-ObservationValue", code="PSEUDED", display="pseudonymized")
    return Meta(
        version_id=str(version),
        last_updated=instant(updated),
        profile=tuple(f"{PROFILES}/{profile}" for profile in profiles),
        tag=(test,) if simulated else (),
        security=(hidden,) if pseudonym else (),
    )


def decimal(value: float, decimals: int, rounding: str = ROUND_HALF_EVEN) -> Decimal | int:
    """A number with as many digits as its measure has; whole ones are integers. Never -0."""
    if not math.isfinite(value):
        raise ValueError("a number that is none has a reason instead")
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=rounding)
    if decimals == 0:
        return int(rounded)
    return abs(rounded) if rounded == 0 else rounded


def quantity(value: float, decimals: int, unit: str, ucum: str, rounding: str = ROUND_HALF_EVEN) -> Quantity:
    """A number with its unit."""
    return Quantity(value=decimal(value, decimals, rounding), unit=unit, system=UCUM, code=ucum)


OUTWARD = (ROUND_FLOOR, ROUND_CEILING)
"""How the ends of an interval are rounded: it only grows, and so still holds the value."""


def extension_url(name: str) -> str:
    """The URL of one of our extensions; docs/fhir.md describes them."""
    return f"{CANONICAL}/StructureDefinition/{name}"

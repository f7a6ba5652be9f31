"""Whose a resource is, for the audit: most ids do not say it."""

from collections.abc import Iterable

from fastapi import Request

from api import witness
from api.interop.fhir.shapes import Reference
from api.interop.fhir.words import names_of


def note_whose(request: Request, resources: Iterable[object]) -> None:
    """Note the session, or the patient, of what is answered, where all of it is of one."""
    told = list(resources)
    whose = {"session": _all(told, "encounter"), "patient": _all(told, "subject") | _all(told, "patient")}
    for kind, names in whose.items():
        if len(names) == 1:
            witness.tells_of(request, kind, names.pop())


def _all(resources: Iterable[object], field: str) -> set[str]:
    return {name for each in resources for name in _named(getattr(each, field, None))}


def _named(value: object) -> tuple[str, ...]:
    if not isinstance(value, Reference) or value.reference is None:
        return ()
    names = names_of(value.reference.rpartition("/")[2])
    return () if names is None else names[:1]

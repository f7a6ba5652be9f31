"""Bundles, and what is said where something is wrong."""

from collections.abc import Iterable, Sequence

from api.interop.fhir.shapes import (
    Answered,
    Bundle,
    CodeableConcept,
    Entry,
    Issue,
    Link,
    OperationOutcome,
    Request,
    Resource,
    SearchMode,
)
from api.interop.fhir.words import instant


def outcome(code: str, words: str, *, severity: str = "error", more: Iterable[str] = ()) -> OperationOutcome:
    """What is wrong, in FHIR's code and in words; nothing of what was sent is repeated."""
    said = (words, *more)
    return OperationOutcome(
        issue=tuple(Issue(severity=severity, code=code, details=CodeableConcept(text=each)) for each in said)
    )


def _entry(base: str, resource: Resource, mode: SearchMode | None) -> Entry:
    # an outcome is no resource that could be read again
    name = None if resource.id is None else f"{base}/{type(resource).__name__}/{resource.id}"
    return Entry(full_url=name, resource=resource, search=mode)


def searchset(
    base: str,
    now: int,
    *,
    matches: Sequence[Resource],
    included: Sequence[Resource] = (),
    outcomes: Sequence[Resource] = (),
    total: int | None = None,
    here: str,
    following: str | None = None,
) -> Bundle:
    """A page of what a search found."""
    links = [Link(relation="self", url=here)]
    if following is not None:
        links.append(Link(relation="next", url=following))
    return Bundle(
        type="searchset",
        timestamp=instant(now),
        total=total,
        link=tuple(links),
        entry=(
            *(_entry(base, each, SearchMode(mode="match")) for each in matches),
            *(_entry(base, each, SearchMode(mode="include")) for each in included),
            *(_entry(base, each, SearchMode(mode="outcome")) for each in outcomes),
        ),
    )


def history(base: str, now: int, versions: Sequence[Resource]) -> Bundle:
    """What a resource said, the newest first."""
    return Bundle(
        type="history",
        timestamp=instant(now),
        total=len(versions),
        entry=tuple(
            Entry(
                full_url=f"{base}/{type(each).__name__}/{each.id}",
                resource=each,
                # a history says by which request each version came about, as if it had been sent to us
                request=Request(method="PUT", url=f"{type(each).__name__}/{each.id}"),
                response=Answered(status="200", etag=_etag(each)),
            )
            for each in versions
        ),
    )


def _etag(resource: Resource) -> str:
    return f'W/"{resource.meta.version_id if resource.meta else 1}"'

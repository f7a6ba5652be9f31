"""Searches: a page of what was found, and what else was asked for with it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import Request
from starlette.responses import Response

from api.dependencies import Reader, may
from api.interop.fhir import bundles, search
from api.interop.fhir.record import Record
from api.interop.fhir.search import BadSearch, Query
from api.interop.fhir.shapes import Bundle, Named, Reference, encoded
from api.routes.fhir.noting import note_whose
from api.routes.fhir.saying import BROAD, FhirResponse, acceptable, base_of, is_strict
from api.routes.words import Whole, cursor_after, place_of
from api.security import Action, Identity
from api.store import utc_now
from api.store.fhir import Wanted

FormatName = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[A-Za-z0-9_. -]+(?!\n)$")]
PAGE: msgspec.json.Decoder[tuple[int, str]] = msgspec.json.Decoder(tuple[Whole, FormatName])


def searching(kind: str) -> Callable[..., Response]:
    """The route that searches a kind of resource."""

    def find(request: Request, who: Annotated[Identity, may(Action.EXPORT)], db: Reader) -> Response:
        acceptable(request)
        now, base = utc_now(), base_of(request)
        sent = request.query_params.multi_items()
        asked = search.query(kind, sent, clinic=who.clinic, strict=is_strict(request), now=now, base=base)
        if kind == "Observation" and _broad(asked.wanted):
            raise BadSearch("too-costly", BROAD.detail, BROAD.status)
        page = _page(Record(db, who), kind, asked, f"{base}/{kind}", base, now)
        note_whose(request, [each.resource for each in page.entry])
        return FhirResponse(encoded(page))

    return find


def _broad(wanted: Wanted) -> bool:
    named = (wanted.patients, wanted.sessions, wanted.keys)
    return all(each is None for each in named) and not wanted.dates and not wanted.updated


def _page(record: Record, kind: str, asked: Query, address: str, base: str, now: int) -> Bundle:
    def link(page: str | None) -> str:
        used = [(name, value) for name, value in asked.used if name != "_page"]
        said = urlencode([*used, *([("_page", page)] if page else [])])
        return f"{address}?{said}" if said else address

    outcomes = []
    if asked.ignored:
        words = f"Ignored, because they are not known here: {len(asked.ignored)} parameters or their values."
        outcomes.append(bundles.outcome("not-supported", words, severity="warning"))
    here = link(asked.page)
    if asked.counts:
        total = record.count(kind, asked.wanted)
        return bundles.searchset(base, now, matches=(), outcomes=outcomes, total=total, here=here)
    wanted = replace(asked.wanted, after=place_of(asked.page, PAGE), limit=asked.wanted.limit + 1)
    places = record.find(kind, wanted)
    shown = places[: asked.wanted.limit]
    following = None
    if len(places) > len(shown):
        last = shown[-1]
        following = link(cursor_after(last.at if wanted.by == "at" else last.updated, last.key))
    matches = record.told(kind, shown)
    complete = following is None and asked.page is None
    return bundles.searchset(
        base,
        now,
        matches=matches,
        included=_included(record, matches, asked.includes),
        outcomes=outcomes,
        total=len(matches) if complete else None,
        here=here,
        following=following,
    )


_FIELDS = {"patient": ("subject", "patient")}


def _included(record: Record, matches: Sequence[Named], includes: Iterable[str]) -> list[Named]:
    wanted: dict[str, dict[str, None]] = {}
    for what in includes:
        for match in matches:
            for name in _FIELDS.get(what, (what,)):
                for kind, said in referred(getattr(match, name, None)):
                    wanted.setdefault(kind, {})[said] = None
    there = {(type(match).__name__, match.id) for match in matches}
    found = [each for kind, ids in wanted.items() for each in record.by_ids(kind, ids)]
    return [each for each in found if (type(each).__name__, each.id) not in there]


def referred(value: object) -> Iterable[tuple[str, str]]:
    """Kind and id of each thing that a reference, or several, lead to."""
    for each in value if isinstance(value, tuple) else (value,):
        if isinstance(each, Reference) and each.reference is not None:
            kind, _, rest = each.reference.partition("/")
            yield kind, rest.partition("/")[0]

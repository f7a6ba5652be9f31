"""Everything of a visit or of a person, in one bundle or in pages."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Final
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.dependencies import Reader, may
from api.errors import Failed
from api.interop.fhir import bundles, search
from api.interop.fhir.record import Record
from api.interop.fhir.shapes import Named, Resource, encoded
from api.interop.fhir.words import names_of
from api.routes.fhir.noting import note_whose
from api.routes.fhir.reading import BUNDLED, FhirId
from api.routes.fhir.saying import (
    COUNT,
    CURSOR,
    FORMAT,
    NOT_THERE,
    FhirResponse,
    FhirRoute,
    acceptable,
    base_of,
)
from api.routes.fhir.searching import PAGE, referred
from api.routes.words import cursor_after, place_of
from api.security import Action, Identity
from api.store import utc_now

router = APIRouter(route_class=FhirRoute)
MOST_TRACES: Final = 20
"""Windows of electrocardiogram in one bundle of everything: ten minutes of it."""
SESSIONS_ON_A_PAGE: Final = 5
MOST_SESSIONS: Final = 20
"""Of a page, whatever is asked for."""


@router.get("/Encounter/{session}/$everything", response_class=FhirResponse, responses=BUNDLED)
def get_everything_of_session(
    request: Request, session: FhirId, who: Annotated[Identity, may(Action.EXPORT)], db: Reader
) -> Response:
    """All of a session in one bundle: whose, by which devices, what was measured, how it came about."""
    acceptable(request)
    record = Record(db, who)
    found = record.read("Encounter", session)
    names = names_of(session)
    if found is None or names is None:
        raise Failed(NOT_THERE)
    note_whose(request, [found])
    told = _of_sessions(record, [names[0]])
    owners = record.by_ids("Patient", [said for _, said in referred(getattr(found, "subject", None))])
    base, now = base_of(request), utc_now()
    agreed = record.find("Consent", replace(record.everything(), sessions=frozenset(names)))
    matches = [found, *owners, *record.told("Consent", agreed), *told.resources]
    here = f"{base}/Encounter/{session}/$everything"
    bundle = bundles.searchset(base, now, matches=matches, outcomes=told.outcomes, here=here)
    return FhirResponse(encoded(bundle))


class _Everything(msgspec.Struct):
    resources: list[Named]
    outcomes: list[Resource]


def _of_sessions(record: Record, sessions: Iterable[str]) -> _Everything:
    """What hangs on sessions, without the encounters themselves."""
    wanted = replace(record.everything(), sessions=frozenset(sessions), descending=False)
    made = _Everything([], [])
    for kind in ("Observation", "DiagnosticReport", "QuestionnaireResponse", "Provenance"):
        places = record.find(kind, wanted)
        traces = [place for place in places if kind == "Observation" and place.key.startswith("w-")]
        if len(traces) > MOST_TRACES:
            left = set(traces[MOST_TRACES:])
            places = [place for place in places if place not in left]
            words = f"{len(left)} more windows of electrocardiogram: search Observation?code=131328&encounter=..."
            made.outcomes.append(bundles.outcome("incomplete", words, severity="information"))
        made.resources += record.told(kind, places)
    devices = {said: None for each in made.resources for _, said in referred(getattr(each, "device", None))}
    made.resources += record.by_ids("Device", devices)
    return made


@router.get(
    "/Patient/{patient}/$everything",
    response_class=FhirResponse,
    responses=BUNDLED,
    openapi_extra={"parameters": [COUNT, CURSOR, FORMAT]},
)
def get_everything_of_patient(
    request: Request, patient: FhirId, who: Annotated[Identity, may(Action.EXPORT)], db: Reader
) -> Response:
    """All of a person, some sessions (`_count`, 5) at a time, the newest first; the first page says who it is."""
    acceptable(request)
    record = Record(db, who)
    found = record.read("Patient", patient)
    if found is None:
        raise Failed(NOT_THERE)
    base, now = base_of(request), utc_now()
    sent = [item for item in request.query_params.multi_items() if item[0] in ("_count", "_page")]
    asked = search.query("Encounter", sent, clinic=who.clinic, strict=False, now=now, base=base)
    limit = min(asked.wanted.limit, MOST_SESSIONS) if any(name == "_count" for name, _ in sent) else SESSIONS_ON_A_PAGE
    wanted = replace(
        asked.wanted, patients=frozenset({patient}), limit=limit + 1, after=place_of(asked.page, PAGE)
    )  # fmt: skip
    places = record.find("Encounter", wanted)
    shown = places[:limit]
    mine = replace(record.everything(), patients=frozenset({patient}))
    first = [] if asked.page else [found, *record.told("Consent", record.find("Consent", mine))]
    told = _of_sessions(record, [place.key for place in shown])
    address = f"{base}/Patient/{patient}/$everything"
    following = None
    if len(places) > len(shown) and shown:
        following = f"{address}?{urlencode({'_count': limit, '_page': cursor_after(shown[-1].at, shown[-1].key)})}"
    bundle = bundles.searchset(
        base,
        now,
        matches=[*first, *record.told("Encounter", shown), *told.resources],
        outcomes=told.outcomes,
        here=address,
        following=following,
    )
    return FhirResponse(encoded(bundle))

"""One resource at a time, as it is now, and an observation as it was."""

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.dependencies import Reader, may
from api.errors import Failed
from api.interop.fhir import bundles
from api.interop.fhir.examples import EXAMPLES
from api.interop.fhir.record import Record
from api.interop.fhir.shapes import encoded
from api.interop.fhir.words import ID
from api.routes.fhir.noting import note_whose
from api.routes.fhir.saying import (
    NOT_THERE,
    NOT_TOLD,
    PREFIX,
    FhirResponse,
    FhirRoute,
    acceptable,
    answered,
    base_of,
    documented,
)
from api.security import Action, Identity
from api.store import utc_now

router = APIRouter(route_class=FhirRoute)
FhirId = Annotated[
    str, Path(description="The resource's id.", pattern=f"^{ID.pattern}$", examples=["p-3f9a61c04d7be258"])
]
Version = Annotated[str, Path(description="The version: the revision of the analysis.", pattern="^[0-9]{1,9}$")]


EXAMPLE_BUNDLE = bundles.searchset(PREFIX, 1_735_808_400_000_000_000, matches=(), total=0, here=f"{PREFIX}/Observation")
BUNDLED = documented(EXAMPLE_BUNDLE, NOT_THERE)


@router.get("/Observation/{observation}/_history", response_class=FhirResponse, responses=BUNDLED)
def get_history(
    request: Request, observation: FhirId, who: Annotated[Identity, may(Action.EXPORT)], db: Reader
) -> Response:
    """An observation as each revision of its session's analysis told it, the newest first."""
    acceptable(request)
    versions = Record(db, who).history(observation)
    if not versions:
        raise Failed(NOT_THERE)
    note_whose(request, versions)
    bundle = bundles.history(base_of(request), utc_now(), versions)
    return FhirResponse(encoded(bundle))


@router.get(
    "/Observation/{observation}/_history/{version}",
    response_class=FhirResponse,
    responses=documented(EXAMPLES["Observation"], NOT_THERE),
)
def get_version(
    request: Request, observation: FhirId, version: Version, who: Annotated[Identity, may(Action.EXPORT)], db: Reader
) -> Response:
    """An observation as one revision told it."""
    acceptable(request)
    for each in Record(db, who).history(observation):
        if each.meta is not None and each.meta.version_id == version:
            note_whose(request, [each])
            return answered(each)
    raise Failed(NOT_THERE)


def _told(request: Request, record: Record, kind: str, said: str) -> Response:
    acceptable(request)
    found = record.read(kind, said)
    if found is None:
        gone = kind == "Observation" and record.history(said)
        raise Failed(NOT_TOLD if gone else NOT_THERE)
    note_whose(request, [found])
    return answered(found)


def read_consent(
    request: Request, consent: FhirId, who: Annotated[Identity, may(Action.EXPORT)], db: Reader
) -> Response:
    """One Consent, as it is now."""
    return _told(request, Record(db, who), "Consent", consent)


def read_device(request: Request, device: FhirId, who: Annotated[Identity, may(Action.EXPORT)], db: Reader) -> Response:
    """One Device, as it is now."""
    return _told(request, Record(db, who), "Device", device)


def read_diagnosticreport(
    request: Request, report: FhirId, who: Annotated[Identity, may(Action.EXPORT)], db: Reader
) -> Response:
    """One DiagnosticReport, as it is now."""
    return _told(request, Record(db, who), "DiagnosticReport", report)


def read_encounter(
    request: Request, session: FhirId, who: Annotated[Identity, may(Action.EXPORT)], db: Reader
) -> Response:
    """One Encounter, as it is now."""
    return _told(request, Record(db, who), "Encounter", session)


def read_observation(
    request: Request, observation: FhirId, who: Annotated[Identity, may(Action.EXPORT)], db: Reader
) -> Response:
    """One Observation, as it is now."""
    return _told(request, Record(db, who), "Observation", observation)


def read_patient(
    request: Request, patient: FhirId, who: Annotated[Identity, may(Action.EXPORT)], db: Reader
) -> Response:
    """One Patient, as it is now."""
    return _told(request, Record(db, who), "Patient", patient)


def read_provenance(
    request: Request, provenance: FhirId, who: Annotated[Identity, may(Action.EXPORT)], db: Reader
) -> Response:
    """One Provenance, as it is now."""
    return _told(request, Record(db, who), "Provenance", provenance)


def read_questionnaireresponse(
    request: Request, answer: FhirId, who: Annotated[Identity, may(Action.EXPORT)], db: Reader
) -> Response:
    """One QuestionnaireResponse, as it is now."""
    return _told(request, Record(db, who), "QuestionnaireResponse", answer)


READS: Mapping[str, tuple[str, Callable[..., Response]]] = {
    "Consent": ("consent", read_consent),
    "Device": ("device", read_device),
    "DiagnosticReport": ("report", read_diagnosticreport),
    "Encounter": ("session", read_encounter),
    "Observation": ("observation", read_observation),
    "Patient": ("patient", read_patient),
    "Provenance": ("provenance", read_provenance),
    "QuestionnaireResponse": ("answer", read_questionnaireresponse),
}
"""By kind the name of the path parameter, which the audit knows, and the handler."""

"""The pages of a clinician's day: what waits, and the people behind it. Scripts fill them from the REST interface."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from api.dashboard.entrance import member_of
from api.dashboard.languages import t
from api.dashboard.problems import problem_page
from api.dashboard.rendering import page
from api.dependencies import Reader, may
from api.security import Action, Identity
from api.store import patients
from kiosk import topics

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
MAY = {
    "identities": Action.READ_IDENTITIES,
    "identify": Action.WRITE_IDENTITIES,
    "write": Action.WRITE_PATIENTS,
    "results": Action.READ_RESULTS,
    "answers": Action.READ_ANSWERS,
    "sessions": Action.READ_SESSIONS,
    "notes": Action.READ_NOTES,
    "noting": Action.WRITE_NOTES,
    "consents": Action.WRITE_CONSENTS,
    "alerts": Action.READ_ALERTS,
    "rules": Action.WRITE_RULES,
    "merge": Action.MERGE_PATIENTS,
    "export": Action.EXPORT,
}
"""What a page shows or leaves out: the API asks again, whatever a page offers."""


def _allowed(who: Identity) -> list[str]:
    return [name for name, action in MAY.items() if who.may(action)]


@router.get("/worklist")
def worklist_page(who: Annotated[Identity, may(Action.READ_RESULTS)], db: Reader) -> HTMLResponse:
    """What waits for a clinician."""
    return page(
        "worklist.html",
        texts=("worklist",),
        member=member_of(db, who),
        reviews=who.may(Action.WRITE_NOTES),
        alerts=who.may(Action.HANDLE_ALERTS),
        identities=who.may(Action.READ_IDENTITIES),
    )


@router.get("/patients")
def patients_page(who: Annotated[Identity, may(Action.READ_PATIENTS)], db: Reader) -> HTMLResponse:
    """Finding people, and adding them."""
    return page("patients.html", texts=("patients",), member=member_of(db, who), allowed=_allowed(who))


@router.get("/patients/{patient}")
def patient_page(patient: str, who: Annotated[Identity, may(Action.READ_PATIENTS)], db: Reader) -> HTMLResponse:
    """One person over time."""
    found = patients.get(db, patient) if topics.NAME.fullmatch(patient) else None
    if found is None or not who.sees(found.clinic_id):
        return problem_page(404, t("problem.no_patient.title"), t("problem.no_patient.detail"), who=who)
    return page(
        "patient.html",
        texts=("patients", "patient", "worklist"),
        member=member_of(db, who),
        patient=found,
        reader=who.id,
        allowed=_allowed(who),
    )

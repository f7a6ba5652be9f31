"""Erasing a patient or a session for good."""

from typing import Annotated, Self

from fastapi import APIRouter, BackgroundTasks
from pydantic import BaseModel, ConfigDict, Field

from api import erasure, errors
from api.dependencies import TheDatabase, TheSettings, may
from api.erasure import Nothing, Receipt
from api.errors import Failed, documented
from api.routes.patients import patient_seen
from api.routes.words import IfMatch, PatientId, SessionId, check_version
from api.security import Action, Identity
from api.store import sessions

router = APIRouter(prefix="/api/v1")


class ErasureShape(BaseModel):
    """What was erased, in counts. It says nothing about whom it was, and may be kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "patients": 1,
                    "sessions": 2,
                    "uploads": 0,
                    "rows": {"chunks": 3600, "readings": 214, "sessions": 2, "identities": 1, "patients": 1},
                }
            ]
        }
    )

    patients: int = Field(description="With the ids that were merged into this one.")
    sessions: int
    uploads: int = Field(description="Uploaded recordings, with their files.")
    rows: dict[str, int] = Field(description="Deleted rows by table. Keys are destroyed before any row is deleted.")

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """From what was done."""
        return cls(
            patients=receipt.patients, sessions=receipt.sessions, uploads=receipt.uploads, rows=dict(receipt.rows)
        )


@router.delete(
    "/patients/{patient}",
    tags=["patients"],
    responses=documented(errors.NO_PATIENT, errors.MERGED, errors.CHANGED, errors.INVALID, errors.NO_DATABASE),
)
def erase_patient(
    who: Annotated[Identity, may(Action.ERASE_PATIENTS)],
    patient: PatientId,
    database: TheDatabase,
    settings: TheSettings,
    later: BackgroundTasks,
    if_match: IfMatch = None,
) -> ErasureShape:
    """Erase a person and all that is theirs, for good: the keys, which backups need too, then all rows and files."""
    with database.reading() as db:
        check_version(patient_seen(db, patient, who).version, if_match)
    try:
        receipt = erasure.erase_patient(database, settings.data, patient)
    except Nothing:
        raise Failed(errors.NO_PATIENT) from None
    later.add_task(erasure.compact, database)
    return ErasureShape.of(receipt)


@router.delete(
    "/sessions/{session}",
    tags=["sessions"],
    responses=documented(errors.NO_SESSION, errors.CHANGED, errors.INVALID, errors.NO_DATABASE),
)
def erase_session(
    who: Annotated[Identity, may(Action.ERASE_SESSIONS)],
    session: SessionId,
    database: TheDatabase,
    settings: TheSettings,
    later: BackgroundTasks,
    if_match: IfMatch = None,
) -> ErasureShape:
    """Erase a session for good. What of it still arrives is refused."""
    with database.reading() as db:
        row = sessions.get(db, session)
        if row is None or not who.sees(row.clinic_id):
            raise Failed(errors.NO_SESSION)
        check_version(row.version, if_match)
    try:
        receipt = erasure.erase_session(database, settings.data, session)
    except Nothing:
        raise Failed(errors.NO_SESSION) from None
    later.add_task(erasure.compact, database)
    return ErasureShape.of(receipt)

"""Patients: pseudonyms and what an analysis needs to know. Who they are is kept apart: `api.routes.identities`."""

import contextlib
import secrets
from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.config import JsonDict
from starlette.responses import Response

from api import errors
from api.dependencies import Reader, TheDatabase, Writer, may
from api.errors import Failed, documented
from api.routes.words import (
    BY_TIME,
    Cursor,
    IfMatch,
    Limit,
    Name,
    Next,
    PatientId,
    check_version,
    cursor_after,
    moment,
    place_of,
    set_etag,
)
from api.security import Action, Identity
from api.store import Destroyed, Transaction, patients, utc_now
from api.store.patients import NotMergeable, PseudonymTaken
from api.tables import MAIN, PatientRow
from api.visits.pseudonyms import make_pseudonym

router = APIRouter(prefix="/api/v1/patients", tags=["patients"])
Sex = Literal["female", "male", "other"]
BirthYear = Annotated[int, Field(ge=1880, le=2200)]
_KNOWN: JsonDict = {
    "id": "p-3f9a61c04d7be258",
    "clinic_id": "main",
    "pseudonym": "K7QF-9M2X-TR4D",
    "birth_year": 1981,
    "sex": "female",
    "merged_into": None,
    "created": "2025-01-02T08:55:00Z",
}


class PatientShape(BaseModel):
    """A person under a pseudonym."""

    model_config = ConfigDict(json_schema_extra={"examples": [_KNOWN]})

    id: str
    clinic_id: str = Field(description="Whose patient it is: nobody else's staff sees anything of it.")
    pseudonym: str
    birth_year: int | None
    sex: Sex | None
    merged_into: str | None = Field(description="The same person's other id, where all is now; null where it is here.")
    created: datetime

    @classmethod
    def of(cls, row: PatientRow) -> Self:
        """From its row."""
        return cls.model_validate(
            {
                "id": row.id,
                "clinic_id": row.clinic_id,
                "pseudonym": row.pseudonym,
                "birth_year": row.birth_year,
                "sex": row.sex,
                "merged_into": row.merged_into,
                "created": moment(row.created_ns),
            }
        )


class PatientPage(BaseModel):
    """A part of the list, newest first. Those that were merged into others are not in it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_KNOWN], "next": None}]})

    items: list[PatientShape]
    next: Next


def _not_in_the_future(year: int | None) -> int | None:
    if year is not None and year > moment(utc_now()).year:
        raise ValueError("a year that has not come yet")
    return year


class NewPatient(BaseModel):
    """What a patient is made of. Unknown fields are refused, so that no name slips in."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"birth_year": 1981, "sex": "female"}]})

    pseudonym: Name | None = Field(None, description="Absent: a random one is made. Never a name, or a part of one.")
    birth_year: BirthYear | None = None
    sex: Sex | None = None

    _year = field_validator("birth_year")(_not_in_the_future)


class PatientChange(BaseModel):
    """What is to change. What is absent stays; null takes a value away."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"birth_year": 1982}]})

    pseudonym: Name = Field("", description="The new pseudonym.", json_schema_extra={"default": None})
    birth_year: BirthYear | None = None
    sex: Sex | None = None

    _year = field_validator("birth_year")(_not_in_the_future)


class WantedPatients(BaseModel):
    """Which part of the list."""

    model_config = ConfigDict(extra="forbid")

    pseudonym: Name | None = Field(None, description="Only those whose pseudonym begins like this.")
    sex: Sex | None = Field(None, description="Only these.")
    born_from: BirthYear | None = Field(None, description="Only those born in this year or later.")
    born_to: BirthYear | None = Field(None, description="Only those born in this year or earlier.")
    limit: Limit = 50
    cursor: Cursor = None


class Merge(BaseModel):
    """Which patient it is in truth."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"into": "p-3f9a61c04d7be258"}]})

    into: Name = Field(description="The id that stays.")


class MergedShape(BaseModel):
    """What moved from one patient to the other."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"patient": _KNOWN, "sessions": 3, "notes": 1, "consents": 4, "rules": 0, "analyses": 0}]
        }
    )

    patient: PatientShape = Field(description="The one that stays.")
    sessions: int
    notes: int
    consents: int
    rules: int
    analyses: int


def patient_seen(
    db: Transaction, patient: str, who: Identity, *, merged: bool = False, held: bool = False
) -> PatientRow:
    """A patient who is there for this reader; Failed(NO_PATIENT), or Failed(MERGED) with where they are now."""
    row = patients.get(db, patient, held=held)
    if row is None or not who.sees(row.clinic_id):
        raise Failed(errors.NO_PATIENT)
    if row.merged_into is not None and not merged:
        raise Failed(errors.MERGED, patient=row.merged_into)
    return row


@router.post(
    "",
    status_code=201,
    responses=documented(errors.TAKEN, errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE),
)
def add_patient(
    who: Annotated[Identity, may(Action.WRITE_PATIENTS)], new: NewPatient, db: Writer, response: Response
) -> PatientShape:
    """Add a patient to one's own clinic. Whom a pseudonym stands for is said at its identity."""
    row = PatientRow(
        id=f"p-{secrets.token_hex(8)}",
        clinic_id=who.clinic or MAIN,
        pseudonym=new.pseudonym or make_pseudonym(),
        birth_year=new.birth_year,
        sex=new.sex,
        created_ns=utc_now(),
    )
    try:
        patients.add(db, row)
    except PseudonymTaken:
        raise Failed(errors.TAKEN) from None
    response.headers["Location"] = f"{router.prefix}/{row.id}"
    set_etag(response, row.version)
    return PatientShape.of(row)


@router.get("", responses=documented(errors.INVALID, errors.NO_DATABASE))
def list_patients(
    who: Annotated[Identity, may(Action.READ_PATIENTS)], wanted: Annotated[WantedPatients, Query()], db: Reader
) -> PatientPage:
    """Patients of the clinic, newest first, a page at a time."""
    rows = patients.newest(
        db,
        limit=wanted.limit + 1,
        before=place_of(wanted.cursor, BY_TIME),
        clinic=who.clinic,
        pseudonym=wanted.pseudonym,
        sex=wanted.sex,
        born_from=wanted.born_from,
        born_to=wanted.born_to,
    )
    shown = rows[: wanted.limit]
    following = cursor_after(shown[-1].created_ns, shown[-1].id) if len(rows) > len(shown) else None
    return PatientPage(items=[PatientShape.of(row) for row in shown], next=following)


@router.get("/{patient}", responses=documented(errors.NO_PATIENT, errors.INVALID, errors.NO_DATABASE))
def get_patient(
    who: Annotated[Identity, may(Action.READ_PATIENTS)], patient: PatientId, db: Reader, response: Response
) -> PatientShape:
    """One patient. One that was merged is answered still, and says where the person is now."""
    row = patient_seen(db, patient, who, merged=True)
    set_etag(response, row.version)
    return PatientShape.of(row)


@router.patch(
    "/{patient}",
    responses=documented(
        errors.NO_PATIENT,
        errors.TAKEN,
        errors.MERGED,
        errors.CHANGED,
        errors.TOO_LARGE,
        errors.UNPARSABLE,
        errors.INVALID,
        errors.NO_DATABASE,
    ),
)
def change_patient(
    who: Annotated[Identity, may(Action.WRITE_PATIENTS)],
    patient: PatientId,
    change: PatientChange,
    db: Writer,
    response: Response,
    if_match: IfMatch = None,
) -> PatientShape:
    """Change a patient. Birth year and sex enter the analysis: closed sessions get a new revision."""
    row = patient_seen(db, patient, who)
    check_version(row.version, if_match)
    try:
        expected = None if if_match is None else row.version
        if not patients.change(db, patient, change.model_dump(exclude_unset=True), version=expected):
            raise Failed(errors.CHANGED)  # or merged this moment: whoever asks again learns that
    except PseudonymTaken:
        raise Failed(errors.TAKEN) from None
    changed = patient_seen(db, patient, who)
    set_etag(response, changed.version)
    return PatientShape.of(changed)


@router.post(
    "/{patient}/merge",
    responses=documented(
        errors.NO_PATIENT,
        errors.MERGED,
        errors.NOT_MERGEABLE,
        errors.CHANGED,
        errors.TOO_LARGE,
        errors.UNPARSABLE,
        errors.INVALID,
        errors.NO_DATABASE,
    ),
)
def merge_patient(
    who: Annotated[Identity, may(Action.MERGE_PATIENTS)],
    patient: PatientId,
    merge: Merge,
    database: TheDatabase,
    if_match: IfMatch = None,
) -> MergedShape:
    """Say that this patient and another are one person: all of it moves there, for good. It cannot be taken back."""
    with database.transaction() as db:
        row = patient_seen(db, patient, who)
        check_version(row.version, if_match)
        into = patients.get(db, merge.into)
        if into is None or not who.sees(into.clinic_id):
            raise Failed(errors.NOT_MERGEABLE)
        try:
            moved = patients.merge(db, patient, merge.into)
        except NotMergeable:
            raise Failed(errors.NOT_MERGEABLE) from None
        kept = patient_seen(db, merge.into, who)
    # once it is committed: what breaks off here leaves keys under the pointer, which is erased with the person
    for session in moved.sessions:
        with contextlib.suppress(Destroyed):
            database.vault.assign(session, merge.into)
    return MergedShape(
        patient=PatientShape.of(kept),
        sessions=len(moved.sessions),
        notes=moved.notes,
        consents=moved.consents,
        rules=moved.rules,
        analyses=moved.analyses,
    )

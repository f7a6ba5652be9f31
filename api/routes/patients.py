"""Patients: pseudonyms and what an analysis needs to know. Nothing that names a person is taken."""

import secrets
from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.responses import Response

from api import errors
from api.dependencies import Reader, Writer
from api.errors import Failed, documented
from api.routes.words import BY_TIME, Cursor, Limit, Name, Next, PatientId, cursor_after, moment, place_of
from api.store import patients, utc_now
from api.store.patients import PseudonymTaken
from api.tables import PatientRow

router = APIRouter(prefix="/api/v1/patients", tags=["patients"])
# no letters or digits that people confuse, and no vowels that make words
ALPHABET = "23456789BCDFGHJKLMNPQRSTVWXZ"
Sex = Literal["female", "male", "other"]
BirthYear = Annotated[int, Field(ge=1880, le=2200)]


class PatientShape(BaseModel):
    """A person under a pseudonym."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "p-3f9a61c04d7be258",
                    "pseudonym": "K7QF-9M2X-TR4D",
                    "birth_year": 1981,
                    "sex": "female",
                    "created": "2025-01-02T08:55:00Z",
                }
            ]
        }
    )

    id: str
    pseudonym: str
    birth_year: int | None
    sex: Sex | None
    created: datetime

    @classmethod
    def of(cls, row: PatientRow) -> Self:
        """From its row."""
        return cls.model_validate(
            {
                "id": row.id,
                "pseudonym": row.pseudonym,
                "birth_year": row.birth_year,
                "sex": row.sex,
                "created": moment(row.created_ns),
            }
        )


class PatientPage(BaseModel):
    """A part of the list, newest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "id": "p-3f9a61c04d7be258",
                            "pseudonym": "K7QF-9M2X-TR4D",
                            "birth_year": 1981,
                            "sex": "female",
                            "created": "2025-01-02T08:55:00Z",
                        }
                    ],
                    "next": None,
                }
            ]
        }
    )

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

    limit: Limit = 50
    cursor: Cursor = None


@router.post(
    "",
    status_code=201,
    responses=documented(errors.TAKEN, errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE),
)
def add_patient(new: NewPatient, db: Writer, response: Response) -> PatientShape:
    """Add a patient."""
    row = PatientRow(
        id=f"p-{secrets.token_hex(8)}",
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
    return PatientShape.of(row)


@router.get("", responses=documented(errors.INVALID, errors.NO_DATABASE))
def list_patients(wanted: Annotated[WantedPatients, Query()], db: Reader) -> PatientPage:
    """Patients, newest first, a page at a time."""
    rows = patients.newest(db, limit=wanted.limit + 1, before=place_of(wanted.cursor, BY_TIME))
    shown = rows[: wanted.limit]
    following = cursor_after(shown[-1].created_ns, shown[-1].id) if len(rows) > len(shown) else None
    return PatientPage(items=[PatientShape.of(row) for row in shown], next=following)


@router.get("/{patient}", responses=documented(errors.NO_PATIENT, errors.INVALID, errors.NO_DATABASE))
def get_patient(patient: PatientId, db: Reader) -> PatientShape:
    """One patient."""
    row = patients.get(db, patient)
    if row is None:
        raise Failed(errors.NO_PATIENT)
    return PatientShape.of(row)


@router.patch(
    "/{patient}",
    responses=documented(
        errors.NO_PATIENT, errors.TAKEN, errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE
    ),
)
def change_patient(patient: PatientId, change: PatientChange, db: Writer) -> PatientShape:
    """Change a patient."""
    if patients.get(db, patient) is None:
        raise Failed(errors.NO_PATIENT)
    try:
        patients.change(db, patient, change.model_dump(exclude_unset=True))
    except PseudonymTaken:
        raise Failed(errors.TAKEN) from None
    row = patients.get(db, patient)
    assert row is not None
    return PatientShape.of(row)


def make_pseudonym() -> str:
    """Twelve random characters in three groups: 57 bits, easy to read out."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))

"""Who patients are, apart from what was measured; and finding them by it, exactly."""

import re
from datetime import date
from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic.config import JsonDict
from starlette.responses import Response

from api import errors
from api.dependencies import Reader, Writer, may
from api.errors import Failed, documented
from api.routes.patients import PatientShape, patient_seen
from api.routes.words import IfMatch, PatientId, check_version, moment, set_etag
from api.security import Action, Identity
from api.store import Destroyed, identities, patients, utc_now
from api.store.identities import Duplicate, Identifier, Who

router = APIRouter(prefix="/api/v1/patients", tags=["patients"])
MOST_FOUND = 50

# what a person types: something to see, and no control characters, which a terminal or a printer would obey
SEEN = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
Words = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]
Given = Annotated[str, StringConstraints(pattern=SEEN, max_length=100)]
System = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:/_#-]*$", max_length=200)]
Value = Annotated[str, StringConstraints(pattern=SEEN, max_length=100)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$", max_length=254)]


def _written(day: object) -> object:
    if isinstance(day, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", day, re.ASCII):
        return day
    # pydantic would take seconds since 1970 too
    raise ValueError("a day as 1981-04-09")


Day = Annotated[date, BeforeValidator(_written)]

_PERSON: JsonDict = {
    "given": ["Anna", "Maria"],
    "family": "Ivanova",
    "birth_date": "1981-04-09",
    "phone": "+1 555 0100",
    "email": "anna@example.org",
    "address": ["1 Example Street", "Exampletown"],
    "identifiers": [{"system": "urn:example:record", "value": "MRN-004711"}],
}


class RecordNumber(BaseModel):
    """A number under which somebody else keeps this person."""

    model_config = ConfigDict(extra="forbid")

    system: System = Field(description="Whose number: a URI, as FHIR has it.", examples=["urn:example:record"])
    value: Value = Field(description="The number. Case and blanks do not distinguish two.", examples=["MRN-004711"])


class NewIdentity(BaseModel):
    """Who a patient is. It replaces what was said before; what is absent is not known."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_PERSON]})

    given: list[Given] = Field(default=[], max_length=10, description="Given names, the first first.")
    family: Words = ""
    birth_date: Day | None = None
    phone: Words = ""
    email: Email | None = None
    address: list[Words] = Field(default=[], max_length=10, description="Lines of a postal address.")
    identifiers: list[RecordNumber] = Field(default=[], max_length=20)

    @field_validator("birth_date")
    @classmethod
    def _was_born(cls, day: date | None) -> date | None:
        if day is not None and not 1880 <= day.year <= moment(utc_now()).year:
            raise ValueError("a day in a year from 1880 to this one")
        return day

    def who(self) -> Who:
        """As it is kept."""
        return Who(
            given=tuple(each.strip() for each in self.given),
            family=self.family.strip(),
            birth_date=self.birth_date.isoformat() if self.birth_date else "",
            phone=self.phone.strip(),
            email=self.email or "",
            address=tuple(each.strip() for each in self.address),
            identifiers=tuple(Identifier(each.system, each.value.strip()) for each in self.identifiers),
        )


class IdentityShape(BaseModel):
    """Who a patient is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_PERSON, "perhaps": []}]})

    given: list[str]
    family: str
    birth_date: date | None
    phone: str
    email: str | None
    address: list[str]
    identifiers: list[RecordNumber]
    perhaps: list[str] = Field(description="Other patients of the same name and birth date: the same person, perhaps.")

    @classmethod
    def of(cls, who: Who, perhaps: list[str]) -> "IdentityShape":
        """From what is kept."""
        return IdentityShape.model_construct(
            given=list(who.given),
            family=who.family,
            birth_date=date.fromisoformat(who.birth_date) if who.birth_date else None,
            phone=who.phone,
            email=who.email or None,
            address=list(who.address),
            identifiers=[
                RecordNumber.model_construct(system=each.system, value=each.value) for each in who.identifiers
            ],
            perhaps=perhaps,
        )


class PatientSearch(BaseModel):
    """What is known of somebody: all of it must be true. Exact, but for case, accents, blanks and the order of names.

    It travels in the body, because addresses get into logs.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "Ivanova Anna Maria", "birth_date": "1981-04-09"}],
            "minProperties": 1,
        },
    )

    name: Words | None = Field(None, description="All names of the person, in any order.")
    family: Words | None = Field(None, description="The family name alone.")
    birth_date: Day | None = None
    identifier: RecordNumber | None = None
    email: Email | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.wanted():
            raise ValueError("say a name, a birth date, a record number or an e-mail address")
        return self

    def wanted(self) -> list[tuple[str, str]]:
        """What is looked for."""
        number = (Identifier(self.identifier.system, self.identifier.value),) if self.identifier else ()
        said = Who(
            family=self.family or "",
            birth_date=self.birth_date.isoformat() if self.birth_date else "",
            email=self.email or "",
            identifiers=number,
        )
        found = [each for each in identities.keys_of(said) if each[0] != "full"]
        if full := identities.full_name(self.name or ""):
            found.append(("full", full))
        return found


class FoundPatient(BaseModel):
    """A patient, and who that is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "patient": {
                        "id": "p-3f9a61c04d7be258",
                        "clinic_id": "main",
                        "pseudonym": "K7QF-9M2X-TR4D",
                        "birth_year": 1981,
                        "sex": "female",
                        "merged_into": None,
                        "created": "2025-01-02T08:55:00Z",
                    },
                    "identity": {**_PERSON, "perhaps": []},
                }
            ]
        }
    )

    patient: PatientShape
    identity: IdentityShape


class FoundPatients(BaseModel):
    """Whom it can be, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [], "more": False}]})

    items: list[FoundPatient]
    more: bool = Field(description=f"There are more than {MOST_FOUND}: say more.")


@router.get(
    "/{patient}/identity",
    responses=documented(
        errors.NO_PATIENT, errors.NO_IDENTITY, errors.MERGED, errors.INVALID, errors.NO_DATABASE
    ),
)  # fmt: skip
def get_identity(
    who: Annotated[Identity, may(Action.READ_IDENTITIES)], patient: PatientId, db: Reader, response: Response
) -> IdentityShape:
    """Who a patient is. Its ETag is the patient's."""
    row = patient_seen(db, patient, who)
    try:
        known = identities.get(db, patient)
    except Destroyed:
        raise Failed(errors.NO_PATIENT) from None
    if known is None:
        raise Failed(errors.NO_IDENTITY)
    set_etag(response, row.version)
    return IdentityShape.of(known, identities.like(db, patient, row.clinic_id, known))


@router.put(
    "/{patient}/identity",
    responses=documented(
        errors.NO_PATIENT,
        errors.DUPLICATE,
        errors.MERGED,
        errors.CHANGED,
        errors.TOO_LARGE,
        errors.UNPARSABLE,
        errors.INVALID,
        errors.NO_DATABASE,
    ),
)
def put_identity(
    who: Annotated[Identity, may(Action.WRITE_IDENTITIES)],
    patient: PatientId,
    identity: NewIdentity,
    db: Writer,
    response: Response,
    if_match: IfMatch = None,
) -> IdentityShape:
    """Say who a patient is. A record number that another patient of the clinic has is refused, and says whose it is."""
    row = patient_seen(db, patient, who)
    check_version(row.version, if_match)
    if not patients.touch(db, patient, version=None if if_match is None else row.version):
        raise Failed(errors.CHANGED)
    said = identity.who()
    try:
        identities.put(db, patient, row.clinic_id, said)
    except Duplicate as duplicate:
        raise Failed(errors.DUPLICATE, patient=duplicate.patient) from None
    except Destroyed:
        raise Failed(errors.NO_PATIENT) from None
    set_etag(response, patient_seen(db, patient, who).version)
    return IdentityShape.of(said, identities.like(db, patient, row.clinic_id, said))


@router.post(
    "/search",
    responses=documented(errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE),
)
def search_patients(
    who: Annotated[Identity, may(Action.READ_IDENTITIES)], wanted: PatientSearch, db: Reader
) -> FoundPatients:
    """Find patients of the clinic by who they are."""
    rows = identities.find(db, who.clinic, wanted.wanted(), limit=MOST_FOUND + 1)
    shown = rows[:MOST_FOUND]
    known = identities.of_patients(db, [row.id for row in shown])
    found = [
        FoundPatient(patient=PatientShape.of(row), identity=IdentityShape.of(known[row.id], []))
        for row in shown
        if row.id in known
    ]
    return FoundPatients(items=found, more=len(rows) > MOST_FOUND)

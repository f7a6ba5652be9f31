"""Consents: the texts, what a patient agreed to, and taking it back."""

import secrets
from datetime import UTC, datetime
from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic.config import JsonDict
from starlette.responses import Response

from api import errors
from api.dependencies import Reader, Writer, may
from api.errors import Failed, documented
from api.routes.patients import patient_seen
from api.routes.words import ConsentId, Name, PatientId, moment, moment_or_none
from api.security import Action, Identity
from api.store import Transaction, consents, sessions, utc_now
from api.store.consents import PURPOSES, Purpose, TextTaken
from api.tables import ConsentRow, ConsentTextRow

router = APIRouter(prefix="/api/v1", tags=["consents"])
Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=40)]
Language = Annotated[str, StringConstraints(pattern="^[a-z]{2,3}(-[A-Z]{2})?$", max_length=8)]
_TEXT: JsonDict = {"version": "2026-1", "language": "en", "text": "What you agree to, in four parts ..."}
_CONSENT: JsonDict = {
    "id": "c-5b0c7e1f2a9d4836",
    "patient_id": "p-3f9a61c04d7be258",
    "session_id": None,
    "purpose": "store",
    "text_version": "2026-1",
    "language": "en",
    "given": "2026-01-02T08:56:00Z",
    "recorded_by": "u-48b1d9e70f36a2c5",
    "withdrawn": None,
    "withdrawn_by": None,
}


class NewText(BaseModel):
    """A text that people are asked to agree to."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{**_TEXT, "version": "2026-2"}]})

    version: Version
    language: Language = Field(description="As BCP 47 has it.")
    text: Annotated[str, StringConstraints(pattern=r"^[^\x00]*[^\s\x00][^\x00]*$", max_length=20_000)]


class TextShape(BaseModel):
    """A consent text, word for word. It never changes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_TEXT, "created": "2026-01-01T00:00:00Z"}]})

    version: str
    language: str
    text: str
    created: datetime

    @classmethod
    def of(cls, row: ConsentTextRow) -> Self:
        """From its row."""
        return cls(version=row.version, language=row.language, text=row.text, created=moment(row.created_ns))


class Texts(BaseModel):
    """All texts, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{**_TEXT, "created": "2026-01-01T00:00:00Z"}]}]}
    )

    items: list[TextShape]


class NewConsent(BaseModel):
    """That a patient agrees to something."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"purpose": "store", "text_version": "2026-1", "language": "en"}]},
    )

    purpose: Purpose
    text_version: Version = Field(description="Which text was shown.")
    language: Language
    session_id: Name | None = Field(None, description="In which session of this patient, where it was in one.")
    given: AwareDatetime | None = Field(None, description="When; absent: now.")

    @field_validator("given")
    @classmethod
    def _has_come(cls, when: datetime | None) -> datetime | None:
        if when is not None and not datetime(2000, 1, 1, tzinfo=UTC) <= when <= moment(utc_now()):
            raise ValueError("a time since 2000 that has come already")
        return when


class ConsentShape(BaseModel):
    """That a patient agreed to something, and whether it was taken back."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CONSENT]})

    id: str
    patient_id: str
    session_id: str | None
    purpose: Purpose
    text_version: str
    language: str
    given: datetime
    recorded_by: str | None
    withdrawn: datetime | None
    withdrawn_by: str | None

    @classmethod
    def of(cls, row: ConsentRow) -> Self:
        """From its row."""
        return cls.model_validate(
            {
                "id": row.id,
                "patient_id": row.patient_id,
                "session_id": row.session_id,
                "purpose": row.purpose,
                "text_version": row.text_version,
                "language": row.language,
                "given": moment(row.given_ns),
                "recorded_by": row.recorded_by,
                "withdrawn": moment_or_none(row.withdrawn_ns),
                "withdrawn_by": row.withdrawn_by,
            }
        )


class Consents(BaseModel):
    """What a patient agrees to now, and how that came about."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"allowed": ["store"], "items": [_CONSENT]}]})

    allowed: list[Purpose] = Field(description="What they agree to now. Nobody agrees by silence.")
    items: list[ConsentShape] = Field(description="All consents, the newest first.")


@router.get("/consent-texts", responses=documented(errors.NO_DATABASE))
def list_consent_texts(who: Annotated[Identity, may(Action.READ_PATIENTS)], db: Reader) -> Texts:
    """The texts that people are asked to agree to."""
    return Texts(items=[TextShape.of(row) for row in consents.texts(db)])


@router.post(
    "/consent-texts",
    status_code=201,
    responses=documented(errors.TEXT_TAKEN, errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE),
)
def add_consent_text(
    who: Annotated[Identity, may(Action.WRITE_CONSENT_TEXTS)],
    new: NewText,
    db: Writer,
) -> TextShape:
    """Add a text, in a version that is not there yet. It cannot be changed or taken away."""
    row = ConsentTextRow(version=new.version, language=new.language, text=new.text, created_ns=utc_now())
    try:
        consents.add_text(db, row)
    except TextTaken:
        raise Failed(errors.TEXT_TAKEN) from None
    return TextShape.of(row)


@router.get(
    "/patients/{patient}/consents",
    responses=documented(errors.NO_PATIENT, errors.MERGED, errors.INVALID, errors.NO_DATABASE),
)
def list_consents(who: Annotated[Identity, may(Action.READ_PATIENTS)], patient: PatientId, db: Reader) -> Consents:
    """What a patient agreed to."""
    patient_seen(db, patient, who)
    allowed = consents.allowed(db, patient)
    return Consents(
        allowed=[purpose for purpose in PURPOSES if purpose in allowed],
        items=[ConsentShape.of(row) for row in consents.of_patient(db, patient)],
    )


@router.post(
    "/patients/{patient}/consents",
    status_code=201,
    responses=documented(
        errors.NO_PATIENT,
        errors.NO_SESSION,
        errors.MERGED,
        errors.NO_TEXT,
        errors.TOO_LARGE,
        errors.UNPARSABLE,
        errors.INVALID,
        errors.NO_DATABASE,
    ),
)
def give_consent(
    who: Annotated[Identity, may(Action.WRITE_CONSENTS)],
    patient: PatientId,
    new: NewConsent,
    db: Writer,
    response: Response,
) -> ConsentShape:
    """Note that a patient agrees to one purpose, by a text that is stored here."""
    patient_seen(db, patient, who, held=True)
    if consents.text_of(db, new.text_version, new.language) is None:
        raise Failed(errors.NO_TEXT)
    if new.session_id is not None:
        session = sessions.get(db, new.session_id)
        if session is None or session.patient_id != patient:
            raise Failed(errors.NO_SESSION)
    row = ConsentRow(
        id=f"c-{secrets.token_hex(8)}",
        patient_id=patient,
        session_id=new.session_id,
        purpose=new.purpose,
        text_version=new.text_version,
        language=new.language,
        given_ns=utc_now() if new.given is None else round(new.given.timestamp() * 1e6) * 1000,
        recorded_by=who.id,
    )
    consents.give(db, row)
    response.headers["Location"] = f"{router.prefix}/consents/{row.id}"
    return ConsentShape.of(row)


@router.get("/consents/{consent}", responses=documented(errors.NO_CONSENT, errors.INVALID, errors.NO_DATABASE))
def get_consent(who: Annotated[Identity, may(Action.READ_PATIENTS)], consent: ConsentId, db: Reader) -> ConsentShape:
    """One consent."""
    return ConsentShape.of(_consent_seen(db, consent, who))


@router.post(
    "/consents/{consent}/withdraw", responses=documented(errors.NO_CONSENT, errors.INVALID, errors.NO_DATABASE)
)
def withdraw_consent(
    who: Annotated[Identity, may(Action.WRITE_CONSENTS)], consent: ConsentId, db: Writer
) -> ConsentShape:
    """Take a consent back. From then on the purpose is not agreed to, until it is agreed to anew."""
    _consent_seen(db, consent, who)
    consents.withdraw(db, consent, who.id, utc_now())
    return ConsentShape.of(_consent_seen(db, consent, who))


def _consent_seen(db: Transaction, consent: str, who: Identity) -> ConsentRow:
    row = consents.get(db, consent)
    if row is None:
        raise Failed(errors.NO_CONSENT)
    try:
        patient_seen(db, row.patient_id, who, merged=True)
    except Failed:
        raise Failed(errors.NO_CONSENT) from None
    return row

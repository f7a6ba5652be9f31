"""Clinics, kiosks and patients; who a patient is, apart; what a patient agreed to."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from api.tables.columns import MAIN, big, sealed


class ClinicRow(SQLModel, table=True):
    """Who shares patients, kiosks and staff. Nothing of a clinic is seen from another one."""

    __tablename__ = "clinics"

    id: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=200)
    created_ns: int = big()


class KioskRow(SQLModel, table=True):
    """A kiosk that may speak, and whose it is. One that nobody added belongs to the main clinic."""

    __tablename__ = "kiosks"

    name: str = Field(primary_key=True, max_length=64)
    clinic_id: str = Field(default=MAIN, foreign_key="clinics.id", index=True, max_length=64)
    place: str = Field(default="", max_length=200)
    added_ns: int = big()
    revoked_ns: int | None = big(nullable=True)


class PatientRow(SQLModel, table=True):
    """A person under a pseudonym, with the little that an analysis needs to know."""

    __tablename__ = "patients"
    __table_args__ = (Index("patients_by_clinic", "clinic_id", "created_ns", "id"),)

    id: str = Field(primary_key=True, max_length=64)
    clinic_id: str = Field(default=MAIN, max_length=64, sa_column_kwargs={"server_default": MAIN})
    pseudonym: str = Field(unique=True, max_length=64)
    birth_year: int | None = None
    sex: str | None = Field(default=None, max_length=16)
    merged_into: str | None = Field(default=None, index=True, max_length=64)
    """The same person under another id: this one has nothing of its own any more."""
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    """Counts changes, those of the identity too; the ETag."""
    created_ns: int = big()


class IdentityRow(SQLModel, table=True):
    """Who a patient is: names, birth date, contact, record numbers. Encrypted under the patient's key."""

    __tablename__ = "identities"

    patient_id: str = Field(primary_key=True, foreign_key="patients.id", max_length=64)
    data: bytes = sealed()
    updated_ns: int = big()


class IdentityDigestRow(SQLModel, table=True):
    """Keyed hashes by which an exact name, birth date or record number is found without being readable."""

    __tablename__ = "identity_digests"
    __table_args__ = (Index("identity_digests_by_value", "clinic_id", "kind", "digest"),)

    patient_id: str = Field(primary_key=True, foreign_key="patients.id", max_length=64)
    kind: str = Field(primary_key=True, max_length=16)
    """family, full, birth_date, record or email."""
    digest: str = Field(primary_key=True, max_length=64)
    clinic_id: str = Field(foreign_key="clinics.id", max_length=64)


class ConsentTextRow(SQLModel, table=True):
    """A text that people agreed to, word for word. Never changed: another wording is another version."""

    __tablename__ = "consent_texts"

    version: str = Field(primary_key=True, max_length=40)
    language: str = Field(primary_key=True, max_length=8)
    text: str = Field(max_length=20_000)
    created_ns: int = big()


class ConsentRow(SQLModel, table=True):
    """That a patient agreed to something, when, by which text; and when that was taken back."""

    __tablename__ = "consents"

    id: str = Field(primary_key=True, max_length=64)
    patient_id: str = Field(foreign_key="patients.id", index=True, max_length=64)
    session_id: str | None = Field(default=None, foreign_key="sessions.id", index=True, max_length=64)
    purpose: str = Field(max_length=16)
    """measure, store, share, research or talk."""
    text_version: str = Field(max_length=40)
    language: str = Field(max_length=8)
    given_ns: int = big()
    recorded_by: str | None = Field(default=None, max_length=64)
    withdrawn_ns: int | None = big(nullable=True)
    withdrawn_by: str | None = Field(default=None, max_length=64)

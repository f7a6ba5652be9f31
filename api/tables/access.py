"""Who may come in, what they did, and what was asked for already."""

from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from api.tables.columns import big, sealed


class UserRow(SQLModel, table=True):
    """A member of staff. Without a clinic: of all of them."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: str = Field(primary_key=True, max_length=64)
    login: str = Field(unique=True, max_length=100)
    """Lower case."""
    name: str = Field(default="", max_length=200)
    clinic_id: str | None = Field(default=None, foreign_key="clinics.id", index=True, max_length=64)
    role: str = Field(max_length=16)
    password: str | None = Field(default=None, max_length=200)
    """argon2id, in its own encoding; null where only an identity provider knows them."""
    must_change: bool = False
    """The password was set by somebody else."""
    password_expires_ns: int | None = big(nullable=True)
    """Until when such a password lets in; null where it is the user's own."""
    totp: bytes | None = sealed(nullable=True)
    """The second factor's secret; null where there is none."""
    totp_step: int | None = big(nullable=True)
    """The last step that was used: no code counts twice."""
    recovery: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """Hashes of the codes for a lost second factor that are not used yet."""
    issuer: str | None = Field(default=None, max_length=200)
    subject: str | None = Field(default=None, max_length=200)
    """Who they are at an identity provider."""
    failures: int = 0
    """Wrong passwords in a row."""
    locked_ns: int | None = big(nullable=True)
    """Until when no password is looked at."""
    disabled_ns: int | None = big(nullable=True)
    version: int = 1
    created_ns: int = big()
    seen_ns: int | None = big(nullable=True)


class TokenRow(SQLModel, table=True):
    """An access or refresh token, by its digest alone. Tokens of one login are a family, revoked together."""

    __tablename__ = "tokens"

    digest: str = Field(primary_key=True, max_length=64)
    user_id: str = Field(foreign_key="users.id", index=True, max_length=64)
    family: str = Field(index=True, max_length=64)
    kind: str = Field(max_length=8)
    """access or refresh."""
    via: str = Field(max_length=8)
    """cookie or bearer."""
    created_ns: int = big()
    expires_ns: int = big(index=True)
    used_ns: int | None = big(nullable=True)
    """Of a refresh token: when it was traded in. A second time betrays a thief, and the family ends."""
    revoked_ns: int | None = big(nullable=True)


class ApiKeyRow(SQLModel, table=True):
    """A program's key, by its digest alone: a role in a clinic, narrowed to some actions."""

    __tablename__ = "api_keys"

    id: str = Field(primary_key=True, max_length=64)
    digest: str = Field(unique=True, max_length=64)
    name: str = Field(max_length=100)
    clinic_id: str | None = Field(default=None, foreign_key="clinics.id", index=True, max_length=64)
    role: str = Field(max_length=16)
    actions: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """Null: all that the role may."""
    created_by: str = Field(max_length=64)
    created_ns: int = big()
    expires_ns: int | None = big(nullable=True)
    revoked_ns: int | None = big(nullable=True)
    used_ns: int | None = big(nullable=True)


class AuditRow(SQLModel, table=True):
    """One access to a person's data, or one change of who may have it. Ids only: it outlives what it speaks of."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_by_object", "object_kind", "object_id"), Index("audit_by_actor", "actor", "seq"))

    seq: int = big(primary_key=True, autoincrement=False)
    at_ns: int = big()
    actor: str = Field(max_length=64)
    """A user's or key's id; `anonymous`, `system`, or `cli`."""
    role: str = Field(max_length=16)
    clinic_id: str | None = Field(default=None, max_length=64)
    action: str = Field(max_length=40)
    object_kind: str = Field(max_length=16)
    object_id: str = Field(max_length=64)
    outcome: str = Field(max_length=16)
    """done, refused, absent or failed."""
    detail: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """Counts and names of fields, never their contents."""
    chain: str = Field(max_length=64)
    """A keyed hash over the row before and this one."""


class IdempotencyRow(SQLModel, table=True):
    """A request that was answered already, so that its repetition changes nothing."""

    __tablename__ = "idempotency"

    actor: str = Field(primary_key=True, max_length=64)
    key: str = Field(primary_key=True, max_length=100)
    request: str = Field(max_length=64)
    """SHA-256 over method, path and body: the same key for another request is an error."""
    status: int | None = None
    """Null while the first request is under way."""
    location: str | None = Field(default=None, max_length=400)
    answer: bytes | None = sealed(nullable=True)
    created_ns: int = big(index=True)

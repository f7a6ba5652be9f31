"""The tables. Times are int64 nanoseconds: UTC where a thing was received or dated, else since a session's origin."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel


def _big(*, nullable: bool = False, **more: Any) -> Any:  # noqa: ANN401 - Field() says Any, so that it fits any type
    return Field(sa_column=Column(BigInteger, nullable=nullable, **more))


class PatientRow(SQLModel, table=True):
    """A person under a pseudonym. Who that is, only the clinic's own files know."""

    __tablename__ = "patients"

    id: str = Field(primary_key=True, max_length=64)
    pseudonym: str = Field(unique=True, max_length=64)
    birth_year: int | None = None
    sex: str | None = Field(default=None, max_length=16)
    created_ns: int = _big()


class SessionRow(SQLModel, table=True):
    """A session: open -> ended -> closed. Closing makes revision 1; what comes later makes the next one."""

    __tablename__ = "sessions"
    __table_args__ = (Index("sessions_by_arrival", "first_seen_ns", "id"),)

    id: str = Field(primary_key=True, max_length=64)
    kiosk: str = Field(index=True, max_length=64)
    patient_id: str | None = Field(default=None, foreign_key="patients.id", index=True, max_length=64)
    state: str = Field(default="open", index=True, max_length=16)
    outcome: str | None = Field(default=None, max_length=16)
    """complete or partial, once closed."""
    orphan: bool = False
    """Chunks came, and the kiosk's word about the session has not yet."""
    simulated: bool = False
    origin_utc_ns: int | None = _big(nullable=True)
    origin_boot_ns: int | None = _big(nullable=True)
    boot_id: str | None = Field(default=None, max_length=64)
    first_seen_ns: int = _big()
    last_seen_ns: int = _big(index=True)
    ended_ns: int | None = _big(nullable=True)
    """When it ended, in nanoseconds since its origin; null where only silence ended it."""
    ended_seen_ns: int | None = _big(nullable=True)
    closed_ns: int | None = _big(nullable=True)
    revision: int = 0
    changed: bool = False
    """Something arrived that the newest revision does not know."""
    claimed_by: str | None = Field(default=None, max_length=64)
    claimed_ns: int | None = _big(nullable=True)


class StreamRow(SQLModel, table=True):
    """A stream of a session, and how far it is committed."""

    __tablename__ = "streams"
    __table_args__ = (UniqueConstraint("session_id", "device", "signal", "run"),)

    id: int | None = Field(default=None, primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", index=True, max_length=64)
    device: str = Field(max_length=64)
    signal: str = Field(max_length=64)
    run: str = Field(max_length=64)
    rate: float | None = None
    channels: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    upto: int = _big(default=-1)
    """Everything up to this seq is committed, refused or known to be lost."""
    last: int | None = _big(nullable=True)
    """The run's last seq, once its End is here."""


class ChunkRow(SQLModel, table=True):
    """Samples as they came, row per sample, float32. With a key, `samples` is encrypted."""

    __tablename__ = "chunks"
    __table_args__ = (Index("chunks_by_time", "stream_id", "start_ns"),)

    stream_id: int = Field(primary_key=True, foreign_key="streams.id")
    seq: int = _big(primary_key=True, autoincrement=False)
    start_ns: int = _big()
    count: int
    samples: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    offsets: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    key_id: str | None = Field(default=None, max_length=64)
    nonce: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class LossRow(SQLModel, table=True):
    """A range of seqs that will never come: given up by the outbox, or refused here."""

    __tablename__ = "losses"

    stream_id: int = Field(primary_key=True, foreign_key="streams.id")
    first: int = _big(primary_key=True, autoincrement=False)
    last: int = _big()
    reason: str = Field(max_length=64)


class ReadingRow(SQLModel, table=True):
    """One number or the reason of its absence; of a spot device, or of a revision's analysis."""

    __tablename__ = "readings"
    __table_args__ = (
        UniqueConstraint("stream_id", "seq"),
        Index("readings_by_session", "session_id", "revision", "measure"),
    )

    id: int | None = Field(default=None, primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", max_length=64)
    revision: int = 0
    """0 for what a device measured itself."""
    stream_id: int | None = Field(default=None, foreign_key="streams.id")
    seq: int | None = _big(nullable=True)
    measure: str = Field(index=True, max_length=64)
    value: float | None = None
    low: float | None = None
    high: float | None = None
    quality: float | None = None
    absent: str | None = Field(default=None, max_length=64)
    source: str = Field(max_length=128)
    scope: str = Field(max_length=16)
    method: str = Field(max_length=200)
    version: str = Field(max_length=40)
    preferred: bool = False
    note: str = Field(default="", max_length=1000)
    note_ru: str = Field(default="", max_length=1000, sa_column_kwargs={"server_default": ""})
    """What drove it, in plain words."""
    start_ns: int = _big()
    end_ns: int = _big()


class EventRow(SQLModel, table=True):
    """A mark in a session."""

    __tablename__ = "events"

    stream_id: int = Field(primary_key=True, foreign_key="streams.id")
    seq: int = _big(primary_key=True, autoincrement=False)
    session_id: str = Field(foreign_key="sessions.id", index=True, max_length=64)
    event: str = Field(max_length=64)
    time_ns: int = _big()
    detail: str = Field(default="", max_length=500)


class RevisionRow(SQLModel, table=True):
    """One analysis of a session: with what context and which versions. Never overwritten."""

    __tablename__ = "revisions"

    session_id: str = Field(primary_key=True, foreign_key="sessions.id", max_length=64)
    number: int = Field(primary_key=True)
    outcome: str = Field(max_length=16)
    created_ns: int = _big()
    version: str = Field(max_length=40)
    context: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    beats: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """Beat times in seconds, float64 little-endian."""


class DeviceRow(SQLModel, table=True):
    """What a kiosk's device last said of itself."""

    __tablename__ = "devices"

    kiosk: str = Field(primary_key=True, max_length=64)
    device: str = Field(primary_key=True, max_length=64)
    state: str = Field(max_length=16)
    simulated: bool = False
    detail: str = Field(default="", max_length=500)
    drift_ppm: float | None = None
    lost: int = _big(default=0)
    waiting: int = _big(default=0)
    seen_ns: int = _big()


class QuarantineRow(SQLModel, table=True):
    """A payload that could not be taken, raw, for whoever looks into it."""

    __tablename__ = "quarantine"

    digest: str = Field(primary_key=True, max_length=64)
    topic: str = Field(max_length=400)
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    reason: str = Field(max_length=64)
    received_ns: int = _big()

"""What kiosks measured: sessions, streams, samples, events, readings, revisions."""

from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from api.tables.columns import MAIN, big

_PLAIN = text("NOT sealed")
_TO_REVIEW = text("revision > reviewed")
_REVIEWED = text("revision <= reviewed AND revision > 0")
_IRREGULAR = text("measure = 'irregular_rhythm' AND value > 0.5")


class SessionRow(SQLModel, table=True):
    """A session: open -> ended -> closed. Closing makes revision 1; what comes later makes the next one."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index("sessions_by_arrival", "first_seen_ns", "id"),
        Index("sessions_by_clinic", "clinic_id", "first_seen_ns", "id"),
        Index("sessions_by_kiosk", "kiosk", "first_seen_ns", "id"),
        Index("sessions_by_patient", "patient_id", "first_seen_ns", "id"),
        # what waits to be looked at, and what was: the work list reads a page of either, whatever the rest is
        Index(
            "sessions_to_review",
            *("clinic_id", "outcome", "first_seen_ns", "id"),
            sqlite_where=_TO_REVIEW,
            postgresql_where=_TO_REVIEW,
        ),
        Index(
            "sessions_reviewed",
            *("clinic_id", "first_seen_ns", "id"),
            sqlite_where=_REVIEWED,
            postgresql_where=_REVIEWED,
        ),
    )

    id: str = Field(primary_key=True, max_length=64)
    kiosk: str = Field(max_length=64)
    clinic_id: str = Field(default=MAIN, max_length=64, sa_column_kwargs={"server_default": MAIN})
    """The clinic of its kiosk when the session began."""
    patient_id: str | None = Field(default=None, foreign_key="patients.id", max_length=64)
    operator_id: str | None = Field(default=None, max_length=64)
    """The user who ran it, where one did."""
    protocol: str | None = Field(default=None, max_length=64)
    quality: float | None = None
    """0..1, of the newest revision: the median over its preferred readings."""
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    """Counts what people changed; the ETag."""
    state: str = Field(default="open", index=True, max_length=16)
    outcome: str | None = Field(default=None, max_length=16)
    """complete or partial, once closed."""
    fleeting: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """The visitor agreed to measuring and not to storing: it is erased once its results were shown."""
    orphan: bool = False
    """Chunks came, and the kiosk's word about the session has not yet."""
    simulated: bool = False
    origin_utc_ns: int | None = big(nullable=True)
    origin_boot_ns: int | None = big(nullable=True)
    boot_id: str | None = Field(default=None, max_length=64)
    first_seen_ns: int = big()
    last_seen_ns: int = big(index=True)
    ended_ns: int | None = big(nullable=True)
    """When it ended, in nanoseconds since its origin; null where only silence ended it."""
    ended_seen_ns: int | None = big(nullable=True)
    closed_ns: int | None = big(nullable=True)
    revision: int = 0
    reviewed: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """The newest revision that somebody has reviewed."""
    changed: bool = False
    """Something arrived that the newest revision does not know."""
    samples_gone_ns: int | None = big(nullable=True)
    """When its samples were kept no longer: what comes later is not the whole of it, and is not analysed."""
    due_reason: str | None = Field(default=None, max_length=16)
    """Why the next revision is due: the first that applies of late, assigned, corrected, reanalysed."""
    due_by: str | None = Field(default=None, max_length=64)
    """The user who wants it."""
    claimed_by: str | None = Field(default=None, max_length=64)
    claimed_ns: int | None = big(nullable=True)


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
    upto: int = big(default=-1)
    """Everything up to this seq is committed, refused or known to be lost."""
    last: int | None = big(nullable=True)
    """The run's last seq, once its End is here."""


class ChunkRow(SQLModel, table=True):
    """Samples as they came, row per sample, float32; where `sealed`, encrypted under the session's key, offsets too."""

    __tablename__ = "chunks"
    __table_args__ = (
        Index("chunks_by_time", "stream_id", "start_ns"),
        # what an earlier version left plain is found without looking at all the rest
        Index("chunks_plain", "stream_id", "seq", sqlite_where=_PLAIN, postgresql_where=_PLAIN),
    )

    stream_id: int = Field(primary_key=True, foreign_key="streams.id")
    seq: int = big(primary_key=True, autoincrement=False)
    start_ns: int = big()
    count: int
    samples: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    offsets: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    sealed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class PyramidRow(SQLModel, table=True):
    """The least and greatest of each bucket of a stream, for drawing long windows. Encrypted like the samples."""

    __tablename__ = "pyramids"

    stream_id: int = Field(primary_key=True, foreign_key="streams.id")
    level: int = Field(primary_key=True)
    """Samples in a bucket."""
    block: int = Field(primary_key=True)
    start_ns: int = big()
    count: int
    buckets: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class LossRow(SQLModel, table=True):
    """A range of seqs that will never come: given up by the outbox, or refused here."""

    __tablename__ = "losses"

    stream_id: int = Field(primary_key=True, foreign_key="streams.id")
    first: int = big(primary_key=True, autoincrement=False)
    last: int = big()
    reason: str = Field(max_length=64)


class ReadingRow(SQLModel, table=True):
    """One number or the reason of its absence; of a spot device, or of a revision's analysis."""

    __tablename__ = "readings"
    __table_args__ = (
        UniqueConstraint("stream_id", "seq"),
        Index("readings_by_session", "session_id", "revision", "measure"),
        # few of many, and nobody should have to look for them; the measure is in it so that SQLite prefers it to the
        # index of all that were measured
        Index("readings_irregular", "measure", "session_id", sqlite_where=_IRREGULAR, postgresql_where=_IRREGULAR),
    )

    id: int | None = Field(default=None, primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", max_length=64)
    revision: int = 0
    """0 for what a device measured itself."""
    stream_id: int | None = Field(default=None, foreign_key="streams.id")
    seq: int | None = big(nullable=True)
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
    model: str | None = Field(default=None, max_length=64)
    """SHA-256 of the network that took part."""
    preferred: bool = False
    note: str = Field(default="", max_length=1000)
    note_ru: str = Field(default="", max_length=1000, sa_column_kwargs={"server_default": ""})
    """What drove it, in plain words."""
    start_ns: int = big()
    end_ns: int = big()


class EventRow(SQLModel, table=True):
    """A mark in a session."""

    __tablename__ = "events"

    stream_id: int = Field(primary_key=True, foreign_key="streams.id")
    seq: int = big(primary_key=True, autoincrement=False)
    session_id: str = Field(foreign_key="sessions.id", index=True, max_length=64)
    event: str = Field(max_length=64)
    time_ns: int = big()
    detail: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """Free text in UTF-8, null where there is none; where `sealed`, encrypted under the session's key."""
    sealed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class RevisionRow(SQLModel, table=True):
    """One analysis of a session: with what context and which versions. Never overwritten."""

    __tablename__ = "revisions"

    session_id: str = Field(primary_key=True, foreign_key="sessions.id", max_length=64)
    number: int = Field(primary_key=True)
    outcome: str = Field(max_length=16)
    reason: str = Field(default="closed", max_length=16, sa_column_kwargs={"server_default": "closed"})
    """closed, late, assigned, corrected or reanalysed."""
    requested_by: str | None = Field(default=None, max_length=64)
    """The user behind it, where there is one."""
    created_ns: int = big()
    version: str = Field(max_length=40)
    context: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    beats: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """Beat times in seconds, float64 little-endian."""
    detected: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """Where beats were corrected by hand: those that were found before."""


class CourseRow(SQLModel, table=True):
    """How a number went during a session, as a revision's analysis saw it: for drawing. Encrypted like the samples."""

    __tablename__ = "courses"

    session_id: str = Field(primary_key=True, foreign_key="sessions.id", max_length=64)
    revision: int = Field(primary_key=True)
    measure: str = Field(primary_key=True, max_length=64)
    source: str = Field(primary_key=True, max_length=128)
    points: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """Method, window, seconds and values (float64, NaN where there was none), packed and sealed."""


class DeviceRow(SQLModel, table=True):
    """What a kiosk's device last said of itself."""

    __tablename__ = "devices"

    kiosk: str = Field(primary_key=True, max_length=64)
    device: str = Field(primary_key=True, max_length=64)
    state: str = Field(max_length=16)
    simulated: bool = False
    detail: str = Field(default="", max_length=500)
    drift_ppm: float | None = None
    lost: int = big(default=0)
    waiting: int = big(default=0)
    version: str | None = Field(default=None, max_length=40)
    """Of the kiosk's software, where the device is the kiosk's own service."""
    seen_ns: int = big()


class QuarantineRow(SQLModel, table=True):
    """A payload that could not be taken, encrypted, for whoever looks into it."""

    __tablename__ = "quarantine"

    digest: str = Field(primary_key=True, max_length=64)
    topic: str = Field(max_length=400)
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sealed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    reason: str = Field(max_length=64)
    session_id: str | None = Field(default=None, index=True, max_length=64)
    """Whose it seems to be, where that can be read: the key it is under, and what its erasure finds."""
    received_ns: int = big()

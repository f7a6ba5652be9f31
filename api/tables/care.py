"""What people add to what was measured: entries of visitors, notes, answers, corrections, reviews, alerts, uploads."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from api.tables.columns import big, sealed


class NoteRow(SQLModel, table=True):
    """Free text of a member of staff about a patient or a session. Encrypted."""

    __tablename__ = "notes"

    id: str = Field(primary_key=True, max_length=64)
    patient_id: str | None = Field(default=None, foreign_key="patients.id", index=True, max_length=64)
    session_id: str | None = Field(default=None, foreign_key="sessions.id", index=True, max_length=64)
    """Of the two one is set; it says whose key the text is under."""
    author_id: str = Field(max_length=64)
    text: bytes = sealed()
    version: int = 1
    created_ns: int = big()
    edited_ns: int | None = big(nullable=True)


class ResponseRow(SQLModel, table=True):
    """What somebody answered to a questionnaire in a session. Answers are encrypted, the score is a plain number."""

    __tablename__ = "responses"

    id: str = Field(primary_key=True, max_length=64)
    session_id: str = Field(foreign_key="sessions.id", index=True, max_length=64)
    questionnaire: str = Field(max_length=40)
    questionnaire_version: str = Field(max_length=16)
    language: str = Field(max_length=8)
    answers: bytes = sealed()
    score: float | None = None
    complete: bool = True
    recorded_by: str | None = Field(default=None, max_length=64)
    created_ns: int = big()


class EntryRow(SQLModel, table=True):
    """What a visitor chose, agreed to, or told about themselves at the kiosk, as it came. Encrypted; `api.visits` makes
    the record of it, whatever the order in which it arrives. Answers and lines of a talk are kept elsewhere."""

    __tablename__ = "entries"

    stream_id: int = Field(primary_key=True, foreign_key="streams.id")
    seq: int = big(primary_key=True, autoincrement=False)
    session_id: str = Field(foreign_key="sessions.id", index=True, max_length=64)
    of: str = Field(max_length=16)
    """chosen, agreed, person; said, until it is known whether it may be kept."""
    time_ns: int = big()
    heard_ns: int = big()
    """When it came: a kiosk's clock that runs ahead counts no further than this."""
    content: bytes = sealed()


class DialogueRow(SQLModel, table=True):
    """A line of the talk between a visitor and the assistant. Encrypted; kept where the visitor agreed to that."""

    __tablename__ = "dialogues"

    stream_id: int = Field(primary_key=True, foreign_key="streams.id")
    seq: int = big(primary_key=True, autoincrement=False)
    session_id: str = Field(foreign_key="sessions.id", index=True, max_length=64)
    who: str = Field(max_length=16)
    """visitor or assistant."""
    language: str = Field(max_length=8)
    text: bytes = sealed()
    time_ns: int = big()


class LinkRow(SQLModel, table=True):
    """An address under which a visitor reads the results of a session for a while. Who has it may read."""

    __tablename__ = "links"

    digest: str = Field(primary_key=True, max_length=64)
    """Of what stands in the address: the table itself opens nothing."""
    session_id: str = Field(foreign_key="sessions.id", index=True, max_length=64)
    created_ns: int = big()
    until_ns: int = big(index=True)
    opened: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How often it was."""


class CorrectionRow(SQLModel, table=True):
    """A beat that a person set, moved or took away. Undoing keeps the row: it is part of how a revision came about."""

    __tablename__ = "corrections"
    __table_args__ = (Index("corrections_by_session", "session_id", "created_ns"),)

    id: str = Field(primary_key=True, max_length=64)
    session_id: str = Field(foreign_key="sessions.id", max_length=64)
    kind: str = Field(max_length=8)
    """add, remove or move."""
    time_ns: int = big()
    """Where the beat is, or was."""
    to_ns: int | None = big(nullable=True)
    """Where a moved one is now."""
    author_id: str = Field(max_length=64)
    created_ns: int = big()
    undone_ns: int | None = big(nullable=True)
    undone_by: str | None = Field(default=None, max_length=64)


class ReviewRow(SQLModel, table=True):
    """That a clinician has looked at a revision, and what came of it."""

    __tablename__ = "reviews"

    id: str = Field(primary_key=True, max_length=64)
    session_id: str = Field(foreign_key="sessions.id", index=True, max_length=64)
    revision: int
    reviewer_id: str = Field(max_length=64)
    verdict: str = Field(max_length=16)
    """accepted, repeat or unusable."""
    comment: bytes | None = sealed(nullable=True)
    created_ns: int = big()


class RuleRow(SQLModel, table=True):
    """When a reading shall be brought to somebody's attention: for a clinic, or for one patient of it."""

    __tablename__ = "rules"

    id: str = Field(primary_key=True, max_length=64)
    clinic_id: str = Field(foreign_key="clinics.id", index=True, max_length=64)
    patient_id: str | None = Field(default=None, foreign_key="patients.id", index=True, max_length=64)
    measure: str = Field(max_length=64)
    low: float | None = None
    high: float | None = None
    """Below `low` or above `high` raises an alert."""
    least_quality: float = 0.5
    """A reading of less quality raises none."""
    severity: str = Field(max_length=16)
    """notice, warning or urgent."""
    enabled: bool = True
    author_id: str = Field(max_length=64)
    version: int = 1
    created_ns: int = big()


class AlertRow(SQLModel, table=True):
    """A reading that a rule spoke about, until somebody has seen to it. One per rule and session."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index("alerts_by_clinic", "clinic_id", "state", "raised_ns", "id"),
        Index("alerts_once", "rule_id", "session_id", unique=True),
    )

    id: str = Field(primary_key=True, max_length=64)
    clinic_id: str = Field(foreign_key="clinics.id", max_length=64)
    rule_id: str = Field(foreign_key="rules.id", max_length=64)
    session_id: str = Field(foreign_key="sessions.id", index=True, max_length=64)
    revision: int
    measure: str = Field(max_length=64)
    value: float
    severity: str = Field(max_length=16)
    state: str = Field(default="open", max_length=16)
    """open, acknowledged or withdrawn (a newer revision no longer says it)."""
    raised_ns: int = big()
    acknowledged_ns: int | None = big(nullable=True)
    acknowledged_by: str | None = Field(default=None, max_length=64)


class AnalysisRow(SQLModel, table=True):
    """A recording that somebody uploaded, and how far its analysis is."""

    __tablename__ = "analyses"
    __table_args__ = (Index("analyses_by_state", "state", "created_ns"),)

    id: str = Field(primary_key=True, max_length=64)
    clinic_id: str = Field(foreign_key="clinics.id", index=True, max_length=64)
    requested_by: str = Field(max_length=64)
    patient_id: str | None = Field(default=None, foreign_key="patients.id", index=True, max_length=64)
    session_id: str | None = Field(default=None, foreign_key="sessions.id", index=True, max_length=64)
    """The session that it became."""
    state: str = Field(default="queued", max_length=16)
    """queued, reading, analysing, done or failed."""
    progress: float = 0.0
    """0..1."""
    size: int = big()
    error: str | None = Field(default=None, max_length=500)
    """Why it failed, in words for people: sealed, in base64, because they may name a channel or a file."""
    claimed_by: str | None = Field(default=None, max_length=64)
    claimed_ns: int | None = big(nullable=True)
    attempts: int = 0
    """How often a worker began with it."""
    created_ns: int = big()
    finished_ns: int | None = big(nullable=True)

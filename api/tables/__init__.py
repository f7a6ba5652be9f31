"""The tables. Times are int64 nanoseconds: UTC where a thing was received or dated, else since a session's origin."""

from api.tables.access import ApiKeyRow, AuditRow, IdempotencyRow, TokenRow, UserRow
from api.tables.care import AlertRow, AnalysisRow, CorrectionRow, NoteRow, ResponseRow, ReviewRow, RuleRow
from api.tables.columns import MAIN
from api.tables.measured import (
    ChunkRow,
    DeviceRow,
    EventRow,
    LossRow,
    PyramidRow,
    QuarantineRow,
    ReadingRow,
    RevisionRow,
    SessionRow,
    StreamRow,
)
from api.tables.people import (
    ClinicRow,
    ConsentRow,
    ConsentTextRow,
    IdentityDigestRow,
    IdentityRow,
    KioskRow,
    PatientRow,
)

__all__ = [
    "MAIN",
    "AlertRow",
    "AnalysisRow",
    "ApiKeyRow",
    "AuditRow",
    "ChunkRow",
    "ClinicRow",
    "ConsentRow",
    "ConsentTextRow",
    "CorrectionRow",
    "DeviceRow",
    "EventRow",
    "IdempotencyRow",
    "IdentityDigestRow",
    "IdentityRow",
    "KioskRow",
    "LossRow",
    "NoteRow",
    "PatientRow",
    "PyramidRow",
    "QuarantineRow",
    "ReadingRow",
    "ResponseRow",
    "ReviewRow",
    "RevisionRow",
    "RuleRow",
    "SessionRow",
    "StreamRow",
    "TokenRow",
    "UserRow",
]

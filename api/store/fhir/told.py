"""What of a revision says the same as another reading."""

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import aliased
from sqlmodel import col

from api.tables import ReadingRow


def repeated(reading: type[ReadingRow]) -> ColumnElement[bool]:
    """Whether the same revision has said it before: measure, source and scope are those of an older row."""
    before = aliased(ReadingRow)
    return exists().where(
        col(before.session_id) == col(reading.session_id),
        col(before.revision) == col(reading.revision),
        col(before.measure) == col(reading.measure),
        col(before.source) == col(reading.source),
        col(before.scope) == col(reading.scope),
        col(before.id) < col(reading.id),
    )

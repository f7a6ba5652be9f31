"""The talk between visitors and the assistant: each line sealed under the session's key."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.entries import Told
from api.store.sealing import vault_of
from api.store.streams import insert
from api.tables import DialogueRow, SessionRow
from kiosk.messages import Said


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody said."""

    who: str
    language: str
    text: str
    time_ns: int


def place(stream: int, seq: int) -> str:
    """Where a line is sealed for."""
    return f"dialogues:{stream}:{seq}"


def add(db: Session, session: str, told: Iterable[Told]) -> None:
    """Keep the lines among what was told; those that are there already stay."""
    box = vault_of(db).session(session)
    insert(
        db,
        DialogueRow,
        [
            {
                "stream_id": each.stream,
                "seq": each.seq,
                "session_id": session,
                "who": each.content.who,
                "language": each.content.language,
                "text": box.seal(each.content.text.encode(), place(each.stream, each.seq)),
                "time_ns": each.time_ns,
            }
            for each in told
            if isinstance(each.content, Said)
        ],
    )


def of_session(db: Session, session: str) -> list[Line]:
    """What was said, in its order; Destroyed where the session was erased."""
    order = (col(DialogueRow.time_ns), col(DialogueRow.stream_id), col(DialogueRow.seq))
    query = select(DialogueRow).where(col(DialogueRow.session_id) == session).order_by(*order)
    rows = list(db.execute(query).scalars())
    if not rows:
        return []
    box = vault_of(db).session(session)
    return [
        Line(row.who, row.language, box.open(row.text, place(row.stream_id, row.seq)).decode(), row.time_ns)
        for row in rows
    ]


def of_patients(db: Session, patients: Collection[str]) -> list[str]:
    """The sessions of these patients of which a talk is kept."""
    mine = select(col(SessionRow.id)).where(col(SessionRow.patient_id).in_(patients))
    found = select(col(DialogueRow.session_id)).where(col(DialogueRow.session_id).in_(mine)).distinct()
    return sorted(db.execute(found).scalars())


def forget(db: Session, sessions: Collection[str]) -> int:
    """Delete the talks of these sessions; how many lines."""
    done = db.execute(delete(DialogueRow).where(col(DialogueRow.session_id).in_(sessions)))
    return cast("CursorResult[Any]", done).rowcount

"""What visitors told at a kiosk, as it came: sealed under the session's key, each once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.sealing import Box, vault_of
from api.store.streams import insert
from api.tables import EntryRow
from kiosk.messages import Content, Entry, Person, Said

_CONTENT: msgspec.json.Decoder[Content] = msgspec.json.Decoder(Content)


@dataclass(frozen=True, slots=True)
class Told:
    """An entry, opened."""

    stream: int
    seq: int
    time_ns: int
    heard_ns: int
    content: Content


def place(stream: int, seq: int) -> str:
    """Where an entry is sealed for."""
    return f"entries:{stream}:{seq}"


def add(db: Session, entries: Iterable[tuple[int, Entry]], now: int, boxes: Mapping[str, Box] | None = None) -> None:
    """Keep entries that came now. `boxes` are those at hand, by session."""
    vault, boxes = vault_of(db), boxes or {}
    insert(
        db,
        EntryRow,
        [
            {
                "stream_id": number,
                "seq": entry.seq,
                "session_id": entry.stream.session,
                "of": entry.name,
                "time_ns": entry.time,
                "heard_ns": now,
                "content": (boxes.get(entry.stream.session) or vault.session(entry.stream.session)).seal(
                    msgspec.json.encode(entry.content), place(number, entry.seq)
                ),
            }
            for number, entry in entries
        ],
    )


def of_session(db: Session, session: str) -> list[Told]:
    """What was told in a session, in the order in which it was said - whatever the order in which it came."""
    order = (col(EntryRow.time_ns), col(EntryRow.stream_id), col(EntryRow.seq))
    rows = list(db.execute(select(EntryRow).where(col(EntryRow.session_id) == session).order_by(*order)).scalars())
    if not rows:
        return []
    box = vault_of(db).session(session)
    return [
        Told(
            row.stream_id,
            row.seq,
            row.time_ns,
            row.heard_ns,
            _CONTENT.decode(box.open(row.content, place(row.stream_id, row.seq))),
        )
        for row in rows
    ]


def person(told: Iterable[Told]) -> Person | None:
    """Whom the visitor said to be, the last time."""
    return next((each.content for each in reversed(list(told)) if isinstance(each.content, Person)), None)


def forget_said(db: Session, session: str) -> None:
    """Let go of lines of a talk that may not be kept."""
    tag = Said.__struct_config__.tag
    db.execute(delete(EntryRow).where(col(EntryRow.session_id) == session, col(EntryRow.of) == tag))

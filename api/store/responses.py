"""Answers to questionnaires: sealed under the session's key; the score is a reading like a device's own."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.readings import SPOT
from api.store.sealing import vault_of
from api.tables import ReadingRow, ResponseRow

Answers = dict[str, int]


def add(db: Session, response: ResponseRow, answers: Mapping[str, int], score: ReadingRow | None) -> None:
    """Insert answers, and the reading of their score where there is one."""
    box = vault_of(db).session(response.session_id)
    response.answers = box.seal(msgspec.json.encode(dict(answers)), f"responses:{response.id}")
    db.add(response)
    if score is not None:
        score.revision = SPOT
        db.add(score)
    db.flush()


def get(db: Session, response: str) -> ResponseRow | None:
    """One set of answers."""
    return db.get(ResponseRow, response)


def answers(db: Session, response: ResponseRow) -> Answers:
    """What was answered, by item."""
    opened = vault_of(db).session(response.session_id).open(response.answers, f"responses:{response.id}")
    return msgspec.json.decode(opened, type=Answers)


def of_session(db: Session, session: str) -> list[ResponseRow]:
    """A session's answers, oldest first."""
    query = select(ResponseRow).where(col(ResponseRow.session_id) == session)
    return list(db.execute(query.order_by(col(ResponseRow.created_ns), col(ResponseRow.id))).scalars())

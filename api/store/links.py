"""Addresses under which visitors read their results: the table holds keyed digests, which open nothing."""

import secrets
from typing import Any, NamedTuple, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.sealing import vault_of
from api.tables import LinkRow

BYTES = 32


def make(db: Session, session: str, now: int, until: int) -> str:
    """A new link; what stands in its address, which is kept nowhere."""
    token = secrets.token_urlsafe(BYTES)
    db.add(LinkRow(digest=_digest(db, token), session_id=session, created_ns=now, until_ns=until))
    db.flush()
    return token


class Opens(NamedTuple):
    """The session whose results a link opens, and until when."""

    session: str
    until_ns: int


def session_of(db: Session, token: str, now: int) -> Opens | None:
    """What a link opens, while it does."""
    valid = select(col(LinkRow.session_id), col(LinkRow.until_ns)).where(
        col(LinkRow.digest) == _digest(db, token), col(LinkRow.until_ns) > now
    )
    found = db.execute(valid).one_or_none()
    return None if found is None else Opens(*found)


def count_opening(db: Session, token: str) -> None:
    """It was opened once more."""
    mine = col(LinkRow.digest) == _digest(db, token)
    db.execute(update(LinkRow).where(mine).values(opened=col(LinkRow.opened) + 1))


def forget_old(db: Session, now: int) -> int:
    """Delete what opens nothing any more; how many."""
    done = db.execute(delete(LinkRow).where(col(LinkRow.until_ns) <= now))
    return cast("CursorResult[Any]", done).rowcount


def _digest(db: Session, token: str) -> str:
    return vault_of(db).purpose("links").digest(token)

"""Requests that were answered already: the key is claimed first, the answer kept encrypted, for a day."""

import hashlib
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal, cast

import msgspec
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.sealing import Box, Destroyed, Tampered, Vault, vault_of
from api.store.streams import insert
from api.tables import IdempotencyRow
from kiosk.messages import SECOND

DAY = KEPT = 24 * 3600 * SECOND
ABANDONED = 10 * 60 * SECOND
"""A request of which nothing was heard for so long has died with its process; another may begin."""
Refusal = Literal["used", "busy"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    action: str = ""
    """What it was allowed by, for the audit of its repetition."""


def begin(db: Session, actor: str, key: str, request: str, now: int) -> Answer | Refusal | None:
    """Claim a key for a request, None: it is new. Else its answer; or why there is none: it is another request's, or
    that is under way."""
    key = _digest(key)
    db.execute(delete(IdempotencyRow).where(col(IdempotencyRow.created_ns) < now - KEPT))
    row = db.get(IdempotencyRow, (actor, key), populate_existing=True)
    if row is None:
        # another process may be as fast: its row stays, and ours is not it
        insert(db, IdempotencyRow, [{"actor": actor, "key": key, "request": f"{request}", "created_ns": now}])
        row = db.get(IdempotencyRow, (actor, key), populate_existing=True)
        assert row is not None
        if row.created_ns == now and row.request == request and row.status is None:
            return None
    if row.request != request:
        return "used"
    if row.status is not None:
        return _opened(db, row)
    taken = db.execute(
        update(IdempotencyRow)
        .where(
            *_mine(actor, key), col(IdempotencyRow.status).is_(None), col(IdempotencyRow.created_ns) < now - ABANDONED
        )
        .values(created_ns=now)
    )
    return None if cast("CursorResult[Any]", taken).rowcount == 1 else "busy"


def finish(db: Session, actor: str, key: str, answer: Answer) -> None:
    """Keep the answer of a request that was begun."""
    key = _digest(key)
    begun = db.execute(select(col(IdempotencyRow.created_ns)).where(*_mine(actor, key))).scalar_one_or_none()
    if begun is None:
        return  # forgotten meanwhile: somebody is being erased
    sealed = _box(db, begun).seal(msgspec.msgpack.encode(answer), f"idempotency:{actor}:{key}")
    db.execute(update(IdempotencyRow).where(*_mine(actor, key)).values(status=answer.status, answer=sealed))


def drop(db: Session, actor: str, key: str) -> None:
    """A request came to nothing: the next one with its key begins anew."""
    unanswered = col(IdempotencyRow.status).is_(None)
    db.execute(delete(IdempotencyRow).where(*_mine(actor, _digest(key)), unanswered))


def forget(db: Session) -> None:
    """Forget every answer: one of them may speak of somebody who is being erased."""
    db.execute(delete(IdempotencyRow))


def destroy(vault: Vault, now: int, *, old: bool = False) -> None:
    """Destroy the keys of the answers that are kept, as an erasure must: backups hold them too. `old`: of those that
    are not kept any more."""
    today = now // DAY
    for day in range(today - 30, today - 1) if old else (today - 1, today):
        for number in count():
            name = _name(day, number)
            try:
                vault.keys.find("purpose", name)
            except Destroyed:
                if vault.keys.is_erased("purpose", name):
                    continue
                break  # never made
            vault.destroy("purpose", [name])


def _name(day: int, number: int) -> str:
    return f"idempotency-{day}-{number}"


def _box(db: Session, begun: int) -> Box:
    """What a day's answers are encrypted in; after an erasure the day goes on with another key."""
    for number in count():
        try:
            return vault_of(db).purpose(_name(begun // DAY, number))
        except Destroyed:
            continue
    raise AssertionError


def _opened(db: Session, row: IdempotencyRow) -> Answer | Refusal:
    try:
        where = f"idempotency:{row.actor}:{row.key}"
        return msgspec.msgpack.decode(_box(db, row.created_ns).open(row.answer or b"", where), type=Answer)
    except (Tampered, msgspec.DecodeError):
        return "used"


def _mine(actor: str, key: str) -> tuple[Any, Any]:
    return col(IdempotencyRow.actor) == actor, col(IdempotencyRow.key) == key


def _digest(key: str) -> str:
    """What is kept of a key: somebody may have put a name into it."""
    return hashlib.sha256(key.encode()).hexdigest()

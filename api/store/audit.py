"""The audit's rows: each chained to the one before by a keyed hash, and the newest remembered in the key store."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import msgspec
from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session as Transaction

from api.store.clock import utc_now
from api.store.database import Database
from api.store.sealing import Tampered, Vault, vault_of
from api.tables import AuditRow

Outcome = Literal["done", "refused", "absent", "failed"]
Detail = Mapping[str, str | int | bool]
GENESIS: Final = ""
"""What stands for the row before the first."""
HEAD = "audit"
"""The mark in the key store."""
LOCK = 6_206_104_911
"""PostgreSQL's advisory lock for the chain's end: any number that nothing else here uses."""
PAGE = 1000
PLAIN = re.compile(r"[\w.:*?@/-]{1,64}", re.ASCII)
_audit = AuditRow.__table__  # type: ignore[attr-defined] # SQLModel does not say it


class Head(NamedTuple):
    """The chain's newest row."""

    seq: int
    chain: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to what, and what came of it. Ids and counts alone: no name, no text, nothing measured."""

    actor: str
    """A user's or API key's id; `anonymous`, `system` or `cli`."""
    role: str
    action: str
    kind: str
    id: str = "*"
    """`*`: several, or none in particular. `?`: something that has not the shape of an id of ours."""
    outcome: Outcome = "done"
    clinic: str | None = None
    detail: Detail | None = None

    def __post_init__(self) -> None:
        for said in (self.actor, self.role, self.action, self.kind, self.id, self.clinic or "*"):
            if not PLAIN.fullmatch(said):
                raise ValueError("the audit takes ids and words, no text")
        for name, value in (self.detail or {}).items():
            if not PLAIN.fullmatch(name) or (isinstance(value, str) and not PLAIN.fullmatch(value)):
                raise ValueError("the audit takes ids and counts, no text")


def append(db: Transaction, entries: Sequence[Entry]) -> Head:
    """Add rows at the chain's end, in this transaction. No other process adds one before it ends."""
    vault = vault_of(db)
    box = vault.purpose("audit")
    _alone(db)
    last = last_row(db)
    if last.seq == 0:
        vault.keys.set_mark(HEAD, _sealed(vault, last), None)
    rows = []
    for entry in entries:
        row = {
            "seq": last.seq + 1,
            "at_ns": utc_now(),
            "actor": entry.actor,
            "role": entry.role,
            "clinic_id": entry.clinic,
            "action": entry.action,
            "object_kind": entry.kind,
            "object_id": entry.id,
            "outcome": entry.outcome,
            "detail": dict(entry.detail) if entry.detail else None,
        }
        last = Head(last.seq + 1, box.digest(last.chain, canonical(row)))
        rows.append({**row, "chain": last.chain})
    db.connection().execute(_INSERT, rows)
    return last


def canonical(row: Mapping[str, object]) -> str:
    """What of a row is hashed: everything but the hash, in one order."""
    return msgspec.json.encode([row[name] for name in COVERED], order="deterministic").decode()


COVERED = tuple(column.name for column in _audit.columns if column.name != "chain")


# built once: every access asks these
_LAST = select(_audit.c.seq, _audit.c.chain).order_by(_audit.c.seq.desc()).limit(1)
_INSERT = insert(_audit)


def last_row(db: Transaction) -> Head:
    """The chain's end as the database has it; number 0 where there is none."""
    found = db.connection().execute(_LAST).one_or_none()
    return Head(found.seq, found.chain) if found is not None else Head(0, GENESIS)


def chain_at(db: Transaction, seq: int) -> str | None:
    """The hash of a row."""
    if seq == 0:
        return GENESIS
    found: str | None = db.execute(select(_audit.c.chain).where(_audit.c.seq == seq)).scalar_one_or_none()
    return found


def rows(db: Transaction, first: int = 1) -> Iterator[dict[str, object]]:
    """Every row from a number on, in order."""
    place, size = _audit.c.seq >= first, PAGE
    while True:
        # by pages: a cursor on the server would have to be closed by whoever stops at the first broken row
        try:
            page = db.execute(select(_audit).where(place).order_by(_audit.c.seq).limit(size)).mappings().all()
        except ValueError:
            if size == 1:
                raise
            size = 1  # one of them cannot be read; those before it can
            continue
        yield from map(dict, page)
        if len(page) < size:
            return
        place = _audit.c.seq > page[-1]["seq"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows somebody asks for. What is None is not asked."""

    clinic: str | None = None
    actor: str | None = None
    kind: str | None = None
    id: str | None = None
    action: str | None = None
    outcome: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None


def newest(db: Transaction, wanted: Wanted, *, limit: int, before: int | None) -> list[AuditRow]:
    """Rows, newest first, from a place on."""
    query = select(AuditRow).order_by(_audit.c.seq.desc()).limit(limit)
    for column, value in (
        (_audit.c.clinic_id, wanted.clinic),
        (_audit.c.actor, wanted.actor),
        (_audit.c.object_kind, wanted.kind),
        (_audit.c.object_id, wanted.id),
        (_audit.c.action, wanted.action),
        (_audit.c.outcome, wanted.outcome),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since_ns is not None:
        query = query.where(_audit.c.at_ns >= wanted.since_ns)
    if wanted.until_ns is not None:
        query = query.where(_audit.c.at_ns < wanted.until_ns)
    if before is not None:
        query = query.where(_audit.c.seq < before)
    return list(db.execute(query).scalars())


def count(db: Transaction) -> int:
    """How many rows there are."""
    return int(db.execute(select(func.count()).select_from(_audit)).scalar_one())


# --- the head: what the newest row was, where who changes the database does not reach


class NoHead(Tampered):
    """The key store does not say, or not in our words, where the chain ends."""


def kept_head(vault: Vault) -> Head:
    """The newest row that the key store knows of, or NoHead."""
    return _opened(vault, vault.keys.mark(HEAD))


def keep_head(database: Database) -> bool:
    """Remember the newest row. False where the chain does not lead through the one remembered: that one stays then,
    so that whoever cut the end off cannot have it forgotten by going on."""
    vault = database.vault
    while True:
        was = vault.keys.mark(HEAD)
        with database.reading() as db:
            end = last_row(db)
            if was is None and end.seq == 0:
                return True
            try:
                kept = _opened(vault, was)
            except NoHead:
                return False
            if kept == end:
                return True
            if kept.seq > end.seq or chain_at(db, kept.seq) != kept.chain:
                return False
        if vault.keys.set_mark(HEAD, _sealed(vault, end), was):
            return True


def force_head(database: Database) -> None:
    """Remember the newest row whatever was remembered. For a restore, which notes what it leaves out."""
    vault = database.vault
    with database.reading() as db:
        end = last_row(db)
    while not vault.keys.set_mark(HEAD, _sealed(vault, end), vault.keys.mark(HEAD)):
        pass


def _sealed(vault: Vault, head: Head) -> bytes:
    return vault.purpose("audit-head").seal(msgspec.json.encode(head), HEAD)


def _opened(vault: Vault, sealed: bytes | None) -> Head:
    if sealed is None:
        raise NoHead("the key store does not know where the audit ends")
    try:
        return msgspec.json.decode(vault.purpose("audit-head").open(sealed, HEAD), type=Head)
    except Tampered:
        raise NoHead("what the key store says of the audit's end is not what was sealed") from None


def _alone(db: Transaction) -> None:
    """Wait until nobody else adds rows. SQLite's transactions are alone from their start."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})

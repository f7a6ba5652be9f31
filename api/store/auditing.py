"""Whether the audit is as it was written: the first row that is not, and what seems to have been done to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy.orm import Session as Transaction

from api.store import audit
from api.store.audit import GENESIS, Head, NoHead, canonical
from api.store.sealing import Box, Vault, vault_of

RESTORED = "database.restore"
"""The action of a row that says which rows a restore left out."""
TYPES: Mapping[str, tuple[type, ...]] = {"seq": (int,), "at_ns": (int,), "detail": (dict, type(None))}
Fault = Literal["changed", "missing", "inserted", "moved", "truncated", "rewritten", "no_head", "foreign"]


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row that is wrong, and how."""

    seq: int
    fault: Fault
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at every row says."""

    rows: int
    end: Head
    broken: Broken | None
    restored: list[str] = field(default_factory=list)
    """What restores of a backup left out, in words: known gaps."""


def verify(db: Transaction) -> Verdict:
    """Look at every row from the first to the last, and at what the key store knows of the end."""
    vault = vault_of(db)
    box = vault.purpose("audit")
    # before the rows: what is added while we look is no contradiction
    head = _head(vault)
    at, count, passed = Head(0, GENESIS), 0, isinstance(head, Head) and head == Head(0, GENESIS)
    restored: list[str] = []
    rows = audit.rows(db)
    while True:
        try:
            row = next(rows, None)
        except ValueError:
            return Verdict(count, at, Broken(at.seq + 1, "changed", f"row {at.seq + 1} cannot be read"), restored)
        if row is None:
            break
        count += 1
        seq = row["seq"]
        if not isinstance(seq, int):
            return Verdict(count, at, Broken(at.seq + 1, "changed", f"row {at.seq + 1} has no number"), restored)
        if seq != at.seq + 1:
            words = f"rows {at.seq + 1} to {seq - 1} are not there"
            return Verdict(count, at, Broken(at.seq + 1, "missing", words), restored)
        if not _typed(row) or box.digest(at.chain, canonical(row)) != row["chain"]:
            return Verdict(count, at, _named(db, box, at, row), restored)
        at = Head(seq, str(row["chain"]))
        if row["action"] == RESTORED:
            restored.append(_gap(row))
        if isinstance(head, Head) and head.seq == at.seq:
            if head.chain != at.chain:
                words = "whoever wrote this row and what follows had the audit's key: the key store knows another one"
                return Verdict(count, at, Broken(at.seq, "rewritten", words), restored)
            passed = True
    return Verdict(count, at, None if passed else _at_end(head, at), restored)


def _head(vault: Vault) -> Head | str | None:
    if vault.keys.mark(audit.HEAD) is None:
        return None
    try:
        return audit.kept_head(vault)
    except NoHead as error:
        return str(error)


def _at_end(head: Head | str | None, at: Head) -> Broken | None:
    """What is wrong where every row fits the one before."""
    if isinstance(head, str):
        return Broken(at.seq, "no_head", head)
    if head is None:
        words = "the key store does not know where the audit ends: rows may be missing there"
        return Broken(at.seq, "no_head", words) if at.seq else None
    return Broken(at.seq + 1, "truncated", f"rows {at.seq + 1} to {head.seq} were there and are not")


def _named(db: Transaction, box: Box, before: Head, row: Mapping[str, object]) -> Broken:
    try:
        return _diagnosis(db, box, before, row)
    except ValueError:  # another row cannot even be read
        return Broken(before.seq + 1, "changed", f"row {before.seq + 1} is not what was written")


def _diagnosis(db: Transaction, box: Box, before: Head, row: Mapping[str, object]) -> Broken:
    """What seems to have been done to the first row that is wrong. That it is wrong is certain; this is not."""
    here = before.seq + 1
    plain = {**row}
    following = next(iter(audit.rows(db, here + 1)), None)
    if following is not None and _typed(following):
        if following["seq"] == here + 1:
            if box.digest(before.chain, canonical({**following, "seq": here})) == following["chain"]:
                return Broken(here, "inserted", f"row {here} was put in between, and what follows renumbered")
            if _typed(row) and box.digest(str(row["chain"]), canonical(following)) == following["chain"]:
                return Broken(here, "changed", f"row {here} says something else than what was written")
            if (
                _typed(row)
                and box.digest(box.digest(before.chain, canonical(row)), canonical(following)) == (following["chain"])
            ):
                return Broken(here, "changed", f"row {here} has another hash than what was written")
        moved = {**following, "seq": here + 2}
        if box.digest(str(row["chain"]), canonical(moved)) == following["chain"]:
            return Broken(here, "missing", f"a row was taken out at {here}, and what follows renumbered")
    elsewhere, previous = None, GENESIS
    fits = 0
    for other in audit.rows(db):
        seq = int(str(other["seq"]))
        if seq != here and other["chain"] == row["chain"]:
            elsewhere = f"row {here} is a copy of row {seq}"
        if _typed(row) and box.digest(previous, canonical({**plain, "seq": seq})) == row["chain"] and seq != here:
            elsewhere = f"row {here} was row {seq}"
        fits += _typed(other) and box.digest(previous, canonical(other)) == other["chain"]
        previous = str(other["chain"])
    if elsewhere is not None:
        return Broken(here, "moved", elsewhere)
    if not fits:
        words = "not one row is under this audit key: the key store is another one, or every row was written anew"
        return Broken(here, "foreign", words)
    return Broken(here, "changed", f"row {here} is not what was written")


def _typed(row: Mapping[str, object]) -> bool:
    """Whether each column holds its own kind of thing: SQLite takes any."""
    return all(
        type(value) in TYPES.get(name, (str, type(None)) if name == "clinic_id" else (str,))
        for name, value in row.items()
    )


def _gap(row: Mapping[str, object]) -> str:
    detail = row["detail"]
    known = detail if isinstance(detail, dict) else {}
    first, last = known.get("lost_from"), known.get("lost_to")
    if first is None or last is None:
        return f"row {row['seq']} notes the restore of a backup"
    return f"row {row['seq']} notes the restore of a backup: what were rows {first} to {last} before it is left out"

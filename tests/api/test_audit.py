"""The audit's chain: whatever is done to its rows is found, and nothing is found where nothing was done."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session as Transaction

from api.audit import CLI, NO_ROLE, AuditDown, Auditor, Entry, note
from api.store import Database, audit, auditing
from api.store.auditing import Broken
from api.tables import AuditRow
from tests import databases

TABLE = AuditRow.__table__  # type: ignore[attr-defined]
ROWS = 12
Row = dict[str, Any]


def entry(number: int, **more: Any) -> Entry:
    known: dict[str, Any] = {
        "actor": f"u-{number % 3:016x}",
        "role": "clinician",
        "action": "results.read",
        "kind": "session",
        "id": f"{number % 4:032x}",
        "clinic": "main" if number % 2 else None,
        "detail": {"count": number} if number % 3 else None,
    }
    return Entry(**{**known, **more})


@pytest.fixture
def noted(database: Database) -> Database:
    """A database with twelve rows."""
    note(database, *map(entry, range(ROWS)))
    return database


def broken(database: Database) -> Broken | None:
    with database.reading() as db:
        return auditing.verify(db).broken


def contents(db: Transaction) -> list[Row]:
    return [dict(row) for row in db.execute(select(TABLE).order_by(TABLE.c.seq)).mappings()]


def test_an_audit_that_nobody_touched_is_whole(noted: Database) -> None:
    with noted.reading() as db:
        verdict = auditing.verify(db)
        rows = contents(db)
    assert (verdict.broken, verdict.rows, verdict.end.seq, verdict.restored) == (None, ROWS, ROWS, [])
    assert [row["seq"] for row in rows] == list(range(1, ROWS + 1))
    assert audit.kept_head(noted.vault) == verdict.end


def test_an_audit_without_rows_is_whole(database: Database) -> None:
    assert broken(database) is None


TEXTS = st.sampled_from(["actor", "role", "action", "object_kind", "object_id", "outcome", "chain"])


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, Any]:
    kind = draw(
        st.sampled_from(
            ["text", "clinic", "time", "detail", "delete", "forge", "between", "swap", "copy", "cut", "take"]
        )
    )
    one, other = draw(st.integers(1, ROWS)), draw(st.integers(1, ROWS))
    if kind == "text":
        return kind, (one, draw(TEXTS), draw(st.text("abcdef0123456789-", min_size=0, max_size=16)))
    if kind == "time":
        return kind, (one, draw(st.integers(0, 2**62)))
    if kind in ("swap", "copy"):
        return kind, (one, other, draw(st.booleans()))
    return kind, (one, draw(st.integers(0, 5)))


def apply(db: Transaction, kind: str, of: Any) -> None:
    rows = contents(db)
    one = of[0]
    mine = TABLE.c.seq == one
    if not 1 <= one <= len(rows):
        return
    row = rows[one - 1]
    if kind == "text":
        db.execute(update(TABLE).where(mine).values({of[1]: of[2]}))
    elif kind == "clinic":
        db.execute(update(TABLE).where(mine).values(clinic_id=f"clinic{of[1]}" if of[1] else None))
    elif kind == "time":
        db.execute(update(TABLE).where(mine).values(at_ns=of[1]))
    elif kind == "detail":
        db.execute(update(TABLE).where(mine).values(detail={"count": of[1]} if of[1] else None))
    elif kind == "delete":
        db.execute(delete(TABLE).where(mine))
    elif kind == "cut":
        db.execute(delete(TABLE).where(TABLE.c.seq >= one))
    elif kind == "forge":
        db.execute(insert(TABLE).values({**row, "seq": rows[-1]["seq"] + 1}))
    elif kind == "between":
        shifted(db, one, +1)
        db.execute(insert(TABLE).values({**row, "seq": one, "actor": "u-forged"}))
    elif kind == "take" and any(each["seq"] == one for each in rows):
        db.execute(delete(TABLE).where(mine))
        shifted(db, one, -1)
    elif kind in ("swap", "copy") and of[1] <= len(rows):
        theirs = rows[of[1] - 1]
        moved = [name for name in row if name != "seq" and (name != "chain" or of[2])]
        db.execute(update(TABLE).where(mine).values({name: theirs[name] for name in moved}))
        if kind == "swap":
            db.execute(update(TABLE).where(TABLE.c.seq == of[1]).values({name: row[name] for name in moved}))


def shifted(db: Transaction, since: int, by: int) -> None:
    """Renumber what follows, as whoever wants no gap must."""
    db.execute(update(TABLE).where(TABLE.c.seq >= since).values(seq=-TABLE.c.seq - by))
    db.execute(update(TABLE).where(TABLE.c.seq < 0).values(seq=-TABLE.c.seq))


@contextmanager
def taken_back(database: Database) -> Iterator[Transaction]:
    """A transaction of which nothing stays, so that the next example finds the table as it was."""
    with Transaction(database.engine, info={"vault": database.vault}) as db:
        yield db
        db.rollback()


@given(done=st.lists(edits(), min_size=1, max_size=3))
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_every_edit_of_the_rows_is_found(noted: Database, done: list[tuple[str, Any]]) -> None:
    with taken_back(noted) as db:
        before = contents(db)
        for kind, of in done:
            apply(db, kind, of)
        after = contents(db)
        verdict = auditing.verify(db)
        if after == before:
            assert verdict.broken is None
        else:
            assert verdict.broken is not None, (before, after)
            event(verdict.broken.fault)
            changed = [seq for seq in range(1, ROWS + 2) if before[seq - 1 : seq] != after[seq - 1 : seq]]
            # where the first row was changed, and never after it; a cut is said where the first row is missing
            assert verdict.broken.seq <= max(changed[0], len(after) + 1)


@pytest.mark.parametrize(
    ("kind", "of", "seq", "fault"),
    [
        ("text", (5, "actor", "u-other"), 5, "changed"),
        ("text", (5, "chain", "0" * 64), 5, "changed"),
        ("text", (ROWS, "outcome", "failed"), ROWS, "changed"),
        ("delete", (5,), 5, "missing"),
        ("delete", (1,), 1, "missing"),
        ("take", (5,), 5, "missing"),
        ("between", (5,), 5, "inserted"),
        ("cut", (9,), 9, "truncated"),
        ("cut", (1,), 1, "truncated"),
        ("swap", (4, 7, True), 4, "moved"),
        ("copy", (4, 7, True), 4, "moved"),
        ("forge", (3,), ROWS + 1, "moved"),
    ],
)
def test_it_says_what_was_done(noted: Database, kind: str, of: tuple[Any, ...], seq: int, fault: str) -> None:
    with noted.transaction() as db:
        apply(db, kind, of)
    found = broken(noted)
    assert found is not None
    assert (found.seq, found.fault) == (seq, fault), found


def test_an_end_that_was_cut_off_stays_known_when_the_audit_goes_on(noted: Database) -> None:
    with noted.transaction() as db:
        apply(db, "cut", (9,))
    for number in range(2 * ROWS):
        note(noted, entry(number))
    found = broken(noted)
    assert found is not None
    assert (found.seq, found.fault) == (ROWS, "rewritten")


def test_an_audit_under_another_key_is_said_to_be(noted: Database) -> None:
    noted.vault.destroy("purpose", ["audit"])
    with noted.vault.keys._transaction() as keys:
        keys.exec_driver_sql("DELETE FROM erased")
    found = broken(noted)
    assert found is not None
    assert found.fault == "foreign"


def test_a_forgotten_head_is_said(noted: Database) -> None:
    with noted.vault.keys._transaction() as keys:
        keys.exec_driver_sql("DELETE FROM marks")
    note(noted, entry(99))
    found = broken(noted)
    assert found is not None
    assert found.fault == "no_head"


def test_what_sqlite_takes_and_no_row_of_ours_holds_is_found(noted: Database) -> None:
    if noted.dialect != "sqlite":
        pytest.skip("PostgreSQL's columns take their own type alone")
    for statement in (
        "UPDATE audit SET detail = 'no json' WHERE seq = 3",
        "UPDATE audit SET seq = 'abc' WHERE seq = 3",
        "UPDATE audit SET actor = CAST(actor AS BLOB) WHERE seq = 3",
        "UPDATE audit SET at_ns = at_ns || 'x' WHERE seq = 3",
    ):
        with taken_back(noted) as db:
            db.execute(text(statement))
            found = auditing.verify(db).broken
            assert found is not None
            assert found.seq == 3


def test_several_writers_make_one_chain(database: Database, tmp_path: Any) -> None:
    # each has its own connections and keys, as another process has
    others = [databases.database(tmp_path, database.url.render_as_string(hide_password=False)) for _ in range(3)]

    def write(mine: Database) -> None:
        for number in range(15):
            note(mine, entry(number))

    threads = [threading.Thread(target=write, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.close()
    with database.reading() as db:
        verdict = auditing.verify(db)
    assert (verdict.broken, verdict.rows) == (None, 45)


@pytest.fixture
def auditor(database: Database) -> Iterator[Auditor]:
    made = Auditor(database)
    yield made
    made.close()


def test_what_comes_together_is_committed_together(database: Database, auditor: Auditor) -> None:
    async def fifty() -> None:
        await asyncio.gather(*(auditor.note(entry(number)) for number in range(50)))

    with database.transaction():  # SQLite's writer waits for us meanwhile
        pass
    asyncio.run(fifty())
    assert auditor.counts.rows == 50
    assert auditor.counts.commits <= 10
    auditor.close()
    with database.reading() as db:
        assert auditing.verify(db).rows == 50
        assert auditing.verify(db).broken is None
        assert audit.kept_head(database.vault).seq == 50


def test_an_audit_that_takes_nothing_fails_who_waits_for_it(database: Database, auditor: Auditor) -> None:
    with database.transaction() as db:
        db.execute(text("ALTER TABLE audit RENAME TO away"))
    with pytest.raises(AuditDown):
        asyncio.run(auditor.note(entry(1)))
    with pytest.raises(AuditDown):
        note(database, entry(1))
    with database.transaction() as db:
        db.execute(text("ALTER TABLE away RENAME TO audit"))
    asyncio.run(auditor.note(entry(1)))
    auditor.note_now(entry(2))
    assert broken(database) is None


def test_a_note_within_a_transaction_is_kept_with_it_or_not_at_all(database: Database, auditor: Auditor) -> None:
    def fails() -> None:
        with database.transaction() as db:
            auditor.note_within(db, entry(1))
            db.execute(text("SELECT * FROM nowhere"))

    with pytest.raises(SQLAlchemyError):
        fails()
    with database.transaction() as db:
        auditor.note_within(db, entry(2))
    auditor.close()
    with database.reading() as db:
        assert [row["object_id"] for row in contents(db)] == [f"{2:032x}"]
    assert broken(database) is None


@pytest.mark.parametrize("more", [{"id": "Anna Schmidt"}, {"actor": "a\nb"}, {"detail": {"text": "tired, sad"}}])
def test_no_text_enters_the_audit(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no text"):
        entry(1, **more)


def test_commands_and_services_have_actors_of_their_own(database: Database) -> None:
    note(database, Entry(CLI, NO_ROLE, "database.backup", "database"))
    with database.reading() as db:
        assert [(row["actor"], row["role"], row["object_id"]) for row in contents(db)] == [("cli", "-", "*")]

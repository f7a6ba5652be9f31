"""What the recorder says of what it could not take: no value, in a log, a label or a hash."""

import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DataError
from sqlmodel import col, select

from api import recorder as module
from api.recorder import Recorder
from api.store import Database, chunks
from api.tables import QuarantineRow
from kiosk.bus import Delivery
from kiosk.messages import Event, Stream, address, encode
from tests.api.conftest import record

ROOT = Path(__file__).parents[2]
SAID = "the visitor feels dizzy"
MARK = Event(Stream("s-1", "station", "events", "r1"), 0, "said", 5, SAID)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('invalid input syntax for type integer: "137.25"\nLINE 1: ...', "invalid input syntax for type integer"),
        ("integer out of range", "integer out of range"),
        ("duplicate key\nDETAIL:  Key (detail)=(dizzy) is there", "duplicate key"),
        ("", "DataError"),
    ],
)
def test_the_databases_words_are_told_without_the_value_that_they_quote(said: str, told: str) -> None:
    assert module._cause(DataError("INSERT INTO x", {"detail": SAID}, Exception(said))) == told


def test_a_batch_that_breaks_is_logged_without_what_is_in_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise DataError("INSERT INTO events", {"detail": SAID}, Exception(f'invalid input syntax: "{SAID}"'))

    with monkeypatch.context() as broke:
        broke.setattr(chunks, "add", broken)
        with pytest.raises(DataError):
            Recorder(database)._record([Delivery(address("k1", MARK), encode(MARK))])
    assert "commit of 1 messages failed: invalid input syntax" in caplog.text
    assert SAID not in caplog.text


def test_what_was_kept_aside_cannot_be_guessed_by_its_hash(database: Database) -> None:
    record(database, MARK)
    # another's session: it is kept aside as it came
    topic, payload = address("kiosk-2", MARK), encode(MARK)
    for _ in range(2):
        Recorder(database).commit([Delivery(topic, payload)])
    with database.reading() as db:
        (digest,) = db.execute(select(col(QuarantineRow.digest))).scalars()
    guesses = (payload, topic.encode() + payload, topic.encode() + b"\0" + payload)
    assert digest not in {hashlib.sha256(each).hexdigest() for each in guesses}


def refusals() -> Iterator[tuple[str, ast.expr]]:
    """The reasons of all refusals in the source: a reason becomes a label, and a word in a receipt."""
    for package in ("kiosk", "sensors", "api"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "commands" in path.parts:  # they have a class of this name of their own
                continue
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused":
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.args[0]


def test_the_reason_of_a_refusal_is_one_of_our_own_words() -> None:
    found = list(refusals())
    assert len(found) > 15
    wrong = [
        where
        for where, reason in found
        if not (isinstance(reason, ast.Constant) and re.fullmatch("[a-z_]{3,32}", str(reason.value)))
        # chosen from two words of ours
        and ast.unparse(reason) != "_reason(str(error))"
    ]
    assert not wrong

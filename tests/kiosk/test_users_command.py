"""`kiosk users`: the first administrator, and those who lost their password."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.login import demo, passwords
from api.store import Database, users
from api.tables import UserRow
from kiosk.__main__ import app
from kiosk.settings import Settings
from tests import databases

GOOD = "four brown bears juggle"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a migrated database, which commands use."""
    for name in [name for name in os.environ if name.startswith("KIOSK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KIOSK_DATA", str(tmp_path))
    database = databases.database(tmp_path)
    database.migrate()
    database.close()
    return tmp_path


def run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["users", *words], input=typed)


def user(folder: Path, login: str) -> UserRow | None:
    database = Database.to(Settings(data=folder))
    try:
        with database.reading() as db:
            return users.by_login(db, login)
    finally:
        database.close()


def password_of(folder: Path, login: str) -> str:
    row = user(folder, login)
    assert row is not None
    assert row.password is not None
    return row.password


def test_a_password_is_typed_twice_and_not_seen(folder: Path) -> None:
    done = run("add", "anne", "--role", "administrator", "--everywhere", typed=f"{GOOD}\n{GOOD}\n")
    assert done.exit_code == 0, done.output
    assert GOOD not in done.output
    row = user(folder, "anne")
    assert row is not None
    assert (row.role, row.clinic_id, row.must_change) == ("administrator", None, False)
    assert passwords.verify(password_of(folder, "anne"), GOOD)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (f"{GOOD}\nsomething else\n", "two different"),
        ("short\nshort\n", "at least 12"),
        ("anneanneanne1\n" * 2, "guessed"),
    ],
)
def test_a_password_that_will_not_do_adds_nobody(folder: Path, typed: str, says: str) -> None:
    done = run("add", "anne", "--role", "clinician", typed=typed)
    assert done.exit_code == 1
    assert says in done.output
    assert user(folder, "anne") is None


def test_a_password_that_was_made_up_is_alone_on_stdout_and_must_be_changed(folder: Path) -> None:
    done = run("add", "bert", "--role", "clinician", "--generate")
    assert done.exit_code == 0, done.output
    password = done.stdout.strip()
    assert passwords.verify(password_of(folder, "bert"), password)
    row = user(folder, "bert")
    assert row is not None
    assert row.must_change
    again = run("reset", "BERT", "--generate", "--second-factor").stdout.strip()
    assert again != password
    assert passwords.verify(password_of(folder, "bert"), again)
    listed = run("list").stdout
    assert "bert\tclinician\tmain" in listed
    assert again not in listed


def test_what_cannot_be_is_said_in_one_line(folder: Path) -> None:
    run("add", "anne", "--role", "administrator", "--generate")
    for words, says in (
        (("add", "ANNE", "--role", "auditor", "--generate"), "another user has this login"),
        (("add", "no blanks", "--role", "auditor", "--generate"), "a login has"),
        (("add", "x", "--role", "auditor", "--clinic", "nowhere", "--generate"), "there is no clinic"),
        (("reset", "nobody", "--generate"), "there is no user"),
        (("disable", "anne"), "last administrator"),
    ):
        done = run(*words)
        assert done.exit_code == 1, words
        assert says in done.output
        assert "Traceback" not in done.output
    assert run("add", "x", "--role", "king", "--generate").exit_code == 2
    run("add", "bert", "--role", "clinician", "--generate")
    assert run("disable", "bert").exit_code == 0
    row = user(folder, "bert")
    assert row is not None
    assert row.disabled_ns is not None
    assert run("enable", "bert").exit_code == 0
    row = user(folder, "bert")
    assert row is not None
    assert row.disabled_ns is None


def test_a_demonstrations_logins_are_random_private_and_stay(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        database = databases.database(tmp_path / name)
        database.migrate()
        given = demo.make_logins(database, tmp_path / name)
        assert demo.make_logins(database, tmp_path / name) == given
        assert (tmp_path / name / demo.FILE).stat().st_mode & 0o777 == 0o600
        with database.reading() as db:
            row = users.by_login(db, demo.CLINICIAN)
        assert row is not None
        assert row.password is not None
        assert passwords.verify(row.password, given[demo.CLINICIAN])
        # a file that is gone makes other passwords, and those count
        (tmp_path / name / demo.FILE).unlink()
        assert demo.make_logins(database, tmp_path / name) != given
        database.close()
        made.append(given)
    assert not set(made[0].values()) & set(made[1].values())

"""Who may log in: the first administrator is made here, and whoever is locked out finds back in."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.commands.printable import printable
from kiosk.commands.running import load_settings
from kiosk.errors import KioskError

if TYPE_CHECKING:
    from api.store import Database, Transaction
    from api.tables import UserRow

app = typer.Typer()
users = typer.Typer(help="Who may log in to API and dashboard.", no_args_is_help=True)
app.add_typer(users, name="users")


class RoleName(StrEnum):
    """What somebody is here for. Those of `api.security`; a test compares."""

    OPERATOR = "operator"
    CLINICIAN = "clinician"
    RESEARCHER = "researcher"
    INTEGRATOR = "integrator"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class BadUser(KioskError):
    """What was asked for cannot be."""


Login = Annotated[str, typer.Argument(help="What they type to log in.")]
Generate = Annotated[
    bool, typer.Option("--generate", help="Make a password up and print it, to be changed at the first login.")
]


@users.command()
def add(
    login: Login,
    role: Annotated[RoleName, typer.Option(help="What they may do.")],
    clinic: Annotated[str | None, typer.Option(help="The only clinic of which they see anything.")] = "main",
    everywhere: Annotated[bool, typer.Option("--everywhere", help="Of all clinics, instead.")] = False,
    name: Annotated[str, typer.Option(help="Their name, for colleagues.")] = "",
    generate: Generate = False,
) -> None:
    """Add a user. The password is asked for, unless it is made up."""
    from api.audit import CLI, NO_ROLE, Entry
    from api.login import passwords, staff
    from api.security import Role
    from api.store import users as store
    from api.store.audit import append

    with _words(), _database() as database:
        password = _password(login, name, generate=generate)
        place = None if everywhere else clinic
        row = staff.new(_checked(login), name, Role(role), place, passwords.hash_of(password), must_change=generate)
        with database.transaction() as db:
            if place is not None and not store.clinic_exists(db, place):
                raise BadUser(f"there is no clinic {printable(place)}")
            store.add(db, row)
            append(db, [Entry(CLI, NO_ROLE, "users.write", "user", row.id, "done", place)])
        _told(password if generate else None, f"{role} {row.login} may log in")


@users.command()
def reset(
    login: Login,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Take their second factor away as well.")
    ] = False,
    generate: Generate = False,
) -> None:
    """Set a new password. The user is logged out everywhere, and an account that rests wakes up."""
    from api.login import passwords, staff

    with _words(), _database() as database:
        with database.reading() as db:
            found = _user(db, login)
        password = _password(found.login, found.name, generate=generate)
        hashed = passwords.hash_of(password)
        with database.transaction() as db:
            user = _user(db, login)
            staff.set_password(db, user.id, hashed, must_change=generate)
            if second_factor:
                staff.remove_second_factor(db, user.id)
            _note(db, user)
        _told(password if generate else None, f"{user.login} has a new password")


@users.command(name="list")
def list_() -> None:
    """All users, newest first."""
    from api.store import users as store
    from api.store import utc_now

    with _words(), _database() as database, database.reading() as db:
        before = None
        while rows := store.page(db, None, limit=200, before=before):
            for row in rows:
                marks = (
                    "disabled" if row.disabled_ns is not None else "",
                    "resting" if row.locked_ns is not None and row.locked_ns > utc_now() else "",
                    "must change the password" if row.must_change else "",
                    "second factor" if row.totp is not None else "",
                )
                words = ", ".join(each for each in marks if each)
                typer.echo(f"{row.login}\t{row.role}\t{row.clinic_id or 'all clinics'}\t{printable(row.name)}\t{words}")
            before = (rows[-1].created_ns, rows[-1].id)


@users.command()
def disable(login: Login) -> None:
    """Let a user in no more, from this moment on."""
    _set_disabled(login, disabled=True)


@users.command()
def enable(login: Login) -> None:
    """Let a user in again who was disabled."""
    _set_disabled(login, disabled=False)


def _set_disabled(login: str, *, disabled: bool) -> None:
    from api.login import staff
    from api.store import utc_now

    with _words(), _database() as database:
        with database.transaction() as db:
            user = _user(db, login)
            staff.change(db, user, {"disabled_ns": (user.disabled_ns or utc_now()) if disabled else None})
            _note(db, user)
        typer.echo(f"{user.login} may {'no longer' if disabled else 'again'} log in", err=True)


@contextmanager
def _words() -> Iterator[None]:
    """What went wrong in one line, and an exit code."""
    try:
        yield
    except KioskError as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(1) from None


@contextmanager
def _database() -> "Iterator[Database]":
    from api.store import Database

    database = Database.to(load_settings())
    try:
        database.check()
        yield database
    finally:
        database.close()


def _checked(login: str) -> str:
    import re

    from api.login.staff import LOGIN

    if not re.fullmatch(LOGIN, login):
        raise BadUser("a login has letters, digits and . _ @ + -, and begins with a letter or digit")
    return login


def _user(db: "Transaction", login: str) -> "UserRow":
    from api.store import users as store

    found = store.by_login(db, login)
    if found is None:
        raise BadUser(f"there is no user {printable(login)}")
    return found


def _note(db: "Transaction", user: "UserRow") -> None:
    from api.audit import CLI, NO_ROLE, Entry
    from api.store.audit import append

    append(db, [Entry(CLI, NO_ROLE, "users.write", "user", user.id, "done", user.clinic_id)])


def _password(login: str, name: str, *, generate: bool) -> str:
    """A password that is good enough: made up, or typed twice without being seen."""
    from api.login import staff

    if generate:
        return staff.make_password()
    first: str = typer.prompt("Password", hide_input=True, err=True)
    second: str = typer.prompt("Again", hide_input=True, err=True)
    if not secrets.compare_digest(first.encode(), second.encode()):
        raise BadUser("these are two different passwords")
    return staff.checked(first, (login, name))


def _told(password: str | None, words: str) -> None:
    """The password on stdout, and only it; everything else beside it."""
    typer.echo(words, err=True)
    if password is not None:
        typer.echo("this password is shown once, and must be changed at the first login:", err=True)
        typer.echo(password)

"""`kiosk erase patient|session` and `kiosk retention`: what is to be forgotten, for good."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.commands.running import FAILED, load_settings
from kiosk.errors import KioskError

if TYPE_CHECKING:
    from api.erasure import Receipt
    from api.store import Database
    from kiosk.settings import Settings

app = typer.Typer()
erase = typer.Typer(help="Erase a patient or a session for good: keys, rows, files.", no_args_is_help=True)
app.add_typer(erase, name="erase")

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Vacuum = Annotated[
    bool, typer.Option("--vacuum", help="Write the database anew, so that no page keeps what was deleted: takes long.")
]


@erase.command("patient")
def erase_patient(
    patient: Annotated[str, typer.Argument(help="The patient's id, as p-3f9a61c04d7be258.")],
    yes: Yes = False,
    vacuum: Vacuum = False,
) -> None:
    """Erase a person: identity, consents, notes, and all sessions with all that is in them."""
    from api import erasure
    from api.audit import CLI

    _erase(
        f"patient {patient}",
        lambda database, settings: erasure.erase_patient(database, settings.data, patient, by=CLI),
        yes=yes,
        vacuum=vacuum,
    )


@erase.command("session")
def erase_session(
    session: Annotated[str, typer.Argument(help="The session's id.")], yes: Yes = False, vacuum: Vacuum = False
) -> None:
    """Erase one session with all that is in it."""
    from api import erasure
    from api.audit import CLI

    _erase(
        f"session {session}",
        lambda database, settings: erasure.erase_session(database, settings.data, session, by=CLI),
        yes=yes,
        vacuum=vacuum,
    )


@app.command()
def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would go.")] = False,
) -> None:
    """Let go what the rules (KIOSK_KEEP_...) no longer keep, as the recorder does once an hour."""
    from api import retention
    from api.audit import CLI
    from api.store import utc_now

    with _opened() as (database, settings):
        rules, now = retention.Rules.of(settings), utc_now()
        found = (
            retention.due(database, rules, now)
            if dry_run
            else retention.sweep(database, settings.data, rules, now, by=CLI)
        )
    would = "would be " if dry_run else ""
    for what, names in (
        (f"{would}erased, because storing was not agreed to", found.fleeting),
        (f"{would}erased, because storing was not agreed to any more", found.withdrawn),
        (f"{would}without their talk, because keeping it was not agreed to any more", found.talks),
        (f"{would}erased, because they are old", found.sessions),
        (f"{would}erased, because they are nobody's", found.unassigned),
        (f"{would}without samples from now on", found.waveforms),
    ):
        typer.echo(f"{len(names)} sessions {what}")
        for name in names:
            typer.echo(f"  {name}")
    typer.echo(f"{len(found.quarantine)} payloads that were put aside {would}deleted")


def _erase(what: str, do: "Callable[[Database, Settings], Receipt]", *, yes: bool, vacuum: bool) -> None:
    from api import erasure

    with _opened() as (database, settings):
        if not yes and not typer.confirm(f"Erase {what} for good? No backup brings it back."):
            raise typer.Exit(1)
        receipt = do(database, settings)
        compacted = erasure.compact(database, entirely=vacuum)
    typer.echo(f"erased: {receipt.patients} patients, {receipt.sessions} sessions, {receipt.uploads} uploads")
    for table, count in sorted(receipt.rows.items()):
        typer.echo(f"  {count:>8} {table}")
    if not compacted:
        typer.echo("the write-ahead log is in use: the recorder empties it within the hour", err=True)


@contextmanager
def _opened() -> "Iterator[tuple[Database, Settings]]":
    from api.store import Database, StoreError

    settings = load_settings()
    database = None
    try:
        database = Database.to(settings)
        database.check()
        yield database, settings
    except KioskError as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(2) from None
    except StoreError as error:
        # its text would hold parameters
        typer.echo(f"kiosk: the database failed: {type(error).__name__}", err=True)
        raise typer.Exit(FAILED) from None
    finally:
        if database is not None:
            database.close()

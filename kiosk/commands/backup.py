"""`kiosk backup` and `kiosk restore`: the database while it is in use, and the keys apart from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from kiosk.commands.running import FAILED, load_settings
from kiosk.errors import KioskError

app = typer.Typer()

Keys = Annotated[
    Path | None,
    typer.Option("--keys", help="File for the keys, apart from the database's: whoever has both can read everything."),
]
Passphrase = Annotated[
    Path | None, typer.Option("--passphrase-file", help="File with the keys' passphrase; asked for if not given.")
]
LEAST_PASSPHRASE = 12


@app.command()
def backup(
    file: Annotated[Path | None, typer.Argument(help="The file to write.")] = None,
    keys: Keys = None,
    passphrase_file: Passphrase = None,
) -> None:
    """Write a backup of the database, while everything runs. The keys are not in it."""
    from api import backup as backups
    from api.store import Database

    if file is None and keys is None:
        raise typer.BadParameter("a file, or --keys")
    settings = load_settings()
    with _said():
        database = Database.to(settings)
        try:
            if file is not None:
                made = backups.make(database, file)
                typer.echo(f"{file}: {sum(made.counts.values())} rows, {made.size} bytes, of {made.made}")
            if keys is not None:
                passphrase = _passphrase(passphrase_file, confirm=True)
                count = backups.export_keys(settings, database.vault.keys, keys, passphrase)
                typer.echo(
                    f"{keys}: {count} keys. What is erased from now on lives on in this file: throw it away then."
                )
        finally:
            database.close()


@app.command()
def restore(
    file: Annotated[Path | None, typer.Argument(help="A backup of the database.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of what is there.")] = False,
    keys: Keys = None,
    passphrase_file: Passphrase = None,
) -> None:
    """Put a backup in place, services stopped; what was erased since it was made is erased from it too."""
    from api import backup as backups
    from api.store import Database

    if file is None and keys is None:
        raise typer.BadParameter("a file, or --keys")
    settings = load_settings()
    settings.data.mkdir(parents=True, exist_ok=True)
    with _said():
        if keys is not None:
            count = backups.import_keys(settings, keys, _passphrase(passphrase_file, confirm=False))
            typer.echo(f"{count} keys are here")
        if file is None:
            return
        database = Database.to(settings)
        try:
            done = backups.restore(database, settings.data, file, replace=replace)
        finally:
            database.close()
        typer.echo(f"the database is as of {done.manifest.made}; every login has ended")
        again = done.erased.patients + done.erased.sessions
        if again:
            typer.echo(f"erased again: {done.erased.patients} patients, {done.erased.sessions} sessions")
        if done.lost:
            typer.echo(f"rows {done.lost[0]} to {done.lost[1]} of the audit came after the backup: noted")


@contextmanager
def _said() -> Iterator[None]:
    """One line on stderr for what cannot be done."""
    try:
        yield
    except (KioskError, OSError) as error:
        words = str(error) if isinstance(error, KioskError) else f"{error.strerror}: {error.filename}"
        typer.echo(f"kiosk: {words}", err=True)
        raise typer.Exit(FAILED) from None


def _passphrase(file: Path | None, *, confirm: bool) -> str:
    if file is not None:
        said = file.read_text().strip("\r\n")
    else:
        said = typer.prompt("Passphrase of the keys", hide_input=True, confirmation_prompt=confirm)
    if len(said) < LEAST_PASSPHRASE:
        raise KioskError(f"the passphrase has fewer than {LEAST_PASSPHRASE} characters")
    return str(said)

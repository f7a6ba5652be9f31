"""`kiosk export` and `kiosk report`: a session as a file for other programs, or as a page for people."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.commands.running import FAILED, load_settings
from kiosk.errors import BadRecording, KioskError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api.store import Database

app = typer.Typer()


class Format(StrEnum):
    """What there is to choose from."""

    EDF = "edf"
    WFDB = "wfdb"
    CSV = "csv"
    PARQUET = "parquet"


class Language(StrEnum):
    """Of a report."""

    EN = "en"
    RU = "ru"


TheSession = Annotated[str, typer.Argument(help="The session's id.")]


@app.command()
def export(
    session: TheSession,
    form: Annotated[Format, typer.Option("--format", help="The rest is in zips, edf is one file.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write; none that is there already.")],
) -> None:
    """Write a session's waveforms, readings, beats and events into a file. It has the pseudonym, and no name."""
    from api.interop.files import exported

    with _opened() as database:
        _note(database, "exports.read", session)
        _write(out, exported(database, session, form.value))
    typer.echo(f"{out}: {out.stat().st_size} bytes")


@app.command()
def report(
    session: TheSession,
    out: Annotated[Path, typer.Option("--out", help="The PDF to write; none that is there already.")],
    language: Annotated[Language, typer.Option("--language")] = Language.EN,
    name: Annotated[bool, typer.Option("--name", help="Say the person's name, where it is known.")] = False,
) -> None:
    """Write a session's results as a PDF."""
    from api.reports import results_pdf

    with _opened() as database:
        _note(database, "results.read", session)
        _write(out, [results_pdf(database, session, language=language.value, named=name)])
    typer.echo(f"{out}: {out.stat().st_size} bytes")


def _note(database: "Database", action: str, session: str) -> None:
    """Before anybody reads it, as of every request; of what is not there, nothing is told."""
    from api.audit import CLI, NO_ROLE, Entry, note
    from api.store import sessions

    with database.reading() as db:
        if sessions.get(db, session) is None:
            raise BadRecording("no session of this id is stored here")
    note(database, Entry(CLI, NO_ROLE, action, "session", session))


def _write(out: Path, pieces: "Iterable[bytes]") -> None:
    """A file that its owner alone may read, or none."""
    try:
        file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise KioskError(f"{out}: {error.strerror}") from None
    try:
        with os.fdopen(file, "wb") as opened:
            opened.writelines(pieces)
    except BaseException:
        out.unlink(missing_ok=True)
        raise


@contextmanager
def _opened() -> "Iterator[Database]":
    from api.store import Database, StoreError

    database = None
    try:
        database = Database.to(load_settings())
        database.check()
        yield database
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

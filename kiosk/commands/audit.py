"""`kiosk audit verify` and `kiosk audit export`."""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.commands.running import FAILED, load_settings
from kiosk.errors import KioskError

if TYPE_CHECKING:
    from api.store import Database

app = typer.Typer()
audit = typer.Typer(help="Who did what to whose data: whether nothing of it was changed, and all of it as a file.")
app.add_typer(audit, name="audit")
BROKEN = 1


@audit.command()
def verify() -> None:
    """Look at every row; exit code 1 and the first one that is wrong, if there is one."""
    from api.store import auditing

    with _database() as database, database.reading() as db:
        verdict = auditing.verify(db)
    for gap in verdict.restored:
        typer.echo(gap)
    if verdict.broken is not None:
        typer.echo(f"BROKEN at row {verdict.broken.seq} ({verdict.broken.fault}): {verdict.broken.words}")
        typer.echo(f"the {verdict.end.seq} rows before it are as they were written")
        raise typer.Exit(BROKEN)
    typer.echo(f"{verdict.rows} rows, each as it was written; the newest: {verdict.end.chain[:16] or 'none'}")


@audit.command()
def export(
    since: Annotated[datetime | None, typer.Option(help="From this moment on, UTC.")] = None,
    form: Annotated[str, typer.Option("--format", help="jsonl or csv.")] = "jsonl",
) -> None:
    """Write the rows to standard output, oldest first; the export itself is noted."""
    from api.audit import CLI, NO_ROLE, Entry, note
    from api.store import audit as rows

    if form not in ("jsonl", "csv"):
        raise typer.BadParameter("jsonl or csv", param_hint="--format")
    with _database() as database:
        note(database, Entry(CLI, NO_ROLE, "audit.export", "audit"))
        writer = csv.writer(sys.stdout)
        if form == "csv":
            writer.writerow([*rows.COVERED, "chain"])
        begin = 0 if since is None else int(since.replace(tzinfo=since.tzinfo or UTC).timestamp()) * 1_000_000_000
        with database.reading() as db:
            for row in rows.rows(db):
                if int(str(row["at_ns"])) < begin:
                    continue
                if form == "jsonl":
                    typer.echo(json.dumps(row))
                else:
                    detail = json.dumps(row["detail"]) if row["detail"] else ""
                    writer.writerow([*({**row, "detail": detail}[name] for name in (*rows.COVERED, "chain"))])


@contextmanager
def _database() -> Iterator["Database"]:
    from api.store import Database

    settings = load_settings()
    try:
        database = Database.to(settings)
        try:
            database.check()
            yield database
        finally:
            database.close()
    except KioskError as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(FAILED) from None

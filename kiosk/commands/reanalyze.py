"""`kiosk reanalyze`: stored sessions analysed again by this version. Revisions are added, none is overwritten."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.commands.running import FAILED, load_settings
from kiosk.errors import KioskError

if TYPE_CHECKING:
    from api.store import Database
    from kiosk.settings import Settings

app = typer.Typer()


@app.command()
def reanalyze(
    where: Annotated[
        str,
        typer.Option(
            help="Which sessions, all conditions together: session= kiosk= patient= clinic= protocol= outcome= since= "
            "until= (dates) version= version< method= method<NAME-N; as 'kiosk=k1 since=2026-01-01 method<vote-3'."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which they are.")] = False,
    after: Annotated[str | None, typer.Option(help="Go on after this session, where a run was broken off.")] = None,
) -> None:
    """Analyse stored sessions again, one at a time, beside whatever closes sessions now."""
    from api.reanalysis import BadCondition, condition, fitting
    from api.store import Database

    settings = load_settings()
    try:
        wanted = condition(where)
        database = Database.to(settings)
        try:
            database.check()
            found = list(fitting(database, wanted, after=after))
            if dry_run:
                for session in found:
                    typer.echo(session)
                typer.echo(f"{len(found)} sessions would be analysed again", err=True)
            elif not asyncio.run(_analyse(database, settings, found)):
                raise typer.Exit(1)
        finally:
            database.close()
    except KioskError as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(2 if isinstance(error, BadCondition) else FAILED) from None


async def _analyse(database: "Database", settings: "Settings", sessions: list[str]) -> bool:
    """Whether all of them have a new revision."""
    from api.closing import Closer, analysis_process

    closer, pool, before, skipped = Closer(database, settings), analysis_process(), None, 0
    try:
        for number, session in enumerate(sessions, 1):
            done = await closer.close_again(pool, session, by="cli")
            skipped += not done
            typer.echo(f"{number}/{len(sessions)} {session}{'' if done else ': left as it is'}", err=True)
            before = session
    except BaseException:
        if before is not None:
            typer.echo(f"broken off; go on with --after {before}", err=True)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    typer.echo(f"{len(sessions) - skipped} of {len(sessions)} sessions have a new revision", err=True)
    return not skipped

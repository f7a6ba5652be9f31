"""`kiosk analyze`: the readings of recordings, as a table, as JSON (one object a line) or as CSV, and as a figure."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kiosk.commands.running import load_settings
from kiosk.commands.workers import Done, cores, results
from kiosk.errors import BadRecording
from kiosk.models import FOLDER

if TYPE_CHECKING:
    from kiosk.commands.analyze.job import Job, Outcome
    from kiosk.commands.analyze.output import Output

app = typer.Typer()

NO_READING, BAD_INPUT = 1, 2
PATIENCE = 600.0
"""Seconds that a file may take: a day of ECG takes a few."""


@app.command()
def analyze(
    files: Annotated[list[Path], typer.Argument(help="Recordings; a folder stands for all that are in it.")],
    kind: Annotated[str, typer.Option(help="auto, ecg, ppg, rr, eeg, video, image or voice.")] = "auto",
    channel: Annotated[str | None, typer.Option(help="Which channel, by name.")] = None,
    rate: Annotated[float | None, typer.Option(help="Hertz, where the file does not say.")] = None,
    no_correction: Annotated[
        bool, typer.Option("--no-correction", help="Take beats or RR intervals as they are.")
    ] = False,
    session: Annotated[bool, typer.Option("--session", help="Join all files into one session.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="One reading a row.")] = False,
    language: Annotated[str, typer.Option(help="Of the table's notes: en or ru; JSON and CSV have both.")] = "en",
    plot: Annotated[
        str | None,
        typer.Option(help="Draw a figure: out.png, .svg or .html; of several files a folder, or figures/{name}.svg."),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Files analysed at once; as many as cores.")] = None,
    patience: Annotated[float, typer.Option(min=1, help="Seconds after which one of several files is given up.")] = (
        PATIENCE
    ),
) -> None:
    """Print the readings of recordings. Exit code 0: readings; 1: no reading was possible; 2: bad input."""
    # the analysis takes a second to import, and every command would wait for it
    from kiosk.commands.analyze.job import Answer, Job, PassedOver, Refused
    from kiosk.commands.analyze.output import Csv, Lines
    from kiosk.commands.analyze.tables import Tables

    if as_json and as_csv:
        raise _stop("--json or --csv, not both")
    if language not in ("en", "ru"):
        raise _stop(f"no language {language!r}; there are en and ru")
    try:
        models = load_settings().data / FOLDER
        plain = Job("", (), frozenset(), kind, channel, rate, not no_correction, models)
        todo = _jobs(files, plain, plot, session=session)
    except BadRecording as error:
        raise _stop(str(error)) from None
    output: Output = Csv() if as_csv else Lines() if as_json else Tables(language)
    bad = read = valued = False
    progress = _progress()
    with progress:
        task = progress.add_task("analysing", total=len(todo))
        for done in _results(todo, jobs or cores(), patience):
            progress.advance(task, done.finished - progress.tasks[0].completed)
            # whoever writes to the same terminal must not find a bar there
            progress.stop()
            match done.value:
                case Answer() as answer:
                    output.show(answer)
                    read, valued = True, valued or answer.valued
                case PassedOver(cause):
                    typer.echo(f"kiosk: passed over {cause}", err=True)
                case Refused(cause):
                    bad = True
                    typer.echo(f"kiosk: {cause}", err=True)
            progress.start()
    if not (bad or read):
        raise _stop("no recording there")
    if bad:
        raise typer.Exit(BAD_INPUT)
    if not valued:
        raise typer.Exit(NO_READING)


def _jobs(files: list[Path], plain: "Job", plot: str | None, *, session: bool) -> "list[Job]":
    """What is to be done, in the order of the files."""
    from kiosk.commands.analyze.places import places
    from sensors import files as reader

    found = reader.find(files)
    for passed in found.passed_over:
        typer.echo(f"kiosk: passed over {passed}", err=True)
    if not found.recordings:
        raise BadRecording("no recording there")
    groups = [found.recordings] if session else [(path,) for path in found.recordings]
    names = [", ".join(map(str, files))] if session else [str(path) for path in found.recordings]
    figures = places(plot, [paths[0] for paths in groups])
    optional = frozenset(found.recordings) - found.named
    return [plain.of(name, paths, optional, figure) for name, paths, figure in zip(names, groups, figures, strict=True)]


def _results(todo: "list[Job]", jobs: int, patience: float) -> "Iterator[Done[Outcome]]":
    """What became of each, in order. One file alone needs no process of its own."""
    from kiosk.commands.analyze.job import Refused, outcome

    if len(todo) == 1:
        try:
            yield Done(0, 1, outcome(todo[0]))
        except Exception as error:
            # as it is with many: one file's bug is one line
            yield Done(0, 1, Refused(f"{todo[0].name}: the analysis failed ({type(error).__name__}: {error})"))
        return
    for done in results(outcome, todo, workers=jobs, patience=patience):
        value = Refused(f"{todo[done.index].name}: {done.failed}") if done.value is None else done.value
        yield Done(done.index, done.finished, value)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def _stop(cause: str) -> typer.Exit:
    typer.echo(f"kiosk: {cause}", err=True)
    return typer.Exit(BAD_INPUT)

"""What the program knows about itself: version, models, AsyncAPI."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.text import Text

from kiosk import models as registry
from kiosk.commands.running import load_settings
from kiosk.errors import KioskError
from kiosk.version import VERSION

app = typer.Typer()
models = typer.Typer(help="Networks: which are known; pull, add, verify their files.", no_args_is_help=True)
app.add_typer(models, name="models")

_COLUMNS = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"health-kiosk {VERSION}")


@app.command()
def asyncapi() -> None:
    """Print the AsyncAPI 3 document of topics and messages, made from the code."""
    from kiosk import asyncapi as description

    typer.echo(description.text())


@models.command("list")
def list_models() -> None:
    """List the networks that the product knows, with licence and state, and how their files come here."""
    folder = _folder()
    console = Console()
    for network in registry.listed():
        state = registry.status(network, folder)
        way = "shipped" if network.shipped else "pull" if network.url else "add"
        size = f"{network.size / 1e6:.1f} MB" if network.size else ""
        # what it is for in lines of its own: beside the rest it would have ten letters
        console.print(f"[bold]{network.name:<24}[/bold] {state:<10} {way:<8} {network.licence:<11} {size:>8}")
        console.print(Padding(network.purpose, (0, 0, 0, 2)))
        if network.caution:
            console.print(Padding(Text(network.caution, style="dim"), (0, 0, 0, 2)))
    typer.echo(f"folder: {folder}")


@models.command("pull")
def pull_models(names: Annotated[list[str], typer.Argument(help="Networks, as listed.")]) -> None:
    """Fetch published network files; what broke off is continued, a wrong file is refused."""
    folder = _folder()
    refused = False
    console = Console(stderr=True)
    with Progress(*_COLUMNS, console=console, transient=True) as progress:
        for name in names:
            task = progress.add_task(name, total=None)

            def told(have: int, whole: int, task: TaskID = task) -> None:
                progress.update(task, completed=have, total=whole or None)

            try:
                network = registry.pull(name, folder, told=told)
                progress.console.print(f"{name} is installed", highlight=False)
                _caution(network)
            except (KioskError, OSError) as error:
                refused = True
                typer.echo(f"kiosk: {error}", err=True)
            progress.remove_task(task)
    if refused:
        raise typer.Exit(2)


@models.command("add")
def add_models(
    files: Annotated[list[Path], typer.Argument(help="Network files, as published.")],
    name: Annotated[
        str | None, typer.Option("--as", help="Which network it is: for one file whose checksum is not known.")
    ] = None,
    sha256: Annotated[str | None, typer.Option(help="The checksum that the one file must have.")] = None,
) -> None:
    """Install network files; a wrong or truncated one is refused."""
    folder = _folder()
    if len(files) > 1 and (name or sha256):
        typer.echo("kiosk: --as and --sha256 are for one file", err=True)
        raise typer.Exit(2)
    refused = False
    for file in files:
        try:
            network = registry.add(file, folder, name=name, sha256=sha256)
        except (KioskError, OSError) as error:
            refused = True
            typer.echo(f"kiosk: {error}", err=True)
            continue
        typer.echo(f"{file}: {network.name} is installed")
        if not network.sha256 and (known := registry.identity(network, folder)):
            typer.echo(
                f"  its checksum was not known to the product: this file is trusted because you added it, and from now "
                f"on no other one is\n  sha256 {known.sha256}"
            )
        _caution(network)
    if refused:
        raise typer.Exit(2)


@models.command("verify")
def verify_models() -> None:
    """Check every installed network against its checksum."""
    checks = registry.verify(_folder())
    for check in checks:
        typer.echo(f"{check.network.name}: {check.state}")
    if any(check.state == "damaged" for check in checks):
        raise typer.Exit(1)


def _folder() -> Path:
    return load_settings().data / registry.FOLDER


def _caution(network: registry.Network) -> None:
    if network.caution:
        typer.echo(f"  note: {network.caution}", err=True)

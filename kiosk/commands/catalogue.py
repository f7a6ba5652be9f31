"""What the program knows about itself: version, models, AsyncAPI."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from kiosk import models as registry
from kiosk.commands.running import load_settings
from kiosk.errors import KioskError
from kiosk.version import VERSION

app = typer.Typer()
models = typer.Typer(help="Networks: which are known, add their files, verify them.", no_args_is_help=True)
app.add_typer(models, name="models")


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
    """List the networks that the product knows, with licence and state."""
    folder = load_settings().data / registry.FOLDER
    table = Table("name", "state", "licence", "size", "for")
    for network in registry.listed():
        state = registry.status(network, folder)
        table.add_row(network.name, state, network.licence, f"{network.size / 1e6:.1f} MB", network.purpose)
    Console().print(table)
    typer.echo(f"folder: {folder}")


@models.command("add")
def add_models(files: Annotated[list[Path], typer.Argument(help="Network files, as published.")]) -> None:
    """Install network files; a wrong or truncated one is refused."""
    folder = load_settings().data / registry.FOLDER
    refused = False
    for file in files:
        try:
            network = registry.add(file, folder)
            typer.echo(f"{file}: {network.name} is installed")
        except (KioskError, OSError) as error:
            refused = True
            typer.echo(f"kiosk: {error}", err=True)
    if refused:
        raise typer.Exit(2)


@models.command("verify")
def verify_models() -> None:
    """Check every installed network against its checksum."""
    folder = load_settings().data / registry.FOLDER
    checks = registry.verify(folder)
    for check in checks:
        typer.echo(f"{check.network.name}: {check.state}")
    if any(check.state == "damaged" for check in checks):
        raise typer.Exit(1)

"""What every training asks before its minutes, and how its files are written."""

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import typer


def needs(*libraries: str) -> None:
    """End with the reason where one is not installed."""
    for needed in libraries:
        if find_spec(needed) is None:
            typer.echo(f"kiosk: {needed} is not installed: it comes with the extra `train`", err=True)
            raise typer.Exit(2)


def places(out: Path) -> Path:
    """Where the card goes; ends with the reason where it or the network cannot be written: before the minutes."""
    card_file = out.with_suffix(".md") if out.name else out
    if out.suffix.lower() == ".md":
        refuse(out, "its card would take its place: another suffix, please")
    for file in (out, card_file):
        if file.is_dir():
            refuse(file, "it is a folder")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out.parent).close()
    except OSError as error:
        refuse(out, error.strerror or str(error))
    return card_file


def write(file: Path, content: bytes) -> None:
    """All of it or nothing: whatever interrupts this, an earlier file stays whole."""
    part = file.with_name(f".{file.name}.part")
    try:
        try:
            part.write_bytes(content)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        refuse(file, error.strerror or str(error))


def refuse(file: Path, reason: str) -> NoReturn:
    """End with the reason."""
    typer.echo(f"kiosk: {file} cannot be written: {reason}", err=True)
    raise typer.Exit(2) from None

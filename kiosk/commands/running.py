"""How a long-running command runs: logging, one event loop, an orderly end on SIGINT and SIGTERM."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Coroutine

import typer
import uvloop

from kiosk import logs, settings
from kiosk.errors import KioskError
from kiosk.settings import Settings

log = logging.getLogger(__name__)

FAILED = 3
"""Exit code of a service that could not run."""


def load_settings() -> Settings:
    """The settings, or one line on stderr and the exit code for bad input."""
    try:
        return settings.load()
    except KioskError as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(2) from None


def run(service: Coroutine[object, object, None], loaded: Settings) -> None:
    """Run a service until it ends or somebody ends it."""
    logs.configure(loaded, getattr(service, "__name__", "kiosk").removeprefix("_serve_"))
    try:
        uvloop.run(_until_told(service))
    except KioskError as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(FAILED) from None
    except Exception as error:
        # not by the interpreter, nor by typer: they print what the error says, and a database's holds parameters
        log.critical("ended by an error", exc_info=error)
        raise typer.Exit(FAILED) from None


async def _until_told(service: Coroutine[object, object, None]) -> None:
    task = asyncio.ensure_future(service)
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task

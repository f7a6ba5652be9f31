"""Pins: the checksums of files that were trusted when they were first added, for networks whose own is not known."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from kiosk import download
from kiosk.errors import BadModel
from kiosk.network import Identity

PINS = "pins.json"
"""In the folder of networks."""


def pinned(folder: Path) -> tuple[Identity, ...]:
    """What was trusted so far. A list that cannot be read is no empty list: that would trust anew."""
    path = folder / PINS
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Identity, ...])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        raise BadModel(f"{path} cannot be read: {error}; remove it to trust files anew") from None


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else adds to this folder: who reads the pins, decides by them and writes them back must be one."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def pin(found: Identity, folder: Path) -> None:
    """Remember a file's checksum."""
    others = [each for each in pinned(folder) if each.name != found.name]
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".pinning-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode([*others, found])))
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        Path(temporary).replace(folder / PINS)
    finally:
        Path(temporary).unlink(missing_ok=True)
    download.sync_folder(folder)

"""Where uploads are: encrypted in the data folder until they are analysed, in clear only in memory where it fits."""

import contextlib
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from api.store import Vault
from api.store.sealing import Box
from api.uploads.spoken import Manifest

FOLDER = "uploads"
MANIFEST = "manifest"
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder in memory, where Linux has one: nothing in clear reaches a disk
_ROOM = 3
"""Times the files' size that must be free in memory."""


def new_id() -> str:
    """Of an upload."""
    return f"x-{secrets.token_hex(8)}"


def purpose(analysis: str) -> str:
    """What an upload's key is called."""
    return f"upload-{analysis}"


def sealed(data: Path, analysis: str) -> Path:
    """The folder of an upload's encrypted files."""
    return data / FOLDER / analysis


def write_manifest(folder: Path, box: Box, analysis: str, manifest: Manifest) -> None:
    """Keep what was uploaded."""
    (folder / MANIFEST).write_bytes(box.seal(msgspec.json.encode(manifest), f"upload:{analysis}:manifest"))


def manifest(folder: Path, box: Box, analysis: str) -> Manifest:
    """What was uploaded; Tampered where it is not what was kept."""
    content = (folder / MANIFEST).read_bytes()
    return msgspec.json.decode(box.open(content, f"upload:{analysis}:manifest"), type=Manifest)


def place(analysis: str, number: int) -> str:
    """Where a file of an upload is sealed."""
    return f"upload:{analysis}:{number}"


def forget(vault: Vault, data: Path, analysis: str) -> None:
    """Destroy an upload's key, and then its files."""
    vault.destroy("purpose", [purpose(analysis)])
    shutil.rmtree(sealed(data, analysis), ignore_errors=True)


@contextlib.contextmanager
def working(data: Path, needed: int) -> Iterator[Path]:
    """An empty folder for files in clear: in memory where there is room, removed in any case."""
    base = _bases(data)[0]
    with contextlib.suppress(OSError):
        if shutil.disk_usage(MEMORY).free < _ROOM * needed:
            base = _bases(data)[1]
    if not MEMORY.is_dir():
        base = _bases(data)[1]
    folder = _made(base)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        # of a data folder that is not used again nothing stays; another worker's folder is in the way, and may be
        with contextlib.suppress(OSError):
            base.rmdir()


def _made(base: Path) -> Path:
    while True:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        # another worker may have taken the empty one away
        with contextlib.suppress(FileNotFoundError):
            return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=base))


def sweep(data: Path) -> None:
    """Remove what workers left that were killed."""
    for base in _bases(data):
        for left in base.glob("*-*") if base.is_dir() else ():
            owner = left.name.partition("-")[0]
            if not owner.isdecimal() or not _alive(int(owner)):
                shutil.rmtree(left, ignore_errors=True)


def _bases(data: Path) -> tuple[Path, Path]:
    """In memory, and on the disk. Its own for each data folder."""
    digest = hashlib.sha256(str(data.absolute()).encode()).hexdigest()[:16]
    return MEMORY / f"health-kiosk-{os.getuid()}-{digest}", data / FOLDER / ".working"


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

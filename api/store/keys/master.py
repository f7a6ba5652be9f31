"""The master key: given, or in a file of its own. Without it nothing opens, so that the file is on the disk first."""

import base64
import contextlib
import os
import secrets
from pathlib import Path

from api.store.keys.cipher import KEY_BYTES
from kiosk.errors import BadSettings


def master_key(path: Path, given: str | None, fresh: bytes | None = None) -> bytes:
    """The master key: what was given as base64, else the file's; a file that is not there is made (of `fresh`)."""
    if given is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # whole or not there: another process may start in this moment, and ours may end in it
            draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(base64.b64encode(fresh or secrets.token_bytes(KEY_BYTES)).decode() + "\n")
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
            _flush(path.parent)
        given = path.read_text("ascii", errors="replace").strip()
    try:
        key = base64.b64decode(given, validate=True)
    except ValueError:  # no base64, or no ASCII
        key = b""
    if len(key) != KEY_BYTES:
        raise BadSettings("the master key is not 32 bytes in base64 (openssl rand -base64 32)")
    return key


def _flush(folder: Path) -> None:
    """Have the folder on the disk: a name that a power cut takes away would take everything with it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

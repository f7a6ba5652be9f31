"""The broker's password file, written by us in mosquitto's own format: who may connect, by a hash alone."""

import base64
import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kiosk.errors import KioskError
from kiosk.topics import NAME

SERVICES = frozenset({"recorder", "analytics", "api"})
"""Users of the access list that are no kiosks."""
PASSWORD_BYTES = 24
"""192 random bits: there is nothing to guess, so that how slow the hash is does not matter."""
ITERATIONS = 101
"""What mosquitto_passwd uses. The broker hashes in its only thread, while everybody waits."""
SALT_BYTES = 12


class BadCredentials(KioskError):
    """A name that no kiosk can have, or a password file that cannot be used."""


def new_password() -> str:
    """A password that nobody chose: letters, digits, dash and underscore."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def mosquitto_hash(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """PBKDF2-HMAC-SHA512 (RFC 8018) as mosquitto 1.6 and later write and read it: `$7$iterations$salt$hash`."""
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, 64)
    return f"$7${iterations}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def fits(password: str, hashed: str) -> bool:
    """Whether a line's hash is this password's."""
    try:
        empty, form, iterations, salt, _ = hashed.split("$")
        made = mosquitto_hash(password, base64.b64decode(salt, validate=True), int(iterations))
    except ValueError:
        return False
    return (empty, form) == ("", "7") and hmac.compare_digest(made, hashed)


class PasswordFile:
    """Users and their hashes. Each change replaces the file as a whole, so that a broker never reads a half."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def users(self) -> dict[str, str]:
        """Hashes by user name, in the file's order."""
        try:
            lines = self.path.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise BadCredentials(f"{self.path} cannot be read: {_cause(error)}") from None
        return {name: hashed for name, _, hashed in (line.partition(":") for line in lines) if name and hashed}

    def set(self, name: str, password: str) -> None:
        """Let somebody in with this password, and with no other any more."""
        with self._changing() as users:
            users[name] = mosquitto_hash(password, secrets.token_bytes(SALT_BYTES))

    def remove(self, name: str) -> bool:
        """Let somebody in no more; False where they could not come in before."""
        with self._changing() as users:
            return users.pop(name, None) is not None

    @contextmanager
    def _changing(self) -> Iterator[dict[str, str]]:
        """The users, to be changed by one process at a time."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.with_name(f"{self.path.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                users = self.users()
                yield users
                self._write("".join(f"{name}:{hashed}\n" for name, hashed in users.items()))
        except OSError as error:
            raise BadCredentials(f"{self.path} cannot be written: {_cause(error)}") from None

    def _write(self, text: str) -> None:
        part = self.path.with_name(f"{self.path.name}.part")
        part.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                with suppress(FileNotFoundError, PermissionError):
                    # written by root, it stays the broker's
                    before = self.path.stat()
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)


def checked_name(name: str) -> str:
    """A kiosk's name, or BadCredentials: a wildcard would open others' topics, a service's name that service's."""
    if not NAME.fullmatch(name) or name in SERVICES:
        raise BadCredentials(
            f"{name[:80]!r} cannot be a kiosk's name: letters, digits, dot, dash, underscore; no service's"
        )
    return name


def _cause(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__

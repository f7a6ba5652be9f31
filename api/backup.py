"""Backups: the database as of one moment, without the keys; and, apart from it, the keys under a passphrase.

What was erased has no key any more, and so no backup of the database can bring it back. A copy of the keys can: it is
what must be thrown away when something that it holds is to be forgotten.
"""

import base64
import hashlib
import json
import os
import secrets
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from api import erasure
from api.audit import CLI, NO_ROLE, AuditDown, Entry, note
from api.store import Database, KeyStore, StoreError, audit, copies, utc_now
from api.store.audit import Head, NoHead
from api.store.auditing import RESTORED
from api.store.keys import KEY_BYTES, Copied, KeysUnusable, Kind, decrypt, encrypt, master_key
from kiosk.errors import KioskError
from kiosk.settings import Settings
from kiosk.version import VERSION

FORMAT = 1
MANIFEST = "manifest.json"
MEMBERS = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}
MOST_MANIFEST = 256 * 1024 * 1024
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**17, 8, 1
"""128 MiB and a good part of a second for each guess (OWASP password storage cheat sheet: N=2^17, r=8, p=1)."""
SALT_BYTES = 16
KEYS_WORD = "health-kiosk keys 1"


class BadBackup(KioskError):
    """The file is no backup of ours, damaged, or of another installation."""


class NotEmpty(KioskError):
    """There is something that a restore would replace."""


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself."""

    format: int
    version: str
    revision: str
    dialect: str
    made: str
    sha256: str
    size: int
    counts: dict[str, int]
    erased: dict[Kind, list[str]]
    """Ids of what had been erased by then: older keys must not bring it back."""
    seal: str = ""
    """A keyed hash over all that: nobody without the key store's key makes or changes a backup."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    lost: tuple[int, int] | None
    """The audit's rows that came after the backup."""
    erased: erasure.Receipt
    """What had been erased since, and was again."""


def make(database: Database, file: Path) -> Manifest:
    """Write a backup of this moment. Whoever writes to the database meanwhile notices nothing."""
    database.check()
    with _noted(database, "database.backup"), tempfile.TemporaryDirectory(dir=file.parent, prefix=".kiosk-") as folder:
        copied = Path(folder, MEMBERS[database.dialect])
        # before the copy: what is erased while it is made has its keys destroyed, whatever the list says
        keys = database.vault.keys
        erased: dict[Kind, list[str]] = {kind: sorted(keys.erased(kind)) for kind in ("patient", "session")}
        counts = copies.copy(database, copied)
        manifest = Manifest(
            format=FORMAT,
            version=VERSION,
            revision=copies.revision_of(database) or "",
            dialect=database.dialect,
            made=datetime.fromtimestamp(utc_now() / 1e9, UTC).isoformat(timespec="seconds"),
            sha256=_digest(copied),
            size=copied.stat().st_size,
            counts=counts,
            erased=erased,
        )
        manifest = msgspec.structs.replace(manifest, seal=_seal(database, manifest))
        described = Path(folder, MANIFEST)
        described.write_bytes(msgspec.json.encode(manifest))
        draft = Path(folder, "draft")
        with _private(draft) as out, tarfile.open(fileobj=out, mode="w") as archive:
            archive.add(described, MANIFEST)
            archive.add(copied, copied.name)
        draft.replace(file)
    return manifest


def manifest_of(file: Path) -> Manifest:
    """What a backup says of itself, before anything of it is believed."""
    with _opened(file) as archive:
        return _manifest(archive)


def restore(database: Database, data: Path, file: Path, *, replace: bool = False) -> Restored:
    """Put a backup in the database's place, and erase again what was erased since it was made."""
    with _opened(file) as archive, tempfile.TemporaryDirectory(dir=data, prefix=".restore-") as folder:
        manifest = _manifest(archive)
        if manifest.dialect != database.dialect:
            raise BadBackup(f"this is a backup of {manifest.dialect}, the database is {database.dialect}")
        if not copies.is_known(manifest.revision):
            raise BadBackup(f"made by version {manifest.version}, whose tables this program does not know: it is older")
        copied = _extracted(archive, manifest, Path(folder))
        if manifest.seal != _seal(database, manifest):
            raise BadBackup("made with another key store, or changed since: restore its keys first")
        if not replace and not copies.is_empty(database):
            raise NotEmpty("the database is not empty: --replace puts the backup in its place")
        head = _head(database)
        copies.load(database, copied)
    database.migrate()
    for kind, names in manifest.erased.items():
        database.vault.destroy(kind, names)
    with database.transaction() as db:
        copies.forget_logins(db)
        end = audit.last_row(db)
        lost = (end.seq + 1, head.seq) if head.seq > end.seq else None
        detail = {"lost_from": lost[0], "lost_to": lost[1]} if lost else None
        audit.append(db, [Entry(CLI, NO_ROLE, RESTORED, "database", detail=detail)])
    audit.force_head(database)
    return Restored(manifest, lost, erasure.resume(database, data))


def export_keys(settings: Settings, keys: KeyStore, file: Path, passphrase: str) -> int:
    """Write every key, and the master key over them, encrypted under a passphrase; how many they are."""
    copied = keys.copied()
    plain = msgspec.msgpack.encode((_master(settings), copied))
    salt = secrets.token_bytes(SALT_BYTES)
    sealed = encrypt(_stretched(passphrase, salt), plain, KEYS_WORD)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    with _private(draft) as out:
        out.write(KEYS_WORD.encode() + b"\n" + salt + sealed)
    draft.replace(file)
    return len(copied.keys)


def import_keys(settings: Settings, file: Path, passphrase: str) -> int:
    """Put exported keys back: those that are missing, and none that was destroyed since; how many there are then."""
    word, _, rest = file.read_bytes().partition(b"\n")
    if word != KEYS_WORD.encode():
        raise BadBackup(f"{file.name} is no export of keys")
    try:
        plain = decrypt(_stretched(passphrase, rest[:SALT_BYTES]), rest[SALT_BYTES:], KEYS_WORD)
    except (InvalidTag, ValueError):
        raise BadBackup("the passphrase is another one, or the file is damaged") from None
    master, copied = msgspec.msgpack.decode(plain, type=tuple[bytes, Copied])
    given = settings.master_key
    if given is None and not settings.key_file.exists():
        _write_master(settings.key_file, master)
    if master_key(settings.key_file, given.get_secret_value() if given else None) != master:
        raise KeysUnusable("there is another master key here: move it and its key store aside first")
    store = KeyStore(settings.keys, master)
    try:
        store.take(copied)
        return len(store.copied().keys)
    finally:
        store.close()


# --- the file


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:") as archive:
            yield archive
    except tarfile.TarError:
        raise BadBackup(f"{file.name} is no backup, or its end is missing") from None


def _manifest(archive: tarfile.TarFile) -> Manifest:
    with _member(archive, MANIFEST) as member:
        try:
            manifest = msgspec.json.decode(member.read(MOST_MANIFEST), type=Manifest)
        except msgspec.DecodeError:
            raise BadBackup("its manifest cannot be read") from None
    if manifest.format != FORMAT or manifest.dialect not in MEMBERS:
        raise BadBackup(f"a backup of format {manifest.format}: this program reads format {FORMAT}")
    return manifest


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    try:
        found = archive.extractfile(name)
    except KeyError:
        found = None
    if found is None:
        raise BadBackup(f"it has no {name}: no backup of ours, or its end is missing")
    return found


def _extracted(archive: tarfile.TarFile, manifest: Manifest, folder: Path) -> Path:
    """The database's copy, whole and as it was written."""
    # under a name of ours, whatever the archive calls it
    target = folder / MEMBERS[manifest.dialect]
    left = manifest.size
    with _member(archive, target.name) as source, target.open("wb") as out:
        try:
            while left > 0 and (block := source.read(min(left, 1 << 20))):
                out.write(block)
                left -= len(block)
        except OSError:  # as tarfile says that the end is missing
            left = -1
    if left or _digest(target) != manifest.sha256:
        raise BadBackup("it is damaged: its checksum is another one")
    return target


@contextmanager
def _private(file: Path) -> Iterator[IO[bytes]]:
    """A new file that only we read, on the disk at the end."""
    file.touch(mode=0o600, exist_ok=False)
    with file.open("wb") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _seal(database: Database, manifest: Manifest) -> str:
    plain: Mapping[str, object] = {**msgspec.to_builtins(manifest), "seal": ""}
    return database.vault.purpose("backup").digest(json.dumps(plain, sort_keys=True))


def _head(database: Database) -> Head:
    """The audit's end as it is known before the restore."""
    try:
        return audit.kept_head(database.vault)
    except NoHead:
        return Head(0, audit.GENESIS)


@contextmanager
def _noted(database: Database, action: str) -> Iterator[None]:
    """Note in the audit what came of it."""
    try:
        yield
    except (KioskError, StoreError, OSError):
        with suppress(AuditDown):
            note(database, Entry(CLI, NO_ROLE, action, "database", outcome="failed"))
        raise
    note(database, Entry(CLI, NO_ROLE, action, "database"))


# --- keys


def _master(settings: Settings) -> bytes:
    given = settings.master_key
    return master_key(settings.key_file, given.get_secret_value() if given else None)


def _write_master(path: Path, master: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _private(path) as out:
        out.write(base64.b64encode(master) + b"\n")


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P).derive(passphrase.encode())

"""What is encrypted at rest, and how it is read: boxes for a patient, a session, a purpose."""

import hashlib
import hmac
import secrets
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from api.store.keys import NONCE_BYTES, Destroyed, KeyStore, Kind, master_key
from kiosk.errors import KioskError
from kiosk.settings import Settings

FORGET_AFTER = 30.0
"""Seconds that a key is remembered: an erasure in another process is complete after that."""
MOST_KEYS = 10_000

__all__ = ["Box", "Destroyed", "Tampered", "Vault", "vault_of"]


class Tampered(KioskError):
    """What was stored is not what was sealed: damaged, moved, or under another key."""


@dataclass(frozen=True, slots=True)
class Box:
    """Seals and opens under one key. `where` names the place, so that a sealed value opens nowhere else."""

    _key: bytes = field(repr=False)
    _cipher: AESGCM = field(repr=False, compare=False)
    """Made once: that takes longer than to seal a chunk."""

    @classmethod
    def under(cls, key: bytes) -> Self:
        """The box of a key."""
        return cls(key, AESGCM(key))

    def seal(self, data: bytes, where: str) -> bytes:
        """Encrypted, to be stored at a place."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, where.encode())

    def open(self, sealed: bytes, where: str) -> bytes:
        """What was sealed there, or Tampered."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], where.encode())
        except (InvalidTag, ValueError):
            raise Tampered("what is stored there is not what was sealed") from None

    def digest(self, *parts: str) -> str:
        """A keyed hash: equal for equal parts, and saying nothing without the key."""
        text = "\0".join(parts).encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


class Vault:
    """Boxes by what they are for. Safe to use from several threads."""

    def __init__(self, open_keys: Callable[[], KeyStore]) -> None:
        self._open_keys = open_keys
        self._keys: KeyStore | None = None
        self._lock = threading.RLock()
        self._known: OrderedDict[tuple[Kind, str], tuple[float, Box]] = OrderedDict()
        self._destroyed = 0
        """How often something was destroyed by this one."""

    @classmethod
    def to(cls, settings: Settings) -> Self:
        """The vault that the settings describe."""

        def open_keys() -> KeyStore:
            given = settings.master_key
            return KeyStore(settings.keys, master_key(settings.key_file, given.get_secret_value() if given else None))

        return cls(open_keys)

    @property
    def keys(self) -> KeyStore:
        """The key store, opened when it is needed first: who only looks makes no keys."""
        with self._lock:
            if self._keys is None:
                self._keys = self._open_keys()
            return self._keys

    def close(self) -> None:
        """Forget everything, and let go of the key store."""
        with self._lock:
            self._known.clear()
            if self._keys is not None:
                self._keys.close()
                self._keys = None

    def session(self, session: str) -> Box:
        """A session's box; Destroyed when it was erased."""
        return self._box("session", session)

    def patient(self, patient: str) -> Box:
        """A patient's box; Destroyed when they were erased."""
        return self._box("patient", patient)

    def purpose(self, name: str) -> Box:
        """A box for what is nobody's: the index of identities, the audit's chain, second factors."""
        return self._box("purpose", name)

    def index(self, clinic: str, kind: str, text: str) -> str:
        """The keyed hash of what somebody is called, equal however it is written: case, accents, blanks."""
        plain = unicodedata.normalize("NFKD", text.casefold())
        letters = "".join(each for each in plain if not unicodedata.combining(each))
        return self.purpose("index").digest(clinic, kind, " ".join(letters.split()))

    def is_erased(self, kind: Kind, name: str) -> bool:
        """Whether its key was destroyed."""
        return self.keys.is_erased(kind, name)

    def assign(self, session: str, patient: str | None) -> None:
        """A session is (no longer) this patient's: erasing the patient erases it."""
        self.keys.assign(session, patient)

    def destroy(self, kind: Kind, names: Iterable[str]) -> None:
        """Destroy keys, the sessions' of a patient too."""
        self.keys.destroy(kind, names)
        with self._lock:
            self._destroyed += 1
            self._known.clear()

    def _box(self, kind: Kind, name: str) -> Box:
        now = time.monotonic()
        with self._lock:
            known = self._known.get((kind, name))
            if known is not None and now - known[0] < FORGET_AFTER:
                return known[1]
            destroyed = self._destroyed
        try:
            box = Box.under(self.keys.find_or_make(kind, name))
        except Destroyed:
            with self._lock:
                self._known.pop((kind, name), None)
            raise
        with self._lock:
            # an erasure that came between must not be undone by what was read before it
            if destroyed == self._destroyed:
                self._known[kind, name] = (now, box)
                self._known.move_to_end((kind, name))
            while len(self._known) > MOST_KEYS:
                self._known.popitem(last=False)
        return box


def vault_of(db: Session) -> Vault:
    """The vault that belongs to a transaction's database."""
    vault: Vault = db.info["vault"]
    return vault

"""Passwords: how they are kept, and which are good enough."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

LEAST, MOST = 12, 128
"""Characters. NIST SP 800-63B-4 (2025) section 3.1.1.2 asks for 15 where nothing else is asked and for 8 beside a
second factor; that at least 64 are allowed; for no rules about kinds of characters, and for no expiry."""
AT_ONCE = 2
"""How many are hashed at the same time: each takes MEMORY_KIB, and a core."""
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
"""OWASP Password Storage Cheat Sheet (2024), argon2id: m=19 MiB, t=2, p=1."""
UNKNOWN_AT_LEAST = 8
"""Characters that must remain beside words that everybody guesses first."""
COMMON = frozenset(
    {
        "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh", "admin", "administrator", "asdf", "asdfgh", "autumn",
        "azerty", "banana", "baseball", "batman", "changeme", "charlie", "cheese", "clinic", "company", "computer",
        "contrasena", "cookie", "december", "default", "demo", "doctor", "dragon", "flower", "football", "freedom",
        "friday", "fruehling", "geheim", "ginger", "golden", "guest", "hallo", "health", "heart", "hello", "herbst",
        "hospital", "hunter", "iloveyou", "internet", "january", "jordan", "killer", "kiosk", "klinik", "krankenhaus",
        "letmein", "login", "love", "master", "medical", "medizin", "michael", "monday", "money", "monkey",
        "motdepasse", "ninja", "nurse", "orange", "p@ssw0rd", "p@ssword", "parola", "passw0rd", "password", "passwort",
        "patient", "pepper", "pokemon", "praxis", "princess", "purple", "qazwsx", "qwerty", "qwertz", "root",
        "screening", "secret", "senha", "shadow", "silver", "sommer", "spring", "starwars", "summer", "sunshine",
        "superman", "test", "testing", "trustno1", "user", "welcome", "whatever", "willkommen", "winter", "yellow",
        "yxcvbn", "zxcvbn",
    }
)  # fmt: skip
"""Words that lists of leaked passwords begin with, in a few languages, and those of this trade. Ours, not complete."""
_RUNS = re.compile(r"(.)\1{2,}|0?123(?:4(?:5(?:6(?:7(?:8(?:90?)?)?)?)?)?)?|9?876(?:5(?:4(?:3(?:2(?:10?)?)?)?)?)?")

_hasher = PasswordHasher(PASSES, MEMORY_KIB, LANES, hash_len=32, salt_len=16, type=Type.ID)


def fault(password: str, known: Iterable[str] = ()) -> str | None:
    """Why a password is not good enough, or None. `known` are words that go with the user: login, names."""
    plain = unicodedata.normalize("NFKC", password)
    if len(plain) < LEAST:
        return (
            f"A password has at least {LEAST} characters. Several words that do not belong together are easy to keep."
        )
    if len(plain) > MOST:
        return f"A password has at most {MOST} characters."
    if len(_without(plain.casefold(), known)) < UNKNOWN_AT_LEAST:
        return "That is mostly your name, or words and sequences that are guessed first."
    return None


def _without(text: str, known: Iterable[str]) -> str:
    """What remains of a password when all that is guessed first is taken out of it."""
    own = (part.casefold() for name in known for part in re.split(r"[\W_]+", name) if len(part) > 2)
    for word in sorted({*COMMON, *own}, key=lambda word: (-len(word), word)):
        text = text.replace(word, "")
    text = re.sub(r"[\W_]+", "", _RUNS.sub("", text))
    half = len(text) // 2
    # the same thing twice is that thing
    return text[:half] if half and text[:half] == text[half:] else text


def hash_of(password: str) -> str:
    """What is stored of a password: argon2id, in its own encoding. It takes long, on purpose."""
    return _hasher.hash(unicodedata.normalize("NFKC", password))


def verify(hashed: str, password: str) -> bool:
    """Whether it is the password. It takes long, on purpose."""
    try:
        return _hasher.verify(hashed, unicodedata.normalize("NFKC", password))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(hashed: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return _hasher.check_needs_rehash(hashed)


@cache
def _nobodys() -> str:
    return hash_of("nobody has this password")


class Hashing:
    """Hashes in threads, few at once, while other requests go on."""

    def __init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(AT_ONCE)

    async def matches(self, hashed: str | None, password: str) -> bool:
        """Whether it is the password. Where there is none, the same work is done for nothing."""
        return await anyio.to_thread.run_sync(_matches, hashed, password, limiter=self._limiter)

    async def hash(self, password: str) -> str:
        """What is stored of it."""
        return await anyio.to_thread.run_sync(hash_of, password, limiter=self._limiter)


def _matches(hashed: str | None, password: str) -> bool:
    right = verify(hashed or _nobodys(), password)
    return right and hashed is not None

"""The tables of the key store, and their rows as a backup carries them."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table

Kind = Literal["patient", "session", "purpose"]

TABLES = MetaData()
KEYS = Table(
    "keys",
    TABLES,
    Column("kind", String(16), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("under", String(64), index=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)
ERASED = Table(
    "erased",
    TABLES,
    Column("kind", String(16), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("erased_ns", BigInteger, nullable=False),
)
MARKS = Table(
    "marks",
    TABLES,
    Column("name", String(16), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)


class KeyCopy(NamedTuple):
    """A key as it stands here: wrapped."""

    kind: Kind
    id: str
    under: str | None
    wrapped: bytes
    created_ns: int


class Tombstone(NamedTuple):
    """That a key was destroyed."""

    kind: Kind
    id: str
    erased_ns: int


@dataclass(frozen=True, slots=True)
class Copied:
    """A key store's contents."""

    keys: list[KeyCopy]
    erased: list[Tombstone]
    marks: dict[str, bytes]

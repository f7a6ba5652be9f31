"""What is searched, and what is found: words of every kind of resource."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from kiosk.messages import SECOND

LEAST, MOST = -(2**63), 2**63 - 1
WINDOW_NS: Final = 30 * SECOND
"""How much electrocardiogram one resource holds: chunks that begin within it."""
Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]


@dataclass(frozen=True, slots=True)
class Span:
    """A date as it was asked for: nanoseconds since 1970, the end not included."""

    prefix: Prefix
    start: int
    end: int


class Place(NamedTuple):
    """A resource that there is."""

    key: str
    row: int | None
    """The row that it is made of, where a number tells it."""
    part: int | None
    session: str | None
    patient: str | None
    at: int
    updated: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which resources of a kind. None is any."""

    clinic: str | None
    """Of this clinic alone."""
    sharing: bool = False
    """Of patients alone who agree that it is shared."""
    patients: frozenset[str] | None = None
    sessions: frozenset[str] | None = None
    keys: frozenset[str] | None = None
    columns: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    """What else a kind of resource can be searched by: code, status, identifier."""
    dates: tuple[tuple[Span, ...], ...] = ()
    """All of them, each by one of its alternatives."""
    updated: tuple[tuple[Span, ...], ...] = ()
    by: Literal["at", "updated"] = "at"
    descending: bool = True
    after: tuple[int, str] | None = None
    limit: int = 50

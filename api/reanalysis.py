"""Which stored sessions are to be analysed again: a condition in words, and the sessions that it fits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from api.store import Database, reanalysis
from api.store.reanalysis import Candidate
from kiosk.errors import KioskError
from kiosk.messages import SECOND

_TERM = re.compile(r"(?P<name>[a-z]+)(?P<sign>[=<])(?P<value>\S+)")
_NUMBERED = re.compile(r"(?P<name>.+)-(?P<number>\d+)")
_EQUAL = ("session", "kiosk", "patient", "clinic", "protocol", "outcome")
WORDS = (*(f"{name}=" for name in _EQUAL), "since=", "until=", "version=", "version<", "method=", "method<")


class BadCondition(KioskError):
    """A condition that nobody understands."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Which sessions: what their rows must equal, when they were first heard of, what their newest analysis is of."""

    equal: tuple[tuple[str, str], ...] = ()
    since_ns: int | None = None
    until_ns: int | None = None
    version: str | None = None
    below_version: str | None = None
    method: str | None = None
    below_method: str | None = None

    def fits(self, candidate: Candidate) -> bool:
        """Whether the newest analysis is one that is meant."""
        return (
            (self.version is None or candidate.version == self.version)
            and (self.below_version is None or _numbers(candidate.version) < _numbers(self.below_version))
            and (self.method is None or self.method in _parts(candidate))
            and (self.below_method is None or any(map(self._is_older, _parts(candidate))))
        )

    def _is_older(self, part: str) -> bool:
        assert self.below_method is not None
        mine, wanted = _NUMBERED.fullmatch(part), _NUMBERED.fullmatch(self.below_method)
        if mine is None or wanted is None or mine["name"] != wanted["name"]:
            return False
        return int(mine["number"]) < int(wanted["number"])


def condition(words: str) -> Condition:
    """From words as `kiosk=k1 since=2026-01-01 method<pan-tompkins-2`; all of them must hold."""
    equal: list[tuple[str, str]] = []
    rest: dict[str, str] = {}
    if not words.split():
        raise BadCondition(f"say which sessions: {' '.join(WORDS)} (since=1970-01-01 is all of them)")
    for word in words.split():
        term = _TERM.fullmatch(word)
        if term is None or f"{term['name']}{term['sign']}" not in WORDS:
            raise BadCondition(f"{word!r} is none of {' '.join(WORDS)}")
        if term["name"] in _EQUAL:
            equal.append((term["name"], term["value"]))
        else:
            rest[f"{term['name']}{term['sign']}"] = term["value"]
    below = rest.get("method<")
    if below is not None and _NUMBERED.fullmatch(below) is None:
        raise BadCondition(f"method<{below}: a method ends in its number, as pan-tompkins-2")
    return Condition(
        tuple(equal),
        since_ns=_moment(rest.get("since=")),
        until_ns=_moment(rest.get("until=")),
        version=rest.get("version="),
        below_version=rest.get("version<"),
        method=rest.get("method="),
        below_method=below,
    )


def fitting(database: Database, wanted: Condition, *, after: str | None = None) -> Iterator[str]:
    """Analysed sessions that fit, in the order in which they were first heard of; `after` one of them."""
    with database.reading() as db:
        place = reanalysis.place_of(db, after) if after is not None else None
    if after is not None and place is None:
        raise BadCondition(f"there is no session {after}")
    while True:
        with database.reading() as db:
            found = reanalysis.candidates(
                db,
                equal=wanted.equal,
                since=wanted.since_ns,
                until=wanted.until_ns,
                after=place,
                methods=wanted.method is not None or wanted.below_method is not None,
            )
        yield from (each.session for each in found if wanted.fits(each))
        if not found:
            return
        place = (found[-1].first_seen_ns, found[-1].session)


def _parts(candidate: Candidate) -> set[str]:
    return {part for method in candidate.methods for part in method.split("+")}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _moment(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise BadCondition(f"{text!r} is no date as 2026-01-31") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return round(when.timestamp()) * SECOND

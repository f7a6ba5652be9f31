"""Beats corrected by hand: what a list of corrections makes of the beats that were found, and which cannot be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from analytics.intervals import POSSIBLE
from kiosk.errors import KioskError
from kiosk.messages import SECOND

NEAR = 0.05
"""Seconds from the time named within which the beat that is meant is looked for: less than half of the shortest
interval, so that it is never another one."""
FEWEST = 2
"""Beats that must be left: fewer have no interval."""

Kind = Literal["add", "remove", "move"]


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person did to one beat, in nanoseconds since the session's origin."""

    kind: Kind
    time: int
    """Where the beat is, or shall be."""
    to: int | None = None
    """Where a moved one is then."""


def correction(kind: str, time: int, to: int | None = None) -> Correction:
    """One as it is stored."""
    return Correction(cast("Kind", kind), time, to)


@dataclass(frozen=True, slots=True)
class Applied:
    """Beats after corrections."""

    beats: tuple[float, ...]
    """Seconds, rising."""
    count: int
    """Corrections that found what they speak of."""
    missed: tuple[int, ...]
    """Places in the list of those that did not: another version of the analysis may have no such beat."""


class Impossible(KioskError):
    """Corrections that no heart, or not this recording, allows; `place` is the one to blame in its list."""

    def __init__(self, place: int, why: str) -> None:
        super().__init__(why)
        self.place = place
        self.why = why


def applied(found: Iterable[float], corrections: Sequence[Correction]) -> Applied:
    """The beats that were found, with corrections in their order. A beat is named by a time within 50 ms of it."""
    beats = sorted(found)
    missed = []
    for place, each in enumerate(corrections):
        time = each.time / SECOND
        if each.kind != "add":
            nearest = _nearest(beats, time)
            if nearest is None:
                missed.append(place)
                continue
            del beats[nearest]
        if each.kind != "remove":
            beats = sorted((*beats, time if each.to is None else each.to / SECOND))
    return Applied(tuple(beats), len(corrections) - len(missed), tuple(missed))


def check(found: Iterable[float], before: Sequence[Correction], new: Sequence[Correction], end: int) -> None:
    """Raise Impossible where new corrections, after those before them, name no beat, leave the session, or set beats
    closer than 0.2 s (300 per minute) to another."""
    beats = applied(found, before).beats
    for place, each in enumerate(new):
        target = each.to if each.kind == "move" else each.time
        if target is None or not (0 <= each.time <= end and 0 <= target <= end):
            raise Impossible(place, f"outside the session, which has {end / SECOND:.3f} s")
        one = applied(beats, [each])
        if one.missed:
            raise Impossible(place, f"no beat within {NEAR * 1000:.0f} ms of {each.time / SECOND:.3f} s")
        beats = one.beats
    for place, each in enumerate(new):
        target = each.to if each.kind == "move" else each.time
        if each.kind == "remove" or target is None:
            continue
        near = np.abs(np.asarray(beats) - target / SECOND)
        # its own place may be empty again: a later correction of the same request may have moved or removed it
        if near.size and near.min() < 1e-9 and (near < POSSIBLE[0] - 1e-9).sum() > 1:
            raise Impossible(place, f"less than {POSSIBLE[0]} s from another beat: no heart beats so fast")
    if len(beats) < FEWEST:
        raise Impossible(len(new) - 1, "fewer than two beats would be left")


def _nearest(beats: Sequence[float], time: float) -> int | None:
    if not beats:
        return None
    away = np.abs(np.asarray(beats) - time)
    nearest = int(away.argmin())
    return nearest if away[nearest] <= NEAR else None

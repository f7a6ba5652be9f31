"""When the eyes were closed and open, as a camera beside the EEG saw it, or as somebody marked it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from analytics.face.fatigue import CLOSED, HOLE, LONGEST
from kiosk.messages import SECOND
from kiosk.recording import Mark, Track

EYES = "au43"
"""The action unit of closed eyes, 0 to 5."""
SETTLED = 0.5
"""Seconds left out after the lids moved: the camera's delay, and alpha that comes and goes."""
BY_HAND = 1.0
"""Seconds left out on either side of a mark: it is set before eyes obey a word, or after they were seen to move. A
spoken word lasts half of it, and an answer to it takes a fifth (simple reaction: Luce 1986, ISBN 0-19-503642-5)."""
SHORTEST = 2.0
"""Seconds of the shortest time that is of use: a window of the spectra."""
_EYES = frozenset({"eye", "eyes"})
_STATES = {"closed": True, "close": True, "shut": True, "open": False, "opened": False}
_WHOLE = {"ec": True, "eyesclosed": True, "eo": False, "eyesopen": False}
_BESIDE = frozenset({
    "annotation", "baseline", "begin", "block", "comment", "condition", "event", "marker", "on", "rest", "resting",
    "start", "state", "stimulus", "the", "with", "your",
})  # fmt: skip
"""Words that change nothing: `Comment/` is what BrainVision puts before a text."""


@dataclass(frozen=True, slots=True)
class Lids:
    """A time in which the eyes were closed, or open, in nanoseconds since the recording's origin."""

    start: int
    end: int
    closed: bool
    marked: bool = False
    """Whether somebody said so, and nobody saw."""


def lids(units: Track) -> tuple[Lids, ...]:
    """The stretches of a track of action units in which the eyes were closed, or open but for blinks."""
    if EYES not in units.channels:
        return ()
    eyes = units.channel(EYES)
    there = np.isfinite(eyes)
    times, closed = units.times[there], eyes[there] >= CLOSED
    if len(times) < 2:
        return ()
    # a change of the eyes ends a stretch, and so does a hole in which nobody looked
    breaks = np.flatnonzero((np.diff(closed.astype(np.int8)) != 0) | (np.diff(times) > HOLE * SECOND)) + 1
    runs = [
        Lids(int(times[begin]), int(times[end - 1]), bool(closed[begin]))
        for begin, end in zip([0, *breaks.tolist()], [*breaks.tolist(), len(times)], strict=True)
    ]
    found = list[Lids]()
    for run in _without_blinks(runs):
        start = run.start + round(SETTLED * SECOND)
        if start < run.end:
            found.append(Lids(start, run.end, run.closed))
    return tuple(found)


def marked(marks: Iterable[Mark], track: Track) -> tuple[Lids, ...]:
    """The stretches of a track in which marks say that the eyes were closed, or open.

    Each lasts until the next mark of the eyes, for its own duration, or to the track's end. A mark of the eyes that
    nobody can be sure about, or two at a time that contradict each other, say neither.
    """
    if not len(track.times):
        return ()
    first, end = int(track.times[0]), int(track.times[-1]) + (round(SECOND / track.rate) if track.rate else 0)
    told = sorted(((mark, eyes) for mark in marks if (eyes := _eyes(mark.text))), key=lambda each: each[0].time)
    times = [(time, list(same)) for time, same in groupby(told, key=lambda each: each[0].time)]
    margin, found = round(BY_HAND * SECOND), list[Lids]()
    for (time, same), (following, _) in pairwise([*times, (end + margin, [])]):
        closed = {state for _, states in same for state in states}
        lasting = min((mark.duration for mark, _ in same if mark.duration > 0), default=np.inf)
        until = min(following, end + margin, time + lasting * SECOND)
        start, stop = max(first, time + margin), min(end, int(until) - margin)
        if len(closed) == 1 and stop - start >= SHORTEST * SECOND:
            found.append(Lids(start, stop, closed.pop(), marked=True))
    return tuple(found)


def _eyes(text: str) -> frozenset[bool]:
    """Closed, open, or both where a text is of the eyes and does not say which; nothing where it is of other things."""
    words = {word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", text)} - _BESIDE
    short = words & _WHOLE.keys()
    if not short and not (words & _EYES and any(word.startswith(("clos", "shut", "open")) for word in words)):
        return frozenset()
    states = {_STATES[word] for word in words & _STATES.keys()} | {_WHOLE[word] for word in short}
    understood = len(states) == 1 and words <= _EYES | _STATES.keys() | _WHOLE.keys()
    return frozenset(states) if understood else frozenset({True, False})


def _without_blinks(runs: list[Lids]) -> list[Lids]:
    """A short closure between two open stretches is a blink and belongs to them."""
    joined = list[Lids]()
    for run in runs:
        blink = run.closed and run.end - run.start <= LONGEST * SECOND
        if blink and joined and not joined[-1].closed and run.start - joined[-1].end <= HOLE * SECOND:
            run = Lids(joined[-1].start, run.end, closed=False)  # noqa: PLW2901
            joined.pop()
        elif joined and joined[-1].closed is run.closed and run.start - joined[-1].end <= HOLE * SECOND:
            run = Lids(joined[-1].start, run.end, run.closed)  # noqa: PLW2901
            joined.pop()
        joined.append(run)
    return joined

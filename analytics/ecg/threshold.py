"""The adaptive threshold: which candidates are beats. One function says how high the bar is, one object remembers.

After Pan & Tompkins 1985 (doi:10.1109/TBME.1985.325532), with order statistics in place of running means: the
level is the third smallest of the last eight beats, so that neither artefacts nor large ectopic beats lift it over
the normal ones; but at least a third of the third largest, so that T waves once taken for beats cannot pull it down.
Instead of searching back, which costs delay, the bar sinks while no beat comes.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

SHARE = 0.33
"""Of the level that a candidate must reach."""
REPOLARISATION = 0.36
"""Seconds after a beat within which a T wave may follow..."""
T_SHARE = 0.5
"""... and the share of that beat which a candidate must reach then."""
FLOORS = 2.2
"""Times the floor that any beat must reach: the maxima of plain noise lie at 2 to 3."""
LEAST = 0.3
"""mV/s: slopes of a 20 uV complex."""
PATIENCE = 1.5
"""Usual intervals without a beat after which the bar begins to sink..."""
SINKING = 0.8
"""... by a factor of e in these seconds."""
SILENCE = 4.0
"""Seconds without a beat after which the level is learnt anew."""
LEARNING = 3.0
"""Seconds of candidates from which the level is learnt: two beats even at 40 per minute."""
HEIGHTS = 8
LARGE = 0.3
"""Of the third largest beat that the level is at least."""
HALF = 0.5
ARTEFACT = 4.0
"""Times the second highest candidate from which the highest one alone is half believed, while learning."""
USUAL = 0.8
"""Seconds between beats before any are known."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A maximum of the energy: its index in the stream, its time in seconds, its height in mV/s."""

    index: int
    seconds: float
    height: float


def bar(*, level: float, usual: float, since: float, before: float, floor: float) -> float:
    """The height that a candidate must reach, `since` seconds after a beat of height `before`."""
    share = SHARE * level
    if since < REPOLARISATION:
        share = max(share, T_SHARE * before)
    elif since > PATIENCE * usual:
        share *= float(np.exp(-(since - PATIENCE * usual) / SINKING))
    return max(share, FLOORS * floor, LEAST)


def learnt(heights: list[float]) -> float | None:
    """A first level: the second highest candidate, since the highest may be an artefact - or the only beat."""
    high = sorted((height for height in heights if height >= LEAST), reverse=True)
    if not high:
        return None
    return high[1] if len(high) > 1 and ARTEFACT * high[1] >= high[0] else HALF * high[0]


def level_of(heights: list[float]) -> float:
    """The level of the last beats, at least three."""
    ordered = sorted(heights)
    place = min(2, (len(ordered) - 1) // 2)
    return max(ordered[place], LARGE * ordered[-1 - place])


class Threshold:
    """Decides candidate by candidate, block by block; beats are known at once except while learning."""

    def __init__(self) -> None:
        self._heights: deque[float] = deque(maxlen=HEIGHTS)
        self._intervals: deque[float] = deque(maxlen=HEIGHTS)
        self._recent: deque[tuple[Candidate, float]] = deque()
        self._last: Candidate | None = None
        self._level: float | None = None
        self._since = 0.0
        self._begun: float | None = None

    def block(self, until: float, found: list[Candidate], floor: float) -> list[Candidate]:
        """The beats among the candidates up to `until` seconds."""
        if self._begun is None:
            self._begun = until
        self._recent.extend((candidate, floor) for candidate in found)
        while self._recent and self._recent[0][0].seconds < until - LEARNING:
            self._recent.popleft()
        if self._level is None:
            return self._learn(until)
        beats = [candidate for candidate in found if self._decide(candidate, floor)]
        if until - self._since > SILENCE:
            level = learnt([candidate.height for candidate, _ in self._recent])
            if level is not None:
                self._heights.clear()
                self._level = level
                self._since = until
        return beats

    def _learn(self, until: float) -> list[Candidate]:
        assert self._begun is not None
        if until - self._begun < LEARNING:
            return []
        self._level = learnt([candidate.height for candidate, _ in self._recent])
        if self._level is None:
            return []
        self._since = until
        return [candidate for candidate, floor in self._recent if self._decide(candidate, floor)]

    def _decide(self, candidate: Candidate, floor: float) -> bool:
        assert self._level is not None
        last = self._last
        since = candidate.seconds - last.seconds if last else USUAL
        usual = sorted(self._intervals)[len(self._intervals) // 2] if self._intervals else USUAL
        before = last.height if last else 0.0
        if candidate.height < bar(level=self._level, usual=usual, since=since, before=before, floor=floor):
            return False
        if last and since < 2 * USUAL + SINKING:
            self._intervals.append(since)
        self._last, self._since = candidate, candidate.seconds
        self._heights.append(candidate.height)
        if candidate.height < SHARE * self._level:
            # the bar had sunk to it: the signal has become smaller, and such a beat counts twice
            self._heights.append(candidate.height)
        if len(self._heights) >= 3:
            self._level = level_of(list(self._heights))
        return True

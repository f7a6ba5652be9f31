"""A person's face at rest, learnt while it is watched.

It begins with the median of the first seconds - leant towards the population where somebody sits down laughing - and
then follows the face slowly, but only while the face is calm. The eyes' opening follows an upper quantile instead: a
blink is no rest.
"""

from typing import Final

import numpy as np

from sensors.face.units.distances import PLACE, REST, SPREAD, Floats

READY = 1.0
"""Seconds of a face before its units are published: before that they would tell its build, not its movement."""
BASELINE = 5.0
"""Seconds of which the first rest is the median."""
MOST_OFF = 2.5
"""Spreads between people: a first rest further from the population's is an expression, not a build."""
FOLLOWS = 60.0
"""Seconds in which a calm face pulls its rest along."""
CALM = 1.0
"""Mean square of changes, in spreads, up to which a face is calm."""
MOST_PICTURES = 600
"""Kept for the baseline, whatever the frame rate."""
LONGEST_STEP = 0.5
"""Seconds that one picture may stand for."""
SECOND = 1_000_000_000

_EYES: Final = PLACE["aperture"]
_OPEN = 0.75
"""Quantile of the eyes' opening that is their rest."""


class Neutral:
    """The rest of one person's face."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._last = 0
        self._seen: list[Floats] = []
        self._rest: Floats = REST.copy()

    def rest(self, found: Floats, at: int) -> Floats | None:
        """The rest that this picture is to be held against, after it; None while the face is too new."""
        if self._first is None:
            self._first = self._last = at
        step = min(max(0.0, (at - self._last) / SECOND), LONGEST_STEP)
        self._last = max(self._last, at)
        age = (self._last - self._first) / SECOND
        if age <= BASELINE:
            self._baseline(found)
        else:
            self._follow(found, step)
        return self._rest.copy() if age >= READY else None

    def _baseline(self, found: Floats) -> None:
        self._seen.append(found)
        if len(self._seen) > MOST_PICTURES:
            self._seen = self._seen[::2]
        seen = np.array(self._seen)
        middle = np.median(seen, axis=0)
        middle[_EYES] = np.quantile(seen[:, _EYES], _OPEN)
        self._rest = REST + np.clip(middle - REST, -MOST_OFF * SPREAD, MOST_OFF * SPREAD)

    def _follow(self, found: Floats, step: float) -> None:
        change = found - self._rest
        away = change / SPREAD
        away[_EYES] = 0.0
        if float(np.mean(away**2)) > CALM:
            return
        share = step / FOLLOWS
        eyes = self._rest[_EYES]
        self._rest = self._rest + share * change
        # moves up by q and down by 1 - q: it settles where a share q lies below
        up = _OPEN if change[_EYES] > 0 else _OPEN - 1.0
        self._rest[_EYES] = eyes + share * up * 2.0 * SPREAD[_EYES] if change[_EYES] != 0 else eyes

"""What this heart's complexes look like, and how far a candidate looks like one of them.

Matched filtering with several templates: of the beats that stand out best, those with fellows of the same shape give
a mean shape each, so that ectopic beats have their own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.ecg.candidates import Seen

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Shapes = NDArray[np.float32]

ALIKE = 0.8
"""Correlation from which two beats have one shape."""
FELLOWS, SHARE = 3, 0.02
"""Beats, and share of all, that make a shape usual."""
MOST = 6
"""Usual shapes."""
SAMPLE = 300
"""Beats that are compared with each other."""
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like the most similar usual shape each candidate is."""

    correlation: Floats
    size: Floats
    """Logarithm of what the matched filter says."""


def likeness(seen: Seen, chosen: Indices, beats: Indices) -> Likeness:
    """Of the chosen candidates, with the usual shapes of those that are taken for beats."""
    usual = _usual(seen, beats)
    rows = seen.shape[chosen]
    if not len(usual) or not len(rows):
        return Likeness(np.zeros(len(rows)), np.full(len(rows), np.log(_TINY)))
    width = usual.shape[1]
    best = np.full(len(rows), -np.inf)
    size = np.full(len(rows), _TINY)
    for lag in range(2 * seen.slack + 1):
        part = rows[:, lag : lag + width]
        # the templates have no mean: that of the rows falls out
        match = part @ usual.T
        spread = np.sqrt(np.maximum((part**2).sum(axis=1) - part.sum(axis=1) ** 2 / width, _TINY**2))
        nearest = np.argmax(match, axis=1)
        top = match[np.arange(len(rows)), nearest]
        score = top / spread
        better = score > best
        best = np.where(better, score, best)
        size = np.where(better, top, size)
    return Likeness(best, np.log(np.maximum(size, _TINY)))


def _usual(seen: Seen, beats: Indices) -> Shapes:
    """Unit mean shapes of the beats, the commonest first."""
    if len(beats) > SAMPLE:
        beats = beats[np.linspace(0, len(beats) - 1, SAMPLE).astype(np.intp)]
    slack = seen.slack
    rows = _unit(seen.shape[beats][:, slack : seen.shape.shape[1] - slack])
    alike = rows @ rows.T > ALIKE
    left = np.ones(len(rows), dtype=np.bool_)
    found: list[Shapes] = []
    while len(found) < MOST and left.any():
        fellows = (alike & left).sum(axis=1) * left
        leader = int(np.argmax(fellows))
        if fellows[leader] < max(FELLOWS, SHARE * len(rows)):
            break
        members = alike[leader] & left
        mean = _unit(rows[members].mean(axis=0, keepdims=True))
        members |= ((rows @ mean[0]) > ALIKE) & left
        found.append(_unit(rows[members].mean(axis=0, keepdims=True))[0])
        left &= ~members
    return np.array(found, dtype=np.float32).reshape(len(found), rows.shape[1])


def _unit(rows: Shapes) -> Shapes:
    rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(np.sqrt((rows**2).sum(axis=1, keepdims=True)), _TINY), dtype=np.float32)

"""What windows say, and what a recording says by them: one number, or the reason why most of them have none."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics.analyzer import Finding
from analytics.beats import Flags, Floats
from kiosk.measures import Reason
from kiosk.messages import SECOND

SHORTEST = 30.0
"""Seconds of signal that it takes."""
WINDOWS = (32.0, 64.0)
"""Seconds of a window; the long one for breath so slow that too few breaths fit into the short one..."""
STEP = 8.0
"""... and from one window to the next..."""
MOST = 300
"""... of which there are about so many at most: those of a day lie further apart."""
GAP = 2.0
"""Seconds without samples from which a stretch ends."""
ANSWERED = 1.0 / 3.0
"""Share of the windows that must have an answer."""
OUTERMOST = 0.1
"""Share of the answers' weight that is left out at either end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Breaths per minute of a window, and how sure that is, 0..1."""

    rate: float
    quality: float


Span = tuple[float, float]
"""Begin and end in seconds since the recording's origin."""


@dataclass(frozen=True, slots=True)
class Breath(Finding):
    """A recording's finding, with what its windows said: how breath went."""

    windows: tuple[tuple[Span, Answer | Reason], ...] = field(default=(), compare=False, repr=False)


Ask = Callable[[Span], Answer | Reason]


def stretches(times: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First and last index (exclusive) of what lies between gaps."""
    breaks = (np.flatnonzero(np.diff(times) > round(GAP * SECOND)) + 1).tolist()
    return list(pairwise([0, *breaks, len(times)])) if len(times) else []


def windows(spans: Sequence[Span]) -> tuple[list[Span], list[Span]]:
    """The short windows of a recording's stretches, and the long ones."""
    step = max(STEP, sum(end - start for start, end in spans) / MOST)
    short, long = ([window for span in spans for window in _windows(span, length, step)] for length in WINDOWS)
    return short, long


def covered(spans: Sequence[Span], margin: float) -> list[Span]:
    """What the windows of a recording's stretches see and some seconds beside it: each moment once, in order."""
    found: list[Span] = []
    for begin, end in sorted(window for each in windows(spans) for window in each):
        if found and begin - margin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end + margin))
        else:
            found.append((begin - margin, end + margin))
    return found


def within(times: Floats, spans: Sequence[Span]) -> Flags:
    """Which of the times lie in one of these spans, which rise."""
    return np.asarray(np.searchsorted(np.array(spans).ravel(), times, side="right") % 2 == 1)


def final(ask: Ask, spans: Sequence[Span], method: str) -> Breath:
    """The mean of the windows' answers, each with the weight of its quality, less the outermost on both sides."""
    start, end = (spans[0][0], spans[-1][1]) if spans else (0.0, 0.0)
    short, long = windows(spans)
    best: list[Answer | Reason] = [ask(window) for window in short] or ["too_short"]
    asked = short
    # among equals the short windows follow a change better; a recording as short as one window is asked once
    if _share(best) < 1.0 and long != short:
        others: list[Answer | Reason] = [ask(window) for window in long]
        if _share(others) > _share(best):
            best, asked = others, long
    said = [each for each in best if isinstance(each, Answer)]
    share = _share(best)
    value: float | None = None
    quality: float | None = None
    absent: Reason | None = None
    if share >= ANSWERED:
        rates, weights = np.array([each.rate for each in said]), np.array([each.quality for each in said])
        value = _middle(rates, weights)
        quality = share * float(weights.mean())
    else:
        absent = Counter(each for each in best if not isinstance(each, Answer)).most_common(1)[0][0]
    return Breath(
        measure="respiration_rate",
        value=value,
        method=method,
        start_ns=round(start * SECOND),
        end_ns=round(end * SECOND),
        quality=quality,
        absent=absent,
        windows=tuple(zip(asked, best, strict=False)),
    )


def _middle(rates: Floats, weights: Floats) -> float:
    """Weighted mean of what lies between the outermost tenths of the weight."""
    order = np.argsort(rates)
    ends = np.concatenate(([0.0], np.cumsum(weights[order]))) / weights.sum()
    kept = np.diff(np.clip(ends, OUTERMOST, 1.0 - OUTERMOST))
    return float(np.average(rates[order], weights=kept))


def _share(found: Sequence[Answer | Reason]) -> float:
    return sum(isinstance(each, Answer) for each in found) / len(found)


def _windows(span: Span, length: float, step: float) -> list[Span]:
    """Windows of this length every step; a span that is shorter, and long enough, is one window."""
    start, end = span
    if end - start < SHORTEST:
        return []
    if end - start <= length:
        return [span]
    count = int((end - start - length) / step + 1e-6) + 1
    return [(start + step * place, start + step * place + length) for place in range(count)]

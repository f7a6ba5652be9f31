"""What a value is compared with: the same person's other measurements, or else published norms."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from analytics import norms
from analytics.stress.evidence import Measured, Part, enough, weight
from kiosk.recording import Baseline, Context

PRIOR = 3.0
"""Sessions that the usual spread of a measure counts for, beside the spread that was seen."""
LIMIT = 3.0
"""Standard deviations beyond which a measure says no more: one artefact must not decide alone."""
NORMS_TRUST = 0.3
"""Of 1: between people most of the spread is constitution, fitness, age and medicine, not stress."""
LONG = 240.0
"""Seconds from which SDNN may be held against five-minute norms; it is systematically smaller in less."""


class Against(Enum):
    """Whom a person was compared with."""

    SESSIONS = "earlier sessions"
    REST = "the recording's own beginning"
    NORMS = "norms"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure beside what is usual."""

    part: Part
    value: float
    usual: float
    z: float
    """Standard deviations above what is usual, within LIMIT."""


@dataclass(frozen=True, slots=True)
class Compared:
    """All measures that could be compared, with one and the same reference."""

    against: Against
    count: int
    """Sessions, or stretches of rest; 0 for norms."""
    comparisons: tuple[Comparison, ...]

    @property
    def weight(self) -> float:
        """Of the systems that are there."""
        return weight(each.part.system for each in self.comparisons)

    @property
    def enough(self) -> bool:
        """Whether an index can rest on it."""
        return enough(each.part.system for each in self.comparisons)

    @property
    def trust(self) -> float:
        """0..1: how well what is usual is known."""
        return NORMS_TRUST if self.against is Against.NORMS else self.count / (self.count + 1)


def compared(evidence: Measured, context: Context, *, seconds: float) -> Compared:
    """With the person's own earlier sessions where they are enough, else with norms."""
    own = with_own(evidence, context.baselines, Against.SESSIONS)
    return own if own.enough else _with_norms(evidence, context, seconds)


def with_own(evidence: Measured, baselines: Iterable[Baseline], against: Against) -> Compared:
    """With the same person's other measurements."""
    known = {each.measure: each for each in baselines}
    pairs = [
        (part, value, known[part.measure])
        for part, value in evidence.measured()
        if part.measure in known and _sane(part, known[part.measure])
    ]
    comparisons = tuple(_beside(part, value, baseline) for part, value, baseline in pairs)
    return Compared(against, min((baseline.sessions for *_, baseline in pairs), default=0), comparisons)


def _beside(part: Part, value: float, baseline: Baseline) -> Comparison:
    """A new measurement's deviation: spread is shrunk to what is usual, and the mean is uncertain, too."""
    count, mean, sd = baseline.sessions, baseline.mean, baseline.sd
    if part.logarithm:
        mean, sd = norms.log_moments(mean, sd)
    variance = (PRIOR * part.usual**2 + (count - 1) * sd**2) / (PRIOR + count - 1) * (1 + 1 / count)
    at = math.log(value) if part.logarithm else value
    return Comparison(
        part, value, math.exp(mean) if part.logarithm else mean, _within((at - mean) / math.sqrt(variance))
    )


def _with_norms(evidence: Measured, context: Context, seconds: float) -> Compared:
    comparisons = []
    for part, value in evidence.measured():
        row = norms.norm(part.measure, age=context.age, sex=context.sex)
        if row is not None and (part.measure != "sdnn" or seconds >= LONG):
            comparisons.append(Comparison(part, value, row.middle(), _within(row.deviation(value))))
    return Compared(Against.NORMS, 0, tuple(comparisons))


def _sane(part: Part, baseline: Baseline) -> bool:
    return baseline.sessions > 0 and part.holds(baseline.mean) and 0 <= baseline.sd <= part.possible[1]


def _within(z: float) -> float:
    return max(-LIMIT, min(LIMIT, z))

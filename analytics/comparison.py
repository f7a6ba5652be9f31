"""What differs between two sessions: by how much, and whether measuring and a person's days explain it."""

import math
from dataclasses import dataclass

from scipy import stats

from analytics import norms
from kiosk.recording import Baseline

FEWEST = 5
"""Other sessions of the person from which it is known how much a measure changes by itself."""
HALF = 0.5
"""Of the usual spread from day to day: the smallest worthwhile change (Buchheit 2014, doi:10.3389/fphys.2014.00073)."""
WORTHWHILE = {"heart_rate": False, "rmssd": True}
"""Measures that it is defined for, and whether on logarithms."""


@dataclass(frozen=True, slots=True)
class Value:
    """A reading with its validated 95 % interval, where it has one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """The second less the first."""

    difference: float
    low: float | None
    """Of its 95 % interval; None where one of the two has none."""
    high: float | None
    usual: float | None
    """Between two of the person's sessions 95 % of differences are smaller (repeatability); None where unknown."""
    worthwhile: float | None
    """The smallest worthwhile change; None where none is defined, or the person is not known well enough."""

    @property
    def measured(self) -> bool | None:
        """Whether it is more than the two measurements leave open; None where nobody knows."""
        return None if self.low is None or self.high is None else not self.low <= 0.0 <= self.high

    @property
    def unusual(self) -> bool | None:
        """Whether it is more than what changes by itself."""
        return None if self.usual is None else abs(self.difference) > self.usual

    @property
    def matters(self) -> bool | None:
        """Whether it reaches the smallest worthwhile change."""
        return None if self.worthwhile is None else abs(self.difference) >= self.worthwhile


def difference(measure: str, first: Value, second: Value, usual: Baseline | None) -> Difference:
    """Of two readings of one measure; `usual` is of the person's other sessions.

    The interval of a difference from those of its two parts, which need not be symmetric: Zou & Donner 2008,
    doi:10.1002/sim.3095. Repeatability is t sqrt(2) SD (Bland & Altman 1999, doi:10.1177/096228029900800204).
    """
    by = second.value - first.value
    low = high = None
    if first.low is not None and first.high is not None and second.low is not None and second.high is not None:
        low = by - math.hypot(second.value - second.low, first.high - first.value)
        high = by + math.hypot(second.high - second.value, first.value - first.low)
    known = usual if usual is not None and usual.sessions >= FEWEST and usual.sd > 0.0 else None
    return Difference(by, low, high, _repeats(known), _worthwhile(measure, first.value, known))


def _repeats(usual: Baseline | None) -> float | None:
    if usual is None:
        return None
    return float(stats.t.ppf(0.975, usual.sessions - 1)) * math.sqrt(2.0) * usual.sd


def _worthwhile(measure: str, first: float, usual: Baseline | None) -> float | None:
    if usual is None or measure not in WORTHWHILE:
        return None
    if not WORTHWHILE[measure]:
        return HALF * usual.sd
    return first * math.expm1(HALF * norms.log_moments(usual.mean, usual.sd)[1])

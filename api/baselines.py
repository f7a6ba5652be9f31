"""A person's own usual: of earlier sessions, what an analysis compares with and what a trend shows. One for both."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

from kiosk.recording import Baseline

FEWEST = 5
"""Earlier sessions below which nothing is called unusual: with four, the range in which the next is expected is wider
than 3.5 standard deviations to either side."""
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Range:
    """Between what a person's next session is expected."""

    low: float
    high: float


def baseline(measure: str, values: Sequence[float]) -> Baseline:
    """Mean, standard deviation and number of what earlier sessions said, at least one."""
    mean = statistics.fmean(values)
    # statistics.stdev is exact, and for that fifty times as slow: a trend has thousands of these
    squares = math.fsum((value - mean) ** 2 for value in values)
    sd = math.sqrt(squares / (len(values) - 1)) if len(values) > 1 else 0.0
    # what is left of equal values is rounding, and no spread
    return Baseline(measure, mean, sd if sd > 1e-9 * abs(mean) else 0.0, len(values))


def expected(usual: Baseline) -> Range | None:
    """The 95 % prediction interval of one more session (normal, unknown mean and SD: mean +- t sd sqrt(1 + 1/n); Hahn &
    Meeker 1991, doi:10.1002/9780470316771); None where there are too few, or all were equal."""
    if usual.sessions < FEWEST or usual.sd <= 0.0:
        return None
    quantile = float(stdtrit(usual.sessions - 1, 0.5 + 0.5 * CONFIDENCE))
    reach = quantile * usual.sd * math.sqrt(1.0 + 1.0 / usual.sessions)
    return Range(usual.mean - reach, usual.mean + reach)

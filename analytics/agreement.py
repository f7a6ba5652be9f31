"""How well two methods agree that measured the same: bias, limits of agreement, and how sure both are.

Bland & Altman 1999, doi:10.1177/096228029900800204: the mean of the differences (bias), and bias - 1.96 SD to bias
+ 1.96 SD, between which 95 % of differences lie where they are about normal. Their 95 % intervals are by Student's t:
of the bias SD / sqrt(n), of a limit SD sqrt(1 / n + 1.96^2 / (2 (n - 1))).

Windows of one person that follow each other are no independent measurements: a method that is wrong now is wrong in the
next window, too. The intervals here therefore count as many windows as there would be of independent ones, by how much
a difference resembles the one before it (Bayley & Hammersley 1946, doi:10.2307/2983560). And one person's windows say
how two methods agree on that person; on people in general only many people's do (`over_people`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analytics.beats import Floats

FEWEST = 6
"""Pairs of windows below which there are no limits: of five, a limit's interval is wider than the limits are apart."""
Z = 1.96
"""Standard deviations on either side that hold 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two methods' windows say of each other; differences are compared less reference."""

    pairs: int
    """Windows that both had."""
    people: int
    bias: Bound
    lower: Bound
    upper: Bound
    sd: float
    """Of the differences."""
    mean_absolute_error: float
    independent: float
    """As many independent windows would be as sure."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Windows of two methods side by side; NaN where one had no value."""

    times: Floats
    reference: Floats
    compared: Floats

    @property
    def both(self) -> "Paired":
        """The windows that both had."""
        there = np.isfinite(self.reference) & np.isfinite(self.compared)
        return Paired(self.times[there], self.reference[there], self.compared[there])

    @property
    def missed(self) -> int:
        """Windows that the reference had and the other had not."""
        return int((np.isfinite(self.reference) & ~np.isfinite(self.compared)).sum())


def paired(reference: tuple[Floats, Floats], compared: tuple[Floats, Floats], window: float) -> Paired:
    """Times and values of two courses as pairs of windows that do not overlap one another."""
    times = np.union1d(np.round(reference[0], 3), np.round(compared[0], 3))
    columns = []
    for at, values in (reference, compared):
        column = np.full(len(times), np.nan)
        column[np.searchsorted(times, np.round(at, 3))] = values
        columns.append(column)
    kept, last = [], -math.inf
    for place, time in enumerate(times.tolist()):
        if time - last >= window - 1e-6:
            kept.append(place)
            last = time
    return Paired(times[kept], columns[0][kept], columns[1][kept])


def of_one(pairs: Paired) -> Agreement | None:
    """How two methods agree on one person; None of fewer than six windows that both had."""
    both = pairs.both
    count = len(both.times)
    if count < FEWEST:
        return None
    differences = both.compared - both.reference
    return _agreement(
        count, 1, float(differences.mean()), float(differences.std(ddof=1)), independent(differences),
        float(np.abs(differences).mean()),
    )  # fmt: skip


def over_people(people: Sequence[Paired]) -> Agreement | None:
    """How they agree on people in general: variance within and between people apart (Bland & Altman 1999, section 5.2).

    The true value varies from window to window. With one-way analysis of variance of the differences by person, the
    variance of a difference is that within people plus that between them; people, not windows, are independent.
    """
    groups = [each.compared - each.reference for pairs in people if len((each := pairs.both).times)]
    counts = np.array([len(each) for each in groups], dtype=np.float64)
    if len(groups) < FEWEST or counts.sum() <= len(groups):
        return None
    total = float(counts.sum())
    everything = np.concatenate(groups)
    middle = float(everything.mean())
    means = np.array([each.mean() for each in groups])
    within = float(sum(((each - each.mean()) ** 2).sum() for each in groups)) / (total - len(groups))
    between = float((counts * (means - middle) ** 2).sum()) / (len(groups) - 1)
    size = (total**2 - float((counts**2).sum())) / ((len(groups) - 1) * total)
    apart = max(0.0, (between - within) / size)
    sd = math.sqrt(within + apart)
    return _agreement(
        int(total), len(groups), middle, sd, float(len(groups)), float(np.abs(everything).mean())
    )  # fmt: skip


def independent(differences: Floats) -> float:
    """As many independent differences would be as sure, by the correlation of each with the next."""
    count = len(differences)
    away = differences - differences.mean()
    square = float(away @ away)
    # what cannot be told apart from none counts as none; a negative one would claim more than there is
    alike = float(away[1:] @ away[:-1]) / square if square > 0 else 0.0
    alike = min(0.99, max(0.0, alike + 1.0 / count))
    return max(2.0, count * (1.0 - alike) / (1.0 + alike))


def _agreement(pairs: int, people: int, bias: float, sd: float, count: float, error: float) -> Agreement:
    spread = float(stats.t.ppf(0.975, max(1.0, count - 1.0)))
    mean = spread * sd / math.sqrt(count)
    limit = spread * sd * math.sqrt(1.0 / count + Z**2 / (2.0 * max(1.0, count - 1.0)))
    lower, upper = bias - Z * sd, bias + Z * sd
    return Agreement(
        pairs=pairs,
        people=people,
        bias=Bound(bias, bias - mean, bias + mean),
        lower=Bound(lower, lower - limit, lower + limit),
        upper=Bound(upper, upper - limit, upper + limit),
        sd=sd,
        mean_absolute_error=error,
        independent=count,
    )

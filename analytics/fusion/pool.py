"""Several numbers for one thing, each with a weight: their mean, and how far it may be off.

Mean c = sum(w x) / W with w = quality / SD^2 and W = sum(w). Variance V = 1 / W + 2 sum(w (x - c)^2) / W: what each
opinion may miss, and what they differ by. The first term falls with every further opinion; the second is not divided
by their number, as it would be in a random-effects mean, so that a contradiction never looks like precision. Thus

* an opinion that joins others (mean c', variance V') narrows the interval exactly where 2 (x - c')^2 (1 - p) < V', with
  p = w / W: so one within .7 standard deviations of the others always does, and one that is far enough off widens it;
* others that are sure of a sign (c'^2 > Z^2 V') have W' |c'| > Z^2 / |c'| >= Z^2 / B, where B is the largest |x|
  possible; an opinion with w <= (Z / B)^2 weighs w |x| <= Z^2 / B at most. So no single one can turn the sign, whatever
  it claims: bounded influence (Hampel 1974, doi:10.2307/2285666), by weights alone, without iterations or a threshold;
* at quality zero an opinion changes nothing, near zero hardly anything, and the order does not matter.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from analytics.fusion.opinions import Z

BETWEEN = 2.0
"""What the squared distances are multiplied by: the variance of two that weigh the same has one degree of freedom. The
usual correction for any number and weights would let the faintest opinion count in full."""


@dataclass(frozen=True, slots=True)
class Said:
    """A number and its weight (inverse variance)."""

    value: float
    weight: float


@dataclass(frozen=True, slots=True)
class Pooled:
    """The mean of what was said. `low` and `high` are for internal use: they were not validated."""

    value: float
    spread: float
    """Standard deviation."""
    weight: float
    """Of all together."""
    agreement: float
    """0..1: the share of the variance that is not disagreement."""

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self.value - Z * self.spread

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self.value + Z * self.spread

    @property
    def sure(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.low > 0.0 or self.high < 0.0


def pooled(said: Iterable[Said]) -> Pooled | None:
    """The mean of several numbers with its doubt; None where nothing has any weight."""
    # sorted: sums of floats hang on their order, and the answer must not
    there = sorted(
        (each.value, each.weight) for each in said if each.weight > 0.0 and math.isfinite(each.value + each.weight)
    )
    total = math.fsum(weight for _, weight in there)
    if not total > 0.0:
        return None
    centre = math.fsum(weight * value for value, weight in there) / total
    between = BETWEEN * math.fsum(weight * (value - centre) ** 2 for value, weight in there) / total
    within = 1.0 / total
    return Pooled(centre, math.sqrt(within + between), total, within / (within + between))


def weight(quality: float, spread: float, sharpest: float) -> float:
    """An opinion's weight: quality over variance, where nobody is sharper than `sharpest`."""
    trusted = quality if 0.0 <= quality <= 1.0 else 0.0
    # smaller is not there: its square would overflow the inverse
    return trusted / max(spread, sharpest) ** 2 if trusted >= 1e-6 else 0.0

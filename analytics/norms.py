"""What is usual at rest for people of an age and sex: the rows of `norms.toml`, and where a value stands among them."""

import math
import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from msgspec import Meta, Struct, convert
from scipy.special import ndtr

QUARTILE = 0.6744897501960817
"""Standard deviations from the median to a quartile of the normal distribution."""
NINE_OF_TEN = 1.6448536269514722
"""Standard deviations from the median to the 95th percentile of the normal distribution."""
RESOLVED = (1.0, 99.0)
"""Percentiles between which a norm of some hundred people is read; further out the nearer of the two is said."""


class Norm(Struct, frozen=True, forbid_unknown_fields=True):
    """One row: what a source says about one measure in one band of ages."""

    measure: str
    sex: Literal["female", "male", "any"]
    ages: tuple[int, int]
    """Completed years, both included."""
    people: Annotated[int, Meta(gt=0)]
    """Behind the source's numbers."""
    statistics: Literal["mean, sd", "quartiles"]
    shape: Literal["normal", "log-normal", "logarithm"]
    values: tuple[float, ...]
    window: str
    source: str
    doi: str
    obtained: str
    """Where the numbers were read, and what was assumed about them."""

    def holds(self, *, age: float, sex: str | None) -> bool:
        """Whether the row is about people of this age and sex."""
        low, high = self.ages
        return low <= math.floor(age) <= high and self.sex in ("any", sex)

    def deviation(self, value: float) -> float:
        """Standard deviations from the middle of these people; each side has its own where quartiles are given."""
        at = value if self.shape == "normal" else math.log(value)
        middle, below, above = self._normal()
        return (at - middle) / (above if at > middle else below)

    def at(self, deviation: float) -> float:
        """The value that many standard deviations from the middle of these people."""
        middle, below, above = self._normal()
        found = middle + deviation * (above if deviation > 0 else below)
        return found if self.shape == "normal" else math.exp(found)

    def usual(self) -> tuple[float, float]:
        """Between which nine of ten of these people are: the 5th and the 95th percentile."""
        return self.at(-NINE_OF_TEN), self.at(NINE_OF_TEN)

    def middle(self) -> float:
        """The value that half of these people lie below."""
        middle = self._normal()[0]
        return middle if self.shape == "normal" else math.exp(middle)

    def _normal(self) -> tuple[float, float, float]:
        """Middle and spread, to the lower and to the upper side, on the scale on which the row is taken as normal."""
        if self.statistics == "quartiles":
            lower, middle, upper = self.values
            return middle, (middle - lower) / QUARTILE, (upper - middle) / QUARTILE
        mean, sd = self.values
        if self.shape == "log-normal":
            mean, sd = log_moments(mean, sd)
        return mean, sd, sd


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    norm: tuple[Norm, ...]


@cache
def _table() -> _Table:
    text = resources.files("analytics").joinpath("norms.toml").read_text("utf-8")
    return convert(tomllib.loads(text), _Table)


VERSION = _table().version
"""Names the numbers; stored with every result that used them."""


def listed() -> tuple[Norm, ...]:
    """Every row."""
    return _table().norm


def norm(measure: str, *, age: float | None, sex: str | None) -> Norm | None:
    """The row for this person: the narrowest band of ages, as age tells more than sex; None where nothing fits."""
    if age is None or not math.isfinite(age):
        return None
    fitting = [row for row in listed() if row.measure == measure and row.holds(age=age, sex=sex)]
    return min(fitting, key=lambda row: row.ages[1] - row.ages[0], default=None)


def percentile(measure: str, value: float, *, age: float | None, sex: str | None) -> float | None:
    """Of people of this age and sex, the percentage that lies below the value; None where no norm fits."""
    row = norm(measure, age=age, sex=sex)
    if row is None or not (math.isfinite(value) and value > 0):
        return None
    low, high = RESOLVED
    return min(high, max(low, 100.0 * float(ndtr(row.deviation(value)))))


def log_moments(mean: float, sd: float) -> tuple[float, float]:
    """Mean and standard deviation of the logarithm of a log-normal quantity that has these."""
    variance = math.log1p((sd / mean) ** 2)
    return math.log(mean) - variance / 2, math.sqrt(variance)

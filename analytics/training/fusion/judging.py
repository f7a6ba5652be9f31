"""All fifteen subsets on people nobody learnt from, and the rule by which the learned fusion may become the default."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics.training.fusion.logistic import share
from analytics.training.fusion.rivals import Fit
from analytics.training.fusion.table import SUBSETS, Table, with_subset

Floats = NDArray[np.float64]

CRITERION = (
    "Declared before anything was scored. Figures are means over people, each left out once; differences are learned "
    "fusion less late fusion, with 95 % intervals of 10,000 paired resamplings of people. The learned fusion becomes "
    "the default if (1) not worse: in none of the 15 subsets does the interval of balanced accuracy lie wholly below 0 "
    "or that of log loss wholly above 0; and (2) better: for the mean log loss over the 14 subsets in which something "
    "is missing the interval lies wholly below 0. Otherwise it stays an option."
)
RESAMPLINGS = 10_000
MEASURES = ("balanced accuracy", "AUC", "Brier", "log loss")
LATE, LEARNED = "late fusion", "imagination"
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Edges of what was said, for calibration."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What every method says of every row, its model never having seen the row's person."""

    table: Table
    probability: Mapping[str, Floats]
    """(subsets, rows) per method."""
    threshold: Floats
    """Per row: the share of stress among those that were learnt from."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over people with its 95 % interval over resampled people."""

    value: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """For tables."""
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the criterion says."""

    worse: tuple[str, ...]
    """Each subset and measure in which the learned fusion is worse."""
    gain: Interval
    """Difference of the mean log loss over the fourteen subsets: below 0 is better."""

    @property
    def becomes_default(self) -> bool:
        """Both parts of it."""
        return not self.worse and self.gain.high < 0.0


def answers(table: Table, fits: Mapping[str, Fit], *, told: Callable[[str], None] | None = None) -> Answers:
    """Leave one person out."""
    if len(table.names) < 3:
        raise ValueError("at least three people are needed to leave one out")
    probability = {name: np.full((len(SUBSETS), len(table.labels)), np.nan) for name in fits}
    threshold = np.empty(len(table.labels))
    for name in table.names:
        mine = table.persons == name
        others, asked = table.part(~mine), table.part(mine)
        threshold[mine] = others.labels.mean()
        for method, fit in fits.items():
            known = fit(others)
            for place, subset in enumerate(SUBSETS):
                probability[method][place, mine] = share(known.logit(with_subset(asked.seen, subset), subset))
        if told is not None:
            told(name)
    return Answers(table, probability, threshold)


def scores(found: Answers, method: str) -> Floats:
    """(measures, subsets, people) in the orders of MEASURES, SUBSETS and names."""
    table = found.table
    out = np.empty((len(MEASURES), len(SUBSETS), len(table.names)))
    for column, name in enumerate(table.names):
        mine = table.persons == name
        labels, threshold = table.labels[mine], found.threshold[mine]
        for row in range(len(SUBSETS)):
            out[:, row, column] = measured(found.probability[method][row, mine], labels, threshold)
    return out


def measured(probability: Floats, labels: Floats, threshold: Floats) -> tuple[float, float, float, float]:
    """Balanced accuracy, AUC, Brier score and log loss of one person."""
    stressed, calm = labels == 1, labels == 0
    if not stressed.any() or not calm.any():
        raise ValueError("a person needs windows of stress and of rest")
    said = probability > threshold
    accuracy = 0.5 * (said[stressed].mean() + (~said[calm]).mean())
    higher = probability[stressed][:, None] - probability[calm]
    auc = (higher > 0).mean() + 0.5 * (higher == 0).mean()
    true = np.where(stressed, probability, 1.0 - probability)
    return float(accuracy), float(auc), float(((probability - labels) ** 2).mean()), float(-np.log(true).mean())


def interval(per_person: Floats, *, seed: int = 0) -> Interval:
    """Of the mean over people (the last axis); the same seed draws the same people: differences are paired."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(per_person), (RESAMPLINGS, len(per_person)))
    low, high = np.quantile(per_person[drawn].mean(axis=1), (0.025, 0.975))
    return Interval(float(per_person.mean()), float(low), float(high))


def difference(found: Answers, measure: str, one: str, other: str, rows: slice) -> Interval:
    """Of one method less another, the mean of these subsets."""
    place = MEASURES.index(measure)
    return interval((scores(found, one) - scores(found, other))[place, rows].mean(axis=0))


def verdict(found: Answers, names: Mapping[int, str]) -> Verdict:
    """CRITERION, applied. `names` are the subsets', by place."""
    apart = scores(found, LEARNED) - scores(found, LATE)
    worse = []
    for row in range(len(SUBSETS)):
        accuracy, loss = interval(apart[0, row]), interval(apart[3, row])
        if accuracy.high < 0.0:
            worse.append(f"{names[row]}: balanced accuracy {accuracy.text}")
        if loss.low > 0.0:
            worse.append(f"{names[row]}: log loss {loss.text}")
    return Verdict(tuple(worse), interval(apart[3, :-1].mean(axis=0)))


def calibration(found: Answers, method: str) -> list[tuple[float, float, int, float, float]]:
    """Per bin of what was said, over all subsets: its edges, how many answers, their mean, and how often it was so."""
    said = found.probability[method].ravel()
    true = np.tile(found.table.labels, len(SUBSETS))
    rows = []
    for low, high in pairwise(BINS):
        here = (said >= low) & ((said < high) | (high == 1.0))
        if here.any():
            rows.append((low, high, int(here.sum()), float(said[here].mean()), float(true[here].mean())))
    return rows

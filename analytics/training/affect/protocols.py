"""Who is learnt from and who is asked: two protocols, and the guards that catch an evaluation that knows too much."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics.training.affect.pipelines import Kind, calibrated_head, fit
from analytics.training.affect.table import Signals, Table, Target
from analytics.training.fusion.logistic import share

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Protocol = Literal["people left out", "within a person"]

PROTOCOLS: tuple[Protocol, ...] = ("people left out", "within a person")
"""A kiosk meets strangers: the first is what it can do. Most published figures are of the second, and higher."""
FOLDS = 6
"""Groups of films within one person: three films each of DREAMER's eighteen."""


class Leak(ValueError):
    """An evaluation in which what is asked was learnt from, or otherwise known."""


@dataclass(frozen=True, slots=True)
class Split:
    """Rows."""

    learnt: Flags
    asked: Flags


@dataclass(frozen=True, slots=True)
class Score:
    """Of one pipeline, one target, one protocol: means over people who rated both high and low."""

    balanced_accuracy: float
    f1: float
    brier: float
    people: int
    rows: int


Evaluate = Callable[[Table], Floats]
"""Probability of high for each row of a table."""


def splits(table: Table, protocol: Protocol) -> Iterator[Split]:
    """Each row is asked once."""
    for person in np.unique(table.persons):
        mine = table.persons == person
        if protocol == "people left out":
            yield Split(~mine, mine)
            continue
        films = np.unique(table.films[mine])
        for place in range(min(FOLDS, len(films))):
            asked = mine & np.isin(table.films, films[place::FOLDS])
            yield Split(mine & ~asked, asked)


def checked(table: Table, found: list[Split], protocol: Protocol) -> list[Split]:
    """The splits, or Leak: no row, and across people no person, on both sides; every row asked exactly once."""
    asked = np.zeros(len(table.persons), dtype=np.int64)
    for split in found:
        if (split.learnt & split.asked).any():
            raise Leak("a row is learnt from and asked")
        people = np.intersect1d(table.persons[split.learnt], table.persons[split.asked])
        if protocol == "people left out" and len(people):
            raise Leak(f"person {people[0]} is on both sides")
        films = np.intersect1d(table.films[split.learnt], table.films[split.asked])
        if protocol == "within a person" and len(films):
            raise Leak(f"film {films[0]} is on both sides")
        asked += split.asked
    if (asked != 1).any():
        raise Leak("a row is asked not exactly once")
    return found


def probability(
    table: Table, target: Target, signals: Signals, kind: Kind, protocol: Protocol, *, seed: int = 0
) -> Floats:
    """Of high, each row told by a model, a centre and a scale that never saw its person, or its film."""
    features, labels = table.features(signals), table.labels(target)
    told = np.empty(len(labels))
    for split in checked(table, list(splits(table, protocol)), protocol):
        known, goal = features[split.learnt], labels[split.learnt]
        if protocol == "people left out":
            head = calibrated_head(kind, known, goal, table.persons[split.learnt], seed=seed)
            told[split.asked] = share(head.logit(features[split.asked]))
        else:
            # fifteen rows are too few to calibrate on
            told[split.asked] = share(fit(kind, known, goal, seed=seed).score(features[split.asked]))
    return told


def thresholds(table: Table, target: Target, protocol: Protocol) -> Floats:
    """For each row the share of high ratings among what was learnt from: above it a probability says high."""
    labels, found = table.labels(target), np.empty(len(table.persons))
    for split in splits(table, protocol):
        found[split.asked] = labels[split.learnt].mean()
    return found


def peeks(evaluate: Evaluate, table: Table, protocol: Protocol, *, seed: int = 0) -> bool:
    """Whether what an evaluation says of a row changes with the features of other rows that are asked with it.

    Whoever is asked beside it is replaced by nonsense, which nobody may have learnt from: normalisation, selection or
    imputation with test windows shows as a difference.
    """
    rng = np.random.default_rng(seed)
    before = evaluate(table)
    for split in splits(table, protocol):
        rows = np.flatnonzero(split.asked)
        if len(rows) < 2:
            continue
        others = rows[1:]
        ecg, eeg = table.ecg.copy(), table.eeg.copy()
        ecg[others] += 100.0 * (1.0 + rng.random((len(others), ecg.shape[1])))
        eeg[others] += 100.0 * (1.0 + rng.random((len(others), eeg.shape[1])))
        after = evaluate(Table(table.persons, table.films, ecg, eeg, table.valence, table.arousal))
        if abs(after[rows[0]] - before[rows[0]]) > 1e-9:
            return True
    return False


def score(table: Table, target: Target, told: Floats, threshold: Floats) -> Score:
    """Of probabilities. A person who rated all films alike has no balanced accuracy and is left out."""
    labels, rows = table.labels(target), []
    for person in np.unique(table.persons):
        mine = table.persons == person
        goal, said = labels[mine] > 0, told[mine] > threshold[mine]
        if goal.all() or not goal.any():
            continue
        both = float((said & goal).sum())
        rows.append(
            (
                0.5 * (said[goal].mean() + (~said[~goal]).mean()),
                2.0 * both / (said.sum() + goal.sum()),
                ((told[mine] - goal) ** 2).mean(),
            )
        )
    if not rows:
        raise ValueError(f"nobody rated {target} both high and low")
    accuracy, f1, brier = np.mean(np.array(rows), axis=0).tolist()
    return Score(accuracy, f1, brier, len(rows), len(labels))

"""Fusion without imagination: calibrated late fusion, a model per subset, and what all of them have in common."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analytics.fusion_learned import Deviations
from analytics.training.fusion.logistic import Logistic, Platt, calibrated, fitted, prior
from analytics.training.fusion.table import BLOCKS, SUBSETS, Table, folds, with_subset

Floats = NDArray[np.float64]

INNER = 9
"""Groups of people within the training set whose rows calibrate: each told by a model that never saw them."""


class Fusion(Protocol):
    """What all of them can."""

    def logit(self, seen: Deviations, subset: tuple[int, ...]) -> Floats:
        """Of stress, for rows that have no more than this subset."""
        ...


Fit = Callable[[Table], Fusion]
"""Learns from a table."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Another fusion with Platt's numbers."""

    inner: Fusion
    platt: Platt

    def logit(self, seen: Deviations, subset: tuple[int, ...]) -> Floats:
        """Calibrated."""
        return self.platt.logit(self.inner.logit(seen, subset))


def with_calibration(fit: Fit, *, groups: int = INNER) -> Fit:
    """The same fusion, fitted on all and calibrated over all subsets on people that its like had not learnt from."""

    def learn(table: Table) -> Fusion:
        told, labels = [], []
        for away in folds(table.names, groups):
            out = np.isin(table.persons, away)
            known = fit(table.part(~out))
            held = table.part(out)
            for subset in SUBSETS:
                seen = with_subset(held.seen, subset)
                # a row with nothing calibrates nothing
                there = seen.present.any(axis=1)
                told.append(known.logit(seen, subset)[there])
                labels.append(held.labels[there])
        return Calibrated(fit(table), calibrated(np.concatenate(told), np.concatenate(labels)))

    return learn


@dataclass(frozen=True, slots=True)
class LateFusion:
    """One calibrated logistic model per modality; their evidence beyond the prior adds up, over the root of how many.

    Evidence that were independent would add up whole, the same evidence told twice would be its mean; the root lies
    between the two, and Platt's slope sets the scale.
    """

    models: tuple[Logistic, ...]
    platts: tuple[Platt, ...]
    prior: float

    def logit(self, seen: Deviations, subset: tuple[int, ...]) -> Floats:
        """The sum of the evidence of what is there, weighted by nothing else."""
        evidence, count = np.zeros(len(seen.z)), np.zeros(len(seen.z))
        for place in subset:
            there = seen.present[:, place]
            told = self.platts[place].logit(self.models[place].logit(seen.z[:, BLOCKS[place]]))
            evidence += np.where(there, told - self.prior, 0.0)
            count += there
        return np.asarray(self.prior + evidence / np.sqrt(np.maximum(count, 1.0)))


def late(table: Table, *, groups: int = INNER) -> LateFusion:
    """Each modality by itself, its calibration from people that it had not learnt from."""
    models, platts = [], []
    for place, block in enumerate(BLOCKS):
        there = table.part(table.seen.present[:, place])
        told = np.empty(len(there.labels))
        for away in folds(there.names, groups):
            out = np.isin(there.persons, away)
            told[out] = fitted(there.seen.z[~out, block], there.labels[~out]).logit(there.seen.z[out, block])
        models.append(fitted(there.seen.z[:, block], there.labels))
        platts.append(calibrated(told, there.labels) if len(told) else Platt(0.0, prior(table.labels)))
    return LateFusion(tuple(models), tuple(platts), prior(table.labels))


@dataclass(frozen=True, slots=True)
class PerSubset:
    """A logistic model for each subset, as if nothing else could ever come."""

    models: dict[tuple[int, ...], Logistic] = field(default_factory=dict)
    platts: dict[tuple[int, ...], Platt] = field(default_factory=dict)

    def logit(self, seen: Deviations, subset: tuple[int, ...]) -> Floats:
        """The word of the subset's own model; what a row lacks of it counts as usual."""
        return self.platts[subset].logit(self.models[subset].logit(seen.z[:, _columns(subset)]))


def per_subset(table: Table, *, groups: int = INNER) -> PerSubset:
    """Fifteen models, each calibrated on people that it had not learnt from."""
    found = PerSubset()
    for subset in SUBSETS:
        columns = _columns(subset)
        there = table.part(np.asarray(with_subset(table.seen, subset).present.any(axis=1)))
        told = np.empty(len(there.labels))
        for away in folds(there.names, groups):
            out = np.isin(there.persons, away)
            told[out] = fitted(there.seen.z[~out][:, columns], there.labels[~out]).logit(there.seen.z[out][:, columns])
        found.models[subset] = fitted(there.seen.z[:, columns], there.labels)
        found.platts[subset] = calibrated(told, there.labels) if len(told) else Platt(0.0, prior(table.labels))
    return found


def _columns(subset: tuple[int, ...]) -> list[int]:
    return [column for place in subset for column in range(BLOCKS[place].start, BLOCKS[place].stop)]

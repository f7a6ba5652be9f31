"""What is learnt from: windows beside their person's rest, with labels; and the fifteen sets of modalities."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.fusion_learned import FEATURES, MODALITIES, Deviations
from analytics.fusion_learned.features import places

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SUBSETS: tuple[tuple[int, ...], ...] = tuple(
    chosen for size in range(1, len(MODALITIES) + 1) for chosen in itertools.combinations(range(len(MODALITIES)), size)
)
"""Every set of modalities that a visit may have, as places in MODALITIES; the last is all of them."""
OWNERS = np.array([MODALITIES.index(feature.modality) for feature in FEATURES])
"""The modality of each feature, as a place in MODALITIES."""
BLOCKS = tuple(places(modality) for modality in MODALITIES)


@dataclass(frozen=True, slots=True)
class Table:
    """A row per window."""

    persons: NDArray[np.str_]
    labels: Floats
    """1 under stress, else 0."""
    seen: Deviations

    def __post_init__(self) -> None:
        rows = len(self.labels)
        if self.seen.z.shape != (rows, len(FEATURES)) or self.seen.present.shape != (rows, len(MODALITIES)):
            raise ValueError(f"a row has {len(FEATURES)} features of {len(MODALITIES)} modalities")
        if len(self.persons) != rows or not np.isfinite(self.seen.z).all() or not np.isin(self.labels, (0, 1)).all():
            raise ValueError("rows need a person, finite features and a label of 0 or 1")

    def part(self, rows: Flags) -> "Table":
        """These rows."""
        return Table(self.persons[rows], self.labels[rows], Deviations(self.seen.z[rows], self.seen.present[rows]))

    @property
    def names(self) -> list[str]:
        """Everybody in it."""
        return sorted(set(self.persons.tolist()))


def with_subset(seen: Deviations, subset: tuple[int, ...]) -> Deviations:
    """As if only these modalities had been there."""
    there = np.isin(np.arange(len(MODALITIES)), subset)
    return only(seen, np.broadcast_to(there, seen.present.shape))


def only(seen: Deviations, kept: Flags) -> Deviations:
    """As if each row had only the modalities that are kept in it: what is not there is 0."""
    present = seen.present & kept
    return Deviations(np.where(present[:, OWNERS], seen.z, 0.0), present)


def folds(names: list[str], count: int) -> list[list[str]]:
    """People in turn into so many groups, each held back once."""
    return [names[place::count] for place in range(min(count, len(names)))]

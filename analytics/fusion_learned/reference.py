"""A person's own first rest, and how far a later window is from it: nothing that comes after the window is known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.fusion_learned.features import FEATURES, MODALITIES, places

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PRIOR = 3.0
"""Windows that the usual spread of a feature counts for, beside the spread that was seen (as in the stress index)."""
LIMIT = 5.0
"""Standard deviations beyond which a feature says no more."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What is usual for one person, per feature."""

    mean: Floats
    """NaN where the rest did not show it."""
    sd: Floats
    """Of a new window about that mean, shrunk to what is usual."""


@dataclass(frozen=True, slots=True)
class Deviations:
    """Windows beside their person's rest."""

    z: Floats
    """(n, features), within LIMIT; 0 where there is none: as usual."""
    present: Flags
    """(n, modalities): whether any feature of it could be compared."""


def reference(rest: Floats) -> Reference:
    """Of the windows (k, features) of one rest, side by side; NaN where absent."""
    there = np.isfinite(rest)
    count = there.sum(axis=0)
    known = np.where(there, rest, 0.0)
    mean = known.sum(axis=0) / np.maximum(count, 1)
    squares = (np.where(there, rest - mean, 0.0) ** 2).sum(axis=0)
    usual = np.array([feature.usual for feature in FEATURES])
    pooled = (PRIOR * usual**2 + squares) / (PRIOR + np.maximum(count - 1, 0))
    sd = np.sqrt(pooled * (1.0 + 1.0 / np.maximum(count, 1)))
    return Reference(np.where(count > 0, mean, np.nan), sd)


def deviations(values: Floats, usual: Reference) -> Deviations:
    """Of windows (n, features) from the person's rest: each window by itself, whatever the others are."""
    z = np.clip((values - usual.mean) / usual.sd, -LIMIT, LIMIT)
    known = np.isfinite(z)
    present = np.column_stack([known[:, places(modality)].any(axis=1) for modality in MODALITIES])
    return Deviations(np.where(known, z, 0.0), present)

"""Beats of one source, and the intervals between them: what detectors give, correction mends and HRV takes."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from kiosk.measures import Reason

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.uint8]


class Kind(IntEnum):
    """What a detected beat is."""

    NORMAL = 0
    ECTOPIC = 1
    ARTEFACT = 2


@dataclass(frozen=True, slots=True)
class Beats:
    """What a source says about its beats."""

    channel: str
    times: Floats
    """Fiducials (R maxima, pulse feet) in seconds since the recording's origin, rising."""
    held: Flags
    """For each beat but the first: whether no gap and no unreadable second lies in the interval that ends there."""
    kinds: Codes
    """A Kind per beat."""
    precision: float
    """Standard deviation of one fiducial's error, in seconds."""
    signal_quality: float
    """0..1, mean over all seconds."""
    agreement: float | None
    """F1 with the other detectors; None where they had nothing to say."""
    trouble: Reason | None
    """What is wrong with most of the seconds that cannot be used; None where nothing is."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals that may be used, in seconds, in the order of time."""

    ends: Floats
    """When each ended, in seconds since the recording's origin."""
    values: Floats
    follows: Flags
    """Whether each begins where the one before it here ended: only such two have a difference. The first never does."""


class Change(IntEnum):
    """What correction did to a beat."""

    MEASURED = 0
    MOVED = 1
    ADDED = 2


@dataclass(frozen=True, slots=True)
class Corrected:
    """Beats without artefacts, and what was done for it."""

    times: Floats
    held: Flags
    """As in Beats."""
    changes: Codes
    """A Change per beat."""
    removed: Floats
    """Times of beats that were taken out."""

    @property
    def count(self) -> int:
        """Beats moved, added or removed."""
        return int(np.count_nonzero(self.changes)) + len(self.removed)

    @property
    def share(self) -> float:
        """Of all beats, the share that was corrected."""
        return self.count / max(1, len(self.times) + len(self.removed))

    @property
    def intervals(self) -> Intervals:
        """Those that may be used."""
        return intervals(self.times, self.held)


def intervals(times: Floats, held: Flags) -> Intervals:
    """The held intervals between beats."""
    before = np.concatenate(([False], held[:-1])) if len(held) else held
    return Intervals(times[1:][held], np.diff(times)[held], before[held])

"""What a live analyzer is: fed chunk by chunk, it answers with findings. The router gives them a stream."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kiosk.measures import Reason


@dataclass(frozen=True, slots=True)
class Finding:
    """One number of a window of signal with its doubt - or its absence, with the reason."""

    measure: str
    value: float | None
    method: str
    start_ns: int
    end_ns: int
    low: float | None = None
    high: float | None = None
    quality: float | None = None
    absent: Reason | None = None


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one part - a measure, a modality - had to do with a value."""

    part: str
    amount: float
    """To the score behind the value; positive pulls it up. All together are the score."""
    value: float
    """Of the part itself."""
    usual: float | None = None
    """What it was held against; None where it was against nothing."""


class Analyzer(Protocol):
    """The state of one stream. How the stream was cut into chunks must not change a finding.

    The times of a regular stream are a grid; those of an irregular one are its samples' own, and whatever lies between
    two of them that is no long pause is for the analyzer to judge.
    """

    def feed(self, times: NDArray[np.int64], samples: NDArray[np.float32]) -> list[Finding]:
        """What these samples, (n, channels), complete; they follow the last ones without a gap."""
        ...

    def reset(self) -> None:
        """What follows does not continue what was: a gap."""
        ...


Factory = Callable[[float | None, tuple[str, ...]], Analyzer]
"""Makes the analyzer of one stream from its rate (None: every sample has its own time) and channels."""

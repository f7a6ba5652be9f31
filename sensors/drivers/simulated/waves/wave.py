"""What a signal of the simulated visitor is."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Wave(Protocol):
    """One signal as a pure function of time.

    Each value may depend on its own time alone. So: elementwise arithmetic only - no sums over an axis, no matrix
    products, no cumulative anything across samples, whose rounding depends on how many are asked for.
    """

    channels: tuple[str, ...]

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, channels) values at strictly increasing times, n > 0."""
        ...

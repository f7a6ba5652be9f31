"""Chance that can be asked again: every draw belongs to a seed, a name and a block, never to a history of calls.

Counter-based generators make the thousandth block as cheap as the first and independent of who asked for which
block before (Salmon 2011, doi:10.1145/2063384.2063405).
"""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


def generator(seed: int, name: str, block: int = 0) -> np.random.Generator:
    """The generator of one block of one named stream of one seed."""
    key = int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=16).digest(), "little")
    # the block stands in the high words of the counter: 2**128 draws fit below it, so that blocks never overlap
    return np.random.Generator(np.random.Philox(key=key, counter=(block % 2**64) << 128))


class Drift:
    """A slow random variation of unit variance as a pure function of time.

    Equal sines at frequencies of even logarithmic spacing, that is a 1/f spectrum: it needs no state, has no end,
    and its variance over a few minutes is near its nominal one, which a noise process would not promise.
    """

    def __init__(self, seed: int, name: str, low: float, high: float, count: int = 5) -> None:
        rng = generator(seed, name)
        jitter = rng.uniform(0.94, 1.06, count)  # else harmonics would line up and the pattern would repeat
        self.frequencies: NDArray[np.float64] = np.geomspace(low, high, count) * jitter
        self._phases = rng.uniform(0.0, 2.0 * np.pi, count)
        self._scale = float(np.sqrt(2.0 / count))

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at the times."""
        return _sum_rows(np.sin(self._angles(times))) * self._scale

    def slope(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Change per second at the times."""
        omega = 2.0 * np.pi * self.frequencies[:, None]
        return _sum_rows(omega * np.cos(self._angles(times))) * self._scale

    def _angles(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        return (2.0 * np.pi * self.frequencies)[:, None] * times + self._phases[:, None]


def _sum_rows(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    # row by row: sum(axis=0) adds in another order where there is one column, and the last bit would tell
    total: NDArray[np.float64] = rows[0].copy()
    for row in rows[1:]:
        total += row
    return total

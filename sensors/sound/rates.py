"""Any rate -> 16 kHz, piece by piece: however the pieces are cut, the same samples come out, bit for bit.

A windowed sinc (Kaiser, 80 dB) in polyphase form, over blocks that lie at fixed places of the stream.
"""

from math import gcd

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, upfirdn

from kiosk.errors import DriverFailed

RATE = 16_000
"""Hertz that everything here is computed at: speech has little above 8 kHz, and networks for speech are made for it."""
LEAST_RATE, MOST_RATE = 4_000, 192_000
CROSSINGS = 24
"""Zero crossings of the sinc on either side, and the window's shape: 80 dB, and 3.7 kHz of a telephone's 4 are kept."""
SHAPE = 7.86
"""Kaiser's beta for 80 dB (Kaiser 1974)."""
PASSED = 0.94
"""Cut-off, as a share of the lower of both Nyquist rates: what lies above would fold."""
BLOCKS = 10
"""Blocks a second, where the rate can be divided like that."""

Sound = NDArray[np.float64]


def checked_rate(rate: float) -> int:
    """The rate as a whole number of samples a second, or DriverFailed."""
    if not (np.isfinite(rate) and LEAST_RATE <= rate <= MOST_RATE and abs(rate - round(rate)) < 1e-6):
        raise DriverFailed(f"sound at {rate:g} Hz cannot be used: {LEAST_RATE} to {MOST_RATE} samples a second can")
    return round(rate)


class Resampler:
    """Takes sound at one rate and gives it at 16 kHz."""

    def __init__(self, rate: float) -> None:
        self._rate = checked_rate(rate)
        common = gcd(self._rate, RATE)
        self._up, self._down = RATE // common, self._rate // common
        parts = BLOCKS if self._rate % BLOCKS == 0 else 1
        self._in, self._out = self._rate // parts, RATE // parts
        widest = max(self._up, self._down)
        half = CROSSINGS * widest
        self._beside = -(-half // self._up) + 1
        """Input samples on either side of a block that its first and last output depend on."""
        taps = firwin(2 * half + 1, PASSED / widest, window=("kaiser", SHAPE)) * self._up
        # so many zeros before the filter that a block's first output is one of those that are computed
        before = -(self._beside * self._up + half) % self._down
        self._taps = np.concatenate([np.zeros(before), taps])
        self._first = (self._beside * self._up + half + before) // self._down
        self._held: Sound = np.zeros(self._beside)
        self._taken = self._given = 0

    def feed(self, samples: Sound) -> Sound:
        """What is complete now at 16 kHz."""
        if self._rate == RATE:
            return samples
        self._taken += len(samples)
        self._held = np.concatenate([self._held, samples])
        made = []
        whole = self._in + 2 * self._beside
        while len(self._held) >= whole:
            made.append(self._block(self._held[:whole]))
            self._held = self._held[self._in :]
        return self._counted(made)

    def finish(self) -> Sound:
        """The rest; after that the next sample is the first of another stream."""
        if self._rate == RATE:
            return np.empty(0)
        left = len(self._held) - self._beside
        made = []
        if left > 0:
            padded = np.concatenate([self._held, np.zeros(2 * self._in + 2 * self._beside)])
            for begin in range(0, left, self._in):
                made.append(self._block(padded[begin : begin + self._in + 2 * self._beside]))  # noqa: PERF401
        whole = self._taken * RATE // self._rate
        rest = self._counted(made)
        rest = rest[: len(rest) - (self._given - whole)] if self._given > whole else rest
        self._held, self._taken, self._given = np.zeros(self._beside), 0, 0
        return rest

    def _block(self, samples: Sound) -> Sound:
        found = upfirdn(self._taps, samples, self._up, self._down)
        return np.asarray(found[self._first : self._first + self._out], np.float64)

    def _counted(self, made: list[Sound]) -> Sound:
        found = np.concatenate(made) if made else np.empty(0)
        self._given += len(found)
        return found

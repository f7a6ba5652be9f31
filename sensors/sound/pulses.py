"""Single periods of a voice: how much their lengths (jitter) and amplitudes (shimmer) change from one to the next, and
how alike they are (harmonics-to-noise ratio).

From one period to the next by the lag at which the wave repeats best (waveform matching: Titze & Liang 1993,
doi:10.1044/jshr.3606.1120), with a parabola through the correlation's peak. Jitter and shimmer are `local`: the mean
absolute difference of consecutive periods (amplitudes), divided by their mean. The harmonics-to-noise ratio is
10 lg(r / (1 - r)) (Boersma 1993), r the mean correlation of each period with the next: unlike the autocorrelation of a
longer window, it needs no window to be divided away, so that low voices keep their decibels.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sensors.sound.frames import MIDDLES
from sensors.sound.pitch import Pitch
from sensors.sound.rates import RATE, Sound

SHORTER, LONGER = 0.8, 1.25
"""How much a period may differ from what the pitch says, as a factor (Boersma & Weenink's To PointProcess)."""
MOST_LENGTH, MOST_AMPLITUDE = 1.3, 1.6
"""Greatest factors between neighbours that are compared: beyond, a period was missed or a syllable ended (Praat)."""
LEAST_PAIRS = 8
"""Neighbours that a figure is taken from: a tenth of a second of a man's voice."""
LEAST_FRAMES = 4
"""Frames of a voiced stretch in which periods are looked for: 40 ms, two or three periods of a low voice."""
ALIKE = 0.3
"""Correlation below which two stretches are not two periods of one voice."""
MOST_ALIKE = 1 - 1e-4
"""40 dB: no voice is more even, and a parabola through samples is not more exact."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Neighbouring periods of a second, pair by pair."""

    lengths: NDArray[np.float64]
    """Two a row, in samples."""
    amplitudes: NDArray[np.float64]
    """Likewise; root of the mean square over a period."""
    alike: NDArray[np.float64]
    """Correlation of each period with the next one, of all that were found."""

    @property
    def jitter(self) -> float:
        """Percent; NaN where too few neighbours can be compared."""
        return _local(self.lengths, MOST_LENGTH)

    @property
    def shimmer(self) -> float:
        """Percent; likewise."""
        return _local(self.amplitudes, MOST_AMPLITUDE)

    @property
    def hnr(self) -> float:
        """Decibels; likewise."""
        if len(self.alike) < LEAST_PAIRS:
            return np.nan
        return float(_decibels(np.mean(self.alike)))

    @property
    def hnr_sd(self) -> float:
        """Standard deviation of the single periods' decibels."""
        if len(self.alike) < LEAST_PAIRS:
            return np.nan
        return float(np.std(_decibels(self.alike)))


def periods(stretch: Sound, pitch: Pitch, speech: NDArray[np.bool_]) -> Periods:
    """The periods in a stretch's voiced frames with speech."""
    energy = np.concatenate(([0.0], np.cumsum(stretch**2)))
    lengths: list[tuple[float, float]] = []
    amplitudes: list[tuple[float, float]] = []
    alike: list[float] = []
    for first, last in _runs(pitch.voiced & speech):
        found = _follow(stretch, energy, pitch.hertz, first, last)
        alike += [each[2] for each in found]
        for one, other in pairwise(found):
            lengths.append((one[0], other[0]))
            amplitudes.append((one[1], other[1]))
    return Periods(
        np.array(lengths).reshape(-1, 2), np.array(amplitudes).reshape(-1, 2), np.clip(np.array(alike), 0.0, 1.0)
    )


def _decibels(share: NDArray[np.float64] | np.floating) -> NDArray[np.float64]:
    share = np.clip(share, 1e-3, MOST_ALIKE)
    return np.asarray(10 * np.log10(share / (1 - share)))


def _local(pairs: NDArray[np.float64], most: float) -> float:
    fit = pairs[(pairs.max(axis=1) <= most * pairs.min(axis=1)) & (pairs.min(axis=1) > 0)] if len(pairs) else pairs
    if len(fit) < LEAST_PAIRS:
        return np.nan
    return float(100 * np.abs(fit[:, 1] - fit[:, 0]).mean() / fit.mean())


def _runs(there: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last frame of each stretch that is long enough."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], there, [False])).astype(np.int8)))
    return [
        (int(begin), int(end) - 1)
        for begin, end in edges.reshape(-1, 2)
        if end - begin >= LEAST_FRAMES
    ]  # fmt: skip


def _follow(
    stretch: Sound, energy: Sound, hertz: NDArray[np.float64], first: int, last: int
) -> list[tuple[float, float, float]]:
    """Length, amplitude and likeness to the next of each period in a voiced run, in order."""
    lags = RATE / hertz
    end = int(MIDDLES[last])
    begin = int(MIDDLES[first])
    width = int(lags[first])
    part = np.abs(stretch[begin : begin + width])
    at = float(begin + int(part.argmax()))
    found = []
    while at < end:
        frame = min(last, max(first, round((at - MIDDLES[0]) / (MIDDLES[1] - MIDDLES[0]))))
        lag = lags[frame]
        half = int(lag / 2)
        middle = round(at)
        shortest, longest = int(SHORTER * lag) - 1, int(LONGER * lag) + 2
        left, right = middle - half, middle + half + 1
        if left < 0 or right + longest > len(stretch):
            break
        reference = stretch[left:right]
        products = np.correlate(stretch[left + shortest : right + longest], reference, "valid")
        # the product's energy at each lag, from running sums
        powers = energy[right + shortest : right + longest + 1] - energy[left + shortest : left + longest + 1]
        own = energy[right] - energy[left]
        heights = products / np.sqrt(np.maximum(powers * own, 1e-30))
        best = int(heights[1:-1].argmax()) + 1
        before, top, after = heights[best - 1 : best + 2]
        bend = before - 2 * top + after
        if top < ALIKE or bend >= 0:
            break
        offset = float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))
        length = shortest + best + offset
        start = middle - round(length / 4)
        amplitude = float(np.sqrt((energy[start + round(length)] - energy[start]) / round(length)))
        found.append((length, amplitude, float(top - 0.25 * (before - after) * offset)))
        at += length
    return found

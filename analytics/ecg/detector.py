"""R peaks of a stream of one lead as it comes. The functions are those of a whole record; this only remembers."""

from collections import deque

import numpy as np

from analytics.ecg import features, peaks
from analytics.ecg.peaks import Beats
from analytics.ecg.threshold import Candidate, Threshold
from analytics.filters import Causal
from analytics.windows import Floats, Times, Window

STEADY = 8
"""Beats whose deflections decide which way R points."""


class Detector:
    """R peaks block by block, at most 0.6 s after they happened (3 s while it learns how high they are).

    Everything happens in blocks of 0.2 s counted from the first sample, so that no chunking can change a beat.
    """

    def __init__(self, rate: float, memory: float) -> None:
        self.rate = rate
        self.grid = features.grid(rate)
        grid = self.grid
        self._filter = Causal(grid.low.sections)
        self._threshold = Threshold()
        self._found: deque[tuple[float, float]] = deque(maxlen=512)
        self.wave = Window(round(memory * rate), 1)
        self._banded = Window(grid.block + grid.low.integration, 1)
        self.energies = Window(round(memory * rate), 1)
        self._bottoms: deque[float] = deque(maxlen=peaks.DEAD_BLOCKS)
        self._tops: deque[float] = deque(maxlen=peaks.DEAD_BLOCKS)
        self._deflections: deque[tuple[float, float]] = deque(maxlen=STEADY)
        self._last_at = -np.inf

    def block(self, times: Times, x: Floats) -> list[tuple[float, float]]:
        """Broken indices of the R peaks that this block reveals, with their energies; no sample of it is lost."""
        grid, rate = self.grid, self.rate
        first = self.wave.end == 0
        self.wave.append(times, x[:, None])
        self._banded.append(times, self._filter.feed(x[:, None]))
        begin = max(self._banded.start, self.wave.end - len(x) - grid.low.integration)
        fresh = features.energy(self._banded.rows(begin, self._banded.end)[:, 0], rate, grid.low)
        if first:
            fresh = np.concatenate((np.zeros(grid.low.integration), fresh))
        self.energies.append(times, fresh[:, None])
        self._bottoms.append(float(x.min()))
        self._tops.append(float(x.max()))
        if max(self._tops) - min(self._bottoms) < peaks.DEAD_SPAN:
            self._threshold = Threshold()
            return []
        beats = self._threshold.block(self.wave.end / rate, self._candidates(len(x)), self._floor())
        return self._refined(beats)

    def _candidates(self, count: int) -> list[Candidate]:
        reach, end = self.grid.reach, self.energies.end
        begin = max(self.energies.start, end - count - 2 * reach)
        rows = self.energies.rows(begin, end)[:, 0]
        return [
            Candidate(begin + place, (begin + place) / self.rate, float(rows[place]))
            for place in features.tops(rows, reach).tolist()
        ]

    def _floor(self) -> float:
        end = self.energies.end
        begin = max(0, end - features.FLOOR_BLOCKS * self.grid.block)
        return features.floor(self.energies.rows(begin, end)[:, 0])

    def _refined(self, beats: list[Candidate]) -> list[tuple[float, float]]:
        refined = []
        beyond = peaks.margin(self.rate)
        for beat in beats:
            middle = beat.index - self.grid.low.delay
            if middle < 0:
                continue
            begin, end = max(self.wave.start, middle - beyond), min(self.wave.end, middle + beyond + 1)
            padding = (begin - (middle - beyond), middle + beyond + 1 - end)
            around = np.pad(self.wave.rows(begin, end)[:, 0], padding, mode="edge")
            found = peaks.deflections(around, np.array([beyond]), self.rate)
            self._deflections.append((float(found.up[0]), float(found.down[0])))
            recent = np.array(self._deflections)
            up = peaks.upright(recent[:, 0], recent[:, 1])
            at = float(peaks.fiducials(found, up=up)[0]) + middle - beyond
            if at - self._last_at > 0.5 * self.grid.reach:
                self._last_at = at
                refined.append((at, beat.height))
        self._found.extend(refined)
        return refined

    def recent(self, begin: int) -> tuple[Floats, Beats]:
        """The wave from an index on, and its beats and energies as if it began there."""
        at, heights = np.array(self._found).reshape(-1, 2).T
        chosen = at >= begin
        energies = self.energies.rows(min(begin + self.grid.low.delay, self.energies.end), self.energies.end)[:, 0]
        return self.wave.rows(begin, self.wave.end)[:, 0], Beats(at[chosen] - begin, heights[chosen], energies)

"""Respiration rate of a stream from a belt, every two seconds of signal."""

import numpy as np
from numpy.typing import NDArray

from analytics.analyzer import Finding
from analytics.respiration.answer import SHORTEST, Answer
from analytics.respiration.belt import GRID, SLOWEST, heard
from analytics.windows import Blocks, Times, Window
from kiosk.measures import Reason

METHOD = "breath-cycles-30s-1"
EVERY = 2.0
"""Seconds from one answer to the next."""


class LiveBreath:
    """The breath of the last half minute, from the channel that tells it best."""

    def __init__(self, rate: float, channels: tuple[str, ...]) -> None:
        self._rate = rate
        self._channels = channels
        self._size = max(1, round(rate / GRID))
        self._grid = rate / self._size
        self.reset()

    def reset(self) -> None:
        """As new: the next sample is the stream's first."""
        self._blocks = Blocks(self._size)
        self._means = Window(max(1, round(SHORTEST * self._grid)), len(self._channels))
        self._answers = 0

    def feed(self, times: Times, samples: NDArray[np.float32]) -> list[Finding]:
        """A respiration rate, or the reason why there is none, for each two seconds that these samples complete."""
        findings = []
        for block_times, block in self._blocks.feed(times, samples):
            finite = np.isfinite(block)
            total = np.where(finite, block, 0.0).sum(axis=0, dtype=np.float64)
            count = finite.sum(axis=0)
            mean = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
            self._means.append(block_times[:1], mean[None, :])
            if self._means.end >= (self._answers + 1) * EVERY * self._grid:
                self._answers += 1
                findings.append(self._finding(int(block_times[-1])))
        return findings

    def _finding(self, end_ns: int) -> Finding:
        begin, end = self._means.start, self._means.end
        answer = self._answer(begin, end)
        return Finding(
            measure="respiration_rate",
            value=answer.rate if isinstance(answer, Answer) else None,
            method=METHOD,
            start_ns=int(self._means.times(begin, begin + 1)[0]),
            end_ns=end_ns,
            quality=round(answer.quality, 3) if isinstance(answer, Answer) else None,
            absent=None if isinstance(answer, Answer) else answer,
        )

    def _answer(self, begin: int, end: int) -> Answer | Reason:
        if self._rate < SLOWEST:
            return "unsuitable_rate"
        if end < round(SHORTEST * self._grid):
            return "too_short"
        answers = [heard(column, self._grid) for column in self._means.rows(begin, end).T]
        return max(answers, key=lambda answer: answer.quality if isinstance(answer, Answer) else -1.0)

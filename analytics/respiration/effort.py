"""Respiration rate of a stream of a face's motion, each second."""

import numpy as np
from numpy.typing import NDArray

from analytics.analyzer import Finding
from analytics.respiration.answer import GAP, Answer
from analytics.respiration.belt import GRID
from analytics.respiration.camera import MOVERS, SEEN, moved, unseen
from analytics.windows import Floats, Times, Window
from kiosk.measures import Reason
from kiosk.messages import SECOND

METHOD = "camera-effort-vote-32s-1"
WINDOW, FIRST = 32.0, 20.0
"""Seconds that a value is made of, and of signal before the first one."""
_CELL = round(SECOND / GRID)
_EVERY = round(GRID)  # cells from one answer to the next: those of a second


class LiveEffort:
    """The breath of the last half minute, from chest and head. Frames come at times of their own."""

    def __init__(self, rate: float | None, channels: tuple[str, ...]) -> None:
        self._columns = [channels.index(name) for name in (*MOVERS, *SEEN)]
        self.reset()

    def reset(self) -> None:
        """As new: the next frame is the stream's first."""
        self._rows = Window(round(WINDOW * GRID), len(self._columns))
        self._origin: int | None = None
        self._last = 0
        self._cell: list[Floats] = []

    def feed(self, times: Times, samples: NDArray[np.float32]) -> list[Finding]:
        """A respiration rate, or the reason why there is none, for each second that these frames complete."""
        found = list[Finding]()
        for time, row in zip(times.tolist(), samples[:, self._columns].astype(np.float64), strict=True):
            if self._origin is None or time - self._last > GAP * SECOND:
                self.reset()
                self._origin = time
            self._last = time
            while (time - self._origin) // _CELL > self._rows.end:
                self._close(self._origin + self._rows.end * _CELL)
                if self._rows.end % _EVERY == 0:
                    found.append(self._finding())
            self._cell.append(row)
        return found

    def _close(self, begin: int) -> None:
        """A tenth of a second is over: the mean of what was seen in it."""
        rows = np.array(self._cell).reshape(-1, len(self._columns))
        finite = np.isfinite(rows)
        count = finite.sum(axis=0)
        total = np.where(finite, rows, 0.0).sum(axis=0)
        mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        self._rows.append(np.array([begin], dtype=np.int64), mean[None, :])
        self._cell = []

    def _finding(self) -> Finding:
        begin, end = self._rows.start, self._rows.end
        answer = self._answer(self._rows.rows(begin, end))
        return Finding(
            measure="respiration_rate",
            value=answer.rate if isinstance(answer, Answer) else None,
            method=METHOD,
            start_ns=self._rows.time_at(begin),
            end_ns=self._rows.time_at(end - 1) + _CELL,
            quality=round(answer.quality, 3) if isinstance(answer, Answer) else None,
            absent=None if isinstance(answer, Answer) else answer,
        )

    def _answer(self, rows: Floats) -> Answer | Reason:
        if len(rows) < FIRST * GRID:
            return unseen(rows) or "too_short"
        return moved(rows)

"""Expressions while the visitor looks: each second, of the last few seconds, approximate."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from analytics.analyzer import Finding
from analytics.face import rules
from analytics.face.engines import Engine, of_rules, of_scores, pooled
from analytics.face.words import AXES, EXPRESSIONS, Floats, Times
from kiosk.messages import SECOND

METHOD = "face-mean-3s-1"
WINDOW = 3.0
"""Seconds that a value is the mean of."""
MOST_ROWS = 2_000
"""Of a window, whatever the rate."""


class _Seconds:
    """Rows of the last seconds; findings whenever a row crosses a whole second since the stream's first."""

    def __init__(self, engines: Callable[[Floats], tuple[Engine, ...]]) -> None:
        self._engines = engines
        self.reset()

    def reset(self) -> None:
        """As new: the next row is the stream's first."""
        self._times: list[int] = []
        self._rows: list[NDArray[np.float32]] = []
        self._first: int | None = None
        self._told = 0

    def feed(self, times: Times, samples: NDArray[np.float32]) -> list[Finding]:
        """What the seconds showed that these rows complete."""
        findings: list[Finding] = []
        for at, row in zip(times.tolist(), samples, strict=True):
            if self._first is None:
                self._first = at
            second = (at - self._first) // SECOND
            if second > self._told:
                # of the rows before this one: no chunking can change what a second showed
                findings += self._findings()
                self._told = second
            self._times.append(at)
            self._rows.append(row)
            while self._times[0] < at - WINDOW * SECOND or len(self._times) > MOST_ROWS:
                del self._times[0], self._rows[0]
        return findings

    def _findings(self) -> list[Finding]:
        if not self._rows:
            return []
        rows = np.array(self._rows, dtype=np.float64)
        rows = rows[np.isfinite(rows).any(axis=1)]
        start, end = self._times[0], self._times[-1]
        engines = self._engines(rows) if len(rows) else ()
        together = pooled(engines) if engines else np.empty((0, len(EXPRESSIONS)))
        together = together[np.isfinite(together[:, 0])] if len(together) else together
        if not len(together):
            return [Finding(f"face_{name}", None, METHOD, start, end, absent="no_face") for name in EXPRESSIONS[:-1]]
        shown = together.mean(axis=0)
        findings = [
            Finding(f"face_{name}", float(value), METHOD, start, end)
            for name, value in zip(EXPRESSIONS, shown, strict=True)
            if np.isfinite(value)
        ]
        axes = _axes(engines, together)
        return findings + [
            Finding(f"face_{axis}", float(value), METHOD, start, end)
            for axis, value in zip(AXES, axes, strict=True)
            if np.isfinite(value)
        ]


class LiveExpression(_Seconds):
    """What the networks see: of `face_scores`."""

    def __init__(self, rate: float | None, channels: tuple[str, ...]) -> None:
        super().__init__(lambda rows: of_scores(channels, rows))


class LiveUnits(_Seconds):
    """What the rules see: of `face_units`, where no network is installed."""

    def __init__(self, rate: float | None, channels: tuple[str, ...]) -> None:
        super().__init__(lambda rows: (of_rules(rules.expressions(rows)),))


def _axes(engines: tuple[Engine, ...], together: Floats) -> Floats:
    own = [each for each in engines if each.axes is not None]
    if own:
        axes = np.stack([np.nanmean(each.axes, axis=0) for each in own if each.axes is not None])
        return np.asarray(np.average(axes, axis=0, weights=[each.weight for each in own]))
    basic = together[:, :-1] / together[:, :-1].sum(axis=1, keepdims=True)
    return np.asarray(rules.valence_arousal(basic.mean(axis=0, keepdims=True))[0])

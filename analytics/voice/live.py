"""The voice while somebody speaks: of the last seconds, approximate."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from analytics.analyzer import Finding
from analytics.voice.prosody import signs
from analytics.voice.words import AROUSAL, EMOTION, VALENCE, Floats, Times, axes, heard, pooled
from kiosk.messages import SECOND

SCORES_METHOD, SECONDS_METHOD = "voice-log-pool-10s-1", "voice-seconds-10s-1"
WINDOW = 10.0
"""Seconds that a value is of: some phrases, as live listeners judge by (about one breath group after another)."""
MOST_ROWS = 400
"""Of a window, whatever the rate."""


class _Rows(ABC):
    """The rows of the last seconds; findings with every row."""

    def __init__(self, channels: tuple[str, ...]) -> None:
        self._channels = channels
        self.reset()

    def reset(self) -> None:
        """As new."""
        self._times: list[int] = []
        self._rows: list[Floats] = []

    def feed(self, times: Times, samples: NDArray[np.float32]) -> list[Finding]:
        """What each of these rows makes of the seconds before it: no chunking can change it."""
        findings: list[Finding] = []
        for at, row in zip(times.tolist(), samples.astype(np.float64), strict=True):
            self._times.append(at)
            self._rows.append(row)
            while self._times[0] <= at - WINDOW * SECOND or len(self._times) > MOST_ROWS:
                del self._times[0], self._rows[0]
            findings += self._findings(np.array(self._rows), self._times[0], at)
        return findings

    @abstractmethod
    def _findings(self, rows: Floats, start: int, end: int) -> list[Finding]:
        """What the rows of so long a time say."""


class LiveEmotion(_Rows):
    """What the networks hear: of `voice_scores`."""

    def __init__(self, rate: float | None, channels: tuple[str, ...]) -> None:
        super().__init__(channels)

    def _findings(self, rows: Floats, start: int, end: int) -> list[Finding]:
        rows = rows[np.isfinite(rows).all(axis=1)]
        told = heard(self._channels, rows)
        if told is None:
            return []
        known = [measure for measure in EMOTION if measure.removeprefix("voice_") in told.emotions]
        if not len(rows):
            return [Finding(measure, None, SCORES_METHOD, start, end, absent="no_speech") for measure in known]
        together = pooled(told, np.ones(len(rows)))
        quality = round(float(told.familiar.mean()), 3)
        values = [*together.tolist(), *axes(told.emotions, together)]
        return [
            Finding(measure, value, SCORES_METHOD, start, end, quality=quality)
            for measure, value in zip((*known, VALENCE, AROUSAL), values, strict=True)
        ]


class LiveVoice(_Rows):
    """How somebody speaks: of `voice_functionals`."""

    def __init__(self, rate: float | None, channels: tuple[str, ...]) -> None:
        super().__init__(channels)

    def _findings(self, rows: Floats, start: int, end: int) -> list[Finding]:
        return [
            Finding(sign.measure, sign.value, SECONDS_METHOD, start - SECOND, end, absent=sign.absent)
            for sign in signs(self._channels, rows)
        ]

"""Pulse rate of a stream of PPG, each second of signal."""

from collections import Counter
from math import ceil

import numpy as np
from numpy.typing import NDArray

from analytics.analyzer import Finding
from analytics.ecg.live import rate_of
from analytics.ppg.record import Stretch, stretch
from analytics.ppg.wave import SLOWEST
from analytics.quality import READABLE
from analytics.windows import Times, Window
from kiosk.measures import Reason

METHOD = "ppg-upstroke-median-10s-1"
WINDOW = 10
"""Seconds that a value is made of: noise has no five alike and even pulses in them."""
FIRST = 6
"""Seconds of signal before the first value."""
USABLE = 0.5
"""Share of the seconds that must be readable."""
LEAST = 5.0
"""Seconds of usable intervals behind a value: three or four even clicks happen."""
REVIEW = 3
"""Seconds after which the other channels are looked at again, where the one that is read is not good..."""
GOOD = 0.6
"""... as it is with less quality than this."""
BETTER = 0.1
"""Quality by which another channel must be better to be read."""


class LivePulse:
    """The median rate of the last ten seconds: a step 80 -> 120 wins it after 5 s, 120 -> 80 after 7.

    Each second the last ten are analysed as a whole record is. Of several channels it reads the one with the best
    pulse of the first seconds, and another one when that has become better.
    """

    def __init__(self, rate: float, channels: tuple[str, ...]) -> None:
        self._rate = rate
        self._channels = channels
        self.reset()

    def reset(self) -> None:
        """As new: the next sample is the stream's first."""
        self._raw = Window(max(2, round(WINDOW * self._rate)), len(self._channels))
        self._channel = 0
        self._seconds = 0

    def feed(self, times: Times, samples: NDArray[np.float32]) -> list[Finding]:
        """A pulse rate, or the reason why there is none, for each second that these samples complete."""
        findings, begin = [], 0
        while begin < len(times):
            # up to the end of the second, wherever the chunk ends: no chunking can change a finding
            missing = ceil((self._seconds + 1) * self._rate) - self._raw.end
            end = min(len(times), begin + missing)
            self._raw.append(times[begin:end], samples[begin:end].astype(np.float64))
            if end - begin == missing:
                self._seconds += 1
                findings.append(self._finding())
            begin = end
        return findings

    def _finding(self) -> Finding:
        begin, end = self._raw.start, self._raw.end
        value, score, absent = None, None, self._unready()
        if absent is None:
            look = self._look()
            score = round(float(look.score.mean()), 3)
            value, absent = _read(look)
        return Finding(
            measure="heart_rate",
            value=value,
            method=METHOD,
            start_ns=self._raw.time_at(begin),
            end_ns=self._raw.time_at(end - 1),
            quality=score,
            absent=absent,
        )

    def _unready(self) -> Reason | None:
        if not self._rate >= SLOWEST:
            return "unsuitable_rate"
        return "too_short" if self._seconds < FIRST else None

    def _look(self) -> Stretch:
        """The channel that is read, after a look at the others where it is not good."""
        rows = self._raw.rows(self._raw.start, self._raw.end)
        look = self._stretch(rows, self._channel)
        if len(self._channels) > 1 and (self._seconds - FIRST) % REVIEW == 0 and look.score.mean() < GOOD:
            for column in range(len(self._channels)):
                other = self._stretch(rows, column) if column != self._channel else look
                if other.score.mean() > look.score.mean() + BETTER:
                    self._channel, look = column, other
        return look

    def _stretch(self, rows: NDArray[np.float64], column: int) -> Stretch:
        # judged whole: a shorter look each second would see a pulse in noise now and then
        return stretch(rows[:, column], self._rate, windows=(WINDOW,))


def _read(look: Stretch) -> tuple[float | None, Reason | None]:
    """Beats per minute of what can be used, or what is wrong with most of it."""
    readable = look.quality.value >= READABLE
    if readable.mean() < USABLE:
        return None, Counter(reason for reason in look.quality.reason if reason).most_common(1)[0][0]
    places = np.flatnonzero(look.held)
    steps = np.diff(look.at)[places]
    if steps.sum() < LEAST:
        return None, "too_short" if len(readable) < WINDOW else "noisy"
    value = rate_of(steps, np.diff(places) == 1)
    return value, "noisy" if value is None else None

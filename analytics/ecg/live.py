"""Heart rate of a stream of ECG, each second of signal."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics import intervals, quality
from analytics.analyzer import Finding
from analytics.ecg import peaks
from analytics.ecg.leads import Lead, usual
from analytics.ecg.peaks import Beats
from analytics.ecg.trust import LEAST_BEATS, WINDOW, trust
from analytics.filters import hold
from analytics.windows import Blocks, Floats, Times, Window
from kiosk.measures import Reason

METHOD = "ecg-rr-median-8s-2"
FIRST = 5
"""Seconds of signal before the first value."""
SURE = 0.6
"""Trust from which a rate is shown: of a single window less is known than of a whole record."""
NEW, SURER = 0.15, 0.85
"""Relative change from the last rate shown, and the trust that it takes: hearts leap seldom, artefacts often do."""
USABLE = 0.5
"""Share of the seconds that must be readable."""
SILENCE = (3.0, 2.5)
"""Seconds, and median intervals, without a beat after which the rate before it is no longer the heart's."""
BETTER = 0.1
"""Quality by which another lead must be better to be read from the beginning."""
MEMORY = 20.0
"""Seconds in which beats are looked for each time: more than the window, to know the usual shapes in noise."""
SETTLED = 0.200
"""Seconds before the newest sample from which on a beat could still become another."""
BLOCK = 0.200
"""Seconds per step: everything happens at multiples of it from the first sample on, whatever the chunks."""


def rate_of(steps: Floats, following: NDArray[np.bool_]) -> float | None:
    """Beats per minute: 60 over the median of two-beat means, so that each beat of a bigeminus counts.

    `following` says of each interval but the first whether it begins where the one before it ended.
    """
    if len(steps) < 2:
        return None
    pairs = 0.5 * (steps[1:] + steps[:-1])[following]
    return 60.0 / float(np.median(pairs if len(pairs) else steps))


def recent_beats(x: Floats, rate: float) -> Beats:
    """The settled beats of the last seconds of a stream, as the whole record's detector sees them."""
    found = peaks.beats(x, rate)
    settled = found.at <= len(x) - SETTLED * rate
    return replace(found, at=found.at[settled], heights=found.heights[settled])


class LiveHeartRate:
    """The median rate of the last eight seconds: a step 80 -> 120 wins it after 5 s, 120 -> 80 after 6.

    A rate takes trust in its beats, and one that leaps takes more; a heart that has been silent for three seconds or
    two and a half intervals has none.

    Of several leads it reads the most readable one of the first two seconds (lead II among equals), and another
    when that has been unreadable for three.
    """

    def __init__(self, rate: float, channels: tuple[str, ...]) -> None:
        self._rate = rate
        self._channels = channels
        self.reset()

    def reset(self) -> None:
        """As new: the next sample is the stream's first."""
        self._blocks = Blocks(max(2, round(BLOCK * self._rate)))
        room = round(MEMORY * self._rate)
        self._raw, self._held = Window(room, len(self._channels)), Window(room, len(self._channels))
        self._last = np.zeros(len(self._channels))
        self._leads = [Lead() for _ in self._channels]
        self._lead = usual(self._channels)
        self._seconds = 0
        self._shown: float | None = None
        self._shown_at = 0

    def feed(self, times: Times, samples: NDArray[np.float32]) -> list[Finding]:
        """A heart rate, or the reason why there is none, for each second that these samples complete."""
        findings = []
        for block_times, block in self._blocks.feed(times, samples):
            wave = block.astype(np.float64)
            self._raw.append(block_times, wave)
            held = hold(wave, self._last)
            self._last = held[-1].copy()
            self._held.append(block_times, held)
            if self._raw.end >= (self._seconds + 1) * self._rate:
                self._seconds += 1
                self._judge()
                findings.append(self._finding())
        return findings

    def _judge(self) -> None:
        """Quality of the newest second of every lead, and whether another one should be read."""
        end, size = self._raw.end, round(self._rate)
        rows = self._raw.rows(end - (2 if end >= 2 * size else 1) * size, end)
        for lead, column in zip(self._leads, rows.T, strict=True):
            lead.judge(column, self._rate)
        best = max(range(len(self._leads)), key=lambda place: self._leads[place].recent)
        now, other = self._leads[self._lead], self._leads[best]
        if (self._seconds == 2 and other.recent > now.recent + BETTER) or (
            now.unreadable and other.recent > quality.READABLE + BETTER
        ):
            self._lead = best

    def _finding(self) -> Finding:
        end = self._raw.end
        begin = max(0, end - round(WINDOW * self._rate))
        lead = self._leads[self._lead]
        value, trusted = self._heart_rate(begin, end)
        readable = [score >= quality.READABLE for score in lead.values]
        if self._seconds < FIRST:
            absent: Reason | None = "too_short"
        elif sum(readable) < USABLE * len(readable):
            absent = Counter(reason for reason in lead.reasons if reason).most_common(1)[0][0]
        elif value is None and self._seconds < WINDOW:
            absent = "too_short"
        else:
            absent = None if value is not None and trusted >= self._needed(value) else "noisy"
        if absent is None:
            self._shown, self._shown_at = value, self._seconds
        return Finding(
            measure="heart_rate",
            value=None if absent else value,
            method=METHOD,
            start_ns=self._raw.time_at(begin),
            end_ns=self._raw.time_at(end - 1),
            quality=None if absent == "too_short" else round(trusted * float(np.mean(lead.values)), 3),
            absent=absent,
        )

    def _needed(self, value: float) -> float:
        """The trust that it takes to show this rate after the last one, as long as that is remembered."""
        if self._shown is None or self._seconds - self._shown_at > WINDOW:
            return SURE
        return SURER if abs(value - self._shown) > NEW * self._shown else SURE

    def _heart_rate(self, begin: int, end: int) -> tuple[float | None, float]:
        """The rate between two indices from its readable seconds, and the trust in its beats."""
        wave = self._held.rows(self._held.start, end)[:, self._lead]
        first = begin - self._held.start
        found = recent_beats(wave, self._rate)
        at = found.at[found.at >= first]
        if len(at) < LEAST_BEATS:
            return None, 0.0
        silent = (len(wave) - at[-1]) / self._rate
        if silent > max(SILENCE[0], SILENCE[1] * float(np.median(np.diff(at))) / self._rate):
            return None, 0.0
        trusted = trust(wave, found, self._rate, first, len(wave))
        # seconds are counted back from the newest one
        seconds = np.array(self._leads[self._lead].values) >= quality.READABLE
        age = np.minimum(((len(wave) - 1 - at) / self._rate).astype(np.intp), len(seconds) - 1)
        good = seconds[len(seconds) - 1 - age]
        # intervals over a second that cannot be read may hide a beat
        kept = np.array([seconds[len(seconds) - 1 - a : len(seconds) - b].all() for a, b in pairwise(age)])
        steps = np.diff(at) / self._rate
        # the median forgives single false beats by itself; to drop unusual intervals would cost bigeminy its pauses
        places = np.flatnonzero(kept & good[1:] & good[:-1] & intervals.possible(steps))
        return rate_of(steps[places], np.diff(places) == 1), trusted

"""Heart rate of a camera's stream of skin colours, each second."""

from collections import Counter, deque

import numpy as np
from numpy.typing import NDArray

from analytics.analyzer import Finding
from analytics.rppg import coherent, course, disturbed, evidence, finger, phase, trust
from analytics.rppg.colours import BRIDGED, RATE, Stretch, stretches
from analytics.rppg.record import METHOD, SHORTEST, STRAY, WINDOW, pulse
from analytics.rppg.seconds import seconds
from analytics.rppg.wave import wave
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Track

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

REMEMBERED = 13
"""Windows, each a second later, whose rates are one course."""
PAUSE = 5.0
"""Seconds without a frame after which the stream begins anew."""
EDGE = round(0.5 * RATE)
"""Samples at both ends of a window whose phase is not used."""
RECENT = 4
"""Seconds that say what is in the way now."""


class LiveCamera:
    """The rate of the last twelve seconds, from the eighth on: the same evidence and trust as of a whole recording.

    A second ends where its time is over, not with a number of frames: they may be late, uneven or lost.
    """

    def __init__(self, rate: float | None, channels: tuple[str, ...]) -> None:
        self._channels = channels
        self._nothing = np.empty(0, dtype=np.int64), np.empty((0, len(channels)), dtype=np.float32)
        self.reset()

    def reset(self) -> None:
        """As new: the next frame is the stream's first."""
        self._times, self._samples = self._nothing
        self._origin: int | None = None
        self._seconds = 0
        self._rows: deque[tuple[Floats, Floats]] = deque(maxlen=REMEMBERED)

    def feed(self, times: Times, samples: NDArray[np.float32]) -> list[Finding]:
        """A heart rate, or the reason why there is none, for each second that is over."""
        findings = []
        begin = 0
        while begin < len(times):
            last = int(self._times[-1]) if len(self._times) else int(times[begin])
            if times[begin] - last > PAUSE * SECOND:
                self.reset()
            if self._origin is None:
                self._origin = int(times[begin])
            due = self._origin + (self._seconds + 1) * SECOND
            pauses = np.flatnonzero(np.diff(times[begin:]) > PAUSE * SECOND)
            stop = begin + int(pauses[0]) + 1 if len(pauses) else len(times)
            end = begin + int(np.searchsorted(times[begin:stop], due))
            self._times = np.concatenate((self._times, times[begin:end]))
            self._samples = np.concatenate((self._samples, samples[begin:end]))
            if end < stop:
                self._seconds += 1
                findings.append(self._finding(due))
                kept = self._times >= due - (WINDOW + 1) * SECOND
                self._times, self._samples = self._times[kept], self._samples[kept]
            begin = end
        return findings

    def _finding(self, end: int) -> Finding:
        part = Track("rgb", "camera", self._channels, None, self._times, self._samples)
        part = part.between(end - WINDOW * SECOND, end)
        start = max(end - WINDOW * SECOND, self._origin or 0)
        if len(part.times) and finger.on_lens(part):
            value, score, method = self._of_finger(part)
        else:
            value, score, method = *self._of_face(part, end), METHOD
        absent = self._absent(part) if value is None else None
        return Finding("heart_rate", value, method, start, end, quality=score, absent=absent)

    def _of_face(self, part: Track, end: int) -> tuple[float | None, float | None]:
        stretch = _newest(part, end)
        if stretch is None:
            self._rows.clear()
            return None, None
        look = evidence.look(stretch.changes, RATE)
        hertz, row = evidence.pulse_like(look)
        self._rows.append((hertz, row))
        # the first windows are shorter, and their grids wider
        rows = np.array([np.interp(hertz, grid, known) for grid, known in self._rows])
        places = course.path(hertz, rows)
        rate = course.refined(hertz, row, int(places[-1]))
        strength = rows[np.arange(len(rows)), places]
        together, count = trust.supported(strength, 1.0, len(stretch.times) / RATE)
        few = trust.times_more(stretch.changes.shape[1], shaped=False) * WINDOW * RATE / len(stretch.changes)
        times = few * trust.too_faint(np.interp([rate], look.hertz, np.abs(look.amplitude)))
        drawn = wave(stretch, np.zeros(1, dtype=np.intp), len(stretch.times), [look], np.array([rate]))
        shaped = np.interp([2.0 * rate], look.hertz, look.power) >= coherent.SINE
        lamp = ~shaped & coherent.keeps_time(drawn, RATE, rate)
        times *= trust.lamplike(disturbed.flickering(np.array([rate]), disturbed.frame_rate(part.times)), lamp, shaped)
        score = float(trust.trust(strength[-1:], together[-1:] / trust.enough(count[-1:]), times=times)[0])
        return (60.0 * _fine(drawn, rate) if score >= trust.ENOUGH else None), round(score, 3)

    def _of_finger(self, part: Track) -> tuple[float | None, float | None, str]:
        found = pulse(part)
        good = found.rates[np.isfinite(found.rates)]
        value = float(np.median(good)) if len(good) >= SHORTEST // 2 else None
        return value, round(float(found.quality.mean()), 3) if len(found.quality) else None, found.method

    def _absent(self, part: Track) -> Reason:
        hindrance = [reason for reason in seconds(part).hindrance[-RECENT:] if reason]
        if not len(part.times):
            return "no_face"
        if hindrance:
            return Counter(hindrance).most_common(1)[0][0]
        return "too_short" if self._seconds < SHORTEST else "noisy"


def _fine(drawn: Floats, rate: float) -> float:
    """The mean rate of the window: how far the pulse's phase ran. Its spectrum's peak is where it was steadiest."""
    # the wave fades out to both ends with the window: there its phase is noise
    run = phase.run(drawn, RATE, np.array([0.5 * len(drawn)]), np.array([rate]))[EDGE:-EDGE]
    mean = float(run.mean())
    return mean if abs(mean - rate) < STRAY else rate


def _newest(part: Track, end: int) -> Stretch | None:
    """The last whole seconds of a face that is still there."""
    if len(part.times) < 2 or end - int(part.times[0]) < SHORTEST * SECOND - SECOND // 10:
        return None
    found = stretches(part)
    if not found or end - int(found[-1].times[-1]) > BRIDGED * SECOND:
        return None
    last = found[-1]
    # to whole seconds, so that windows are of few sizes; a frame's time lacks at the end
    size = min(WINDOW, round((len(last.times) + 3) / RATE - 0.45)) * round(RATE)
    if size < SHORTEST * RATE:
        return None
    size = min(size, len(last.times))
    return Stretch(last.times[-size:], last.changes[-size:])

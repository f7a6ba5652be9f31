"""The EEG while it is measured: every second, of the last four, approximate."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from analytics.analyzer import Finding
from analytics.eeg import cells, cleaning, features, montage, spectra
from analytics.eeg.bands import SLOWEST
from analytics.eeg.cells import Cells, Verdict
from analytics.eeg.tally import picture, tally
from analytics.filters import Causal
from analytics.windows import Blocks, Floats, Times
from kiosk.measures import Reason
from kiosk.messages import SECOND

METHOD = "eeg-welch-4s-live-1"
SECONDS = 4
"""Of signal behind a value: three windows of two seconds."""
MEMORY = 30
"""Windows that channels are judged by."""
LEAST = 2
"""Usable windows of the last three that a channel must have."""


class LiveEeg:
    """Band powers, their shares, alpha's peak, asymmetry, engagement and slowing, each second from the fourth on.

    The same cells, verdicts and features as the final analysis, with a causal filter, and with verdicts from the last
    half minute alone. Blinks are not corrected: the seconds of channels that show them are left out.
    """

    def __init__(self, rate: float | None, channels: tuple[str, ...]) -> None:
        self._rate = rate or 0.0
        places = montage.places(channels)
        self._brain = [number for number, each in enumerate(places) if each.brain]
        self._places = tuple(places[number] for number in self._brain)
        self._reference = cleaning.referenced(self._places)
        self._blocks = Blocks(max(1, spectra.hop(self._rate)))
        self._filter = Causal(cleaning.causal(self._rate), len(self._brain)) if self._absent() is None else None
        self.reset()

    def reset(self) -> None:
        """As new: the next sample is the stream's first."""
        self._blocks.clear()
        if self._filter is not None:
            self._filter.reset()
        self._last: tuple[Floats, Floats, Floats] | None = None
        self._cells: deque[Cells] = deque(maxlen=MEMORY)
        self._starts: deque[int] = deque(maxlen=SECONDS)

    def feed(self, times: Times, samples: NDArray[np.float32]) -> list[Finding]:
        """What the seconds say that these samples complete."""
        findings: list[Finding] = []
        for block_times, block in self._blocks.feed(times, samples):
            self._starts.append(int(block_times[0]))
            self._add(block[:, self._brain].astype(np.float64))
            if len(self._starts) == SECONDS:
                findings += self._findings(int(block_times[-1]) + round(SECOND / self._rate))
        return findings

    def _absent(self) -> Reason | None:
        if self._rate < SLOWEST:
            return "unsuitable_rate"
        return None if self._brain else "missing_channels"

    def _add(self, raw: Floats) -> None:
        """One more second: with the one before it a window."""
        if self._filter is None:
            return
        clean = self._filter.feed(np.where(np.abs(raw) <= cleaning.LARGEST, raw, np.nan))
        common = np.zeros(len(raw))
        if len(self._reference):
            common = np.median(clean[:, self._reference], axis=1)
            clean[:, self._reference] -= common[:, None]
        if self._last is not None:
            rows, cleaned, shared = (
                np.concatenate(pair) for pair in zip(self._last, (raw, clean, common), strict=True)
            )
            taken = shared if len(self._reference) else None
            self._cells.append(cells.cell(rows, cleaned, self._rate, taken=taken))
        self._last = raw, clean, common

    def _findings(self, end: int) -> list[Finding]:
        start, absent = self._starts[0], self._absent()
        if absent is not None:
            return [Finding(measure, None, METHOD, start, end, absent=absent) for measure in features.LIVE]
        known = cells.together(list(self._cells))
        verdict = cells.judged(known, spectra.frequencies(self._rate), montage.scalp(self._places))
        recent = SECONDS - 1
        newest = Cells(*(getattr(known, name)[-recent:] for name in Cells.__slots__))
        found = tally(newest, Verdict(verdict.codes[-recent:], verdict.bad), self._reference, self._rate)
        seen = picture(found, self._places, self._rate, least=LEAST)
        quality = round(found.usable, 3)
        return [
            Finding(
                each.measure, each.value, each.method.replace(features.METHOD, METHOD), start, end,
                quality=quality, absent=each.absent,
            )
            for each in features.features(seen, features.LIVE)
        ]  # fmt: skip

"""A recording as a device would deliver it: blocks in the order of time, with what is missing counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from kiosk.recording import Track


@dataclass(frozen=True, slots=True)
class PlayedBlock:
    """Consecutive samples of one track."""

    track: Track
    times: NDArray[np.int64]
    """Nanoseconds since the recording's origin."""
    samples: NDArray[np.float32]
    lost: int
    """Samples that the recording lacks just before these, on the grid of a regular track."""
    complete: int
    """When the last of them was over: its time, and its period where the track has a rate."""
    due: int
    """When the block is handed out: the end of its stretch of time."""


def blocks(tracks: Sequence[Track], seconds: float, *, start: int = 0) -> Iterator[PlayedBlock]:
    """All samples that are not over before `start`, in blocks of at most so many seconds, all tracks in step."""
    step = round(seconds * SECOND)
    playing = [_Playing(track, start) for track in tracks if len(track.times)]
    while playing:
        # an empty stretch, however long, takes no turns
        first = min(play.next_complete for play in playing)
        due = -(-first // step) * step
        for play in playing:
            yield from play.until(due)
        playing = [play for play in playing if not play.ended]


class _Playing:
    """How far a track has been played."""

    def __init__(self, track: Track, start: int) -> None:
        self._track = track
        self._period = round(SECOND / track.rate) if track.rate else 0
        self._at = int(np.searchsorted(track.times, start - self._period, side="left"))
        self._begun = self._at
        steps = np.diff(track.times)
        gaps = np.flatnonzero(steps > 1.5 * SECOND / track.rate) if track.rate else np.empty(0, np.int64)
        self._lost = {int(i) + 1: round(float(steps[i]) * (track.rate or 0) / SECOND) - 1 for i in gaps}
        self._breaks = np.array(sorted(self._lost), np.int64)

    @property
    def ended(self) -> bool:
        return self._at >= len(self._track.times)

    @property
    def next_complete(self) -> int:
        """When the next sample is over."""
        return int(self._track.times[self._at]) + self._period

    def until(self, due: int) -> Iterator[PlayedBlock]:
        """The samples that are over by a time, cut where some are missing."""
        end = int(np.searchsorted(self._track.times, due - self._period, side="right"))
        while self._at < end:
            after = int(np.searchsorted(self._breaks, self._at, side="right"))
            stop = min(end, int(self._breaks[after])) if after < len(self._breaks) else end
            part = slice(self._at, stop)
            lost = self._lost.get(self._at, 0) if self._at > self._begun else 0
            times = self._track.times[part]
            yield PlayedBlock(self._track, times, self._track.samples[part], lost, int(times[-1]) + self._period, due)
            self._at = stop

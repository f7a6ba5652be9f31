"""What is remembered of a stream: its last samples with their times, and blocks of equal size out of any chunking."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


class Window:
    """The last rows of a stream with their times, addressed by their index since the start of the stream."""

    def __init__(self, capacity: int, channels: int) -> None:
        self._capacity = capacity
        # twice the room: rows move once per filling, and every view is contiguous
        self._samples = np.empty((2 * capacity, channels))
        self._times = np.empty(2 * capacity, dtype=np.int64)
        self._fill = 0
        self.end = 0
        """Index after the newest row."""

    @property
    def start(self) -> int:
        """Index of the oldest row that is still there."""
        return max(0, self.end - min(self._fill, self._capacity))

    def append(self, times: Times, samples: Floats) -> None:
        """Rows that follow the last one."""
        times, samples, count = times[-self._capacity :], samples[-self._capacity :], len(times)
        room = len(times)
        if self._fill + room > 2 * self._capacity:
            keep = min(self._fill, self._capacity - room)
            self._samples[:keep] = self._samples[self._fill - keep : self._fill]
            self._times[:keep] = self._times[self._fill - keep : self._fill]
            self._fill = keep
        self._samples[self._fill : self._fill + room] = samples
        self._times[self._fill : self._fill + room] = times
        self._fill += room
        self.end += count

    def rows(self, begin: int, end: int) -> Floats:
        """Rows begin..end by index, as a view; rows that are gone or not there yet are an error."""
        first = self._place(begin, end)
        return self._samples[first : first + end - begin]

    def times(self, begin: int, end: int) -> Times:
        """Times of rows begin..end."""
        first = self._place(begin, end)
        return self._times[first : first + end - begin]

    def time_at(self, index: float) -> int:
        """The time at a broken index, between its two rows (past the ends: along the nearest two)."""
        low = min(max(int(index), self.start), self.end - 1)
        before = max(min(low, self.end - 2), self.start)
        pair = self.times(before, min(before + 2, self.end))
        period = int(pair[-1] - pair[0])
        return int(pair[0]) + round((index - before) * period)

    def clear(self) -> None:
        """As new."""
        self._fill = 0
        self.end = 0

    def _place(self, begin: int, end: int) -> int:
        if not self.start <= begin <= end <= self.end:
            raise IndexError(f"rows {begin}..{end} of {self.start}..{self.end}")
        return self._fill - (self.end - begin)


class Blocks:
    """Cuts a stream into blocks of equal size, so that what follows cannot depend on how it was chunked."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._times: list[Times] = []
        self._samples: list[NDArray[np.float32]] = []
        self._waiting = 0

    def feed(self, times: Times, samples: NDArray[np.float32]) -> Iterator[tuple[Times, NDArray[np.float32]]]:
        """Every block that this chunk completes."""
        # copies: chunks are views on payloads, which should not live longer than they must
        self._times.append(times.copy())
        self._samples.append(samples.copy())
        self._waiting += len(times)
        if self._waiting < self._size:
            return
        times, samples = np.concatenate(self._times), np.concatenate(self._samples)
        whole = len(times) - len(times) % self._size
        self._times, self._samples = [times[whole:]], [samples[whole:]]
        self._waiting = len(times) - whole
        for begin in range(0, whole, self._size):
            yield times[begin : begin + self._size], samples[begin : begin + self._size]

    def clear(self) -> None:
        """Forget what is waiting."""
        self._times, self._samples, self._waiting = [], [], 0

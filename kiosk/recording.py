"""A session's signals with gaps: what files, the store and analytics exchange, whatever their source."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import BadRecording
from kiosk.messages import SECOND, Chunk


@dataclass(frozen=True, slots=True)
class Track:
    """One signal of one device: a row of samples per time. Gaps are jumps in `times`; NaN is a lost sample."""

    signal: str
    device: str
    channels: tuple[str, ...]
    rate: float | None
    """Nominal hertz; None where every sample has a time of its own."""
    times: NDArray[np.int64]
    """Nanoseconds since the recording's origin, strictly increasing."""
    samples: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.shape != (len(self.times), len(self.channels)):
            raise BadRecording(f"{self.signal}: {self.samples.shape} samples for {len(self.times)} times")
        if self.times.dtype != np.int64 or self.samples.dtype != np.float32:
            raise BadRecording(f"{self.signal}: times are int64 and samples float32")
        if len(self.times) > 1 and not (np.diff(self.times) > 0).all():
            raise BadRecording(f"{self.signal}: times must increase")

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Times in seconds."""
        return self.times / SECOND

    def channel(self, name: str) -> NDArray[np.float64]:
        """One channel's samples."""
        return self.samples[:, self.channels.index(name)].astype(np.float64)

    def segments(self) -> Iterator["Track"]:
        """The stretches without a gap, in order. An irregular track is one segment: its times tell its gaps."""
        if self.rate is None or len(self.times) < 2:
            if len(self.times):
                yield self
            return
        # half a sample of tolerance: a clock fit moves chunks by parts per million, a gap is a sample or more
        # and a whole number: integers are compared twice as fast as they are made floats
        breaks = np.flatnonzero(np.diff(self.times) > int(1.5 * SECOND / self.rate)) + 1
        for begin, end in zip([0, *breaks], [*breaks, len(self.times)], strict=True):
            yield self.part(int(begin), int(end))

    def part(self, begin: int, end: int) -> "Track":
        """Samples begin..end as a track of its own."""
        return Track(self.signal, self.device, self.channels, self.rate, self.times[begin:end], self.samples[begin:end])

    def between(self, start: int, end: int) -> "Track":
        """Samples with start <= time < end, in nanoseconds."""
        begin, stop = np.searchsorted(self.times, (start, end))
        return self.part(int(begin), int(stop))


def track(chunks: Iterable[Chunk]) -> Track:
    """The track of one device's chunks of one signal, in the order of their times (runs may follow each other)."""
    ordered = sorted(chunks, key=lambda chunk: (chunk.start, chunk.seq))
    if not ordered:
        raise BadRecording("no chunks")
    first = ordered[0]
    if any((chunk.channels, chunk.rate) != (first.channels, first.rate) for chunk in ordered):
        raise BadRecording(f"{first.stream.signal}: channels or rate change within the track")
    times = np.concatenate([chunk.times() for chunk in ordered])
    samples = np.concatenate([chunk.values() for chunk in ordered])
    # a chunk's start is a fit: it may lie a hair before its predecessor's end, never a whole sample
    keep = np.concatenate(([True], times[1:] > np.maximum.accumulate(times)[:-1]))
    return Track(
        first.stream.signal,
        first.stream.device,
        first.channels,
        first.rate,
        times[keep],
        samples[keep].astype(np.float32, copy=False),
    )


MOST_MARKS = 10_000
"""That a recording keeps: a stimulus a second for almost three hours."""
LONGEST_MARK = 200
"""Characters of a mark's text that are kept."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody noted at a time: eyes closed, a stimulus, a step of the protocol."""

    time: int
    """Nanoseconds since the recording's origin."""
    text: str
    duration: float = 0.0
    """Seconds; 0 where it is a moment."""


def marks(found: Iterable[Mark]) -> tuple[Mark, ...]:
    """Marks as a recording keeps them: the first so many in order of time, each one short printable line."""
    kept = []
    for mark in sorted(found, key=lambda mark: mark.time)[:MOST_MARKS]:
        # they come from strangers' files, and are shown in terminals
        line = " ".join("".join(c if c.isprintable() else " " for c in mark.text).split())[:LONGEST_MARK]
        if line:
            kept.append(replace(mark, text=line, duration=mark.duration if 0.0 < mark.duration < np.inf else 0.0))
    return tuple(kept)


@dataclass(frozen=True, slots=True)
class Baseline:
    """A measure over a person's earlier sessions."""

    measure: str
    mean: float
    sd: float
    sessions: int


@dataclass(frozen=True, slots=True)
class Context:
    """What is known beside the signals. It is stored with a result and used again on re-analysis."""

    age: float | None = None
    sex: str | None = None
    baselines: tuple[Baseline, ...] = ()
    norms_version: str | None = None
    corrected_beats: tuple[float, ...] = ()
    """All beat times in seconds as a person left them; empty where nobody touched them."""
    by_hand: int = 0
    """How many of them were added or moved, and how many taken away."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A session's tracks. `name` says where it came from, for people."""

    tracks: tuple[Track, ...]
    name: str = ""
    beats: tuple[float, ...] | None = None
    """Beat times in seconds, where the source is beats or intervals and no wave."""
    assumed: tuple[tuple[str, str], ...] = field(default=())
    """What a reader had to guess (rate, unit, lead), said to whoever asked."""
    marks: tuple[Mark, ...] = ()
    """In order of time, as `marks` makes them."""
    span: tuple[int, int] | None = None
    """Nanoseconds from where to where it goes, where samples do not tell: a row of a sound is of what was before."""

    @property
    def duration(self) -> float:
        """Seconds from the first sample to the end of the last one's period."""
        spans = [
            (track.times[0], track.times[-1] + (SECOND / track.rate if track.rate else 0))
            for track in self.tracks
            if len(track.times)
        ]
        if self.beats:
            spans.append((self.beats[0] * SECOND, self.beats[-1] * SECOND))
        if self.span is not None:
            spans.append(self.span)
        return float(max(end for _, end in spans) - min(start for start, _ in spans)) / SECOND if spans else 0.0

    def of(self, signal: str) -> tuple[Track, ...]:
        """The tracks of one signal."""
        return tuple(track for track in self.tracks if track.signal == signal)

    def beside(self, track: Track, signal: str) -> Track | None:
        """What the same device sent of another signal."""
        return next((each for each in self.of(signal) if each.device == track.device), None)

"""Tracks as chunks: cut so that they are put together again to the very times that they had."""

from collections.abc import Iterator

import numpy as np

from kiosk.messages import MAX_PAYLOAD, SECOND, Chunk, Stream
from kiosk.recording import Track

MOST_BYTES = MAX_PAYLOAD // 2
"""Of samples in a chunk: the rest is for base64 where it is sent on."""
MOST_SAMPLES = 512
"""In a chunk without a rate."""
LONGEST = 60 * SECOND
"""That a chunk spans: the store looks so far back for one that reaches into a window."""
MOST_SINGLE = 100_000
"""Samples of a track that may need a chunk each, because their times are finer than a microsecond."""


def chunks(track: Track, stream: Stream) -> Iterator[Chunk]:
    """A track's chunks."""
    for seq, (begin, end) in enumerate(_cuts(track)):
        samples = track.samples[begin:end].astype("<f4").tobytes()
        start = int(track.times[begin])
        offsets = None
        if track.rate is None:
            offsets = np.rint((track.times[begin:end] - start) / 1000).astype("<i4").tobytes()
        yield Chunk(stream, seq, start, track.rate, track.channels, samples, offsets)


def _cuts(track: Track) -> Iterator[tuple[int, int]]:
    most = max(1, MOST_BYTES // (4 * len(track.channels)))
    if track.rate is None:
        yield from _irregular(track, min(most, MOST_SAMPLES))
        return
    # whole seconds where the rate is whole: their grids meet
    most = max(1, min(most, int(track.rate)))
    grid = np.rint(np.arange(most) * (SECOND / track.rate)).astype(np.int64)
    at, count = 0, len(track.times)
    while at < count:
        times = track.times[at : at + most]
        # a nanosecond is what rounding a grid twice may cost; a gap is never within a chunk
        off = np.abs(times - times[0] - grid[: len(times)]) > 1
        end = at + (int(np.argmax(off)) if off.any() else len(times))
        yield at, end
        at = end


def _irregular(track: Track, most: int) -> Iterator[tuple[int, int]]:
    times, count = track.times, len(track.times)
    fine = np.count_nonzero(np.diff(times) % 1000) > MOST_SINGLE
    at = 0
    while at < count:
        after = times[at : at + most] - times[at]
        off = (after > LONGEST) if fine else (after % 1000 != 0) | (after > LONGEST)
        end = at + (int(np.argmax(off)) if off.any() else len(after))
        yield at, end
        at = end

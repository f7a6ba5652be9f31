"""From stored chunks and pyramids to what is drawn."""

from collections.abc import Iterator

import numpy as np

from api import waveform
from api.store import Transaction, pyramids, waveforms
from api.store.pyramids import Groups, Pyramid
from api.tables import StreamRow
from api.waveform import Block, Envelope, Extremes, Whole
from kiosk.messages import SECOND

PORTION_BYTES = 4_000_000
_ALL = 2**62
"""Nanoseconds: before and after all that is."""


def draw(
    db: Transaction, chosen: list[StreamRow], start: int, end: int, points: int, channels: int
) -> Whole | Envelope:
    """A window of some streams of one shape: all samples where they are few, else each bucket's extremes."""
    level = pyramids.level_for(chosen[0].rate, end - start, points)
    pieces = None if level is None else _pieces(db, chosen, start, end, points, level)
    if pieces is None:
        return waveform.draw(blocks(db, chosen, start, end), start, end, points, channels)
    return waveform.envelope(pieces, start, end, points, channels)


def spread(drawn: Whole | Envelope, rate: float | None, start: int, end: int, points: int) -> Whole | Envelope:
    """The same; few samples with long holes between them in buckets, as a grid of rows would be mostly nothing."""
    if isinstance(drawn, Envelope) or rate is None or (end - start) * rate <= 4 * points * SECOND:
        return drawn
    block = Block(drawn.times, drawn.samples)
    return waveform.envelope([block], start, end, points, drawn.samples.shape[1])


def blocks(db: Transaction, chosen: list[StreamRow], start: int, end: int) -> Iterator[Block]:
    """The samples, some megabytes at a time: vectorised over many chunks, and never a whole day in memory."""
    for stream in chosen:
        held: list[waveforms.Stored] = []
        size = 0
        for portion in waveforms.portions(db, stream, start, end):
            held.extend(portion)
            size += sum(len(chunk.samples) for chunk in portion)
            if size > PORTION_BYTES:
                yield _block(stream, held)
                held, size = [], 0
        if held:
            yield _block(stream, held)


def make_pyramids(db: Transaction, session: str) -> list[Pyramid]:
    """Those that a session's streams should have and do not."""
    return [
        pyramids.make(db, stream, ((block.times, block.samples) for block in blocks(db, [stream], -_ALL, _ALL)))
        for stream in pyramids.lacking(db, session)
    ]


def _block(stream: StreamRow, held: list[waveforms.Stored]) -> Block:
    channels = len(stream.channels or ())
    samples = np.frombuffer(b"".join(chunk.samples for chunk in held), dtype="<f4").reshape(-1, channels)
    starts = np.array([chunk.start for chunk in held], dtype=np.int64)
    counts = np.array([chunk.rows for chunk in held], dtype=np.int64)
    if stream.rate is not None:
        return Block(waveform.times_of(starts, counts, stream.rate), samples)
    offsets = np.frombuffer(b"".join(chunk.offsets or b"" for chunk in held), dtype="<i4").astype(np.int64)
    return Block(np.repeat(starts, counts) + offsets * 1000, samples)


def _pieces(
    db: Transaction, chosen: list[StreamRow], start: int, end: int, points: int, level: int
) -> Iterator[Block | Extremes] | None:
    """The window in groups, and in samples where a group is partly within or a stream has none. None where they are
    no more samples than one may see."""
    grouped: list[Groups] = []
    cut: list[tuple[StreamRow, int, int]] = []
    plain: list[StreamRow] = []
    samples = 0
    for stream in chosen:
        found = pyramids.within(db, stream, level, start, end)
        if found is None:
            plain.append(stream)
            continue
        whole = (found.begins >= start) & (found.ends < end)
        inside, edges = found.chosen(whole), found.chosen(~whole)
        grouped.append(inside)
        samples += int(inside.counts.sum())
        for begin, last in zip(edges.begins.tolist(), edges.ends.tolist(), strict=True):
            cut.append((stream, max(begin, start), min(last + 1, end)))
    # as `waveform.draw` decides; what is cut at the edges tips no scale that matters when it is left out here
    if samples <= 2 * points:
        return None

    def each() -> Iterator[Block | Extremes]:
        for groups in grouped:
            yield Extremes(groups.begins, groups.low, groups.high)
        for stream, begin, last in cut:
            for block in blocks(db, [stream], begin, last):
                yield block.within(begin, last)
        yield from blocks(db, plain, start, end)

    return each()

"""What exports read: each device's signal as one flow of samples, some megabytes at a time, however long it is."""

import io
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from api import drawing
from api.store import Transaction, streams
from api.tables import StreamRow
from api.waveform import Block, Samples
from kiosk.messages import SECOND
from kiosk.signals import SIGNALS

_ALL = 2**62
"""Nanoseconds: before and after all that is."""
STEADY = 1e-6
"""Share by which a measured rate differs from the nominal one at least, to be said: a slot in an hour at 250 Hz."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One signal of one device; its runs follow each other, unless rate or channels changed in between."""

    signal: str
    device: str
    rate: float | None
    channels: tuple[str, ...]
    streams: tuple[StreamRow, ...]
    span: tuple[int, int]
    """From the first sample to the last one's end."""

    @property
    def unit(self) -> str:
        """UCUM."""
        return SIGNALS[self.signal].unit


@dataclass(slots=True)
class Survey:
    """What there is in a flow, found by reading it once."""

    channels: int
    count: int = 0
    stretches: list[tuple[int, int, int]] = field(default_factory=list)
    """Without a gap: first time, last time, samples. Of an irregular flow there is one."""
    low: NDArray[np.float64] = field(init=False)
    high: NDArray[np.float64] = field(init=False)
    """Of each channel's finite samples; infinite and minus infinite where there are none."""
    _sum: NDArray[np.float64] = field(init=False)
    _squares: NDArray[np.float64] = field(init=False)
    _finite: NDArray[np.int64] = field(init=False)
    _middle: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.low, self.high = np.full(self.channels, np.inf), np.full(self.channels, -np.inf)
        self._sum, self._squares, self._middle = (np.zeros(self.channels) for _ in range(3))
        self._finite = np.zeros(self.channels, np.int64)

    def add(self, samples: Samples) -> None:
        """Take some samples into account."""
        values = samples.astype(np.float64)
        known = np.isfinite(values)
        self.low = np.minimum(self.low, np.where(known, values, np.inf).min(axis=0))
        self.high = np.maximum(self.high, np.where(known, values, -np.inf).max(axis=0))
        here = known.sum(axis=0)
        if not self._finite.any():
            # about a number in their midst, so that squares do not drown the spread
            self._middle = np.where(known, values, 0.0).sum(axis=0) / np.maximum(here, 1)
        away = np.where(known, values - self._middle, 0.0)
        self._sum += away.sum(axis=0)
        self._squares += (away * away).sum(axis=0)
        self._finite += here

    @property
    def spread(self) -> NDArray[np.float64]:
        """Each channel's standard deviation."""
        many = np.maximum(self._finite, 1)
        return np.sqrt(np.maximum(self._squares / many - (self._sum / many) ** 2, 0.0))

    @property
    def first(self) -> int:
        """The first sample's time."""
        return self.stretches[0][0]

    @property
    def last(self) -> int:
        """The last one's."""
        return self.stretches[-1][1]

    def measured_rate(self, nominal: float) -> float:
        """Samples per second by the clock that the times are of, in the longest stretch."""
        begin, end, count = max(self.stretches, key=lambda each: each[2])
        if count < 10 * nominal:
            return nominal
        found = round((count - 1) * SECOND / (end - begin), 6)
        return found if abs(found / nominal - 1) > STEADY else nominal


def flows(db: Transaction, session: str) -> list[Flow]:
    """A session's waveforms, in the order in which they began to arrive."""
    groups: dict[tuple[str, str, float | None, tuple[str, ...]], list[StreamRow]] = {}
    extents = streams.extents(db, session)
    for row in streams.of_session(db, session):
        if row.channels and row.signal in SIGNALS and row.id in extents:
            groups.setdefault((row.signal, row.device, row.rate, tuple(row.channels)), []).append(row)
    found = []
    for key, rows in groups.items():
        ordered = sorted(rows, key=lambda row: extents[row.id or 0].start)
        end = max(extents[row.id or 0].end for row in rows)
        found.append(Flow(*key, tuple(ordered), (extents[ordered[0].id or 0].start, end)))
    return found


def reach(found: Iterable[Flow]) -> float:
    """Seconds from the first sample to the last one of some flows."""
    spans = [flow.span for flow in found]
    return (max(end for _, end in spans) - min(begin for begin, _ in spans)) / SECOND if spans else 0.0


def blocks(db: Transaction, flow: Flow) -> Iterator[Block]:
    """A flow's samples, times strictly increasing. Where runs overlap, the later sample is left out."""
    last = -_ALL
    for block in drawing.blocks(db, list(flow.streams), -_ALL, _ALL):
        if not len(block.times):
            continue
        before = np.maximum.accumulate(np.concatenate(([last], block.times[:-1])))
        keep = block.times > before
        kept = block if keep.all() else Block(block.times[keep], block.samples[keep])
        if len(kept.times):
            last = int(kept.times[-1])
            yield kept


def stretches(found: Iterable[Block], rate: float | None) -> Iterator[tuple[bool, Block]]:
    """The same cut at gaps: whether a gap is before each piece, and the piece."""
    last: int | None = None
    for block in found:
        # half a sample of tolerance, as recordings have it
        cuts = np.flatnonzero(np.diff(block.times) > int(1.5 * SECOND / rate)) + 1 if rate is not None else ()
        for begin, end in pairwise((0, *cuts, len(block.times))):
            piece = Block(block.times[begin:end], block.samples[begin:end])
            first = int(piece.times[0])
            yield last is None or (rate is not None and first - last > int(1.5 * SECOND / rate)), piece
            last = int(piece.times[-1])


def survey(db: Transaction, flow: Flow) -> Survey:
    """Read a flow once."""
    found = Survey(len(flow.channels))
    for after_gap, piece in stretches(blocks(db, flow), flow.rate):
        found.add(piece.samples)
        found.count += len(piece.times)
        begin, end, count = int(piece.times[0]), int(piece.times[-1]), len(piece.times)
        if after_gap:
            found.stretches.append((begin, end, count))
        else:
            first, _, before = found.stretches[-1]
            found.stretches[-1] = (first, end, before + count)
    return found


def places(known: Survey, rate: float, zero: int) -> list[int]:
    """The slot, on a grid of this rate from a time on, that each stretch begins at: none takes another's."""
    found: list[int] = []
    free = -(2**62)
    for begin, _, count in known.stretches:
        slot = max(free, round((begin - zero) * rate / SECOND))
        found.append(slot)
        free = slot + count
    return found


def slotted(db: Transaction, flow: Flow, begins: list[int]) -> Iterator[tuple[int, Samples]]:
    """Samples with the slot of their first one."""
    each = iter(begins)
    slot = 0
    for after_gap, piece in stretches(blocks(db, flow), flow.rate):
        if after_gap:
            slot = next(each)
        yield slot, piece.samples
        slot += len(piece.times)


def plain_name(text: str) -> str:
    """Letters, digits, dash and underscore: a part of a file's name, whatever the text is."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-")[:48] or "x"


def file_names(found: Iterable[Flow]) -> list[str]:
    """A name for each flow's file, no two alike."""
    names: list[str] = []
    for flow in found:
        name = wanted = f"{plain_name(flow.signal)}_{plain_name(flow.device)}"
        count = 1
        while name.casefold() in {each.casefold() for each in names}:
            count += 1
            name = f"{wanted}_{count}"
        names.append(name)
    return names


class Pipe(io.RawIOBase):
    """What is written here is taken away piece by piece: nothing of a long export is kept, in memory or on a disk."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()
        self._written = 0

    def writable(self) -> bool:
        """It is all that it is."""
        return True

    def write(self, data: object, /) -> int:
        """Hold some bytes."""
        content = bytes(data)  # type: ignore[call-overload] # whatever is like bytes
        self._held += content
        self._written += len(content)
        return len(content)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._written

    def drain(self) -> bytes:
        """What is held, which is then forgotten."""
        taken, self._held = bytes(self._held), bytearray()
        return taken

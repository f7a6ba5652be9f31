"""What a device driver is, and the one place where a sample gets its time.

A driver is an async context manager with an async iterator of what it read, in physical units. It stamps nothing: it
says when (on the boot clock) it read a block, and how many samples the device itself lost before it. `Stamper` turns
that into chunks on a steady grid. Wall-clock time is asked once per session, for its origin, so that a wall clock
that is set during a visit moves no sample.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import DriverFailed
from kiosk.messages import MAX_PAYLOAD, SECOND, Chunk, Origin, Stream
from kiosk.signals import SIGNALS
from sensors.clock import Clock
from sensors.clockfit import ClockFit

MOST_BYTES = MAX_PAYLOAD // 2
"""Of samples in a chunk: base64 and the envelope come on top."""
LIVE_CHUNK, LONG_CHUNK = 0.1, 1.0
"""Seconds in a chunk: short where a screen sweeps the signal, else long, to spare broker and database."""
MOST_LOST = 60.0
"""Seconds of NaN that a run is filled up with; a device that lost more starts a new one."""


@dataclass(frozen=True, slots=True)
class Port:
    """One signal that a device delivers. Rate None: every sample comes with its own time."""

    signal: str
    channels: tuple[str, ...]
    rate: float | None


@dataclass(frozen=True, slots=True)
class Block:
    """Samples as read from the device, in the signal's unit, rows in order."""

    signal: str
    samples: NDArray[np.floating]
    read_at: int
    """Boot-clock time at which the last of them had arrived."""
    times: NDArray[np.int64] | None = None
    """Boot-clock time of each sample, where the port's rate is None."""
    lost: int = 0
    """How many samples the device lost just before these, by its own counter."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One number from a spot device, or the reason of its absence."""

    measure: str
    value: float | None
    read_at: int
    method: str
    quality: float | None = None
    absent: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened."""

    event: str
    read_at: int
    detail: str = ""


Item = Block | Spot | Mark


@dataclass(frozen=True, slots=True)
class Visit:
    """A visitor at the kiosk: a session's id and its time zero."""

    session: str
    origin: Origin
    simulated: bool


class Driver(Protocol):
    """A device. Entering opens it, leaving closes it; a failure is DriverFailed (or any exception) out of `items`."""

    @property
    def name(self) -> str:
        """The device's name on the wire."""
        ...

    @property
    def simulated(self) -> bool:
        """Whether there is no real body behind it."""
        ...

    @property
    def ports(self) -> tuple[Port, ...]:
        """The signals that it delivers."""
        ...

    @property
    def trouble(self) -> str:
        """What an operator should know of it while it goes on; empty where nothing is wrong."""
        ...

    async def __aenter__(self) -> object:
        """Open the device."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        ...

    def items(self) -> AsyncIterator[Item]:
        """What the device delivers, until it is closed."""
        ...


@runtime_checkable
class SpotDevice(Protocol):
    """A driver that says numbers, and which ones."""

    @property
    def measures(self) -> tuple[str, ...]:
        """What it measures, by the names of the catalogue."""
        ...


class AlwaysOpen:
    """For drivers with nothing to open or close, and nothing to complain of."""

    trouble = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


DriverFactory = Callable[[Visit, Clock], Driver]
"""Makes a driver for one run. A restart makes a new one."""


class Stamper:
    """Blocks of one port in one run -> chunks with times since the session's origin. The only maker of times."""

    def __init__(self, stream: Stream, port: Port, origin: Origin) -> None:
        signal = SIGNALS[port.signal]
        self._stream, self._port, self._origin = stream, port, origin
        self._seconds = LIVE_CHUNK if signal.drawn_live else LONG_CHUNK
        self._alone = signal.alone
        self._fit = ClockFit(port.rate) if port.rate else None
        self._rows: list[NDArray[np.float32]] = []
        self._times: list[NDArray[np.int64]] = []
        self._held = 0
        self._done = 0
        """Samples that have left in chunks."""
        self._last_time: int | None = None
        """Of the last sample that has a time."""

    @property
    def drift_ppm(self) -> float | None:
        """How fast the device's clock runs against ours, once known."""
        return self._fit.drift_ppm if self._fit else None

    def stamp(self, block: Block) -> list[Chunk]:
        """The chunks that are full now."""
        with np.errstate(over="ignore"):
            samples = np.asarray(block.samples).astype("<f4")
        if samples.ndim != 2 or samples.shape[1] != len(self._port.channels):
            raise DriverFailed(f"{self._stream.signal}: block of shape {samples.shape} for {self._port.channels}")
        # an ADC that overflowed to infinity lost the sample; NaN keeps the grid
        samples[np.isinf(samples)] = np.nan
        if self._fit is None:
            return self._stamp_irregular(samples, block)
        if not 0 <= block.lost <= MOST_LOST * self._fit.rate:
            raise DriverFailed(f"{self._stream.signal}: {block.lost} samples lost at once")
        if block.lost:
            samples = np.vstack([np.full((block.lost, samples.shape[1]), np.nan, "<f4"), samples])
        if not len(samples):
            return []
        was_ready = self._fit.ready
        self._fit.observe(self._done + self._held + len(samples), block.read_at)
        # what came before a stall has its time; what comes after may lie beyond a pause
        chunks = self._cut(last=True) if was_ready and not self._fit.ready else []
        self._rows.append(samples)
        self._held += len(samples)
        return chunks + self._cut(last=False)

    def flush(self) -> list[Chunk]:
        """What is left, when the run ends."""
        if self._fit is None:
            return self._cut_irregular(None)
        self._fit.finish()
        return self._cut(last=True)

    def _cut(self, *, last: bool) -> list[Chunk]:
        assert self._fit is not None
        rate = self._fit.rate
        if not self._held or not (self._fit.ready or last):
            return []
        per_chunk = max(1, min(round(rate * self._seconds), MOST_BYTES // (4 * len(self._port.channels))))
        rows = np.concatenate(self._rows)
        chunks = []
        while self._held >= per_chunk or (last and self._held):
            part, rows = rows[:per_chunk], rows[per_chunk:]
            start = self._fit.time_of(self._done) - self._origin.boot
            # a fit that is mended may go back by more than a sample's period: time never does
            if self._last_time is not None:
                start = max(start, self._last_time + round(SECOND / rate / 2))
            self._last_time = start + round((len(part) - 1) * SECOND / rate)
            chunks.append(Chunk(self._stream, 0, start, rate, self._port.channels, part.tobytes()))
            self._done += len(part)
            self._held -= len(part)
        self._rows = [rows]
        return chunks

    def _stamp_irregular(self, samples: NDArray[np.float32], block: Block) -> list[Chunk]:
        if block.times is None or np.shape(block.times) != (len(samples),):
            raise DriverFailed(f"{self._stream.signal}: one time per sample is needed")
        # whole microseconds, because that is what a chunk carries
        times = (np.asarray(block.times, dtype=np.int64) - self._origin.boot) // 1000 * 1000
        before = times if self._last_time is None else np.concatenate(([self._last_time], times))
        if (np.diff(before) <= 0).any():
            raise DriverFailed(f"{self._stream.signal}: the device's times do not increase")
        if len(times):
            self._last_time = int(times[-1])
            self._rows.append(samples)
            self._times.append(times)
            self._held += len(samples)
        return self._cut_irregular(None if self._alone else block.read_at - self._origin.boot)

    def _cut_irregular(self, now: int | None) -> list[Chunk]:
        """The chunks whose span is over by `now`; with None, whatever there is."""
        if not self._held:
            return []
        times = np.concatenate(self._times)
        rows = np.concatenate(self._rows)
        span = round(self._seconds * SECOND)
        most = MOST_BYTES // (4 * len(self._port.channels) + 4)
        chunks = []
        while len(times) and (now is None or max(int(times[-1]), now) - times[0] >= span):
            count = min(int(np.searchsorted(times, times[0] + span)), most)
            offsets = ((times[:count] - times[0]) // 1000).astype("<i4")
            chunks.append(
                Chunk(
                    self._stream, 0, int(times[0]), None, self._port.channels, rows[:count].tobytes(), offsets.tobytes()
                )
            )
            times, rows = times[count:], rows[count:]
        self._times, self._rows, self._held = [times], [rows], len(times)
        return chunks

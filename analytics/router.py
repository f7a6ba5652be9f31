"""Brings every chunk to the analyzer of its stream, and nowhere else. Synchronous and without a clock.

What it remembers is bounded: sessions are forgotten when they end, and the one that was silent longest when there
are too many.
"""

import logging
import math
import uuid
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field

import numpy as np

from analytics.analyzer import Analyzer, Finding
from analytics.fusion.live import Fuser
from analytics.registry import ANALYZERS, factory
from kiosk import messages
from kiosk.errors import Refused
from kiosk.measures import MEASURES
from kiosk.messages import READINGS, SECOND, Chunk, Reading, Session, Stream
from kiosk.signals import SIGNALS

_log = logging.getLogger(__name__)

MOST_SESSIONS = 200
MOST_OF_KIOSK = 20
"""Sessions of one kiosk, which has one visit at a time, and late ones: whoever makes up more forgets their own, and
nobody else's."""
MOST_STREAMS = 12
"""Analyzed streams of one session, four of them of a camera: nobody wears more sensors."""
MOST_ENDED = 5_000
FUSION = "fusion"
"""The device, and the source, of what all streams of a session tell together."""
OLD_RUNS = 8
GAP = 1.5
"""Periods between two samples from which on something is missing between them (as in `Track.segments`)."""
PAUSE = 5.0
"""Seconds between two samples with times of their own from which what follows does not continue what was: a network
that looks at a face now and then is slower than its camera, and what a shorter pause means the analyzer knows."""


@dataclass(slots=True)
class Counters:
    """What the router has done, for metrics."""

    chunks: int = 0
    readings: int = 0
    ignored: int = 0
    """Chunks of signals that nobody analyses."""
    duplicates: int = 0
    stale: int = 0
    """Chunks of an earlier run, or of a session that has ended."""
    gaps: int = 0
    restarts: int = 0
    """A new run, rate or set of channels."""
    failures: int = 0
    """Exceptions of analyzers; their streams were reset."""
    overflowing: int = 0
    """Chunks of more streams than one session may have."""
    evicted: int = 0
    """Sessions forgotten because there were too many."""
    sessions: int = 0
    """Sessions remembered now."""
    unsent: int = 0
    """Readings for which there was no connection."""
    refused: Counter[str] = field(default_factory=Counter)
    """Messages, in or out, that make no sense: by reason."""


@dataclass(slots=True)
class _Line:
    """One stream's analyzer and where it stands."""

    run: str
    rate: float | None
    channels: tuple[str, ...]
    analyzer: Analyzer
    seq: int
    end: int
    """When the sample after the last one is due; of an irregular stream, when the last one was."""
    old_runs: deque[str] = field(default_factory=lambda: deque(maxlen=OLD_RUNS))


@dataclass(slots=True)
class _Visit:
    """What is remembered of one session."""

    first_seq: int
    lines: dict[tuple[str, str], _Line] = field(default_factory=dict)
    seqs: dict[str, int] = field(default_factory=dict)
    fuser: Fuser = field(default_factory=Fuser)


class Router:
    """One set of analyzers per kiosk and session. A broken one starts over; the others never notice."""

    def __init__(self, *, run: str | None = None, most_sessions: int = MOST_SESSIONS) -> None:
        self.counters = Counters()
        self._run = run or uuid.uuid4().hex
        self._most_sessions = most_sessions
        self._visits: OrderedDict[tuple[str, str], _Visit] = OrderedDict()
        self._ended: OrderedDict[tuple[str, str], None] = OrderedDict()

    def feed(self, kiosk: str, chunk: Chunk) -> list[Reading]:
        """The readings that this chunk completes."""
        self.counters.chunks += 1
        signal = chunk.stream.signal
        if signal not in ANALYZERS or (chunk.rate is None and not SIGNALS[signal].irregular):
            self.counters.ignored += 1
            return []
        key = (kiosk, chunk.stream.session)
        if key in self._ended:
            self.counters.stale += 1
            return []
        visit = self._visit(key)
        line = self._line(visit, chunk)
        if line is None:
            return []
        try:
            findings = self._findings(line, chunk)
        except Exception as error:
            # no traceback: its lines could show samples
            _log.error("%s analyzer failed, stream starts over: %s", chunk.stream.signal, type(error).__name__)
            self.counters.failures += 1
            line.analyzer = factory(chunk.stream.signal)(line.rate, line.channels)
            return []
        if not findings:
            return []
        session = chunk.stream.session
        readings = self._readings(visit, session, chunk.stream.device, signal, findings)
        together = self._together(visit, chunk.stream, findings)
        return readings + self._readings(visit, session, FUSION, FUSION, together)

    def _together(self, visit: _Visit, stream: Stream, findings: list[Finding]) -> list[Finding]:
        try:
            return visit.fuser.feed(stream.signal, stream.device, findings)
        except Exception as error:
            _log.error("fusion failed and starts over: %s", type(error).__name__)
            self.counters.failures += 1
            visit.fuser = Fuser()
            return []

    def _findings(self, line: _Line, chunk: Chunk) -> list[Finding]:
        times, samples = chunk.times(), chunk.values()
        if chunk.rate is not None:
            return line.analyzer.feed(times, samples)
        found = []
        # a pause within a chunk is one between two
        pauses = np.flatnonzero(np.diff(times) > PAUSE * SECOND) + 1
        for turn, (at, rows) in enumerate(zip(np.split(times, pauses), np.split(samples, pauses), strict=True)):
            if turn:
                self.counters.gaps += 1
                line.analyzer.reset()
            found += line.analyzer.feed(at, rows)
        return found

    def session(self, kiosk: str, session: Session) -> None:
        """Forget a session that has ended."""
        key = (kiosk, session.stream.session)
        if session.state == "ended":
            self._ended[key] = None
            if len(self._ended) > MOST_ENDED:
                self._ended.popitem(last=False)
            self._visits.pop(key, None)
            self.counters.sessions = len(self._visits)

    def _visit(self, key: tuple[str, str]) -> _Visit:
        visit = self._visits.get(key)
        if visit is not None:
            self._visits.move_to_end(key)
            return visit
        # counts on from all readings so far: a session that was forgotten and comes back repeats no seq
        visit = self._visits[key] = _Visit(first_seq=self.counters.readings)
        mine = [other for other in self._visits if other[0] == key[0]]
        if len(mine) > MOST_OF_KIOSK:
            del self._visits[mine[0]]
            self.counters.evicted += 1
        elif len(self._visits) > self._most_sessions:
            self._visits.popitem(last=False)
            self.counters.evicted += 1
        self.counters.sessions = len(self._visits)
        return visit

    def _line(self, visit: _Visit, chunk: Chunk) -> _Line | None:
        """The stream's line, ready for this chunk; None where the chunk is not to be used."""
        counters, stream = self.counters, chunk.stream
        key = (stream.device, stream.signal)
        line = visit.lines.get(key)
        if line is None or stream.run != line.run or (chunk.rate, chunk.channels) != (line.rate, line.channels):
            if line is not None and stream.run in line.old_runs:
                counters.stale += 1
                return None
            return self._new_line(visit, chunk, line)
        if chunk.seq <= line.seq:
            counters.duplicates += 1
            return None
        if chunk.seq != line.seq + 1 or _jumps(chunk, line.end):
            counters.gaps += 1
            line.analyzer.reset()
        line.seq, line.end = chunk.seq, _end(chunk)
        return line

    def _new_line(self, visit: _Visit, chunk: Chunk, before: _Line | None) -> _Line | None:
        stream = chunk.stream
        if before is None and len(visit.lines) >= MOST_STREAMS:
            self.counters.overflowing += 1
            return None
        try:
            analyzer = factory(stream.signal)(chunk.rate, chunk.channels)
        except Exception as error:
            _log.error("no %s analyzer at %s Hz: %s", stream.signal, chunk.rate, type(error).__name__)
            self.counters.failures += 1
            return None
        line = _Line(stream.run, chunk.rate, chunk.channels, analyzer, chunk.seq, _end(chunk))
        if before is not None:
            self.counters.restarts += 1
            line.old_runs.extend(before.old_runs)
            if before.run != stream.run:
                line.old_runs.append(before.run)
        visit.lines[stream.device, stream.signal] = line
        return line

    def _readings(self, visit: _Visit, session: str, of: str, source: str, findings: list[Finding]) -> list[Reading]:
        device = f"analytics-{of}"[:64]
        out = Stream(session=session, device=device, signal=READINGS, run=self._run)
        readings = []
        for finding in findings:
            seq = visit.seqs.get(device, visit.first_seq)
            reading = _reading(out, seq, source, finding)
            try:
                messages.check(reading)
            except Refused as refused:
                self.counters.refused[refused.reason] += 1
                continue
            visit.seqs[device] = seq + 1
            self.counters.readings += 1
            readings.append(reading)
        return readings


def _end(chunk: Chunk) -> int:
    if chunk.rate is None:
        return int(chunk.times()[-1])
    return chunk.start + round(chunk.count * SECOND / chunk.rate)


def _jumps(chunk: Chunk, end: int) -> bool:
    """Whether the chunk does not begin where the one before it ended."""
    if chunk.rate is None:
        return not 0 < chunk.start - end <= PAUSE * SECOND
    return abs(chunk.start - end) > (GAP - 1) * SECOND / chunk.rate


def _reading(stream: Stream, seq: int, source: str, finding: Finding) -> Reading:
    """The message of a finding; a value that the quantity cannot have is absent."""
    value, absent = finding.value, finding.absent
    measure = MEASURES.get(finding.measure)
    if value is not None and not (math.isfinite(value) and (measure is None or measure.possible(value))):
        value, absent = None, "impossible"
    return Reading(
        stream=stream,
        seq=seq,
        measure=finding.measure,
        value=value,
        source=source,
        scope="live",
        method=finding.method,
        start=finding.start_ns,
        end=finding.end_ns,
        low=finding.low if value is not None else None,
        high=finding.high if value is not None else None,
        quality=finding.quality,
        absent=absent,
    )

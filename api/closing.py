"""Closes sessions: loads the recording, has it analysed, stores the readings as a revision.

Any number of closers may run: each claims a session by compare-and-set, and a claim that was lost stores nothing.
The analysis runs in a process of its own, so that it neither slows the recorder nor takes it down.
"""

import asyncio
import dataclasses
import logging
import multiprocessing
import os
import secrets
import statistics
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from analytics import norms
from analytics.session import COMPARED, MEASURES_OF, FinalReading, Result, session
from api.store import Database, StoreError, chunks, events, patients, readings, results, sessions, streams, utc_now
from api.store.results import Found
from api.store.sessions import Due
from api.tables import StreamRow
from kiosk import recording
from kiosk.errors import BadRecording, KioskError
from kiosk.measures import Reason
from kiosk.messages import SECOND, Chunk
from kiosk.models import FOLDER
from kiosk.processes import die_with_parent
from kiosk.recording import Baseline, Context, Recording, Track
from kiosk.settings import Settings
from kiosk.version import VERSION

log = logging.getLogger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SWEEP_EVERY = 1.0
QUIET = 5 * SECOND
"""How long a closed session must be quiet after late data before it is closed again."""
MOST_ATTEMPTS = 3
RESTART_AFTER = 50
"""Analyses after which the process is renewed, so that no library's leak grows."""

NOTHING = Result(readings=())
Analyse = Callable[[Recording, Context], Result]


@dataclass(slots=True)
class ClosingCounts:
    """What has happened since the start, for metrics."""

    complete: int = 0
    partial: int = 0
    failed: int = 0


def load(database: Database, session_id: str) -> Recording:
    """A stored session as a recording, or BadRecording."""
    with database.reading() as db:
        if sessions.get(db, session_id) is None:
            raise BadRecording(f"there is no session {session_id}")
        tracks = tuple(_tracks(chunks.of_session(db, session_id)))
        return Recording(tracks, name=session_id, marks=events.marks(db, session_id))


def context_of(database: Database, session_id: str) -> Context:
    """What is known of the person, at the time of the session."""
    with database.reading() as db:
        row = sessions.get(db, session_id)
        person = patients.get(db, row.patient_id) if row is not None and row.patient_id else None
        if row is None or person is None:
            return Context()
        when = row.origin_utc_ns or row.first_seen_ns
        year = (EPOCH + timedelta(seconds=when // SECOND)).year
        earlier = readings.earlier(db, row, COMPARED)
        return Context(
            age=float(year - person.birth_year) if person.birth_year else None,
            sex=person.sex,
            baselines=tuple(
                Baseline(
                    measure, statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0, len(values)
                )
                for measure, values in sorted(earlier.items())
            ),
            norms_version=norms.VERSION,
        )


def _tracks(found: Iterable[Chunk]) -> Iterable[Track]:
    """One track per device and signal; runs follow each other, unless rate or channels changed in between."""
    groups: dict[tuple[str, str, float | None, tuple[str, ...]], list[Chunk]] = {}
    for chunk in found:
        key = (chunk.stream.device, chunk.stream.signal, chunk.rate, chunk.channels)
        groups.setdefault(key, []).append(chunk)
    return [recording.track(group) for group in groups.values()]


class AnalysisFailed(KioskError):
    """This time; it will be tried again."""


class Closer:
    """Sweeps over the sessions and closes what is due."""

    def __init__(self, database: Database, settings: Settings, analyse: Analyse | None = None) -> None:
        self._database = database
        self._analyse = analyse or partial(session, models=settings.data / FOLDER)
        self._close_after = round(settings.close_after * SECOND)
        self._silence = round(settings.silence_ends * SECOND)
        self._name = f"closer-{secrets.token_hex(6)}"
        self._attempts: dict[str, int] = {}
        self.counts = ClosingCounts()

    async def run(self) -> None:
        """Close sessions, until cancelled."""
        pool = _pool()
        try:
            while True:
                try:
                    closed = await self.sweep(pool)
                except StoreError as error:
                    log.error("closing waits for the database: %s", type(error).__name__)  # noqa: TRY400 - no new trace
                    closed = 0
                except BrokenProcessPool:
                    log.error("the analysis process died; starting another")  # noqa: TRY400
                    pool.shutdown(wait=False)
                    pool, closed = _pool(), 0
                if not closed:
                    await asyncio.sleep(SWEEP_EVERY)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    async def sweep(self, pool: Executor) -> int:
        """End silent sessions, close what is due; how many were closed."""
        now = utc_now()
        closed = 0
        for due in await asyncio.to_thread(self._due, now):
            if not await asyncio.to_thread(self._claim, due):
                continue
            try:
                closed += await self._close(pool, due)
            except BaseException as error:
                await asyncio.shield(asyncio.to_thread(self._release, due))
                if not isinstance(error, AnalysisFailed):
                    raise
        return closed

    def _due(self, now: int) -> list[Due]:
        with self._database.transaction() as db:
            sessions.end_silent(db, now, self._silence)
        with self._database.reading() as db:
            return sessions.due(db, now, close_after=self._close_after, quiet=QUIET)

    def _claim(self, due: Due) -> bool:
        with self._database.transaction() as db:
            return sessions.claim(db, due, self._name, utc_now())

    def _release(self, due: Due) -> None:
        with self._database.transaction() as db:
            sessions.release(db, due, self._name)

    async def _close(self, pool: Executor, due: Due) -> int:
        self._attempts[due.id] = self._attempts.get(due.id, 0) + 1
        try:
            context = await asyncio.to_thread(context_of, self._database, due.id)
            loaded = await asyncio.to_thread(load, self._database, due.id)
            result = await asyncio.get_running_loop().run_in_executor(pool, self._analyse, loaded, context)
        except (StoreError, asyncio.CancelledError):
            self._attempts.pop(due.id)
            raise
        except Exception as error:
            # an analysis that fails on a recording will fail again: after a few times the session closes without it
            self.counts.failed += 1
            log.exception("analysis of session %s failed", due.id)
            if self._attempts[due.id] < MOST_ATTEMPTS:
                # a pool whose process died takes no more work
                raise error if isinstance(error, BrokenProcessPool) else AnalysisFailed(due.id) from error
            context, loaded, result = Context(), None, NOTHING
        stored = await asyncio.to_thread(self._store, due, context, loaded, result)
        self._attempts.pop(due.id, None)
        return int(stored)

    def _store(self, due: Due, context: Context, loaded: Recording | None, result: Result) -> bool:
        now = utc_now()
        with self._database.transaction() as db:
            if not sessions.close(db, due, self._name, now):
                return False
            rows = streams.of_session(db, due.id)
            found = [_found(reading) for reading in result.readings]
            found += _missing(rows, found, "not_delivered" if loaded is not None else "analysis_failed")
            results.add(
                db,
                due.id,
                due.revision + 1,
                outcome=due.outcome,
                version=VERSION,
                context=dataclasses.asdict(context),
                beats=np.asarray(result.beats, "<f8").tobytes() if result.beats else None,
                readings=found,
                now=now,
            )
        if due.outcome == "complete":
            self.counts.complete += 1
        else:
            self.counts.partial += 1
        return True


def _found(reading: FinalReading) -> Found:
    return Found(
        measure=reading.measure,
        value=reading.value,
        low=reading.low,
        high=reading.high,
        quality=reading.quality,
        absent=reading.absent,
        source=reading.source,
        scope=reading.scope,
        method=reading.method,
        preferred=reading.preferred,
        start_ns=round(reading.start * SECOND),
        end_ns=round(reading.end * SECOND),
        note=reading.note,
        note_ru=reading.note_ru,
    )


def _missing(rows: Iterable[StreamRow], found: Iterable[Found], reason: Reason) -> Iterable[Found]:
    """What streams that were not delivered in full, or not analysed, would have answered and did not."""
    answered = {
        (source.partition(".")[0], reading.measure) for reading in found for source in reading.source.split("+")
    }
    for row in rows:
        delivered = row.last is not None and row.upto >= row.last
        if delivered and reason == "not_delivered":
            continue
        for measure in MEASURES_OF.get(row.signal, ()):
            if (row.signal, measure) not in answered:
                answered.add((row.signal, measure))
                yield Found(measure, None, None, None, None, reason, row.signal, "recording", "none", False, 0, 0)


def _alone(parent: int) -> None:
    """What the analysis process does first."""
    # it would wait for work for ever after our kill -9: it holds both ends of its queue
    die_with_parent(parent)
    # products of small matrices: a second thread would only spin
    threadpool_limits(1)


def _pool() -> Executor:
    return ProcessPoolExecutor(
        1,
        # spawned, not forked: this process has threads, and a database connection that a child must not share
        mp_context=multiprocessing.get_context("spawn"),
        max_tasks_per_child=RESTART_AFTER,
        initializer=_alone,
        initargs=(os.getpid(),),
    )

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
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial

from threadpoolctl import threadpool_limits

from analytics.session import Result, session
from api import alerts, drawing
from api.answers import courses_of, missing, packed, quality, row_of
from api.correcting import Applied, applied, correction
from api.loading import context_of, load
from api.provenance import checksums, models_of
from api.store import (
    Database,
    Destroyed,
    KeysUnusable,
    StoreError,
    Tampered,
    corrections,
    courses,
    erasure,
    pyramids,
    readings,
    results,
    sessions,
    streams,
    utc_now,
)
from api.store.keys import KeyDamaged
from api.store.pyramids import Pyramid
from api.store.sessions import Due
from api.visits import bodies, settling
from kiosk.errors import KioskError
from kiosk.messages import SECOND
from kiosk.models import FOLDER
from kiosk.processes import die_with_parent
from kiosk.recording import Context, Recording
from kiosk.settings import Settings
from kiosk.version import VERSION

__all__ = ["Closer", "ClosingCounts", "analysis_process", "context_of", "load"]

log = logging.getLogger(__name__)

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


class AnalysisFailed(KioskError):
    """This time; it will be tried again."""


class Closer:
    """Sweeps over the sessions and closes what is due."""

    def __init__(self, database: Database, settings: Settings, analyse: Analyse | None = None) -> None:
        self._database = database
        self._analyse = analyse or partial(session, models=settings.data / FOLDER)
        self._close_after = round(settings.close_after * SECOND)
        self._silence = round(settings.silence_ends * SECOND)
        self._models = settings.data / FOLDER
        self._name = f"closer-{secrets.token_hex(6)}"
        self._attempts: dict[str, int] = {}
        self.counts = ClosingCounts()

    async def run(self) -> None:
        """Close sessions, until cancelled."""
        pool = analysis_process()
        try:
            while True:
                try:
                    closed = await self.sweep(pool)
                except (StoreError, KeysUnusable) as error:
                    log.error("closing waits for the database: %s", type(error).__name__)  # noqa: TRY400 - no new trace
                    closed = 0
                except BrokenProcessPool:
                    log.error("the analysis process died; starting another")  # noqa: TRY400
                    pool.shutdown(wait=False)
                    pool, closed = analysis_process(), 0
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
            found = sessions.due(db, now, close_after=self._close_after, quiet=QUIET)
            # their samples were kept no longer: what was found in them stays the last word
            settled = [due.id for due in found if due.revision and erasure.waveforms_are_gone(db, due.id)]
        if settled:
            with self._database.transaction() as db:
                sessions.settle(db, settled)
        return [due for due in found if due.id not in settled]

    def _claim(self, due: Due) -> bool:
        with self._database.transaction() as db:
            return sessions.claim(db, due, self._name, utc_now())

    def _release(self, due: Due, *, again: bool = True) -> None:
        with self._database.transaction() as db:
            sessions.release(db, due, self._name, again=again)

    async def _close(self, pool: Executor, due: Due) -> int:
        self._attempts[due.id] = self._attempts.get(due.id, 0) + 1
        context, found = Context(), None
        try:
            again = due.reason in ("corrected", "reanalysed")
            context = await asyncio.to_thread(context_of, self._database, due.id, again=again)
            loaded = await asyncio.to_thread(load, self._database, due.id)
            result = await asyncio.get_running_loop().run_in_executor(pool, self._analyse, loaded, context)
            by_hand = await asyncio.to_thread(self._by_hand, due.id, result)
            if by_hand is not None:
                found, context = result, replace(context, corrected_beats=by_hand.beats, by_hand=by_hand.count)
                result = await asyncio.get_running_loop().run_in_executor(pool, self._analyse, loaded, context)
        except (StoreError, KeysUnusable, asyncio.CancelledError):
            self._attempts.pop(due.id)
            raise
        except Destroyed:
            # erased meanwhile: there is nothing to analyse, and nothing to try again
            if due.reason == "reanalysed":
                # the numbers that are there are better than none
                self._attempts.pop(due.id)
                await asyncio.to_thread(self._release, due, again=False)
                return 0
            loaded, result, found = None, NOTHING, None
        except Exception as error:
            # an analysis that fails on a recording will fail again: after a few times the session closes without it
            self.counts.failed += 1
            log.exception("analysis of session %s failed", due.id)
            if self._attempts[due.id] < MOST_ATTEMPTS:
                # a pool whose process died takes no more work
                raise error if isinstance(error, BrokenProcessPool) else AnalysisFailed(due.id) from error
            if due.reason == "reanalysed":
                # the numbers that are there are better than none
                self._attempts.pop(due.id)
                await asyncio.to_thread(self._release, due, again=False)
                return 0
            loaded, result, found = None, NOTHING, None
        stored = await asyncio.to_thread(self._store, due, context, loaded, result, found)
        self._attempts.pop(due.id, None)
        return int(stored)

    async def close_again(self, pool: Executor, session_id: str, *, by: str | None = None) -> bool:
        """Analyse a closed session again, with what its newest revision knew; False where another closer has it."""
        due = await asyncio.to_thread(self._due_again, session_id, by)
        if due is None or not await asyncio.to_thread(self._claim, due):
            return False
        try:
            return bool(await self._close(pool, due))
        except BaseException as error:
            await asyncio.shield(asyncio.to_thread(self._release, due))
            if not isinstance(error, AnalysisFailed):
                raise
            return False

    def _due_again(self, session_id: str, by: str | None) -> Due | None:
        with self._database.reading() as db:
            if erasure.waveforms_are_gone(db, session_id):
                return None
            return sessions.due_again(db, session_id, reason="reanalysed", by=by)

    def _by_hand(self, session_id: str, found: Result) -> Applied | None:
        """The beats as people left them; None where nobody touched any, or none of what they touched is there."""
        with self._database.reading() as db:
            rows = corrections.of_session(db, session_id, in_force=True)
        left = applied(found.beats, [correction(row.kind, row.time_ns, row.to_ns) for row in rows])
        return left if left.count else None

    def _store(
        self, due: Due, context: Context, loaded: Recording | None, result: Result, before: Result | None
    ) -> bool:
        now = utc_now()
        # as they are now: a network may have been added since this process began
        behind = models_of(result.readings, checksums(self._models))
        drawn = self._drawn(due.id) if loaded is not None else []
        went = self._sealed(due, result) if loaded is not None else []
        with self._database.transaction() as db:
            found = [row_of(reading, model) for reading, model in zip(result.readings, behind, strict=True)]
            if not sessions.close(db, due, self._name, now, quality=quality(found)):
                return False
            rows = streams.of_session(db, due.id)
            found += missing(rows, found, "not_delivered" if loaded is not None else "analysis_failed")
            found += bodies.body_mass(readings.of_session(db, due.id, (readings.SPOT,)))
            settling.forget_unheard(db, due.id)
            results.add(
                db,
                due.id,
                due.revision + 1,
                outcome=due.outcome,
                version=VERSION,
                context=dataclasses.asdict(context),
                beats=packed(result.beats),
                detected=packed(before.beats) if before is not None else None,
                readings=found,
                now=now,
                reason=due.reason,
                requested_by=due.by,
            )
            courses.add(db, went)
            alerts.evaluate(db, due.id, now)
            pyramids.store(db, drawn)
        if due.outcome == "complete":
            self.counts.complete += 1
        else:
            self.counts.partial += 1
        return True

    def _drawn(self, session_id: str) -> list[Pyramid]:
        """What is drawn of long streams. Where it cannot be made, the numbers do not wait for it."""
        try:
            with self._database.reading() as db:
                return drawing.make_pyramids(db, session_id)
        except (Destroyed, KeyDamaged, Tampered):
            # erased or damaged since it was loaded: whoever reads it is told so
            return []

    def _sealed(self, due: Due, result: Result) -> list[courses.Sealed]:
        """How the numbers went, ready to be stored."""
        try:
            return courses.sealed(self._database.vault, due.id, due.revision + 1, courses_of(result))
        except Destroyed:
            # erased since it was loaded
            return []


def _alone(parent: int) -> None:
    """What the analysis process does first."""
    # it would wait for work for ever after our kill -9: it holds both ends of its queue
    die_with_parent(parent)
    # products of small matrices: a second thread would only spin
    threadpool_limits(1)


def analysis_process() -> Executor:
    """A process for analyses alone, that ends with this one."""
    return ProcessPoolExecutor(
        1,
        # spawned, not forked: this process has threads, and a database connection that a child must not share
        mp_context=multiprocessing.get_context("spawn"),
        max_tasks_per_child=RESTART_AFTER,
        initializer=_alone,
        initargs=(os.getpid(),),
    )

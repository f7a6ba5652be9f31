"""Works uploads off: claims one, has it read and analysed apart, stores what comes as a session, and closes that.

Any number of workers may run; a claim that is not renewed is taken again, three times at most. They run in the
recorder's process, beside the closer, whose storing of results it uses.
"""

import asyncio
import contextlib
import logging
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from os import getpid
from pathlib import Path

import msgspec

from analytics import norms
from api.closing import Closer, context_of
from api.store import Database, Destroyed, StoreError, Tampered, analyses, arrivals, chunks, streams, utc_now
from api.store.analyses import MOST_ATTEMPTS
from api.store.sealing import Box
from api.tables import AnalysisRow
from api.uploads import places
from api.uploads.apart import GROWS, RUN, Limits, Reader, Task, serve
from api.uploads.sealed import opened
from api.uploads.spoken import (
    MOST_SAID,
    UPLOADED,
    Analysing,
    Finished,
    Manifest,
    Noted,
    Progress,
    Said,
    Samples,
    Signals,
    Unusable,
    context_out,
    decoded,
)
from kiosk.messages import EVENTS, Chunk, Event, Stream
from kiosk.models import FOLDER
from kiosk.recording import Context, Recording
from kiosk.settings import Settings

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
TOLD_EVERY = 0.5
"""Seconds between two words on how far it is."""
START = 120.0
"""Seconds that a process may take to begin: a busy machine imports slowly."""
BATCH = 4 * 1024 * 1024
"""Bytes of samples in one transaction: a kiosk's recorder waits no longer than that takes."""
MOST_STORED = 1_000_000_000
"""Bytes of samples of one upload."""
READ, STORED = 0.3, 0.5
"""Shares of the way at which everything is read, and stored."""
MARK = "annotation"
CRASHED = "the analysis needed more than an upload may use, and was stopped"
_SPAWN = get_context("spawn")


class Lost(Exception):
    """The upload was taken over, or cancelled."""


class Failed(Exception):
    """The upload comes to nothing, in words."""


class Uploads:
    """Works off what was uploaded, one at a time."""

    def __init__(self, database: Database, settings: Settings, read: Reader) -> None:
        self._database, self._settings, self._read = database, settings, read
        self._closer = Closer(database, settings)
        self._name = self._closer._name  # a session is claimed by whoever closes it
        self._stop = threading.Event()

    async def run(self) -> None:
        """Work, until cancelled."""
        await asyncio.to_thread(places.sweep, self._settings.data)
        try:
            while True:
                try:
                    worked = await asyncio.to_thread(self.work)
                except StoreError as error:
                    log.error("uploads wait for the database: %s", type(error).__name__)  # noqa: TRY400 - no new trace
                    worked = False
                if not worked:
                    await asyncio.sleep(LOOK_EVERY)
        finally:
            self._stop.set()

    def work(self) -> bool:
        """Work one off; whether there was any."""
        with self._database.transaction() as db:
            row = analyses.claim(db, self._name, utc_now())
        if row is None:
            return False
        if row.attempts > MOST_ATTEMPTS:
            self._fail(row, "its analysis was begun three times and never came to an end")
            return True
        try:
            _Work(self._database, self._settings, self._read, self._closer, self._name, row, self._stop).do()
            places.forget(self._database.vault, self._settings.data, row.id)
        except Lost:
            with self._database.transaction() as db:
                analyses.release(db, row.id, self._name, counted=not self._stop.is_set())
                if analyses.get(db, row.id) is None:
                    # cancelled: what is stored of it goes too
                    analyses.discard(db, analyses.session_of(row.id))
        except Failed as error:
            self._fail(row, str(error))
        except (StoreError, OSError):
            with contextlib.suppress(StoreError), self._database.transaction() as db:
                analyses.release(db, row.id, self._name, counted=True)
            raise
        return True

    def _fail(self, row: AnalysisRow, words: str) -> None:
        with self._database.transaction() as db:
            if analyses.fail(db, row.id, self._name, words, utc_now()):
                analyses.discard(db, analyses.session_of(row.id))
        places.forget(self._database.vault, self._settings.data, row.id)


class _Work:
    """One upload."""

    def __init__(
        self, database: Database, settings: Settings, read: Reader, closer: Closer, name: str, row: AnalysisRow,
        stop: threading.Event,
    ) -> None:  # fmt: skip
        self._database, self._settings, self._read, self._closer = database, settings, read, closer
        self._name, self._row, self._stop = name, row, stop
        self._session = analyses.session_of(row.id)
        self._manifest: Manifest
        self._progress, self._state, self._told = 0.0, "reading", 0.0
        self._waiting: list[Chunk] = []
        self._events: list[Event] = []
        self._samples = self._stored = self._bytes = 0
        self._seconds, self._analysing_since = 0.0, 0.0
        self._ids: dict[Stream, int] = {}
        self._upto: dict[int, int] = {}
        self._finished = False

    def do(self) -> None:
        """Do all of it, or raise Lost or Failed."""
        try:
            box = self._database.vault.purpose(places.purpose(self._row.id))
            sealed = places.sealed(self._settings.data, self._row.id)
            self._manifest = places.manifest(sealed, box, self._row.id)
        except (Destroyed, Tampered, OSError, msgspec.DecodeError):
            raise Failed("what was uploaded is not there any more") from None
        settings = self._settings
        limits = Limits(settings.upload_memory, settings.upload_seconds, GROWS * settings.upload_bytes)
        with places.working(settings.data, 2 * self._row.size) as folder:
            self._open(sealed, box, folder)
            task = Task(self._session, self._manifest, folder, settings.data / FOLDER, limits)
            with _process(self._read, task) as (process, line):
                self._listen(process, line)

    def _open(self, sealed: Path, box: Box, folder: Path) -> None:
        """Put the files there in clear: the process that reads them has no key."""
        try:
            for number in range(len(self._manifest.files)):
                with (folder / str(number)).open("xb") as clear:
                    for block in opened(sealed / str(number), box, places.place(self._row.id, number)):
                        clear.write(block)
                        self._tell()
        except (Tampered, FileNotFoundError):
            raise Failed("what was uploaded is not there any more") from None

    def _listen(self, process: BaseProcess, line: Connection) -> None:
        begun = time.monotonic()
        while not self._finished:
            if self._stop.is_set():
                raise Lost
            if time.monotonic() - begun > START + self._settings.upload_seconds:
                raise Failed(f"not done after {self._settings.upload_seconds:g} s: given up")
            there = line.poll(TOLD_EVERY)
            self._tell()
            if not there:
                if not process.is_alive() and not line.poll(0):
                    raise Failed(CRASHED)
                continue
            try:
                said = decoded(line.recv_bytes(MOST_SAID))
            except EOFError:
                raise Failed(CRASHED) from None
            except (OSError, msgspec.DecodeError):
                raise Failed("what was found in it cannot be stored") from None
            self._take(said, line)

    def _take(self, said: Said, line: Connection) -> None:
        match said:
            case Progress(share):
                self._progress = READ * share
            case Signals(end, samples, seconds):
                self._samples, self._seconds = samples, seconds
                with self._database.transaction() as db:
                    analyses.open_session(
                        db, self._row, self._session, UPLOADED, self._name,
                        origin=self._manifest.started, ended=max(0, end), now=utc_now(),
                    )  # fmt: skip
            case Samples(chunk):
                self._bytes += len(chunk.samples)
                if chunk.stream.session != self._session or self._bytes > MOST_STORED:
                    raise Failed("it holds more than a session may")
                self._waiting.append(chunk)
                self._stored += chunk.count
                self._progress = READ + (STORED - READ) * min(1.0, self._stored / max(1, self._samples))
                if sum(len(each.samples) for each in self._waiting) > BATCH or len(self._waiting) > 2000:
                    self._store()
            case Noted(at, text):
                stream = Stream(self._session, UPLOADED, EVENTS, RUN)
                self._events.append(Event(stream, len(self._events), MARK, at, text))
            case Analysing():
                self._store()
                self._state, self._analysing_since = "analysing", time.monotonic()
                line.send_bytes(context_out(self._context()))
            case Finished():
                self._finish(said)
            case Unusable(cause):
                raise Failed(cause)

    def _store(self) -> None:
        with self._database.transaction() as db:
            came = {chunk.stream for chunk in self._waiting} | {event.stream for event in self._events}
            for stream in came - self._ids.keys():
                self._ids[stream] = streams.find_or_make(db, stream).id
            numbered = [(self._ids[chunk.stream], chunk) for chunk in self._waiting]
            for number, chunk in numbered:
                if number not in self._upto:
                    streams.set_shape(db, number, chunk.rate, chunk.channels)
                self._upto[number] = max(chunk.seq, self._upto.get(number, -1))
            chunks.add(db, numbered)
            events = [(self._ids[event.stream], event) for event in self._events]
            arrivals.add_events(db, events)
            for number, event in events:
                self._upto[number] = event.seq
            streams.set_progress(db, [(number, upto, None) for number, upto in self._upto.items()])
        self._waiting.clear()
        self._events = []

    def _context(self) -> Context:
        """What is known of the person: by their record, and by what was said with the upload."""
        known, said = context_of(self._database, self._session), self._manifest
        if said.age is None and said.sex is None:
            return known
        return replace(
            known,
            age=known.age if said.age is None else said.age,
            sex=said.sex or known.sex,
            norms_version=norms.VERSION,
        )

    def _finish(self, said: Finished) -> None:
        context, now = self._context(), utc_now()
        with self._database.transaction() as db:
            if not analyses.note(db, self._row.id, self._name, self._state, self._progress, now):
                raise Lost
            due = analyses.end_session(db, self._session, now)
        if not self._closer._store(due, context, Recording(()), said.result, None):
            raise Lost
        with self._database.transaction() as db:
            analyses.finish(db, self._row.id, self._name, self._session, utc_now())
        self._finished = True

    def _tell(self) -> None:
        """Say how far it is, now and then; it keeps the claims, too."""
        now = time.monotonic()
        if now - self._told < TOLD_EVERY:
            return
        self._told = now
        if self._state == "analysing":
            # nobody knows how long an analysis takes: a guess by the length, which is never reached
            usual = 3.0 + self._seconds / 500
            self._progress = 1.0 - (1.0 - STORED) * math.exp(-(now - self._analysing_since) / usual)
        with self._database.transaction() as db:
            if not analyses.note(db, self._row.id, self._name, self._state, self._progress, utc_now()):
                raise Lost
            if self._samples:
                analyses.touch_session(db, self._session, self._name, utc_now())


@contextlib.contextmanager
def _process(read: Reader, task: Task) -> Iterator[tuple[BaseProcess, Connection]]:
    """The process that works apart; it is gone afterwards, whatever it was at."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=serve, args=(theirs, getpid(), read, task), daemon=True)
    process.start()
    theirs.close()
    try:
        yield process, ours
    finally:
        # what hangs in a library does not listen to anything milder
        process.kill()
        process.join()
        process.close()
        ours.close()

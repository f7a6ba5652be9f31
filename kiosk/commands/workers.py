"""Many items in processes of their own: one that crashes or hangs costs its item and nothing else."""

import os
import signal
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from time import monotonic
from typing import Generic, TypeVar

from kiosk.processes import die_with_parent

Item = TypeVar("Item")
Value = TypeVar("Value")

START = 120.0
"""Seconds that a process may take to begin: a busy machine imports slowly."""
_SPAWN = get_context("spawn")


@dataclass(frozen=True, slots=True)
class Done(Generic[Value]):
    """What became of an item."""

    index: int
    finished: int
    """Items that are done by now, those that wait for their turn included."""
    value: Value | None
    failed: str = ""
    """Why there is no value."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def results(
    function: Callable[[Item], Value], items: Sequence[Item], *, workers: int, patience: float
) -> Generator[Done[Value], None, None]:
    """A function of every item, in the order of the items, each as soon as all before it are done."""
    waiting = list(enumerate(items))[::-1]
    done: dict[int, tuple[Value | None, str]] = {}
    crew = [_Worker(function) for _ in range(min(workers, len(items)))]
    given = finished = 0
    try:
        while given < len(items):
            for worker in crew:
                if worker.index is None and waiting:
                    worker.give(*waiting.pop(), patience)
            busy = [worker for worker in crew if worker.index is not None]
            left = min(worker.deadline for worker in busy) - monotonic()
            wait([worker.line for worker in busy], max(0.0, left))
            for worker in busy:
                index, ended = worker.index, worker.ended(patience)
                if ended is not None and index is not None:
                    done[index] = ended
                    finished += 1
            while given in done:
                value, failed = done.pop(given)
                yield Done(given, finished, value, failed)
                given += 1
    finally:
        for worker in crew:
            worker.stop()


class _Worker(Generic[Item, Value]):
    """A process that is started with its first item, and again after it was lost."""

    def __init__(self, function: Callable[[Item], Value]) -> None:
        self._function = function
        self._process: SpawnProcess | None = None
        self.line: Connection
        self.index: int | None = None
        self.deadline = 0.0

    def give(self, index: int, item: Item, patience: float) -> None:
        if self._process is not None and not self._process.is_alive():
            self.stop()
        if self._process is None:
            self.line, theirs = _SPAWN.Pipe()
            self._process = _SPAWN.Process(target=_serve, args=(theirs, self._function, os.getpid()), daemon=True)
            self._process.start()
            theirs.close()
        self.index, self.deadline = index, monotonic() + START + patience
        self.line.send(item)

    def ended(self, patience: float) -> tuple[Value | None, str] | None:
        """What became of the item; None while it is being worked on."""
        assert self._process is not None
        if self.line.poll():
            try:
                answer: tuple[Value | None, str] | None = self.line.recv()
                if answer is None:
                    self.deadline = monotonic() + patience
                    return None
            except (EOFError, OSError):
                process, self.index = self._process, None
                process.join(5)
                self.stop()
                code = process.exitcode
                how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
                return None, f"the analysis crashed ({how})"
            self.index = None
            return answer
        if monotonic() >= self.deadline:
            self.index = None
            self.stop()
            return None, f"not done after {patience:g} s: given up"
        return None

    def stop(self) -> None:
        if self._process is not None:
            # what hangs in a library does not listen to anything milder
            self._process.kill()
            self._process.join()
            self.line.close()
            self._process = None


def _serve(line: Connection, function: Callable[[Item], Value], parent: int) -> None:
    """The other process: items in, values or what went wrong out, until it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, and ends us
    die_with_parent(parent)
    from threadpoolctl import threadpool_limits

    # as many processes as cores: more threads would only be in each other's way
    with threadpool_limits(1):
        while True:
            item: Item = line.recv()
            line.send(None)  # from now on it counts
            try:
                answer: tuple[Value | None, str] = (function(item), "")
            except Exception as error:
                answer = (None, f"the analysis failed ({type(error).__name__}: {error})")
            line.send(answer)
